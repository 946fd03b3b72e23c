"""A whole year's caseload, drawn by a seed from ``caseload.yaml`` and ``matters.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from engine import CaseId
from services.deadlines.calendar import Calendar
from services.demo.plans import Plan, plan_of
from services.demo.published import Count, Published
from services.demo.sample import Item, units
from services.people.demo import DEPUTIES

_DATA = resources.files("services.demo") / "data"
_DRAWN = re.compile(r"\{(\d+)\.\.(\d+)\}")
_LOCAL = "属地"
_DISTRICTS = 10
"""The last of the sample's units are its districts and counties."""
_HABITS = (0.2, 0.5, 0.5, 1.0, 1.0, 2.0, 4.0)
"""How much more often than others a unit may be late."""
_URGENCIES = ("normal",) * 7 + ("urgent",) * 2 + ("extra_urgent",)
_INTERNAL_LEAD = 3
"""Working days by which a directive's internal deadline comes earlier (domain.md §6.5)."""
_OPENING, _OFFICE_MINUTES = time(8, 40), 400

Draw = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One item of the year: when it is registered and how it goes. `luck` seeds the rest."""

    case: CaseId
    origin: str
    plan: Plan
    at: datetime
    luck: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The meeting or paper that items come from."""

    number: int
    day: date


def draw(counts: Published, seed: int, calendar: Calendar, zone: ZoneInfo) -> tuple[Drawn, ...]:
    """Draw a year's items with exactly these counts, in the order they are registered.

    The same seed draws the same items.
    """
    artist = _Artist(counts.year, seed, calendar, zone)
    drawn = [one for count in counts.counts for one in artist.items(count)]
    drawn.sort(key=lambda one: (one[1], one[2].item.title))
    return tuple(
        Drawn(
            case=CaseId(f"y{counts.year}-{place:05}"),
            origin=origin,
            plan=plan,
            at=at,
            luck=f"{seed}:{place}",
        )
        for place, (origin, at, plan) in enumerate(drawn, start=1)
    )


def measure_plan(case: CaseId, unit: str, seed: int) -> Plan:
    """Draw how people decide on a measure that a rule proposed against a unit."""
    luck = Random(f"{seed}:{case}")  # noqa: S311 -- a demonstration, the same each time
    courses = _caseload()["courses"]["efficiency_measure"]
    (course,) = luck.choices(courses, [one["weight"] for one in courses])
    item = Item(
        case_type="efficiency_measure",
        title="",
        source="other",
        source_kind="other",
        source_date=date.min,
        lead_unit=unit,
        co_units=(),
        urgency="normal",
        deadline=None,
        note="",
    )
    return plan_of(course, item)


class _Artist:
    def __init__(self, year: int, seed: int, calendar: Calendar, zone: ZoneInfo) -> None:
        self._year = year
        self._luck = Random(f"caseload:{seed}")  # noqa: S311 -- a demonstration, the same each time
        self._calendar = calendar
        self._zone = zone
        self._codes = {name: f"u{n}" for n, name in enumerate(units(), start=1)}
        self._habits = {code: self._luck.choice(_HABITS) for code in self._codes.values()}

    def items(self, count: Count) -> Iterator[tuple[str, datetime, Plan]]:
        """Draw the items of one count."""
        for place, (origin, source) in enumerate(self._sources(count)):
            is_open = None if count.closed is None else place >= count.closed
            look = self._look(origin)
            day = source.day if source else self._day(look, is_open=is_open)
            item, register = self._item(look, day, source, place + 1)
            plan = self._plan(look, item, register, is_open=is_open)
            yield origin, self._registered_at(day, is_next=source is not None), plan

    def _sources(self, count: Count) -> Iterator[tuple[str, _Source | None]]:
        """Give each item its origin, and its meeting where meetings are counted."""
        if not count.sources:
            yield from ((self._luck.choice(count.origins), None) for _ in range(count.cases))
            return
        held = [
            (origin, _Source(number=number, day=self._meeting_day(number, many)))
            for origin, many in count.sources.items()
            for number in range(1, many + 1)
        ]
        yield from held[: count.cases]
        yield from (self._luck.choice(held) for _ in range(count.cases - len(held)))

    def _meeting_day(self, number: int, many: int) -> date:
        """Spread meetings over the year."""
        length = 340 // many
        start = date(self._year, 1, 6) + timedelta(days=(number - 1) * length)
        return self._working(start + timedelta(days=self._luck.randrange(length)))

    def _look(self, origin: str) -> Draw:
        told = _caseload()["origins"][origin]
        if isinstance(told, list):
            (look,) = self._luck.choices(told, [one["weight"] for one in told])
            return dict(look)
        return dict(told)

    def _day(self, look: Draw, *, is_open: bool | None) -> date:
        first = look.get("open_from") if is_open else look.get("from")
        last = None if is_open else look.get("until")
        start = date.fromisoformat(f"{self._year}-{first or '01-04'}")
        end = date.fromisoformat(f"{self._year}-{last or '12-25'}")
        return self._working(start + timedelta(days=self._luck.randrange((end - start).days + 1)))

    def _working(self, day: date) -> date:
        while not self._calendar.is_working(day):
            day += timedelta(days=1)
        return day

    def _registered_at(self, day: date, *, is_next: bool) -> datetime:
        if is_next:
            day = self._working(day + timedelta(days=1))
        minutes = timedelta(minutes=self._luck.randrange(_OFFICE_MINUTES))
        return datetime.combine(day, _OPENING, self._zone).astimezone(UTC) + minutes

    def _item(
        self, look: Draw, day: date, source: _Source | None, number: int
    ) -> tuple[Item, dict[str, Any]]:
        matter, lead, *others = self._luck.choice(_matters()[look["matters"]])
        lead_unit, co_units = self._units(lead, others)
        place = self._luck.choice(_matters()["places"])
        words = {"<matter>": matter, "<place>": place, "<n>": str(number)}
        words["<year>"] = str(self._year)
        if source is not None:
            words["<source>"] = str(source.number)
        kind = self._luck.choice(look["source_kinds"])
        register: dict[str, Any] = {"content": f"{place}：{matter}。请抓紧办理并报告结果。"}
        if "issuers" in look:
            register["issuer"] = self._luck.choice(look["issuers"])
        if "number" in look:
            register["source_number"] = self._said(look["number"], words)
        if look["case_type"] in ("npc_suggestion", "cppcc_proposal"):
            register["proposers"] = self._proposers(look["case_type"])
        if "inspects" in look:
            register |= self._inspection(look["inspects"], matter, (lead_unit, *co_units), day)
        item = Item(
            case_type=look["case_type"],
            title=self._said(look["title"], words),
            source=kind,
            source_kind=kind,
            source_date=day,
            lead_unit=lead_unit,
            co_units=co_units,
            urgency=self._luck.choice(_URGENCIES),
            deadline=None,
            note="",
        )
        return item, register

    def _units(self, lead: str, others: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Give the codes; some matters go to the lead unit alone."""
        codes = list(self._codes.values())
        local = self._luck.choice(codes[-_DISTRICTS:])
        lead_unit = self._codes.get(lead, local)
        wanted = others if self._luck.random() < 0.4 else ()  # noqa: PLR2004 -- four of ten
        return lead_unit, tuple(self._codes.get(name, local) for name in wanted)

    def _proposers(self, case_type: str) -> list[dict[str, Any]]:
        kind = "deputy" if case_type == "npc_suggestion" else "member"
        many = self._luck.choice((1, 1, 1, 2, 5))
        numbers = self._luck.sample(range(1, DEPUTIES + 1), many)
        return [
            {"name": f"代表{n}", "kind": kind, "leading": not place, "user": f"deputy.{n}"}
            for place, n in enumerate(numbers)
        ]

    def _inspection(
        self, many: Mapping[str, int], matter: str, first: Sequence[str], day: date
    ) -> dict[str, Any]:
        others = [code for code in self._codes.values() if code not in first]
        count = self._luck.randint(many["least"], many["most"])
        inspected = [*first, *self._luck.sample(others, max(0, count - len(first)))]
        return {
            "inspected_units": inspected,
            "scope": matter,
            "methods": ["files", "unannounced_visit"],
            "starts_on": (day + timedelta(days=5)).isoformat(),
            "ends_on": (day + timedelta(days=60)).isoformat(),
        }

    def _plan(
        self, look: Draw, item: Item, register: Mapping[str, Any], *, is_open: bool | None
    ) -> Plan:
        course = self._course(look.get("courses", item.case_type), item.lead_unit, is_open=is_open)
        steps = {**look.get("steps", {}), **course.get("steps", {})}
        told = {**register, **course.get("register", {})}
        if "superior_days" in look:
            due = self._superior_deadline(look["superior_days"], item.source_date)
            told["superior_deadline"] = due.isoformat()
            internal = {"deadline": self._days_before(due, _INTERNAL_LEAD).isoformat()}
            steps = {**steps, "dispatch": {"data": internal}}
        entry = {**course, "register": told, "steps": steps}
        words = {"<year>": str(self._year), "<district>": self._other_district(item)}
        return plan_of(self._filled(entry, words), item)

    def _other_district(self, item: Item) -> str:
        taken = {item.lead_unit, *item.co_units}
        codes = list(self._codes.values())[-_DISTRICTS:]
        return self._luck.choice([code for code in codes if code not in taken])

    def _superior_deadline(self, days: Mapping[str, int], day: date) -> date:
        length = self._luck.randint(days["least"], days["most"])
        return self._working(day + timedelta(days=length))

    def _days_before(self, day: date, count: int) -> date:
        while count:
            day -= timedelta(days=1)
            count -= self._calendar.is_working(day)
        return day

    def _course(self, name: str, unit: str, *, is_open: bool | None) -> Draw:
        courses = [
            course
            for course in _caseload()["courses"][name]
            if bool(course.get("open")) is bool(is_open)
            and not (is_open is False and course.get("unsure"))
        ]
        weights = [
            course.get("weight", 1) * (self._habits[unit] if course.get("late") else 1)
            for course in courses
        ]
        (course,) = self._luck.choices(courses, weights)
        return dict(course)

    def _filled(self, told: Any, words: Mapping[str, str]) -> Any:  # noqa: ANN401 -- as in the file
        if isinstance(told, Mapping):
            return {name: self._filled(value, words) for name, value in told.items()}
        if isinstance(told, list):
            return [self._filled(value, words) for value in told]
        return self._said(told, words) if isinstance(told, str) else told

    def _said(self, text: str, words: Mapping[str, str]) -> str:
        for word, meaning in words.items():
            text = text.replace(word, meaning)
        return _DRAWN.sub(lambda found: str(self._luck.randint(int(found[1]), int(found[2]))), text)


@cache
def _caseload() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((_DATA / "caseload.yaml").read_bytes())
    return told


@cache
def _matters() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((_DATA / "matters.yaml").read_bytes())
    return told
