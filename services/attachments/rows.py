"""Rows of the attachments of a case."""

from collections.abc import Iterator
from typing import Any

from engine import CaseId, States, rows
from services.attachments.state import AttachmentsState
from services.attachments.tables import case_attachments


@rows(case_attachments.name, key=("sha256",), of=(AttachmentsState,))
def case_attachment_rows(_case: CaseId, states: States) -> Iterator[dict[str, Any]]:
    """One row per attachment that a form of the case refers to."""
    state = states.get(AttachmentsState)
    if isinstance(state, AttachmentsState):
        for reference in state.references:
            yield {
                "sha256": reference.sha256,
                "element": reference.element,
                "attached_by": reference.by,
                "attached_at": reference.at,
            }
