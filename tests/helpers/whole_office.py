"""A small office in which every kind of thing is stored, and the two doors that prove it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

import api.app
from api.cli_proof import verify
from engine import CaseId, TaskId
from engine.commands import CompleteTask
from engine.ids import Actor
from engine.records import parse_instant
from engine.store.tables import metadata
from services.audit.access import Access, AccessLog, append
from services.documents import queries as documents
from services.documents.queries import OfficeDocument
from services.documents.store import open_files
from services.evidence.sealing import seal
from services.people.signing_in import create_token
from tests.helpers.offices import Place, dispatched_case, registered_case

CASE, OTHER = CaseId("case-1"), CaseId("case-2")
_HOUR_S = 3600.0
_AS_CLI = ("case", "ok", "events", "first_bad", "fault", "detail", "table", "remedy")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What one door says: cases that aren't whole, and what is wrong beside them."""

    bad: Sequence[Row]
    beside: Sequence[Row]


@dataclass(slots=True)
class WholeOffice:
    """The office; whatever a test does to it is undone by `mended`."""

    place: Place
    attachment: str
    document: str
    bulletin: str
    client: FlaskClient = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        office = self.place.office
        app = api.app.create_app(office)
        app.extensions["duban-access"] = AccessLog(office.store, delay_s=_HOUR_S)
        self.client = app.test_client()
        with office.store.transaction() as transaction:
            now = self.place.clock.now()
            self.token = create_token(transaction.connection, "auditor", "test", now)

    def close(self) -> None:
        """Write the access log and close the database."""
        self.client.application.extensions["duban-access"].flush()
        self.place.office.close()

    def get(self, path: str) -> Any:  # noqa: ANN401 -- JSON
        """Ask over HTTP, as an auditor."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.client.get(f"/api/v1{path}", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def over_http(self) -> Found:
        """Prove everything over HTTP; a case that isn't in the register can't be asked for."""
        answers = [self.get(f"/cases/{case}/verify") for case in self.registered()]
        return Found([one for one in answers if not one["ok"]], self.get("/verification")["faults"])

    def over_console(self, monkeypatch: pytest.MonkeyPatch) -> Found:
        """Prove everything on the command line, in an office opened anew."""
        result = self.run(monkeypatch, "--all", "--json", "--processes", "1")
        assert result.exception is None or isinstance(result.exception, SystemExit)
        said = json.loads(result.stdout)
        assert result.exit_code == (0 if said["ok"] else 1)
        bad = [{name: one[name] for name in _AS_CLI} for one in said["bad"]]
        return Found(bad, said["beside"])

    def run(self, monkeypatch: pytest.MonkeyPatch, *args: str) -> Result:
        """Run ``./duban verify``."""
        monkeypatch.setattr("api.console.load_settings", lambda: self.place.office.settings)
        return CliRunner().invoke(verify, args)

    def registered(self) -> list[str]:
        """List the cases of the register that have a row of their own."""
        cases, register = metadata.tables["cases"], metadata.tables["register"]
        wanted = sa.select(cases.c.case_id).join(register, register.c.case_id == cases.c.case_id)
        return [str(row["case_id"]) for row in self.read(wanted.order_by(cases.c.case_id))]

    # The database, behind the service's back

    def read(self, statement: sa.Select[Any]) -> list[Row]:
        """Read rows."""
        with self.place.office.store.transaction(write=False) as transaction:
            return [dict(row) for row in transaction.connection.execute(statement).mappings()]

    def rows(self, table: str) -> list[Row]:
        """Read all rows of a table."""
        return self.read(sa.select(metadata.tables[table]))

    def run_sql(self, *statements: sa.Executable) -> None:
        """Change the database."""
        with self.place.office.store.transaction() as transaction:
            for statement in statements:
                transaction.connection.execute(statement)

    def write(self, table: str, rows: list[Row]) -> None:
        """Write all rows of a table."""
        with self.place.office.store.transaction() as transaction:
            transaction.connection.execute(sa.delete(metadata.tables[table]))
            if rows:
                transaction.connection.execute(sa.insert(metadata.tables[table]), rows)

    def file(self, sha256: str) -> Path:
        """Give where a content is kept on disk."""
        return self.place.office.settings.data / "files" / sha256[:2] / sha256

    def alter_content(self, sha256: str) -> None:
        """Change one byte of a kept content, on disk or in the database."""
        parts = metadata.tables["file_parts"]
        if self.place.office.settings.is_embedded:
            file = self.file(sha256)
            file.chmod(0o640)
            file.write_bytes(_flipped(file.read_bytes()))
            return
        here = (parts.c.sha256 == sha256) & (parts.c.part == 0)
        (row,) = self.read(sa.select(parts).where(here))
        self.run_sql(sa.update(parts).where(here).values(content=_flipped(row["content"])))

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Put back afterwards everything that is stored, in the database and on disk."""
        tables = {name: self.rows(name) for name in metadata.tables}
        data = self.place.office.settings.data
        files = {
            path: path.read_bytes()
            for folder in ("files", "keys", "heads")
            for path in (data / folder).rglob("*")
            if path.is_file()
        }
        yield
        for name, rows in tables.items():
            if self.rows(name) != rows:
                self.write(name, rows)
        for path, content in files.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)


def _flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def whole_office(place: Place) -> WholeOffice:
    """Let an office live until it holds every kind of thing, sealed by a tree head."""
    office = place.office
    taken = office.intake.take(
        [b"photo of the field\n"], "field.txt", by="handler.11", at=now(place)
    )
    dispatched_case(place, CASE, co_units=["u9"])
    place.complete(CASE, "sign_for", "contact.11", decision="accept")
    place.complete(
        CASE, "unit_instruction", "head.11", form="section_handles", handler="handler.11"
    )
    place.clock.set(parse_instant("2026-03-16T09:00+08:00"))
    place.sweep()
    _handle(place, taken.sha256)
    place.complete(CASE, "sign_off", "head.11", decision="sign", seal=True)
    registered_case(place, OTHER)
    office.documents.sweep(now(place))
    with office.store.transaction(write=False) as transaction:
        issued = documents.documents_of(transaction.connection, CASE)
        document = next(one.pdf_sha256 for one in issued if one.pdf_sha256 is not None)
    bulletin = _bulletin(place)
    with office.store.transaction() as transaction:
        look = Access(at=now(place), user="auditor", kind="case", request="GET /", case=CASE)
        append(transaction, [look, look])
    seal(office)
    place.clock.set(parse_instant("2026-03-17T09:00+08:00"))
    seal(office)
    return WholeOffice(place, taken.sha256, document, bulletin)


def now(place: Place) -> Any:  # noqa: ANN401 -- an instant
    """Give the office's time."""
    return place.clock.now()


def _handle(place: Place, attachment: str) -> None:
    """Complete the handling under a key, as every request over HTTP has one."""
    ask = CompleteTask(
        case=CASE,
        by=Actor("handler.11"),
        at=now(place),
        task=TaskId(place.task(CASE, "handle").task),
        data={
            "result_class": "done",
            "measures": "已补偿",
            "percent": 100,
            "attachments": [attachment],
        },
    )
    place.execute(ask, key="http:handle")


def _bulletin(place: Place) -> str:
    office = place.office
    kept = open_files(office.settings.data, office.store, is_embedded=office.settings.is_embedded)
    made = OfficeDocument(
        id="b1",
        kind="monthly_bulletin",
        name="通报",
        title="二月通报",
        number="通报〔2026〕1号",
        period_from=None,
        period_until=None,
        as_of=None,
        issued_at=now(place),
        issued_by="office_director",
        docx_sha256=kept.keep(b"bulletin, docx"),
        pdf_sha256=kept.keep(b"bulletin, pdf"),
    )
    with office.store.transaction() as transaction:
        documents.add_office_document(transaction.connection, made)
    return made.pdf_sha256
