"""One recorded case run again on another definition.

Every recorded command is offered again at its instant. Timers don't follow the record: they fire
when the new run has them due. Only a timer that is due at the very instant it was recorded with
fires at its recorded place, so that a late worker of then makes no difference now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine import (
    CLOCK,
    OUTBOX,
    Case,
    CaseId,
    ClaimTask,
    Command,
    CompleteTask,
    Definition,
    DelegateTask,
    Event,
    FailJob,
    FinishJob,
    FireTimer,
    Invalid,
    JobId,
    Problem,
    ProcessState,
    ReleaseTask,
    RetryJob,
    RetryTimer,
    TaskId,
    TimerId,
)
from engine.case import Lookups, run
from engine.commands import MigrateCase, ReportStuckTimer
from engine.records import Json
from engine.spiff.process import Process
from engine.state import OpenTask, OpenTimer, State
from services.whatif.answers import Answers
from services.whatif.places import Place, Places
from services.whatif.recording import Recording, Step

TaskCommand = CompleteTask | ClaimTask | ReleaseTask | DelegateTask
JobCommand = FinishJob | FailJob | RetryJob
_NOT_OFFERED = (ReportStuckTimer, RetryTimer, MigrateCase)
MAX_FIRINGS = 5_000


@dataclass(frozen=True, slots=True)
class Misfit:
    """A recorded input that the new run has no use for, and why."""

    seq: int
    at: datetime
    command: str
    element: str | None
    reason: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Rerun:
    """A case in the making.

    Parameters
    ----------
    until : how far the clock runs on after the last recorded command.
    """

    definition: Definition
    recording: Recording
    answers: Answers
    until: datetime
    case: Case = field(init=False)
    places: Places = field(default_factory=Places)
    happened: list[tuple[datetime, Event]] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    """The elements whose jobs were taken as done because the record doesn't answer them."""
    stuck: dict[str, str] = field(default_factory=dict)
    fitted: dict[type[State], State] | None = None
    """The states before the first input that didn't fit."""
    _accepted: list[tuple[Command, list[list[Json]]]] = field(default_factory=list)
    _firings: int = 0

    def __post_init__(self) -> None:
        self.case = self._fresh()

    def play(self) -> None:
        """Offer every recorded command, then let the clock run on."""
        for step in self.recording.steps:
            self._advance(step.command.at, step.number)
            self._offer(step)
            if self._open.status == "new":
                return  # it couldn't even begin, so nothing after that means anything
        self._advance(self.until, len(self.recording.steps))

    def _offer(self, step: Step) -> None:
        command = step.command
        if isinstance(command, _NOT_OFFERED):
            return
        if isinstance(command, FireTimer):
            self._fire_in_place(command, step)
        elif isinstance(command, JobCommand):
            self._answer_in_place(command, step)
        elif isinstance(command, TaskCommand):
            self._on_task(command, step)
        else:
            self._take(command, step)

    def _on_task(self, command: TaskCommand, step: Step) -> None:
        place = self.recording.places.of[command.task]
        task = self._same_task(place)
        if task is None:
            if isinstance(command, CompleteTask):
                self._misfit(step, place.element, "task-not-open")
            return
        before = self.recording.places.reached[command.task]
        moved = (before.roles, before.unit) != (task.roles, task.unit)
        if moved and isinstance(command, CompleteTask) and not self._may(command, task):
            self._misfit(step, place.element, "may-not-do-task")
            return
        self._take(replace(command, task=TaskId(task.task)), step, place.element)

    def _may(self, command: CompleteTask, task: OpenTask) -> bool:
        asked = (command.by.user, ",".join(task.roles), task.unit)
        return bool(self.answers.answer("may_do_task", asked))

    def _same_task(self, wanted: Place) -> OpenTask | None:
        """Find the open task at the same place; of several the one of the same number."""
        same = [
            (self.places.of[task], task) for task in self._open.tasks if self._is_at(task, wanted)
        ]
        here = [(place, task) for place, task in same if place.path == wanted.path]
        found = here or same
        if len(found) > 1:
            found = [(place, task) for place, task in found if place.number == wanted.number]
        return self._open.tasks[found[0][1]] if len(found) == 1 else None

    def _is_at(self, task: str, wanted: Place) -> bool:
        place = self.places.of[task]
        return place.element == wanted.element and place.unit == wanted.unit

    def _fire_in_place(self, command: FireTimer, step: Step) -> None:
        wanted = self.recording.places.of.get(command.timer)
        for timer in self._open.timers.values():
            if self.places.of[timer.timer] == wanted and timer.due_at == command.at:
                self._take_own(replace(command, timer=TimerId(timer.timer)), step.lookups, timer)
                return

    def _answer_in_place(self, command: JobCommand, step: Step) -> None:
        wanted = self.recording.places.of.get(command.job)
        for job in self._open.jobs:
            if self.places.of[job] == wanted:
                self._take(replace(command, job=JobId(job)), step)
                return

    # The clock

    def _advance(self, instant: datetime, number: int) -> None:
        while True:
            timer = next(self._due(instant, number), None)
            if timer is None:
                return
            self._firings += 1
            if self._firings > MAX_FIRINGS:
                self.stuck[timer.timer] = "fires without end"
                continue
            fire = FireTimer(
                case=self.case.id,
                by=CLOCK,
                at=timer.due_at,
                timer=TimerId(timer.timer),
                fired_at=timer.due_at,
            )
            self._take_own(fire, [], timer)

    def _due(self, instant: datetime, number: int) -> Iterator[OpenTimer]:
        if self._open.status != "running":
            return
        due = [t for t in self._open.timers.values() if self._is_due(t, instant, number)]
        yield from sorted(due, key=lambda t: (t.due_at, t.timer))[:1]

    def _is_due(self, timer: OpenTimer, instant: datetime, number: int) -> bool:
        if timer.due_at > instant or timer.timer in self.stuck:
            return False
        end = self.recording.ends.get(self.places.of[timer.timer])
        return end is None or end.at != timer.due_at or not _is_ahead(end.step, number)

    def _take_own(self, command: FireTimer, lookups: list[list[Json]], timer: OpenTimer) -> None:
        refusal = self._run(command, lookups)
        if refusal is not None:
            self.stuck[timer.timer] = f"{timer.element}: {refusal}"

    # Commands

    def _take(self, command: Command, step: Step, element: str | None = None) -> None:
        refusal = self._run(command, step.lookups, step.number)
        if refusal is not None:
            self._misfit(step, element, refusal.slug, refusal)

    def _run(
        self, command: Command, lookups: list[list[Json]], number: int | None = None
    ) -> Problem | None:
        if self.fitted is None:
            before = dict(self.case.states)
        self.case.lookups = self.answers.for_command(lookups)
        stated = len(self.answers.stated)
        try:
            happened = list(run(command, self.case))
        except Problem as refusal:
            del self.answers.stated[stated:]
            self._rebuild()
            if self.fitted is None and number is not None:
                self.fitted = before
            return refusal
        self.case.seq += len(happened)
        self._accepted.append((command, self.case.lookups.record))
        for event in happened:
            self.places.see(event)
            self.happened.append((command.at, event))
        self._finish_new_jobs(command.at, number)
        return None

    def _finish_new_jobs(self, at: datetime, number: int | None) -> None:
        for job in list(self._open.jobs.values()):
            place = self.places.of[job.job]
            end = self.recording.ends.get(place)
            if end is not None and end.at == job.requested_at and _is_ahead(end.step, number or 0):
                continue
            if place.element not in self.assumed and end is None:
                self.assumed.append(place.element)
            self._run(
                FinishJob(case=self.case.id, by=OUTBOX, at=at, job=JobId(job.job), result={}), []
            )

    def _misfit(
        self, step: Step, element: str | None, reason: str, refusal: Problem | None = None
    ) -> None:
        if self.fitted is None:
            self.fitted = dict(self.case.states)
        fields = refusal.fields if isinstance(refusal, Invalid) else ()
        self.misfits.append(
            Misfit(
                step.seq,
                step.command.at,
                step.command.name,
                element,
                reason,
                tuple((error.field, error.code) for error in fields),
            )
        )

    def _rebuild(self) -> None:
        """Make the case again without the command that was refused half-way."""
        self.case = self._fresh()
        for command, lookups in self._accepted:
            self.case.lookups = Lookups(self.answers.names, played=lookups)
            self.case.seq += len(list(run(command, self.case)))

    def _fresh(self) -> Case:
        case = CaseId(self.recording.case)
        process = Process.new(case, self.definition)
        return Case(case, self.definition, 0, process, Lookups(self.answers.names))

    @property
    def _open(self) -> ProcessState:
        return self.case[ProcessState]


def _is_ahead(step: int | None, number: int) -> bool:
    """Tell whether the record closes something later than at `number`, or never."""
    return step is None or step >= number
