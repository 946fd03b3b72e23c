"""Plays the year: every planned matter from registration to its end, and proves what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Any

from engine import CaseId, SetClock
from engine.records import Json
from services.demo.drive import Driver, Told
from services.demo.errors import PlanFailed
from services.demo.figures import TypeFigures
from services.demo.plans import Plan, year
from services.demo.queries import refusals
from services.demo.sample import units
from services.demo.situations import SITUATIONS, Story, missing
from services.office import Office, build_office, deploy_folder
from services.people.demo import create_demo_people
from services.settings import Settings

PASSWORD = "duban-demo-2026"  # noqa: S105 -- of people who don't exist
FIRST_DAY = date(2026, 1, 1)
LAST_DAY = date(2027, 12, 31)
"""Cases of the last months end in the year after; nothing takes longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCase:
    """One case of the year and what a reader finds in it."""

    number: str
    id: str
    type: str
    title: str
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """How the year went. `faults` says what is off; empty means that all is well."""

    seconds: float
    types: dict[str, TypeFigures]
    cases: tuple[ShownCase, ...]
    verified: int
    events: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every case ended, every history holds and every promise was kept."""
        return not self.faults

    def as_json(self) -> dict[str, Json]:
        """Give everything as JSON-plain values."""
        return {
            "ok": self.ok,
            "seconds": round(self.seconds, 2),
            "types": {name: figures.as_json() for name, figures in self.types.items()},
            "cases": [
                {
                    "number": case.number,
                    "id": case.id,
                    "type": case.type,
                    "title": case.title,
                    "shows": list(case.shows),
                }
                for case in self.cases
            ],
            "verified": self.verified,
            "events": self.events,
            "faults": list(self.faults),
        }


def play_year(settings: Settings, told: Told | None = None) -> Year:
    """Play the year on an empty data directory or database.

    Raises
    ------
    PlanFailed : somebody couldn't do what was planned.
    """
    start = monotonic()
    clock = SetClock(datetime.combine(FIRST_DAY, time(), settings.zone))
    office = build_office(settings, clock)
    try:
        populate(office)
        driver = Driver(office, clock, told)
        for number, plan in enumerate(year(), start=1):
            driver.plan(CaseId(f"demo-{number:02}"), plan, _registered_at(plan, number, office))
        driver.run(datetime.combine(LAST_DAY, time(), settings.zone))
        result = _looked_at(office, driver)
    finally:
        office.close()
    return replace(result, seconds=monotonic() - start)


def populate(office: Office) -> None:
    """Give an empty office its people, units and definitions.

    Raises
    ------
    PlanFailed : there are cases already.
    """
    if office.store.case_ids(limit=1):
        message = "the demonstration needs an empty data directory"
        raise PlanFailed(message)
    with office.store.transaction() as transaction:
        create_demo_people(transaction.connection, units(), PASSWORD)
    deploy_folder(office)


def _registered_at(plan: Plan, number: int, office: Office) -> datetime:
    """Give the day it came, or the next working day: some meetings end on a Saturday."""
    day = plan.item.source_date
    with office.store.transaction(write=False) as transaction:
        calendar = office.calendar.get(transaction.connection)
    while not calendar.is_working(day):
        day += timedelta(days=1)
    minute = timedelta(minutes=number)
    return datetime.combine(day, time(9), office.settings.zone).astimezone(UTC) + minute


def _looked_at(office: Office, driver: Driver) -> Year:
    types: dict[str, TypeFigures] = {}
    cases: list[ShownCase] = []
    faults: list[str] = []
    with office.store.transaction(write=False) as transaction:
        refused = refusals(transaction.connection)
    for run in driver.runs.values():
        history = office.engine.history.recorded(run.id)
        with office.store.transaction(write=False) as transaction:
            row = transaction.rows(run.id, "register")[0]
        types.setdefault(row["case_type"], TypeFigures()).add(row, history)
        shown = ShownCase(
            number=row["number"],
            id=run.id,
            type=row["case_type"],
            title=row["title"],
            shows=run.plan.shows,
        )
        cases.append(shown)
        story = Story(history, refused.get(run.id, frozenset()))
        faults += [f"{shown.number}: doesn't show {name}" for name in missing(shown.shows, story)]
        faults += _faults(office, run.id, row)
    promised = {name for case in cases for name in case.shows}
    faults += [f"no case shows {name}" for name in SITUATIONS if name not in promised]
    return Year(
        seconds=0,
        types=types,
        cases=tuple(cases),
        verified=len(cases) - sum(": event " in fault for fault in faults),
        events=office.store.count_events(),
        faults=tuple(faults),
    )


def _faults(office: Office, case: CaseId, row: Mapping[str, Any]) -> Iterator[str]:
    with office.store.transaction(write=False) as transaction:
        waits = [*transaction.rows(case, "tasks"), *transaction.rows(case, "timers")]
        incidents = transaction.rows(case, "jobs")
    if row["status"] not in ("closed", "cancelled") or waits or incidents:
        waiting = ", ".join(sorted({wait["element"] for wait in (*waits, *incidents)}))
        yield f"{row['number']}: {row['status']}, not over: {waiting or 'nothing open'}"
    proof = office.engine.history.verify(case)
    if not proof.ok:
        detail = (proof.detail or "")[:200]
        yield f"{row['number']}: event {proof.first_bad}: {proof.fault}: {detail}"
