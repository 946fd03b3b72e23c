"""The documents and attachments that belong into a bundle, by what stands in the events.

docs/evidence-format.md, section 5: a document is named by a payload member that ends with
``_sha256`` after ``docx`` or ``pdf``; an attachment by a look-up ``is_attachment`` in the record of
the command that brought it in. So whoever checks a bundle finds out what it has to hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine import journal
from engine.ids import CaseId
from engine.records import Json
from engine.store import StoredEvent
from services.attachments.queries import name_of
from services.documents.store import Files
from services.erasure.queries import erased_cases

DOCUMENT_MEMBERS = {
    "docx_sha256": "docx",
    "pdf_sha256": "pdf",
    "marked_docx_sha256": "docx",
    "marked_pdf_sha256": "pdf",
}
"""Payload members that name a kept file, and what kind of file it is."""

IS_ATTACHMENT = "is_attachment"
"""The look-up that asks whether somebody took in a file of a hash."""

ERASED, LOST, ALTERED = "erased", "lost", "altered"
"""Why a file isn't in a bundle."""

_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class History:
    """A case with all its events."""

    case: CaseId
    events: tuple[StoredEvent, ...]

    @property
    def definitions(self) -> Iterator[str]:
        """The definitions it ran on, in order."""
        for event in self.events:
            if event.type in ("case_started", "case_migrated"):
                yield journal.envelope_of(event)["payload"]["definition_sha256"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A file that a history names: in which folder it goes, and what it is called."""

    folder: str
    sha256: str
    name: str
    is_erased: bool

    def place(self, case: CaseId) -> str:
        """Give where it lies in a bundle."""
        return f"cases/{case}/{self.folder}/{self.sha256}/{self.name}"

    def content(self, files: Files) -> bytes | str:
        """Give the content, or why it isn't given."""
        if self.is_erased:
            return ERASED
        try:
            found = b"".join(files.read(self.sha256))
        except (LookupError, OSError):
            return LOST
        return found if hashlib.sha256(found).hexdigest() == self.sha256 else ALTERED


def enclosures(connection: Any, histories: Iterable[History]) -> dict[CaseId, list[Enclosure]]:  # noqa: ANN401 -- SQLAlchemy's connection
    """List what each case's history names, each content once."""
    erased = erased_cases(connection)
    found: dict[CaseId, list[Enclosure]] = {}
    for history in histories:
        of_case: dict[str, Enclosure] = {}
        for folder, sha256, name in _named(history, connection):
            enclosure = Enclosure(
                folder=folder, sha256=sha256, name=name, is_erased=history.case in erased
            )
            of_case.setdefault(sha256, enclosure)
        found[history.case] = list(of_case.values())
    return found


def _named(history: History, connection: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 -- SQLAlchemy's connection
    for event in history.events:
        if "_sha256" not in event.body and IS_ATTACHMENT not in event.body:
            continue
        envelope = journal.envelope_of(event)
        payload: dict[str, Json] = envelope["payload"]
        for member, ending in DOCUMENT_MEMBERS.items():
            sha256 = payload.get(member)
            if isinstance(sha256, str):
                called = f"{payload.get('number') or event.seq}"
                yield "documents", sha256, f"{_safe(called)}.{ending}"
        for sha256 in _attached(envelope):
            yield "attachments", sha256, _safe(name_of(connection, sha256) or sha256)


def _attached(envelope: dict[str, Json]) -> Iterator[str]:
    command = envelope["command"]
    for function, arguments, answer in () if command is None else command["lookups"]:
        if function == IS_ATTACHMENT and answer is True:
            yield arguments[0]


def _safe(name: str) -> str:
    plain = "".join("-" if sign in '/\\:"' or not sign.isprintable() else sign for sign in name)
    return plain.strip(". ")[-_LONGEST_NAME:] or "file"
