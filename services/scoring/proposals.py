"""The rules of domain.md §6.8 that propose a measure against a unit, asked again and again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from engine import CLOCK, Case, CaseId, Command, Engine, Event, decides
from engine.case import Lookups
from engine.decisions import completing, starting
from engine.errors import CaseExists, DefinitionNotFound
from engine.expressions import Names, Setting
from engine.records import Json, instant_text
from engine.state import ProcessState
from services.deadlines.calendar import OFFICE_ZONE
from services.people.queries import unit as find_unit
from services.scoring.measures import CASE_TYPE, MEASURES, TABLE
from services.scoring.queries import overdue_cases, proposed_measures

_PETITIONS_ONLY = "petition"
_SHOWN_CASES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeMeasure(Command):
    """Put a measure against a unit up for decision; the service asks it, by rule."""

    name: ClassVar[str] = "propose_measure"
    is_start: ClassVar[bool] = True

    definition: str
    data: dict[str, Json]


@decides(ProposeMeasure)
def propose_measure(ask: ProposeMeasure, case: Case) -> Iterator[Event]:
    yield from starting(case, {"case_type": ask.definition}, ask.at)
    (registration,) = case[ProcessState].tasks.values()
    yield from completing(case, registration, ask.data, ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A unit that reached a measure's number of overdue cases, and the cases' numbers."""

    unit: str
    unit_name: str
    year: int
    measure: str
    label: str
    cases: tuple[str, ...]

    @property
    def case(self) -> CaseId:
        """One case per unit, year and measure, whoever proposes it first."""
        key = f"{self.year}:{self.measure}:{self.unit}"
        return CaseId(f"em-{hashlib.sha256(key.encode()).hexdigest()[:20]}")


def proposals(engine: Engine, now: datetime) -> tuple[Proposal, ...]:
    """Give the measures that are due this year and that nobody has proposed yet.

    How many overdue cases a measure takes stands in the definition's table; without a deployed
    definition nothing is proposed.
    """
    try:
        _, definition = engine.library.current(CASE_TYPE)
    except DefinitionNotFound:
        return ()
    year = now.astimezone(OFFICE_ZONE).year
    found: list[Proposal] = []
    with engine.store.transaction(write=False) as transaction:
        connection = transaction.connection
        known = proposed_measures(connection, year)
        for measure in MEASURES:
            setting = Setting(Names({"measure": measure}), Lookups(frozenset()), instant_text(now))
            row: Mapping[str, Json] = definition.table(TABLE).evaluate(setting).outputs
            petitions = row["counted"] == _PETITIONS_ONLY
            late = overdue_cases(connection, year, now, petitions=petitions)
            for code, numbers in late.items():
                unit = find_unit(connection, code)
                is_due = len(numbers) >= row["least"] and (code, measure) not in known
                if is_due and unit is not None and unit.active:
                    found.append(
                        Proposal(
                            unit=code,
                            unit_name=unit.name,
                            year=year,
                            measure=measure,
                            label=row["measure_label"],
                            cases=numbers,
                        )
                    )
    return tuple(found)


def propose_measures(engine: Engine, now: datetime) -> tuple[CaseId, ...]:
    """Start a case for each measure that is due; asked twice, or by two at once, it is one case."""
    started = []
    for proposal in proposals(engine, now):
        shown = proposal.cases[:_SHOWN_CASES]
        ask = ProposeMeasure(
            case=proposal.case,
            by=CLOCK,
            at=now,
            definition=CASE_TYPE,
            data={
                "title": f"{proposal.label}：{proposal.unit_name}",
                "unit": proposal.unit,
                "year": proposal.year,
                "measure": proposal.measure,
                "cases": list(shown),
                "source_kind": "other",
                "source_date": now.astimezone(OFFICE_ZONE).date().isoformat(),
                "content": "、".join(shown),
            },
        )
        try:
            engine.execute(ask)
        except CaseExists:
            continue
        started.append(proposal.case)
    return tuple(started)
