"""What can happen to a case as far as the engine goes: its own events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.event_types import Event, event
from engine.ids import JobId, ScopeId, TaskId, TimerId
from engine.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A place where a case stands: an element of the diagram in one scope."""

    element: str
    scope: ScopeId


@event("case_started", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStarted(Event):
    """A case began on one version of a definition."""

    definition: str
    definition_version: int
    definition_sha256: str
    at: datetime


@event("variables_set", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class VariablesSet(Event):
    """Routing variables of one scope got new values."""

    scope: ScopeId
    values: dict[str, Json]


@event("process_advanced", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessAdvanced(Event):
    """Tokens moved along the diagram, in one run of the engine.

    `passed` names every element completed on the way, in order; `left` and `entered` are the
    places that lost and gained a token by the whole run.
    """

    passed: tuple[Token, ...]
    left: tuple[Token, ...]
    entered: tuple[Token, ...]


@event("scope_entered", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeEntered(Event):
    """A call activity, sub-process or instance began.

    `process` is the called process's id, or `None` for embedded ones and plain instances;
    `variables` are the values the scope begins with, `None` when it writes to the enclosing scope.
    """

    scope: ScopeId
    parent: ScopeId
    element: str
    process: str | None
    variables: dict[str, Json] | None
    at: datetime


@event("scope_left", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeLeft(Event):
    """A call activity, sub-process or instance ended; `results` went to the enclosing scope."""

    scope: ScopeId
    element: str
    process: str | None
    interrupted: bool
    results: dict[str, Json]
    at: datetime


@event("milestone_reached", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneReached(Event):
    """An element with properties of its own, such as a status, was passed."""

    element: str
    title: str
    scope: ScopeId
    properties: dict[str, str]
    at: datetime


@event("decision_made", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMade(Event):
    """A decision table was evaluated; `rules` are the numbers (from 1) of the rows that matched."""

    element: str
    scope: ScopeId
    table: str
    inputs: dict[str, Json]
    outputs: dict[str, Json]
    rules: tuple[int, ...]


@event("task_reached", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReached(Event):
    """A task waits for a person: any of `roles`, of `unit` if given, or the `assignee` alone."""

    task: TaskId
    element: str
    title: str
    scope: ScopeId
    roles: tuple[str, ...]
    unit: str | None
    assignee: str | None
    form: str | None
    due_at: datetime | None
    separate_from: tuple[str, ...]
    properties: dict[str, str]
    at: datetime


@event("task_claimed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskClaimed(Event):
    """A person took a task that several may do."""

    task: TaskId
    assignee: str


@event("task_released", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReleased(Event):
    """The person who had claimed a task gave it back."""

    task: TaskId
    former: str


@event("task_delegated", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDelegated(Event):
    """A task passed from one person to another."""

    task: TaskId
    former: str | None
    assignee: str


@event("task_rescheduled", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRescheduled(Event):
    """An open task is due at another instant, because the deadline it follows moved."""

    task: TaskId
    element: str
    former: datetime
    due_at: datetime


@event("task_completed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(Event):
    """A person completed a task with the contents of its form.

    `personal` names the fields of `data` (JSON pointers) that the form marks as personal.
    """

    task: TaskId
    element: str
    scope: ScopeId
    unit: str | None
    due_at: datetime | None
    data: dict[str, Json]
    personal: tuple[str, ...]
    by: str
    acting_for: str | None
    at: datetime


@event("task_withdrawn", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWithdrawn(Event):
    """A task is no longer wanted: its scope was interrupted, or the case ended."""

    task: TaskId
    element: str
    scope: ScopeId
    unit: str | None
    at: datetime


@event("timer_started", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TimerStarted(Event):
    """The case waits for an instant. `remaining` counts further firings, `None` without end."""

    timer: TimerId
    element: str
    scope: ScopeId
    due_at: datetime
    remaining: int | None


@event("timer_rescheduled", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRescheduled(Event):
    """An open timer moved, because what its instant is computed from changed."""

    timer: TimerId
    element: str
    former: datetime
    due_at: datetime


@event("timer_fired", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired(Event):
    """A timer's instant came; `fired_at` is when the service saw it, `due_at` what counts."""

    timer: TimerId
    element: str
    scope: ScopeId
    due_at: datetime
    fired_at: datetime


@event("timer_cancelled", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TimerCancelled(Event):
    """A timer will not fire: what it watched over has ended."""

    timer: TimerId
    element: str


@event("job_requested", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequested(Event):
    """The case waits for a machine to do something outside of it."""

    job: JobId
    element: str
    scope: ScopeId
    topic: str
    properties: dict[str, str]
    at: datetime


@event("job_finished", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class JobFinished(Event):
    """The machine answered; `result` went to the process variables."""

    job: JobId
    element: str
    topic: str
    result: dict[str, Json]


@event("job_failed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed(Event):
    """The last attempt of a job failed; an incident stands open until a person retries it."""

    job: JobId
    element: str
    topic: str
    attempts: int
    reason: str
    at: datetime


@event("job_retried", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class JobRetried(Event):
    """A person closed an incident by asking for the job again."""

    job: JobId
    element: str
    at: datetime


@event("job_cancelled", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelled(Event):
    """A job's answer is no longer wanted."""

    job: JobId
    element: str


@event("timer_stuck", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TimerStuck(Event):
    """A due timer could not move the case; an incident stands open until a person retries it."""

    timer: TimerId
    element: str
    reason: str
    at: datetime


@event("timer_retried", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRetried(Event):
    """A person closed an incident: the timer is due again, at the instant it was due before."""

    timer: TimerId
    element: str
    at: datetime


@event("message_delivered", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelivered(Event):
    """A message or signal from outside was caught by the process."""

    kind: str
    message: str
    variables: dict[str, Json]


@event("message_thrown", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class MessageThrown(Event):
    """The process threw a message, signal or escalation (`kind`) that left its own scope."""

    kind: str
    message: str
    element: str
    scope: ScopeId


@event("case_suspended", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSuspended(Event):
    """The clock of a case stands still from here."""

    reason: str
    at: datetime


@event("case_resumed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResumed(Event):
    """The clock of a case runs again; `suspended_at` is when it stopped."""

    suspended_at: datetime
    at: datetime


@event("case_cancelled", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCancelled(Event):
    """A case ended without result."""

    reason: str
    by: str
    at: datetime


@event("process_ended", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnded(Event):
    """The last token of a case was consumed. `element` is the end event reached last."""

    element: str | None
    at: datetime


@event("case_migrated", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMigrated(Event):
    """A case continues on another version of its definition.

    `scopes` are all that are open there, with their variables; `kept` the tasks that stay open but
    look otherwise there (parts of `ProcessState`). The events that follow, of the same command,
    tell where the tokens stand now and what is no longer or newly open.
    """

    definition: str
    former_version: int
    definition_version: int
    definition_sha256: str
    scopes: dict[str, Json]
    kept: dict[str, Json]
    at: datetime
