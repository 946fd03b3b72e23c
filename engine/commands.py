"""What can be asked of a case: frozen commands, and the decision that answers each.

A command is decided against the case and yields events, or a refusal is raised; nothing else
changes anything. What had to be looked up outside the case is recorded with the command, so that
the same commands give the same events ever after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

from engine.event_types import Event
from engine.ids import Actor, CaseId, JobId, TaskId, TimerId
from engine.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Somebody's wish, at the instant it arrived. `is_start` marks the one that opens a case."""

    name: ClassVar[str]
    is_start: ClassVar[bool] = False

    case: CaseId
    by: Actor
    at: datetime


DecideT = TypeVar("DecideT", bound=Callable[..., Iterator[Event]])

COMMANDS: dict[str, type[Command]] = {}
DECISIONS: dict[type[Command], Callable[[Any, Any], Iterator[Event]]] = {}
FOLLOWERS: dict[type[Event], list[Callable[[Any, Any], Iterator[Event]]]] = {}
ELEMENT_RULES: dict[tuple[type[Command], str], Callable[[Any, Any], Iterator[Event]]] = {}


def decides(command: type[Command], *, element: str | None = None) -> Callable[[DecideT], DecideT]:
    """Register the decision of a command, `(command, case) -> events`.

    With `element`, register instead the rule of one element of the diagram, which runs inside the
    decision of `CompleteTask` after the form was checked and before the process moves on:
    `(TaskCompleted, case) -> events`.
    """

    def register(decide: DecideT) -> DecideT:
        if element is None:
            COMMANDS[command.name] = command
            DECISIONS[command] = decide
        else:
            ELEMENT_RULES[command, element] = decide
        return decide

    return register


def follows(*happened: type[Event]) -> Callable[[DecideT], DecideT]:
    """Register what one subject makes of another's events: `(event, case) -> events`.

    It runs within the same decision, right after the event was folded; so subjects meet in events
    and a command stays one transaction. Several follow in the order of their names: whichever room
    a process imports first, the same command gives the same events.
    """

    def register(react: DecideT) -> DecideT:
        for kind in happened:
            FOLLOWERS.setdefault(kind, []).append(react)
            FOLLOWERS[kind].sort(key=lambda known: (known.__module__, known.__qualname__))
        return react

    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCase(Command):
    """Begin a case on a definition with first values for its variables."""

    name: ClassVar[str] = "start_case"
    is_start: ClassVar[bool] = True

    definition: str
    variables: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTask(Command):
    """Take a task that several people may do."""

    name: ClassVar[str] = "claim_task"

    task: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTask(Command):
    """Give a claimed task back."""

    name: ClassVar[str] = "release_task"

    task: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegateTask(Command):
    """Pass a task to another person who may do it."""

    name: ClassVar[str] = "delegate_task"

    task: TaskId
    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTask(Command):
    """Complete an open task with the contents of its form."""

    name: ClassVar[str] = "complete_task"

    task: TaskId
    data: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class FireTimer(Command):
    """Tell the case that a timer's instant came. `at` is the instant due, `fired_at` when seen."""

    name: ClassVar[str] = "fire_timer"

    timer: TimerId
    fired_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStuckTimer(Command):
    """Open an incident: a due timer could not move the case."""

    name: ClassVar[str] = "report_stuck_timer"

    timer: TimerId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTimer(Command):
    """Close a timer's incident; the timer is due again at once."""

    name: ClassVar[str] = "retry_timer"

    timer: TimerId


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishJob(Command):
    """Bring a job's answer back into the case."""

    name: ClassVar[str] = "finish_job"

    job: JobId
    result: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailJob(Command):
    """Open an incident: the last attempt of a job failed; or throw its BPMN error."""

    name: ClassVar[str] = "fail_job"

    job: JobId
    attempts: int
    reason: str
    error_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryJob(Command):
    """Close a job's incident by asking for it again."""

    name: ClassVar[str] = "retry_job"

    job: JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverMessage(Command):
    """Hand a message or signal from outside to whatever in the case waits for it."""

    name: ClassVar[str] = "deliver_message"

    kind: Literal["message", "signal"]
    message: str
    variables: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendCase(Command):
    """Let the clock of a case stand still."""

    name: ClassVar[str] = "suspend"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeCase(Command):
    """Let the clock of a suspended case run again; what time was left counts on."""

    name: ClassVar[str] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateCase(Command):
    """Let a case continue on another version of its definition.

    Where it stands there was found by running its commands again on that version up to event
    `after_seq`: `process` as `Process.save` gives it, and what is open, as JSON-plain values of the
    parts of `ProcessState`. What stays open keeps its id.
    """

    name: ClassVar[str] = "migrate_case"

    definition_version: int
    definition_sha256: str
    after_seq: int
    process: dict[str, Json]
    tokens: list[dict[str, Json]]
    scopes: dict[str, Json]
    tasks: dict[str, Json]
    timers: dict[str, Json]
    jobs: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCase(Command):
    """End a case without result."""

    name: ClassVar[str] = "cancel"

    reason: str
