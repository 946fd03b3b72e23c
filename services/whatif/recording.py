"""A history as what it takes to try it again: commands in order, and what they answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine import Command, State
from engine.commands import FailJob, FinishJob
from engine.event_types import Event, read_event
from engine.events import JobRequested, TimerCancelled, TimerFired, TimerRescheduled, TimerStarted
from engine.journal import Batch, batches
from engine.personal import Erased
from engine.records import Json
from engine.state import apply_to
from engine.store import StoredEvent
from services.whatif.places import Place, Places

JobAnswer = FinishJob | FailJob


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded command, with the number of its first event and the look-ups it made."""

    number: int
    seq: int
    command: Command
    lookups: list[list[Json]]


@dataclass(frozen=True, slots=True)
class End:
    """What became of a recorded timer or job: `step` is `None` when it stood open at the end.

    `at` is the instant a timer was due at last, or a job was asked for.
    """

    at: datetime
    step: int | None


@dataclass(slots=True)
class Recording:
    """A recorded case."""

    case: str
    steps: list[Step] = field(default_factory=list)
    happened: list[tuple[int, datetime, Event]] = field(default_factory=list)
    states: dict[type[State], State] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    ends: dict[Place, End] = field(default_factory=dict)
    erased: bool = False
    """Whether personal values were erased from its inputs: forms can't check those any more."""

    @property
    def sha256(self) -> str:
        """The hash of the definition the case began on."""
        return str(getattr(self.happened[0][2], "definition_sha256", ""))

    def lookups_by_question(self) -> dict[str, Json]:
        """Give every answer the case got, by question; the last one counts."""
        return {
            question_of(function, arguments): answer
            for step in self.steps
            for function, arguments, answer in step.lookups
        }


def question_of(function: str, arguments: Sequence[Json]) -> str:
    """Write a look-up as a key."""
    return repr((function, *arguments))


def recording_of(case: str, history: Sequence[StoredEvent]) -> Recording:
    """Read a history.

    Raises
    ------
    LookupError, TypeError, ValueError : it holds something that this program doesn't know.
    """
    recording = Recording(case)
    for number, batch in enumerate(batches(history)):
        step = Step(number, batch.events[0].seq, batch.command(), batch.lookups)
        recording.steps.append(step)
        recording.erased = recording.erased or _has_erased(getattr(step.command, "data", None))
        for happened in _events(batch, recording):
            apply_to(recording.states, happened)
            recording.places.see(happened)
            _follow_timer(happened, recording, number)
        if isinstance(step.command, JobAnswer):
            _close_job(step.command, recording, number)
    return recording


def _events(batch: Batch, recording: Recording) -> list[Event]:
    found = []
    for stored, envelope in zip(batch.events, batch.envelopes, strict=True):
        happened = read_event(envelope["type"], envelope["version"], envelope["payload"])
        recording.happened.append((stored.seq, stored.at, happened))
        found.append(happened)
    return found


def _has_erased(value: Json) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_has_erased, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Erased)


def _follow_timer(happened: Event, recording: Recording, number: int) -> None:
    places = recording.places.of
    match happened:
        case TimerStarted() | TimerRescheduled():
            recording.ends[places[happened.timer]] = End(happened.due_at, None)
        case TimerFired():
            recording.ends[places[happened.timer]] = End(happened.due_at, number)
        case TimerCancelled():
            recording.ends.pop(places[happened.timer], None)
        case JobRequested():
            recording.ends[places[happened.job]] = End(happened.at, None)
        case _:
            pass


def _close_job(answer: JobAnswer, recording: Recording, number: int) -> None:
    place = recording.places.of.get(answer.job)
    end = recording.ends.get(place) if place is not None else None
    if place is not None and end is not None:
        recording.ends[place] = End(end.at, number)
