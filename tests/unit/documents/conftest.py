from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from engine import Actor, CaseId, ProcessState, SetClock
from engine.commands import CompleteTask
from engine.definitions import load_folder
from engine.records import Json
from services.cases.commands import RegisterCase
from services.documents import queries
from services.documents.queries import DocumentSummary
from services.office import Office, build_office
from services.people.demo import create_demo_people
from services.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
CASE = CaseId("c1")
MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)

REGISTRATION = {
    "title": "赵家村𠮷䶮耕地被占补偿问题",
    "source_kind": "letter",
    "source_number": "信〔2026〕8号",
    "source_date": "2026-03-01",
    "issuer": "市长",
    "content": "村民𠮷䶮反映耕地被占。\n补偿款至今未到位，请查明。",
}
DISPATCH = {
    "lead_unit": "u2",
    "co_units": ["u3"],
    "responsible_person": "张三",
    "report_content": "报告补偿标准和到位时间。",
    "report_format": {"copies": 2, "seal": True, "electronic": True},
}


class Desk:
    """One case of an office, walked along by whoever has the task."""

    def __init__(self, office: Office, clock: SetClock) -> None:
        self.office = office
        self.clock = clock

    def register(self, case: CaseId = CASE, **changed: object) -> None:
        ask = RegisterCase(
            case=case,
            by=Actor("registrar"),
            at=self.clock.now(),
            definition="leader_instruction",
            data={**REGISTRATION, **changed},
        )
        self.office.engine.execute(ask, key=f"register:{case}")

    def complete(
        self, element: str, by: str, data: Mapping[str, Json], case: CaseId = CASE
    ) -> None:
        state = self.office.engine.history.states(case)[2][ProcessState]
        assert isinstance(state, ProcessState)
        task = next(t.task for t in state.tasks.values() if t.element == element)
        ask = CompleteTask(case=case, by=Actor(by), at=self.clock.now(), task=task, data=dict(data))
        self.office.engine.execute(ask)

    def dispatch(self, case: CaseId = CASE, **registered: object) -> None:
        self.register(case, **registered)
        self.complete("approve_registration", "office_director", {"decision": "approve"}, case)
        self.complete("dispatch", "registrar", DISPATCH, case)

    def close(self) -> None:
        self.dispatch()
        self.complete("sign_for", "contact.2", {"decision": "accept"})
        self.complete(
            "unit_instruction", "head.2", {"form": "section_handles", "handler": "handler.2"}
        )
        self.complete(
            "handle",
            "handler.2",
            {"result_class": "done", "measures": "已补偿。", "percent": 100},
        )
        self.complete("sign_off", "head.2", {"decision": "sign", "seal": True})
        self.complete("review", "supervisor", {"content_gate": "pass", "format_gate": "pass"})
        self.complete("report_to_leader", "supervisor", {"summary": "已办结。"})

    def sweep(self) -> int:
        return self.office.documents.sweep(self.clock.now())

    def papers(self, case: CaseId = CASE) -> tuple[DocumentSummary, ...]:
        with self.office.store.transaction(write=False) as transaction:
            return queries.documents_of(transaction.connection, case)

    def read(self, sha256: str | None) -> bytes:
        assert sha256 is not None
        return b"".join(self.office.documents.files.read(sha256))


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    offices = []

    def make(files: dict[str, bytes] | None = None) -> Desk:
        clock = SetClock(MORNING)
        office = build_office(Settings(data=tmp_path, definitions=ROOT / "bpmn"), clock)
        offices.append(office)
        with office.store.transaction() as transaction:
            create_demo_people(
                transaction.connection,
                ["市教育局", "市水利局", "市财政局"],
                "p-2026",
                hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
            )
        folder = load_folder(ROOT / "bpmn", "leader_instruction") | (files or {})
        office.engine.library.deploy(folder, "designer", MORNING)
        return Desk(office, clock)

    yield make

    for office in offices:
        office.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
