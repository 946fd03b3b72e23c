"""A running case on another version, up to where it stands: what was put in force stays so.

As in a what-if the recorded commands are run again and timers follow the new diagram. But a
deadline that the unit was given holds, whatever the new version's tables would have given: its
timers and rounds come when the unit knows them to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from engine import CLOCK, Case, CaseId, Command, Event, decides
from engine.records import Json, decode, encode
from services.deadlines.events import DeadlineSet
from services.deadlines.rules import in_force
from services.deadlines.state import DeadlineState
from services.whatif.recording import Recording, Step
from services.whatif.rerun import Rerun


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepDeadline(Command):
    """Hold the deadline that is on the record; asked in rehearsals only, never recorded."""

    name: ClassVar[str] = "keep_deadline"

    deadline: dict[str, Json]


@decides(KeepDeadline)
def keep_deadline(ask: KeepDeadline, case: Case) -> Iterator[Event]:
    yield from in_force(case, decode(DeadlineSet, ask.deadline))


class Rehearsal(Rerun):
    """Runs a recorded case on another version until its last event, or until it doesn't fit."""

    def play(self) -> None:
        """Offer the recorded commands in turn; stop at the first that doesn't fit."""
        recorded = _deadlines(self.recording)
        for step in self.recording.steps:
            self._advance(step.command.at, step.number)
            self._offer(step)
            if self.misfits:
                return
            self._keep(step, recorded)
        self._advance(self.until, len(self.recording.steps))

    def _keep(self, step: Step, recorded: Mapping[int, DeadlineSet]) -> None:
        deadline = recorded.get(step.number)
        if deadline is None or self.case[DeadlineState].due_at == deadline.due_at:
            return
        self._run(
            KeepDeadline(
                case=CaseId(self.recording.case),
                by=CLOCK,
                at=step.command.at,
                deadline=encode(deadline),
            ),
            [],
            step.number,
        )


def _deadlines(recording: Recording) -> Mapping[int, DeadlineSet]:
    """Give the deadline in force after each step, from the first one on."""
    found: dict[int, DeadlineSet] = {}
    happened, last = iter(recording.happened), None
    event = next(happened, None)
    ends = [step.seq for step in recording.steps[1:]]
    for step, end in zip(recording.steps, [*ends, None], strict=True):
        while event is not None and (end is None or event[0] < end):
            if isinstance(event[2], DeadlineSet):
                last = event[2]
            event = next(happened, None)
        if last is not None:
            found[step.number] = last
    return found
