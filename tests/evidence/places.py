"""Small offices to take evidence from: one definition, a form with personal fields."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from engine import Actor, CaseId, CompleteTask, ProcessState, SetClock, StartCase, TaskId
from engine.engine import Engine
from engine.proof.algorithms import suite_of
from engine.proof.heads import TreeHead
from engine.records import Json
from engine.testing import NOW, linear, permit_all, with_forms
from services.evidence.sealing import make_head
from services.office import Office, build_office
from services.settings import Settings

SUITES = ("sha256+ed25519", "sm3+sm2")
PERSONAL = {"name": "赵小明", "contact": "0431-5550101", "statement": "补偿款一直没有到位"}
"""What a person told, and what nobody may find once it is erased."""

_TEXT: dict[str, Json] = {"type": "string", "maxLength": 2000}
_SECRET = {**_TEXT, "x-personal": True}
FILES = with_forms(
    linear("note", "check"),
    note={
        "matter": _TEXT,
        "statement": _SECRET,
        "people": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"name": _SECRET, "contact": _SECRET, "leading": {"type": "boolean"}},
            },
        },
    },
    check={"result": _TEXT},
)


@dataclass(slots=True)
class Place:
    """An office where everybody may do everything."""

    office: Office
    clock: SetClock

    def start(self, case: str) -> CaseId:
        """Begin a case and note what people said."""
        found = CaseId(case)
        ask = StartCase(
            case=found, by=Actor("anna"), at=self.clock.now(), definition="case", variables={}
        )
        self.office.engine.execute(ask)
        data: dict[str, Json] = {
            "matter": f"事项 {case}",
            "statement": PERSONAL["statement"],
            "people": [
                {"name": PERSONAL["name"], "contact": PERSONAL["contact"], "leading": True},
                {"name": "钱大力"},
            ],
        }
        self.complete(found, data, key=f"note-{case}")
        return found

    def finish(self, case: CaseId) -> None:
        """Complete the case's last task; it ends."""
        self.complete(case, {"result": "属实"})

    def complete(self, case: CaseId, data: dict[str, Json], key: str | None = None) -> None:
        """Complete the one open task."""
        state = self.office.engine.history.states(case)[2][ProcessState]
        assert isinstance(state, ProcessState)
        (task,) = state.tasks
        at = self.clock.now()
        ask = CompleteTask(case=case, by=Actor("anna"), at=at, task=TaskId(task), data=data)
        self.office.engine.execute(ask, key=key)

    def seal(self) -> TreeHead:
        """Make the tree head of this day, and let the next one begin."""
        head = make_head(self.office)
        self.clock.set(self.clock.now() + timedelta(days=1))
        return head


@contextmanager
def place(data: Path, suite: str = SUITES[0], database_url: str | None = None) -> Iterator[Place]:
    """Open an office with the definition deployed."""
    settings = Settings(
        data=data,
        database_url=database_url,
        secret_key="not a secret",  # noqa: S106
        proof_suite=suite,
    )
    clock = SetClock(NOW)
    office = build_office(settings, clock)
    engine = Engine(
        office.store,
        clock,
        permit=permit_all,
        lookups=frozenset(),
        bind_lookups=lambda _transaction, _command: {},
        algorithm=suite_of(suite).hash,
    )
    opened = Place(replace(office, engine=engine), clock)
    try:
        engine.library.deploy(FILES, "anna", NOW)
        yield opened
    finally:
        office.close()


def three_days(opened: Place) -> list[TreeHead]:
    """Live through three days: cases begin, one goes on, some end; a tree head each evening."""
    first = [opened.start(f"case-{number}") for number in range(1, 6)]
    heads = [opened.seal()]
    opened.finish(first[0])
    opened.start("case-6")
    heads.append(opened.seal())
    opened.finish(first[1])
    heads.append(opened.seal())
    return heads


def copied(data: Path, to: Path) -> Path:
    """Copy a data directory."""
    shutil.copytree(data, to)
    return to
