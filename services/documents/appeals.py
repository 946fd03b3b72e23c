"""What a won appeal does to the document that told the unit of its points (domain.md §7, §10)."""

from collections.abc import Iterator

from engine import Case, Event, follows
from services.documents.events import DocumentWithdrawn
from services.documents.state import DocumentsState
from services.scoring.events import AppealDecided
from services.scoring.state import ScoringState


@follows(AppealDecided)
def appeal_decided(event: AppealDecided, case: Case) -> Iterator[Event]:
    """Withdraw the document when the appeal is won; it and its number stay (§10, case 21)."""
    entry = case[ScoringState].find(event.entry)
    if not event.upheld or entry is None or entry.document is None:
        return
    document = case[DocumentsState].find(entry.document)
    if document is not None and document.withdrawn_at is None:
        yield DocumentWithdrawn(
            document=document.id,
            number=document.number or "",
            reason=event.reason,
            by=event.by,
            at=event.at,
        )
