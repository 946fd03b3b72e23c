"""A leader's instruction on its way through a real office, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine import Actor, CaseId, Recorded
from engine.records import Json, parse_instant
from engine.state import OpenTask
from services.asks import ASKS
from services.cases.commands import RegisterCase
from services.scenarios.passing import pass_time
from services.scoring import queries
from services.scoring.commands import AppealPoints, DecideAppeal
from services.scoring.queries import Score, ScoreEntry
from tests.helpers.offices import INSTRUCTION, Place, registration

FIRST = CaseId("case-1")


def moment(text: str) -> datetime:
    """Read ``03-18 09:00`` as office time of 2026."""
    return parse_instant(f"2026-{text.replace(' ', 'T')}+08:00")


@dataclass(frozen=True, slots=True)
class Story:
    """One case of an office."""

    place: Place
    case: CaseId = FIRST

    def at(self, text: str) -> Story:
        """Let time pass; every timer on the way fires when it is due."""
        pass_time(self.place.office, self.place.clock, moment(text))
        return self

    def register(self, definition: str = "leader_instruction", **data: Json) -> Story:
        self.place.execute(registration(self.place, self.case, definition, **data))
        self.complete("approve_registration", "office_director", decision="approve")
        return self

    def register_concern(self, **classified: Json) -> Story:
        """Register what a citizen said, and say what kind of concern it is."""
        given: dict[str, Any] = {"source_kind": "hotline", "citizen": {"name": "李䶮"}}
        data = {k: v for k, v in INSTRUCTION.items() if k not in ("issuer", "secrecy")}
        self.place.execute(
            RegisterCase(
                case=self.case,
                by=Actor("registrar"),
                at=self.place.clock.now(),
                definition="public_concern",
                data={**data, **given},
            )
        )
        classified = {"decision": "accept", "category": "complaint", **classified}
        return self.complete("classify", "supervisor", **classified)

    def dispatch(self, unit: int = 11, **data: Json) -> Story:
        given: dict[str, Json] = {
            "lead_unit": f"u{unit}",
            "responsible_person": "局长",
            "report_content": "办理结果",
        }
        return self.complete("dispatch", "registrar", **{**given, **data})

    def accept(self, unit: int = 11) -> Story:
        self.complete("sign_for", f"contact.{unit}", decision="accept")
        given: dict[str, Any] = {"form": "section_handles", "handler": f"handler.{unit}"}
        return self.complete("unit_instruction", f"head.{unit}", **given)

    def report(self, unit: int = 11) -> Story:
        given: dict[str, Any] = {"result_class": "done", "measures": "已落实", "percent": 100}
        self.complete("handle", f"handler.{unit}", **given)
        return self.complete("sign_off", f"head.{unit}", decision="sign", seal=True)

    def review(self, *, passed: bool = True) -> Story:
        given: dict[str, Any] = {"content_gate": "pass", "format_gate": "pass"}
        if not passed:
            given = {**given, "format_gate": "fail", "reasons": {"format": "未盖章"}}
        return self.complete("review", "supervisor", **given)

    def close(self, **answer: Json) -> Story:
        self.review()
        self.complete("report_to_leader", "supervisor", summary="已办结")
        return self.complete("answer_report", "leader", decision="accept", **answer)

    def inspect(self, *, in_order: bool = False) -> Story:
        given: dict[str, Any] = {
            "checks": [{"item": "措施", "in_order": in_order, "finding": "无"}],
            "conclusion": "in_order" if in_order else "not_in_order",
            "reason": "措施没有落实",
        }
        return self.complete("inspect", "supervisor", **given)

    def issue(self) -> Story:
        """Find a round not in order, hear the unit, and issue the measure."""
        self.inspect()
        self.complete("unit_statement", "head.11", statement="正在补充")
        if any(
            task.element == "interview" for task in self.place.process(self.case).tasks.values()
        ):
            held = {"date": "2026-03-02", "person": "局长", "record": "承认整改不到位。"}
            self.complete("interview", "office_director", **held)
        return self.complete("issue_measure", "office_director", decision="issue", text="限期整改")

    def complete(self, element: str, by: str, **data: Json) -> Story:
        self.place.complete(self.case, element, by, **data)
        return self

    def ask(self, name: str, by: str, **data: Json) -> Story:
        at = self.place.clock.now()
        self.place.execute(ASKS[name](case=self.case, by=Actor(by), at=at, data=dict(data)))
        return self

    def appeal(self, entry: int, by: str = "head.11") -> Story:
        at, data = self.place.clock.now(), {"entry": entry, "reason": "期限计算有误，请予更正"}
        self.place.execute(AppealPoints(case=self.case, by=Actor(by), at=at, data=data))
        return self

    def decide(self, entry: int, by: str, decision: str = "uphold") -> Story:
        at = self.place.clock.now()
        data: dict[str, Json] = {"entry": entry, "decision": decision, "reason": "理由成立"}
        self.place.execute(DecideAppeal(case=self.case, by=Actor(by), at=at, data=data))
        return self

    def tasks(self) -> list[OpenTask]:
        return list(self.place.process(self.case).tasks.values())

    def entries(self, as_of: str | None = None) -> tuple[ScoreEntry, ...]:
        """Give the account's lines of this case."""
        with self.place.office.store.transaction(write=False) as transaction:
            return queries.entries(
                transaction.connection, case=self.case, as_of=moment(as_of) if as_of else None
            )

    def points(self) -> list[tuple[str, str, Decimal]]:
        """Give unit, rule and points of every entry, in order."""
        return [(e.unit, e.rule, e.points) for e in self.entries()]

    def score(self, as_of: str, unit: str = "u11", year: int = 2026) -> Score:
        """Give a unit's score as of an instant."""
        return score(self.place, as_of, unit, year)

    def event(self, seq: int) -> Recorded:
        return self.place.office.engine.history.recorded(self.case)[seq - 1]

    def verified(self) -> bool:
        return self.place.office.engine.history.verify(self.case).ok


def score(place: Place, as_of: str, unit: str = "u11", year: int = 2026) -> Score:
    """Give a unit's score as of an instant."""
    office = place.office
    with office.store.transaction(write=False) as transaction:
        calendar = office.calendar.get(transaction.connection)
        found = queries.score(transaction.connection, unit, year, moment(as_of), calendar)
    assert found is not None
    return found
