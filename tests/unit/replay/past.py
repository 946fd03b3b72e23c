"""An office with a few leader instructions behind it, driven by ordinary commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher

from engine import Actor, CaseId, CompleteTask, ProcessState, SetClock, TaskId
from engine.definitions import load_folder
from engine.records import Json, parse_instant
from services.cases.commands import RegisterCase
from services.office import Office, build_office
from services.people.demo import create_demo_people
from services.scenarios.passing import pass_time
from services.settings import Settings

KEY = "leader_instruction"
BPMN = Path(__file__).parents[3] / "bpmn"
UNITS = tuple(f"第{number}局" for number in range(1, 13))

IN_TIME, LATE_BY_TEN, OVERDUE, RETURNED = map(CaseId, ("in-time", "day-12", "overdue", "returned"))


@dataclass(frozen=True, slots=True)
class Past:
    """The office, its clock, and the cases it has had."""

    office: Office
    clock: SetClock
    cases: tuple[CaseId, ...] = (IN_TIME, LATE_BY_TEN, OVERDUE, RETURNED)

    def register(self, case: CaseId, at: str) -> None:
        """Register a case at an instant."""
        pass_time(self.office, self.clock, parse_instant(at))
        data: dict[str, Json] = {
            "title": f"关于{case}的“批示” & 办理 <急>",
            "source_kind": "letter",
            "source_date": "2026-03-02",
            "issuer": "市长",
            "content": "请查实办理。",
            "urgency": "normal",
            "secrecy": "internal",
        }
        self.office.engine.execute(
            RegisterCase(
                case=case,
                by=Actor("registrar"),
                at=self.clock.now(),
                definition=KEY,
                data=data,
            )
        )

    def do(self, case: CaseId, element: str, by: str, at: str, /, **data: Json) -> None:
        """Complete the first open task of an element at an instant."""
        pass_time(self.office, self.clock, parse_instant(at))
        state = self.office.engine.history.states(case)[2][ProcessState]
        assert isinstance(state, ProcessState)
        task = next(task for task in state.tasks.values() if task.element == element)
        self.office.engine.execute(
            CompleteTask(
                case=case,
                by=Actor(by),
                at=self.clock.now(),
                task=TaskId(task.task),
                data=data,
            )
        )

    def dispatch(self, co_units: dict[CaseId, list[str]]) -> None:
        """Bring all cases to their units' handling on 2 and 3 March, step by step."""
        numbered = list(enumerate(self.cases, start=1))
        for case in self.cases:
            at = "2026-03-02T10:00+08:00"
            self.do(case, "approve_registration", "office_director", at, decision="approve")
        for unit, case in numbered:
            self.do(
                case,
                "dispatch",
                "registrar",
                "2026-03-02T11:00+08:00",
                lead_unit=f"u{unit}",
                co_units=co_units.get(case, []),
                responsible_person="张三",
                report_content="情况报告",
            )
        for unit, case in numbered:
            at = "2026-03-03T09:00+08:00"
            self.do(case, "sign_for", f"contact.{unit}", at, decision="accept")
        for unit, case in numbered:
            at, handler = "2026-03-03T10:00+08:00", f"handler.{unit}"
            self.do(
                case,
                "unit_instruction",
                f"head.{unit}",
                at,
                form="section_handles",
                handler=handler,
            )

    def report(self, case: CaseId, unit: int, day: str) -> None:
        """Let the unit handle a case and sign its report on one day."""
        at, by = f"{day}T09:00+08:00", f"handler.{unit}"
        self.do(case, "handle", by, at, result_class="done", measures="已办理", percent=100)
        self.do(case, "sign_off", f"head.{unit}", f"{day}T10:00+08:00", decision="sign", seal=True)

    def review(self, case: CaseId, day: str, *, passes: bool) -> None:
        """Let the office review a report."""
        gate = "pass" if passes else "fail"
        data: dict[str, Json] = {"content_gate": gate, "format_gate": "pass"}
        if not passes:
            data["reasons"] = {"content": "未答复所问事项，请补充核实情况。"}
        self.do(case, "review", "supervisor", f"{day}T15:00+08:00", **data)

    def close(self, case: CaseId, day: str) -> None:
        """Let the leader accept the report."""
        self.do(case, "report_to_leader", "supervisor", f"{day}T16:00+08:00", summary="已办结")
        self.do(case, "answer_report", "leader", f"{day}T17:00+08:00", decision="accept")


@contextmanager
def played(folder: Path) -> Iterator[Past]:
    """Play the four cases in a folder of their own."""
    clock = SetClock(parse_instant("2026-03-02T09:00+08:00"))
    settings = Settings(data=folder, definitions=BPMN, secret_key="past")  # noqa: S106 -- nobody signs in
    office = build_office(settings, clock)
    try:
        with office.store.transaction() as transaction:
            quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
            create_demo_people(transaction.connection, UNITS, "none", hasher=quick)
        office.engine.library.deploy(load_folder(BPMN, KEY), "system", clock.now())
        past = Past(office, clock)
        _play(past)
        yield past
    finally:
        office.close()


def _play(past: Past) -> None:
    for case in past.cases:
        past.register(case, "2026-03-02T09:00+08:00")
    past.dispatch({RETURNED: ["u9", "u10"]})
    past.report(IN_TIME, 1, "2026-03-05")
    past.review(IN_TIME, "2026-03-06", passes=True)
    past.close(IN_TIME, "2026-03-06")
    past.report(RETURNED, 4, "2026-03-09")
    past.review(RETURNED, "2026-03-10", passes=False)
    past.report(RETURNED, 4, "2026-03-12")
    past.report(LATE_BY_TEN, 2, "2026-03-16")
    past.review(LATE_BY_TEN, "2026-03-16", passes=True)
    past.close(LATE_BY_TEN, "2026-03-16")
    past.review(RETURNED, "2026-03-17", passes=True)
    pass_time(past.office, past.clock, parse_instant("2026-03-23T09:00+08:00"))
