"""The files that a history names: whether they are kept, and are still what it named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine import Recorded
from engine.events import TaskCompleted
from services.attachments.state import references
from services.documents.events import DocumentIssued, DocumentMarked
from services.documents.store import Files
from services.erasure.events import PersonalDataErased


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that event `seq` names by its hash; `what` says what it is there."""

    seq: int
    what: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FileFault:
    """A named file that isn't kept, or isn't what was named."""

    named: NamedFile
    detail: str


def named_files(history: Iterable[Recorded]) -> Iterator[NamedFile]:
    """Give the documents and attachments that a history names, in order.

    Those of a case whose personal data were erased are gone by right: it names none.
    """
    events = list(history)
    if any(isinstance(recorded.event, PersonalDataErased) for recorded in events):
        return
    for recorded in events:
        match recorded.event:
            case DocumentIssued() | DocumentMarked() as made:
                yield NamedFile(recorded.seq, f"document {made.document} docx", made.docx_sha256)
                yield NamedFile(recorded.seq, f"document {made.document} pdf", made.pdf_sha256)
            case TaskCompleted() as completed:
                for sha256 in references(completed.data):
                    yield NamedFile(recorded.seq, f"attachment of {completed.element}", sha256)
            case _:
                pass


def file_faults(named: Iterable[NamedFile], files: Files) -> Iterator[FileFault]:
    """Read each file once and compare it with its name."""
    seen: set[str] = set()
    for one in named:
        if one.sha256 in seen:
            continue
        seen.add(one.sha256)
        digest = hashlib.sha256()
        try:
            for part in files.read(one.sha256):
                digest.update(part)
        except (LookupError, OSError) as wrong:
            yield FileFault(one, f"{one.what} {one.sha256} isn't kept: {wrong!r}")
            continue
        if digest.hexdigest() != one.sha256:
            yield FileFault(one, f"{one.what} {one.sha256} is kept as {digest.hexdigest()}")
