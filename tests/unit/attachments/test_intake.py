import hashlib
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from engine import CaseId
from engine.events import TaskCompleted
from engine.ids import ScopeId, TaskId
from engine.state import apply_to
from engine.store.sql import SqlStore
from engine.store.tables import metadata
from services.attachments import queries
from services.attachments.errors import (
    AttachmentExecutable,
    AttachmentNotFound,
    AttachmentTooLarge,
)
from services.attachments.intake import Intake
from services.attachments.rows import case_attachment_rows
from services.attachments.state import AttachmentsState
from services.attachments.tables import case_attachments
from services.cases.tables import case_units, register
from services.documents.store import Files, FolderFiles, TableFiles
from services.people.queries import Person

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(3 << 20)
MB = 1 << 20


@dataclass
class Desk:
    store: SqlStore
    files: Files
    intake: Intake
    folder: Path

    def take(self, content: bytes = PNG, name: str = "照片𠮷.png", by: str = "contact.1") -> str:
        return self.intake.take([content], name, by=by, at=NOW).sha256

    def refer(self, sha256: str, unit: str = "u1") -> None:
        with self.store.transaction() as transaction:
            transaction.connection.execute(insert(register).values(_case()))
            transaction.connection.execute(
                insert(case_units).values(case_id="c1", unit=unit, part="lead")
            )
            transaction.connection.execute(
                insert(case_attachments).values(
                    case_id="c1",
                    sha256=sha256,
                    element="handle",
                    attached_by="contact.1",
                    attached_at=NOW,
                )
            )

    def kept(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture(params=["folder", "table"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    store = SqlStore(f"sqlite:///{tmp_path / 'x.sqlite'}")
    metadata.create_all(store.engine)
    folder = tmp_path / "files"
    files: Files = FolderFiles(folder) if request.param == "folder" else TableFiles(store)
    yield Desk(store, files, Intake(store, files, limit_bytes=50 * MB), folder)
    store.close()


def person(user: str, role: str, unit: str | None) -> Person:
    return Person(user, user, frozenset({role}), unit)


def test_a_file_is_kept_under_its_hash_and_once(desk: Desk) -> None:
    first, again = desk.take(), desk.take(name="另一张.png", by="contact.2")

    assert first == again == hashlib.sha256(PNG).hexdigest()
    found, parts = desk.intake.open(first, person("contact.2", "unit_contact", "u2"))
    assert (found.name, found.media_type, found.size_bytes) == ("另一张.png", "image/png", len(PNG))
    assert b"".join(parts) == PNG
    assert len(desk.kept()) <= 1
    assert desk.intake.name_of(first) == "照片𠮷.png"
    assert desk.intake.name_of("0" * 64) == "0" * 64


def test_case_34_200_mb_are_refused_before_they_are_read(desk: Desk) -> None:
    read = 0

    def parts() -> Iterator[bytes]:
        nonlocal read
        for _ in range(200):
            read += MB
            yield bytes(MB)

    with pytest.raises(AttachmentTooLarge) as refusal:
        desk.intake.take(parts(), "a.zip", by="x", at=NOW, announced_bytes=200 * MB)
    assert (refusal.value.facts["limit_mb"], read) == (50, 0)

    tracemalloc.start()
    with pytest.raises(AttachmentTooLarge):
        desk.intake.take(parts(), "a.zip", by="x", at=NOW)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == 51 * MB
    assert used < 5 * MB
    assert desk.kept() == []


def test_what_is_refused_is_not_kept(desk: Desk) -> None:
    content = b"MZ" + bytes(100)

    with pytest.raises(AttachmentExecutable):
        desk.take(content, "a.png")

    with pytest.raises(LookupError):
        desk.files.read(hashlib.sha256(content).hexdigest())
    assert desk.kept() == []


def test_an_attachment_is_seen_through_a_case_that_refers_to_it(desk: Desk) -> None:
    sha256 = desk.take()
    with pytest.raises(AttachmentNotFound):
        desk.intake.open(sha256, person("auditor", "auditor", None))

    desk.refer(sha256)

    for who in (person("auditor", "auditor", None), person("head.1", "unit_head", "u1")):
        assert desk.intake.open(sha256, who)[0].name == "照片𠮷.png"
    for stranger in (person("head.2", "unit_head", "u2"), person("admin", "admin", None)):
        with pytest.raises(AttachmentNotFound):
            desk.intake.open(sha256, stranger)
    with desk.store.transaction(write=False) as transaction:
        listed = queries.attachments_of(transaction.connection, "c1")
        assert [found.sha256 for found in listed] == [sha256]
        assert queries.are_known(transaction.connection, [sha256])
        assert not queries.are_known(transaction.connection, [sha256, "0" * 64])


@pytest.mark.parametrize("sha256", ["0" * 64, "../../x.sqlite", "", "..%2f" * 16])
def test_what_was_never_taken_is_not_found(desk: Desk, sha256: str) -> None:
    with pytest.raises(AttachmentNotFound):
        desk.intake.open(sha256, person("auditor", "auditor", None))
    with pytest.raises(LookupError):
        desk.files.read(sha256)


def test_a_lost_file_is_not_found_rather_than_half_an_answer(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'x.sqlite'}")
    metadata.create_all(store.engine)
    desk = Desk(
        store,
        FolderFiles(tmp_path / "f"),
        Intake(store, FolderFiles(tmp_path / "f")),
        tmp_path / "f",
    )
    sha256 = desk.take()
    for path in desk.kept():
        path.unlink()

    with pytest.raises(AttachmentNotFound):
        desk.intake.open(sha256, person("contact.1", "unit_contact", "u1"))
    store.close()


def test_files_of_no_bytes_and_of_many_parts_come_back_as_they_were(desk: Desk) -> None:
    for content in (b"", b"x", bytes(2 * MB), bytes(range(256)) * 9000):
        assert b"".join(desk.files.read(desk.files.keep(content))) == content


def test_references_are_found_wherever_a_form_has_them() -> None:
    one, two, three = ("1" * 64, "2" * 64, "3" * 64)
    data = {
        "attachments": [one, "来信.pdf", 7],
        "checks": [{"evidence": [two]}],
        "photos": [three, one],
        "text": "4" * 64,
    }

    states: dict[type, object] = {}
    for element in ("handle", "again"):
        apply_to(states, _completed(element, data))  # type: ignore[arg-type]  # only this state

    state = states[AttachmentsState]
    assert isinstance(state, AttachmentsState)
    assert [(r.sha256, r.element) for r in state.references] == [
        (one, "handle"),
        (two, "handle"),
        (three, "handle"),
    ]
    rows = list(case_attachment_rows(CaseId("c1"), {AttachmentsState: state}))
    assert [row["sha256"] for row in rows] == [one, two, three]


def _completed(element: str, data: dict[str, object]) -> TaskCompleted:
    return TaskCompleted(
        task=TaskId("c1.t1"),
        element=element,
        scope=ScopeId(""),
        unit=None,
        due_at=None,
        data=data,
        personal=(),
        by="handler.1",
        acting_for=None,
        at=NOW,
    )


def _case() -> dict[str, object]:
    values: dict[type, object] = {bool: False, int: 0, object: NOW, str: "x"}
    wanted = {c.name: values[c.type.python_type] for c in register.columns if not c.nullable}
    return wanted | {"case_id": "c1"}
