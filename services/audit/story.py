"""A case told in plain words: one sentence an event that matters, in Chinese or English.

The sentences stand in ``texts/zh.toml`` and ``en.toml``, one per event type. A sentence names facts
in braces: the event's own fields, `who` did it, and what `_DERIVED` adds. A part in double brackets
is left out when one of its facts is missing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal
from zoneinfo import ZoneInfo

from engine import Actor, Event, Recorded
from engine.events import TaskCompleted, TaskReached
from engine.records import Json, parse_instant

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

FACT = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_UNITS = frozenset({"unit", "lead_unit", "co_units", "former_unit", "suggested_unit"})
_USERS = frozenset(
    {
        "by",
        "handler",
        "assignee",
        "former",
        "acting_for",
        "proposers",
        "proposed_by",
        "officers",
    }
)
_DERIVED: Mapping[str, tuple[str, ...]] = {
    "task_completed": ("outcome", "said"),
    "scope_left": ("outcome",),
    "milestone_reached": ("outcome",),
    "decision_made": ("outcome",),
}
_OUTCOMES = (
    "decision",
    "conclusion",
    "outcome",
    "result_class",
    "answer_class",
    "still_good",
    "result",
    "method",
    "escalation_result",
)
"""Form fields whose value says how a task went."""
_SAID = ("reason", "summary", "statement", "instruction", "finding", "report", "opinion")
_COUNTED = frozenset({"photos"})
"""Attachments, whose hashes say nothing to a reader; the case lists them by name."""
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Names:
    """What people and units are called; whoever isn't known keeps the login or code."""

    people: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One event as a sentence."""

    seq: int
    at: datetime
    type: str
    text: str


@cache
def texts(language: Language) -> Mapping[str, Any]:
    """Give all sentences of a language, by event type; and the words for elements and values."""
    file = resources.files("services.audit") / "texts" / f"{language}.toml"
    return tomllib.loads(file.read_text("utf-8"))


def facts_of(kind: type[Event]) -> frozenset[str]:
    """Name the facts that the sentence of an event type may use."""
    own = {f.name for f in fields(kind)}
    return frozenset({*own, "who", *_DERIVED.get(kind.name, ())})


class Teller:
    """Tells histories in one language.

    Parameters
    ----------
    zone : office time; 00:00 is told as 24:00 of the day before (domain.md §5).
    everything : tell every event, not only those that matter to people.
    """

    def __init__(
        self, names: Names, language: Language, zone: ZoneInfo, *, everything: bool = False
    ) -> None:
        self._names = names
        self._language = language
        self._words = texts(language)
        self._zone = zone
        self._everything = everything
        self._titles: dict[str, str] = {}

    def tell(self, history: Iterable[Recorded]) -> Iterator[Line]:
        """Tell a history, or the part of it that follows what was told before."""
        for batch in _batches(history):
            spoken = any(self._sentence(record).get("speaks_for_task") for record in batch)
            for record in batch:
                happened = record.event
                if isinstance(happened, TaskReached):
                    self._titles.setdefault(happened.element, happened.title)
                done = isinstance(happened, TaskCompleted)
                if self._everything or (self._matters(record) and not (done and spoken)):
                    yield Line(record.seq, record.at, happened.name, self._told(record))

    def when(self, at: datetime) -> str:
        """Write an instant in front of a line: ``2026-03-17 24:00``."""
        local, clock = self._office_time(at)
        return f"{local.isoformat()} {clock}"

    def _sentence(self, record: Recorded) -> Mapping[str, Any]:
        sentences: Mapping[str, Mapping[str, Any]] = self._words["events"]
        return sentences.get(record.event.name) or {"told": False, "text": record.event.name}

    def _matters(self, record: Recorded) -> bool:
        sentence = self._sentence(record)
        only: Mapping[str, list[str]] = sentence.get("only", {})
        return bool(sentence["told"]) and all(
            getattr(record.event, name, None) in wanted for name, wanted in only.items()
        )

    def _told(self, record: Recorded) -> str:
        facts = {name: self._shown(name, value) for name, value in _facts(record)}
        outcome = _outcome(record.event)
        if outcome is not None:
            facts["outcome"] = self._said(*outcome)
        facts["who"] = self._who(record.by)
        facts["element"] = self._element(getattr(record.event, "element", None), record.event)
        text: str = self._sentence(record)["text"]
        text = _OPTIONAL.sub(lambda part: part[1] if _has_all(part[1], facts) else "", text)
        return FACT.sub(lambda name: facts.get(name[1]) or "—", text)

    def _who(self, by: Actor) -> str:
        user = self._person(by.user)
        if by.acting_for is None:
            return user
        pattern: str = self._words["phrases"]["acting_for"]
        return pattern.format(who=user, other=self._person(by.acting_for))

    def _person(self, user: str) -> str:
        service: str | None = self._words["service"].get(user)
        return service or self._names.people.get(user, user)

    def _element(self, element: str | None, happened: Event) -> str | None:
        if element is None:
            return None
        title = getattr(happened, "title", None) or self._titles.get(element)
        known: str | None = self._words["elements"].get(element)
        if self._language == "zh":
            return title or known or element
        return known or element.replace("_", " ")

    def _shown(self, name: str, value: Json) -> str | None:
        if value is None or value in ("", (), [], {}):
            return None
        if name in _COUNTED:
            return str(len(value))
        if isinstance(value, (tuple, list)):
            parts = [self._shown(name, one) or "" for one in value]
            joint: str = self._words["phrases"]["joint"]
            return joint.join(part for part in parts if part) or None
        if isinstance(value, str):
            return self._said(name, value)
        return self._plain(value)

    def _plain(self, value: Json) -> str:
        if isinstance(value, datetime):
            return self._instant(value)
        if isinstance(value, date):
            return self._day(value)
        if isinstance(value, bool):
            return str(self._words["values"]["bool"][str(value).lower()])
        return _brief(value)

    def _said(self, name: str, value: str) -> str:
        if name in _UNITS:
            return self._names.units.get(value, value)
        if name in _USERS:
            return self._person(value)
        if _INSTANT.fullmatch(value):
            return self._instant(parse_instant(value))
        if _DAY.fullmatch(value):
            return self._day(date.fromisoformat(value))
        tables: Mapping[str, Mapping[str, str]] = self._words["values"]
        found = tables.get(name, {}).get(value)
        return found if found is not None else _brief(value)

    def _instant(self, at: datetime) -> str:
        local, clock = self._office_time(at)
        return f"{self._day(local)}{'' if self._language == 'zh' else ', '}{clock}"

    def _office_time(self, at: datetime) -> tuple[date, str]:
        local = at.astimezone(self._zone)
        if local.time() == time():
            return local.date() - timedelta(days=1), "24:00"
        return local.date(), f"{local:%H:%M}"

    def _day(self, day: date) -> str:
        if self._language == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _batches(history: Iterable[Recorded]) -> Iterator[Sequence[Recorded]]:
    """Group a history by command."""
    batch: list[Recorded] = []
    for record in history:
        if record.command is not None and batch:
            yield batch
            batch = []
        batch.append(record)
    if batch:
        yield batch


def _facts(record: Recorded) -> Iterator[tuple[str, Json]]:
    for own in fields(record.event):
        yield own.name, getattr(record.event, own.name)
    if record.event.name in _DERIVED:
        source = _source(record.event)
        yield "said", next((source[name] for name in _SAID if source.get(name)), None)


def _outcome(happened: Event) -> tuple[str, str] | None:
    """Give the form field, or result, that says how it went, and its value."""
    if happened.name not in _DERIVED:
        return None
    source = _source(happened)
    return next(
        ((name, source[name]) for name in _OUTCOMES if isinstance(source.get(name), str)), None
    )


def _source(happened: Event) -> Mapping[str, Json]:
    for name in ("data", "results", "properties", "outputs"):
        found = getattr(happened, name, None)
        if isinstance(found, dict):
            return found
    return {}


def _has_all(text: str, facts: Mapping[str, str | None]) -> bool:
    return all(facts.get(name) for name in FACT.findall(text))


def _brief(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
