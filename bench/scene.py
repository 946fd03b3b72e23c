"""An office to measure on: people, the definitions of ``bench/definitions``, a standing clock."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from argon2 import PasswordHasher

from engine import Actor, CaseId, CompleteTask, Receipt, SetClock, TaskId
from engine.records import Json, parse_instant
from services.cases.commands import RegisterCase
from services.demo.sample import units
from services.office import Office, build_office, deploy_folder
from services.people.demo import create_demo_people
from services.settings import Settings

DEFINITIONS = Path(__file__).parent / "definitions"
NOW = parse_instant("2026-03-02T09:00+08:00")
DEADLINE = "2026-12-31"
WORK: dict[str, Json] = {
    "result_class": "in_progress_planned",
    "measures": "已会同财政、信访等单位逐户核查，补偿资金拨付到位，其余问题列入计划，按月调度。"
    * 4,
    "percent": 60,
    "problems": "个别农户对面积有异议，正在复核。",
}
CHECK: dict[str, Json] = {"decision": "again", "reason": "请继续办理并按月报告进展。"}
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_numbers = count(1)


@dataclass(slots=True)
class LoopCase:
    """A case of ``bench_loop``: `work` by the unit and `check` by the office, again and again."""

    id: CaseId
    task: TaskId
    works: bool = True

    def completion(self) -> CompleteTask:
        """Give the command that completes what waits."""
        return CompleteTask(
            case=self.id,
            by=Actor("contact.1" if self.works else "supervisor"),
            at=NOW,
            task=self.task,
            data=dict(WORK if self.works else CHECK),
        )

    def completed(self, receipt: Receipt) -> None:
        """Note which task waits now."""
        self.task = receipt.tasks[0]
        self.works = not self.works


@dataclass(slots=True)
class Scene:
    """An office with a clock that stands still."""

    office: Office
    clock: SetClock

    def register(self, definition: str) -> Receipt:
        """Register a case."""
        number = next(_numbers)
        command = RegisterCase(
            case=CaseId(f"b{number}"),
            by=Actor("registrar"),
            at=self.clock.now(),
            definition=definition,
            data={"title": f"事项{number}", "source_kind": "letter", "source_date": "2026-03-02"},
        )
        return self.office.engine.execute(command, key=f"http:register-{number}")

    def dispatched(self, definition: str) -> Receipt:
        """Register a case and dispatch it to the first unit."""
        registered = self.register(definition)
        command = CompleteTask(
            case=registered.case,
            by=Actor("registrar"),
            at=self.clock.now(),
            task=registered.tasks[0],
            data={"lead_unit": "u1", "responsible_person": "王建国", "deadline": DEADLINE},
        )
        return self.office.engine.execute(command, key=f"http:dispatch-{registered.case}")

    def loop_case(self) -> LoopCase:
        """Give a case whose `work` waits."""
        receipt = self.dispatched("bench_loop")
        return LoopCase(receipt.case, receipt.tasks[0])

    def complete(self, case: LoopCase) -> None:
        """Complete what waits, under an idempotency key as every HTTP request has one."""
        receipt = self.office.engine.execute(
            case.completion(), key=f"http:7d1b6e3c-4f0a-4f53-9f6e-{case.task}"
        )
        case.completed(receipt)


@contextmanager
def scene(database_url: str | None = None) -> Iterator[Scene]:
    """Open an office on an empty database; `None` means a SQLite file on disk, then deleted."""
    folder = Path(tempfile.mkdtemp(prefix="duban-bench-"))
    clock = SetClock(NOW)
    try:
        office = open_office(folder, clock, database_url)
        try:
            yield Scene(office, clock)
        finally:
            office.close()
    finally:
        shutil.rmtree(folder)


def open_office(
    folder: Path,
    clock: SetClock,
    database_url: str | None = None,
    definitions: Path = DEFINITIONS,
) -> Office:
    """Build an office with people and definitions."""
    settings = Settings(data=folder, database_url=database_url, definitions=definitions)
    office = build_office(settings, clock)
    if not office.store.case_ids(limit=1):
        with office.store.transaction() as transaction:
            create_demo_people(transaction.connection, units(), "none", hasher=_QUICK)
        deploy_folder(office)
    return office
