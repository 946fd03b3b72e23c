"""What can happen to the documents of a case (domain.md §8)."""

from dataclasses import dataclass
from datetime import datetime

from engine import Event, event


@event("document_numbered", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentNumbered(Event):
    """A document that something asked for got its kind and number, for good."""

    document: str
    cause: str
    kind: str
    label: str
    """What people call the kind, such as 督办通知单."""
    number: str
    at: datetime


@event("document_dropped", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDropped(Event):
    """The definition has no template for what happened; nothing is made."""

    document: str
    cause: str
    at: datetime


@event("document_issued", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentIssued(Event):
    """The files of a document were made and kept: what these hashes name is the document."""

    document: str
    kind: str
    number: str
    docx_sha256: str
    pdf_sha256: str
    template_sha256: str
    at: datetime


@event("document_withdrawn", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentWithdrawn(Event):
    """A document no longer holds, such as after a won appeal; its files stay as they were."""

    document: str
    number: str
    reason: str
    by: str
    at: datetime


@event("document_marked", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentMarked(Event):
    """A withdrawn document got copies that say so across every page."""

    document: str
    docx_sha256: str
    pdf_sha256: str
    at: datetime
