"""What a history adds up to: one frozen state per subject, folded from events by appliers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from engine.event_types import Event
from engine.events import (
    CaseCancelled,
    CaseMigrated,
    CaseResumed,
    CaseStarted,
    CaseSuspended,
    DecisionMade,
    JobCancelled,
    JobFailed,
    JobFinished,
    JobRequested,
    JobRetried,
    MessageDelivered,
    MessageThrown,
    MilestoneReached,
    ProcessAdvanced,
    ProcessEnded,
    ScopeEntered,
    ScopeLeft,
    TaskClaimed,
    TaskCompleted,
    TaskDelegated,
    TaskReached,
    TaskReleased,
    TaskRescheduled,
    TaskWithdrawn,
    TimerCancelled,
    TimerFired,
    TimerRescheduled,
    TimerRetried,
    TimerStarted,
    TimerStuck,
    Token,
    VariablesSet,
)
from engine.ids import CASE_SCOPE, JobId, ScopeId, TaskId, TimerId
from engine.records import Json, decode, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One subject's part of a case. Every field has a default: the state before any event."""


StateT = TypeVar("StateT", bound=State)
EventT = TypeVar("EventT", bound=Event)
States = Mapping[type[State], State]
Apply = Callable[[Any, Any], State]

APPLIERS: dict[type[Event], list[tuple[type[State], Apply]]] = {}
STATES: dict[str, type[State]] = {}


def applies(
    *happened: type[Event], to: type[StateT]
) -> Callable[[Callable[[StateT, Any], StateT]], Callable[[StateT, Any], StateT]]:
    """Register how events change one state: `(state, event) -> state`, without look-ups."""

    def register(apply: Callable[[StateT, Any], StateT]) -> Callable[[StateT, Any], StateT]:
        STATES[to.__name__] = to
        for kind in happened:
            APPLIERS.setdefault(kind, []).append((to, apply))
        return apply

    return register


def fold(states: States, events: Iterable[Event]) -> dict[type[State], State]:
    """Apply events in order; the mapping given is left as it was."""
    folded = dict(states)
    for happened in events:
        apply_to(folded, happened)
    return folded


def apply_to(states: dict[type[State], State], happened: Event) -> None:
    """Apply one event to a mapping of states in place.

    Raises
    ------
    LookupError : no applier is registered for this type of event.
    """
    for kind, apply in APPLIERS[type(happened)]:
        states[kind] = apply(states.get(kind) or kind(), happened)


def save_states(states: States) -> dict[str, Json]:
    """Give states as JSON-plain values for a snapshot, in the order of their names.

    The order in which they came to be depends on which room was imported first.
    """
    named = {kind.__name__: state for kind, state in states.items()}
    return {name: encode(named[name]) for name in sorted(named)}


def load_states(saved: Mapping[str, Mapping[str, Json]]) -> dict[type[State], State]:
    """Read what `save_states` wrote."""
    return {STATES[name]: decode(STATES[name], values) for name, values in saved.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """A task that waits for a person."""

    task: TaskId
    element: str
    title: str
    scope: ScopeId
    roles: tuple[str, ...]
    unit: str | None
    assignee: str | None
    claimed: bool = False
    form: str | None
    due_at: datetime | None
    separate_from: tuple[str, ...]
    properties: dict[str, str]
    reached_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTimer:
    """An instant that the case waits for; `stuck` names why it couldn't move the case."""

    timer: TimerId
    element: str
    scope: ScopeId
    due_at: datetime
    remaining: int | None
    stuck: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJob:
    """A piece of work that the case waits for a machine to do; `failed` is an open incident."""

    job: JobId
    element: str
    scope: ScopeId
    topic: str
    properties: dict[str, str]
    requested_at: datetime
    failed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A call activity, sub-process or instance; `variables` is `None` when it has none."""

    parent: ScopeId
    element: str
    process: str | None
    variables: dict[str, Json] | None


RunStatus = Literal["new", "running", "suspended", "ended", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState(State):
    """Where a case stands in its diagram: tokens, scopes with their variables, open waits."""

    status: RunStatus = "new"
    definition: str = ""
    definition_version: int = 0
    definition_sha256: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    suspended_at: datetime | None = None
    tokens: tuple[Token, ...] = ()
    scopes: dict[str, Scope] = field(
        default_factory=lambda: {
            CASE_SCOPE: Scope(parent=CASE_SCOPE, element="", process=None, variables={})
        }
    )
    tasks: dict[str, OpenTask] = field(default_factory=dict)
    timers: dict[str, OpenTimer] = field(default_factory=dict)
    jobs: dict[str, OpenJob] = field(default_factory=dict)
    done_by: dict[str, str] = field(default_factory=dict)
    """Who completed each element last: the rule of four eyes looks at it."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen to the case."""
        return self.status in ("ended", "cancelled")

    def variables(self, scope: ScopeId = CASE_SCOPE) -> dict[str, Json]:
        """Give the variables that an expression in `scope` sees, inner ones hiding outer ones."""
        here = self.scopes.get(scope)
        if here is None:
            return {}
        outer = {} if scope == CASE_SCOPE else self.variables(here.parent)
        return {**outer, **(here.variables or {})}


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in mapping.items() if k != key}


@applies(CaseStarted, to=ProcessState)
def case_started(state: ProcessState, event: CaseStarted) -> ProcessState:
    return replace(
        state,
        status="running",
        definition=event.definition,
        definition_version=event.definition_version,
        definition_sha256=event.definition_sha256,
        started_at=event.at,
    )


@applies(VariablesSet, to=ProcessState)
def variables_set(state: ProcessState, event: VariablesSet) -> ProcessState:
    scope = state.scopes[event.scope]
    changed = replace(scope, variables={**(scope.variables or {}), **event.values})
    return replace(state, scopes={**state.scopes, event.scope: changed})


@applies(ScopeEntered, to=ProcessState)
def scope_entered(state: ProcessState, event: ScopeEntered) -> ProcessState:
    scope = Scope(
        parent=event.parent,
        element=event.element,
        process=event.process,
        variables=event.variables,
    )
    return replace(state, scopes={**state.scopes, event.scope: scope})


@applies(ScopeLeft, to=ProcessState)
def scope_left(state: ProcessState, event: ScopeLeft) -> ProcessState:
    scopes = _without(state.scopes, event.scope)
    if event.results:
        above = state.scopes[event.scope].parent
        while above != CASE_SCOPE and scopes[above].variables is None:
            above = scopes[above].parent
        owner = scopes[above]
        scopes[above] = replace(owner, variables={**(owner.variables or {}), **event.results})
    return replace(state, scopes=scopes)


@applies(ProcessAdvanced, to=ProcessState)
def process_advanced(state: ProcessState, event: ProcessAdvanced) -> ProcessState:
    tokens = list(state.tokens)
    for token in event.left:
        tokens.remove(token)
    return replace(state, tokens=(*tokens, *event.entered))


@applies(TaskReached, to=ProcessState)
def task_reached(state: ProcessState, event: TaskReached) -> ProcessState:
    task = OpenTask(
        task=event.task,
        element=event.element,
        title=event.title,
        scope=event.scope,
        roles=event.roles,
        unit=event.unit,
        assignee=event.assignee,
        form=event.form,
        due_at=event.due_at,
        separate_from=event.separate_from,
        properties=event.properties,
        reached_at=event.at,
    )
    return replace(state, tasks={**state.tasks, event.task: task})


@applies(TaskClaimed, to=ProcessState)
def task_claimed(state: ProcessState, event: TaskClaimed) -> ProcessState:
    task = replace(state.tasks[event.task], assignee=event.assignee, claimed=True)
    return replace(state, tasks={**state.tasks, event.task: task})


@applies(TaskReleased, to=ProcessState)
def task_released(state: ProcessState, event: TaskReleased) -> ProcessState:
    task = replace(state.tasks[event.task], assignee=None, claimed=False)
    return replace(state, tasks={**state.tasks, event.task: task})


@applies(TaskDelegated, to=ProcessState)
def task_delegated(state: ProcessState, event: TaskDelegated) -> ProcessState:
    task = replace(state.tasks[event.task], assignee=event.assignee)
    return replace(state, tasks={**state.tasks, event.task: task})


@applies(TaskRescheduled, to=ProcessState)
def task_rescheduled(state: ProcessState, event: TaskRescheduled) -> ProcessState:
    task = replace(state.tasks[event.task], due_at=event.due_at)
    return replace(state, tasks={**state.tasks, event.task: task})


@applies(TaskCompleted, to=ProcessState)
def task_completed(state: ProcessState, event: TaskCompleted) -> ProcessState:
    return replace(
        state,
        tasks=_without(state.tasks, event.task),
        done_by={**state.done_by, event.element: event.by},
    )


@applies(TaskWithdrawn, to=ProcessState)
def task_withdrawn(state: ProcessState, event: TaskWithdrawn) -> ProcessState:
    return replace(state, tasks=_without(state.tasks, event.task))


@applies(TimerStarted, to=ProcessState)
def timer_started(state: ProcessState, event: TimerStarted) -> ProcessState:
    timer = OpenTimer(
        timer=event.timer,
        element=event.element,
        scope=event.scope,
        due_at=event.due_at,
        remaining=event.remaining,
    )
    return replace(state, timers={**state.timers, event.timer: timer})


@applies(TimerRescheduled, to=ProcessState)
def timer_rescheduled(state: ProcessState, event: TimerRescheduled) -> ProcessState:
    timer = replace(state.timers[event.timer], due_at=event.due_at, stuck=None)
    return replace(state, timers={**state.timers, event.timer: timer})


@applies(TimerFired, TimerCancelled, to=ProcessState)
def timer_over(state: ProcessState, event: TimerFired | TimerCancelled) -> ProcessState:
    return replace(state, timers=_without(state.timers, event.timer))


@applies(TimerStuck, to=ProcessState)
def timer_stuck(state: ProcessState, event: TimerStuck) -> ProcessState:
    timer = replace(state.timers[event.timer], stuck=event.reason)
    return replace(state, timers={**state.timers, event.timer: timer})


@applies(TimerRetried, to=ProcessState)
def timer_retried(state: ProcessState, event: TimerRetried) -> ProcessState:
    timer = replace(state.timers[event.timer], stuck=None)
    return replace(state, timers={**state.timers, event.timer: timer})


@applies(JobRequested, to=ProcessState)
def job_requested(state: ProcessState, event: JobRequested) -> ProcessState:
    job = OpenJob(
        job=event.job,
        element=event.element,
        scope=event.scope,
        topic=event.topic,
        properties=event.properties,
        requested_at=event.at,
    )
    return replace(state, jobs={**state.jobs, event.job: job})


@applies(JobFinished, JobCancelled, to=ProcessState)
def job_over(state: ProcessState, event: JobFinished | JobCancelled) -> ProcessState:
    return replace(state, jobs=_without(state.jobs, event.job))


@applies(JobFailed, to=ProcessState)
def job_failed(state: ProcessState, event: JobFailed) -> ProcessState:
    job = replace(state.jobs[event.job], failed=event.reason)
    return replace(state, jobs={**state.jobs, event.job: job})


@applies(JobRetried, to=ProcessState)
def job_retried(state: ProcessState, event: JobRetried) -> ProcessState:
    job = replace(state.jobs[event.job], failed=None)
    return replace(state, jobs={**state.jobs, event.job: job})


@applies(CaseSuspended, to=ProcessState)
def case_suspended(state: ProcessState, event: CaseSuspended) -> ProcessState:
    return replace(state, status="suspended", suspended_at=event.at)


@applies(CaseResumed, to=ProcessState)
def case_resumed(state: ProcessState, event: CaseResumed) -> ProcessState:
    return replace(state, status="running", suspended_at=None)


@applies(CaseCancelled, to=ProcessState)
def case_cancelled(state: ProcessState, event: CaseCancelled) -> ProcessState:
    return replace(state, status="cancelled", ended_at=event.at, suspended_at=None)


@applies(ProcessEnded, to=ProcessState)
def process_ended(state: ProcessState, event: ProcessEnded) -> ProcessState:
    return replace(state, status="ended", ended_at=event.at)


@applies(CaseMigrated, to=ProcessState)
def case_migrated(state: ProcessState, event: CaseMigrated) -> ProcessState:
    kept = {task: decode(OpenTask, values) for task, values in event.kept.items()}
    return replace(
        state,
        definition_version=event.definition_version,
        definition_sha256=event.definition_sha256,
        tokens=(),
        scopes={scope: decode(Scope, values) for scope, values in event.scopes.items()},
        tasks={**state.tasks, **kept},
    )


@applies(
    MilestoneReached,
    DecisionMade,
    MessageDelivered,
    MessageThrown,
    to=ProcessState,
)
def nothing_to_note(state: ProcessState, _event: Event) -> ProcessState:
    return state
