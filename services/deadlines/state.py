"""What a case's deadline is, and how it came to be."""

from dataclasses import dataclass, replace
from datetime import datetime

from engine import State, applies
from services.deadlines.events import (
    DeadlineSet,
    ExtensionDeclined,
    ExtensionGranted,
    ExtensionRequested,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineState(State):
    """The deadline in force. `due_at` is 24:00 of the last day: that instant is still in time."""

    due_at: datetime | None = None
    yellow_from: datetime | None = None
    provisional: bool = False
    by_name: bool = False
    start: datetime | None = None
    """What `period` runs from; both are `None` for a date that somebody named."""
    period: str | None = None
    reminder_period: str | None = None
    asked_until: datetime | None = None
    """The date of an open request for extension; the clock doesn't stop for it."""
    asked_at: datetime | None = None
    extensions: int = 0


@applies(DeadlineSet, to=DeadlineState)
def deadline_set(state: DeadlineState, event: DeadlineSet) -> DeadlineState:
    return replace(
        state,
        due_at=event.due_at,
        yellow_from=event.yellow_from,
        provisional=event.provisional,
        by_name=event.by_name,
        start=event.start,
        period=event.period,
        reminder_period=event.reminder_period,
    )


@applies(ExtensionRequested, to=DeadlineState)
def extension_requested(state: DeadlineState, event: ExtensionRequested) -> DeadlineState:
    return replace(state, asked_until=event.until, asked_at=event.at)


@applies(ExtensionGranted, to=DeadlineState)
def extension_granted(state: DeadlineState, event: ExtensionGranted) -> DeadlineState:
    return replace(state, asked_until=None, asked_at=None, extensions=state.extensions + 1)


@applies(ExtensionDeclined, to=DeadlineState)
def extension_declined(state: DeadlineState, event: ExtensionDeclined) -> DeadlineState:
    return replace(state, asked_until=None, asked_at=None)
