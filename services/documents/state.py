"""Which documents a case asks for and has. What asks for one is an event of another subject."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from engine import State, applies
from engine.events import TaskCompleted
from services.cases.events import (
    CaseDispatched,
    FeedbackSubmitted,
    LeadUnitChanged,
    RefusalUpheld,
    Urged,
)
from services.documents.events import (
    DocumentDropped,
    DocumentIssued,
    DocumentMarked,
    DocumentNumbered,
    DocumentWithdrawn,
)
from services.escalation.events import MeasureIssued

REPORT = "report_to_leader"
"""The task whose completion sends a special report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedDocument:
    """One document from the moment something asked for it."""

    id: str
    cause: str
    """Why: dispatched, urged, the name of a measure, feedback, reported."""
    wanted_at: datetime
    unit: str | None = None
    number: str | None = None
    """Given with the cause (a reminder, a measure) or when the document is numbered."""
    kind: str | None = None
    name: str = ""
    dropped: bool = False
    issued_at: datetime | None = None
    docx_sha256: str | None = None
    pdf_sha256: str | None = None
    withdrawn_at: datetime | None = None
    withdrawn_reason: str = ""
    marked_docx_sha256: str | None = None
    marked_pdf_sha256: str | None = None

    @property
    def step(self) -> str | None:
        """What is to be done for it next: number, make, mark; `None` when nothing is."""
        if self.dropped:
            return None
        if self.kind is None:
            return "number"
        if self.docx_sha256 is None:
            return "make"
        is_marked = self.marked_docx_sha256 is not None
        return "mark" if self.withdrawn_at is not None and not is_marked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsState(State):
    """The documents of a case, in the order asked for."""

    documents: tuple[IssuedDocument, ...] = ()

    def find(self, document: str) -> IssuedDocument | None:
        """Give a document by id; `None` without one."""
        return next((d for d in self.documents if d.id == document), None)

    def numbered(self, number: str) -> IssuedDocument | None:
        """Give the document with a number, such as a measure's; `None` without one."""
        return next((d for d in self.documents if d.number == number), None)

    def latest(self, cause: str) -> IssuedDocument | None:
        """Give the document last asked for by a cause; `None` without one."""
        return next((d for d in reversed(self.documents) if d.cause == cause), None)


@applies(CaseDispatched, to=DocumentsState)
def dispatched(state: DocumentsState, event: CaseDispatched) -> DocumentsState:
    # Units that answer separately each get a paper of their own.
    others = event.co_units if event.handling == "separate" else ()
    for unit in (event.lead_unit, *others):
        state = wanted(state, "dispatched", event.at, unit)
    return state


@applies(RefusalUpheld, LeadUnitChanged, to=DocumentsState)
def dispatched_anew(
    state: DocumentsState, event: RefusalUpheld | LeadUnitChanged
) -> DocumentsState:
    return wanted(state, "dispatched", event.at, event.lead_unit)


@applies(Urged, to=DocumentsState)
def urged(state: DocumentsState, event: Urged) -> DocumentsState:
    return wanted(state, "urged", event.at, event.unit, event.number)


@applies(MeasureIssued, to=DocumentsState)
def measure_issued(state: DocumentsState, event: MeasureIssued) -> DocumentsState:
    return wanted(state, event.measure, event.at, event.unit, event.number)


@applies(FeedbackSubmitted, to=DocumentsState)
def feedback_submitted(state: DocumentsState, event: FeedbackSubmitted) -> DocumentsState:
    return wanted(state, "feedback", event.at, event.unit)


@applies(TaskCompleted, to=DocumentsState)
def reported(state: DocumentsState, event: TaskCompleted) -> DocumentsState:
    return wanted(state, "reported", event.at, None) if event.element == REPORT else state


@applies(DocumentNumbered, to=DocumentsState)
def numbered(state: DocumentsState, event: DocumentNumbered) -> DocumentsState:
    return _changed(
        state,
        event.document,
        lambda d: replace(d, kind=event.kind, name=event.label, number=event.number),
    )


@applies(DocumentDropped, to=DocumentsState)
def dropped(state: DocumentsState, event: DocumentDropped) -> DocumentsState:
    return _changed(state, event.document, lambda d: replace(d, dropped=True))


@applies(DocumentIssued, to=DocumentsState)
def issued(state: DocumentsState, event: DocumentIssued) -> DocumentsState:
    return _changed(
        state,
        event.document,
        lambda d: replace(
            d,
            issued_at=event.at,
            docx_sha256=event.docx_sha256,
            pdf_sha256=event.pdf_sha256,
        ),
    )


@applies(DocumentWithdrawn, to=DocumentsState)
def withdrawn(state: DocumentsState, event: DocumentWithdrawn) -> DocumentsState:
    return _changed(
        state,
        event.document,
        lambda d: replace(d, withdrawn_at=event.at, withdrawn_reason=event.reason),
    )


@applies(DocumentMarked, to=DocumentsState)
def marked(state: DocumentsState, event: DocumentMarked) -> DocumentsState:
    return _changed(
        state,
        event.document,
        lambda d: replace(
            d, marked_docx_sha256=event.docx_sha256, marked_pdf_sha256=event.pdf_sha256
        ),
    )


def wanted(
    state: DocumentsState, cause: str, at: datetime, unit: str | None, number: str | None = None
) -> DocumentsState:
    """Note that a document is wanted; appliers of other rooms whose events ask for one call it."""
    asked = IssuedDocument(
        id=f"d{len(state.documents) + 1}", cause=cause, wanted_at=at, unit=unit, number=number
    )
    return replace(state, documents=(*state.documents, asked))


def _changed(
    state: DocumentsState, document: str, change: Callable[[IssuedDocument], IssuedDocument]
) -> DocumentsState:
    documents = tuple(change(d) if d.id == document else d for d in state.documents)
    return replace(state, documents=documents)
