"""Offices with people and every definition of ``bpmn/``, on SQLite or PostgreSQL, in milliseconds.

The first office of a kind is built step by step; every later one is a copy of its database.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from engine import Actor, CaseId, Command, CompleteTask, ProcessState, SetClock, TaskId
from engine.execute import Receipt
from engine.records import Json, parse_instant
from engine.state import OpenTask
from services.cases.commands import RegisterCase
from services.demo.sample import units
from services.office import Office, build_office, deploy_folder
from services.people.demo import create_demo_people
from services.scenarios.passing import sweep
from services.scenarios.pictures import picture
from services.settings import Settings
from tests import servers

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
NOW = parse_instant("2026-03-02T09:00+08:00")
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PHOTO = "照片.png"
PHOTO_SHA256 = sha256(picture(PHOTO)).hexdigest()
"""A picture that every furnished office has taken in."""
CASE_TYPES = sorted(path.parent.name for path in BPMN.glob("*/process.bpmn"))


@dataclass(frozen=True, slots=True)
class Place:
    """An office and the clock it goes by."""

    office: Office
    clock: SetClock

    def execute(self, command: Command, *, key: str | None = None) -> Receipt:
        """Carry out a command."""
        return self.office.engine.execute(command, key=key)

    def sweep(self) -> int:
        """Fire what is due and deliver jobs until nothing is left to do."""
        return sweep(self.office)

    def process(self, case: CaseId) -> ProcessState:
        """Give where a case stands, folded from its history."""
        found = self.office.engine.history.states(case)[2][ProcessState]
        assert isinstance(found, ProcessState)
        return found

    def task(self, case: CaseId, element: str) -> OpenTask:
        """Give an element's open task."""
        return next(t for t in self.process(case).tasks.values() if t.element == element)

    def complete(self, case: CaseId, element: str, by: str, **data: Json) -> Receipt:
        """Complete an element's open task."""
        task = TaskId(self.task(case, element).task)
        at = self.clock.now()
        return self.execute(CompleteTask(case=case, by=Actor(by), at=at, task=task, data=data))


def settings(data: Path, database_url: str | None = None) -> Settings:
    """Give settings of a test: no secret is read or written."""
    return Settings(
        data=data,
        database_url=database_url,
        definitions=BPMN,
        secret_key="not a secret",  # noqa: S106
    )


def open_place(data: Path, database_url: str | None = None, now: datetime = NOW) -> Place:
    """Open an office on a database that is there, or on an empty one."""
    clock = SetClock(now)
    return Place(build_office(settings(data, database_url), clock), clock)


def sqlite_place(data: Path, now: datetime = NOW) -> Place:
    """Open a furnished office of its own on SQLite."""
    shutil.copytree(_furnished_folder(), data, dirs_exist_ok=True)
    return open_place(data, now=now)


def postgres_place(data: Path, now: datetime = NOW) -> Place:
    """Open a furnished office of its own on PostgreSQL; its database lives with the server."""
    return open_place(data, servers.postgres_url(furnish), now)


def furnish(database_url: str) -> None:
    """Fill an empty database: tables, people, definitions."""
    with tempfile.TemporaryDirectory() as folder:
        _furnish(Path(folder), database_url)


def _furnish(data: Path, database_url: str | None) -> None:
    office = open_place(data, database_url).office
    try:
        with office.store.transaction() as transaction:
            create_demo_people(transaction.connection, units(), "none", hasher=QUICK_HASHER)
        deploy_folder(office)
        office.intake.take([picture(PHOTO)], PHOTO, by="registrar", at=NOW)
    finally:
        office.close()


def furnished_file() -> Path:
    """Give the SQLite file of the furnished office that the others are copied from."""
    return _furnished_folder() / "duban.sqlite"


@cache
def _furnished_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="duban-furnished-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _furnish(folder, None)
    return folder


INSTRUCTION: dict[str, Any] = {
    "title": "赵家村耕地被占补偿问题",
    "source_kind": "letter",
    "source_date": "2026-03-02",
    "issuer": "市长",
    "content": "赵家村村民来信反映耕地被占补偿款未到位，请核查。",
    "urgency": "normal",
    "secrecy": "internal",
}
"""A registration of a leader's instruction."""


def registration(
    place: Place, case: str = "case-1", definition: str = "leader_instruction", **data: Json
) -> RegisterCase:
    """Make the command that registers a case."""
    return RegisterCase(
        case=CaseId(case),
        by=Actor("registrar"),
        at=place.clock.now(),
        definition=definition,
        data={**INSTRUCTION, **data},
    )


def registered_case(place: Place, case: str = "case-1", **data: Json) -> CaseId:
    """Register a leader's instruction."""
    return place.execute(registration(place, case, **data)).case


def dispatched_case(place: Place, case: str = "case-1", unit: int = 11, **data: Json) -> CaseId:
    """Register, approve and dispatch a leader's instruction to a unit."""
    found = registered_case(place, case)
    place.complete(found, "approve_registration", "office_director", decision="approve")
    given: dict[str, Json] = {
        "lead_unit": f"u{unit}",
        "responsible_person": "张三",
        "report_content": "情况报告",
        **data,
    }
    place.complete(found, "dispatch", "registrar", **given)
    return found


def reported_case(place: Place, case: str = "case-1") -> CaseId:
    """Bring a leader's instruction as far as the unit's signed report, on its way past a timer."""
    found = dispatched_case(place, case, co_units=["u9"])
    place.complete(found, "sign_for", "contact.11", decision="accept")
    place.complete(
        found, "unit_instruction", "head.11", form="section_handles", handler="handler.11"
    )
    place.clock.set(parse_instant("2026-03-16T09:00+08:00"))
    place.sweep()
    place.complete(
        found, "handle", "handler.11", result_class="done", measures="已补偿", percent=100
    )
    place.complete(found, "sign_off", "head.11", decision="sign", seal=True)
    return found
