"""Rows of the documents of a case, computed from what the case adds up to."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.documents.state import DocumentsState
from services.documents.tables import documents


@rows(documents.name, key=("document",), of=(DocumentsState,))
def document_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per document that is wanted or made."""
    state = states.get(DocumentsState)
    if not isinstance(state, DocumentsState):
        return
    for document in state.documents:
        if document.dropped:
            continue
        yield {
            "document": document.id,
            "cause": document.cause,
            "kind": document.kind,
            "name": document.name,
            "number": document.number,
            "unit": document.unit,
            "wanted_at": document.wanted_at,
            "step": document.step,
            "issued_at": document.issued_at,
            "docx_sha256": document.docx_sha256,
            "pdf_sha256": document.pdf_sha256,
            "withdrawn_at": document.withdrawn_at,
            "withdrawn_reason": document.withdrawn_reason,
            "marked_docx_sha256": document.marked_docx_sha256,
            "marked_pdf_sha256": document.marked_pdf_sha256,
        }
