"""Which attachments the forms of a case refer to."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from engine import State, applies
from engine.events import TaskCompleted
from engine.records import Json
from services.cases.events import ProgressReported

FIELDS = frozenset({"attachments", "photos", "evidence"})
"""Form fields that list attachments by their SHA-256."""

_REFERENCE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An attachment, and the first task whose form referred to it."""

    sha256: str
    element: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentsState(State):
    """The attachments of a case, each once."""

    references: tuple[Reference, ...] = ()


@applies(TaskCompleted, to=AttachmentsState)
def attached(state: AttachmentsState, event: TaskCompleted) -> AttachmentsState:
    return _with(state, references(event.data), event.element, event.by, event.at)


@applies(ProgressReported, to=AttachmentsState)
def progress_reported(state: AttachmentsState, event: ProgressReported) -> AttachmentsState:
    return _with(state, event.photos, "progress", event.by, event.at)


def _with(
    state: AttachmentsState, named: Iterable[str], element: str, by: str, at: datetime
) -> AttachmentsState:
    known = {reference.sha256 for reference in state.references}
    fresh = tuple(
        Reference(sha256=sha256, element=element, by=by, at=at)
        for sha256 in dict.fromkeys(named)
        if sha256 not in known
    )
    return replace(state, references=(*state.references, *fresh)) if fresh else state


def references(data: Json) -> Iterator[str]:
    """Give every attachment that a form's data refers to."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name in FIELDS and isinstance(value, list):
                yield from (v for v in value if isinstance(v, str) and _REFERENCE.fullmatch(v))
            else:
                yield from references(value)
    elif isinstance(data, list):
        for item in data:
            yield from references(item)
