"""What can be asked about documents. A number belongs to one document for good (domain.md §8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine import Case, Command, Event, decides
from engine.records import instant_text
from services.cases.state import CaseState
from services.documents.errors import DocumentNotFound, DocumentWithdrawnAlready
from services.documents.events import (
    DocumentDropped,
    DocumentIssued,
    DocumentMarked,
    DocumentNumbered,
    DocumentWithdrawn,
)
from services.documents.kinds import rules_of, template_of
from services.documents.state import DocumentsState, IssuedDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberDocument(Command):
    """Give a wanted document its kind and number, before its file is made: so none has two.

    `unit_name` is the short name of the unit, for papers numbered in the unit's own name.
    """

    name: ClassVar[str] = "number_document"

    document: str
    unit_name: str = ""


@decides(NumberDocument)
def number_document(ask: NumberDocument, case: Case) -> Iterator[Event]:
    wanted = _document(case, ask.document)
    if wanted.step != "number":
        return
    rules, case_type = rules_of(case.definition), case[CaseState].case_type
    kind = rules.kind_for(wanted.cause, case_type) if rules is not None else None
    if kind is None or template_of(case.definition, kind.id) is None:
        yield DocumentDropped(document=wanted.id, cause=wanted.cause, at=ask.at)
        return
    number = wanted.number
    if number is None:
        year = case.ask("office_year", instant_text(wanted.wanted_at))
        count = case.ask("next_number", kind.counter(year, wanted.unit))
        number = kind.numbered(year, count, ask.unit_name)
    yield DocumentNumbered(
        document=wanted.id,
        cause=wanted.cause,
        kind=kind.id,
        label=kind.name,
        number=number,
        at=ask.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDocument(Command):
    """Put the hashes of a document's files on record; the first ones stand."""

    name: ClassVar[str] = "record_document"

    document: str
    docx_sha256: str
    pdf_sha256: str
    template_sha256: str


@decides(RecordDocument)
def record_document(ask: RecordDocument, case: Case) -> Iterator[Event]:
    document = _document(case, ask.document)
    if document.step != "make":
        return
    yield DocumentIssued(
        document=document.id,
        kind=document.kind or "",
        number=document.number or "",
        docx_sha256=ask.docx_sha256,
        pdf_sha256=ask.pdf_sha256,
        template_sha256=ask.template_sha256,
        at=ask.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawDocument(Command):
    """Say that a document no longer holds; it and its number stay, marked on further copies."""

    name: ClassVar[str] = "withdraw_document"

    document: str
    reason: str


@decides(WithdrawDocument)
def withdraw_document(ask: WithdrawDocument, case: Case) -> Iterator[Event]:
    document = _document(case, ask.document)
    if document.withdrawn_at is not None:
        raise DocumentWithdrawnAlready(number=document.number)
    yield DocumentWithdrawn(
        document=document.id,
        number=document.number or "",
        reason=ask.reason,
        by=ask.by.user,
        at=ask.at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMarkedCopies(Command):
    """Put the hashes of a withdrawn document's marked copies on record."""

    name: ClassVar[str] = "record_marked_copies"

    document: str
    docx_sha256: str
    pdf_sha256: str


@decides(RecordMarkedCopies)
def record_marked_copies(ask: RecordMarkedCopies, case: Case) -> Iterator[Event]:
    document = _document(case, ask.document)
    if document.step != "mark":
        return
    yield DocumentMarked(
        document=document.id,
        docx_sha256=ask.docx_sha256,
        pdf_sha256=ask.pdf_sha256,
        at=ask.at,
    )


def _document(case: Case, document: str) -> IssuedDocument:
    found = case[DocumentsState].find(document)
    if found is None:
        raise DocumentNotFound(document=document)
    return found
