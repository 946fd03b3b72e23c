"""How a case continues on another version of its definition.

Where it stands there was found out before, by running its recorded commands again on that version;
here it becomes events. They tell the difference and nothing else: what stays open keeps its id, so
that whoever has it in hand can go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from engine import chain
from engine.case import Case
from engine.commands import MigrateCase, decides
from engine.errors import CaseEnded, Refused, StaleVersion
from engine.event_types import Event
from engine.events import (
    CaseMigrated,
    JobCancelled,
    JobRequested,
    ProcessAdvanced,
    ScopeEntered,
    ScopeLeft,
    TaskReached,
    TaskWithdrawn,
    TimerCancelled,
    TimerRescheduled,
    TimerStarted,
)
from engine.ids import ScopeId
from engine.records import Json, decode, encode
from engine.spiff.process import Process
from engine.state import OpenJob, OpenTask, OpenTimer, ProcessState


class AnotherDefinition(Refused):
    """Raised when a case is to continue on a definition of another kind of case."""

    slug = "another-definition"


def standing(state: ProcessState) -> dict[str, Json]:
    """Give what `MigrateCase` has to know of where a case stands on the other version."""
    open_things = encode(state)
    return {name: open_things[name] for name in ("tokens", "scopes", "tasks", "timers", "jobs")}


@decides(MigrateCase)
def migrate_case(ask: MigrateCase, case: Case) -> Iterator[Event]:
    old = case[ProcessState]
    if old.is_over:
        raise CaseEnded(case=case.id)
    if ask.after_seq != case.last_seq:
        raise StaleVersion(expected=ask.after_seq, actual=case.last_seq)
    definition = case.definition_of(ask.definition_sha256)
    if definition.key != case.definition.key:
        raise AnotherDefinition(definition=definition.key)
    former_version = case.definition_version
    case.process = Process.restore(case.id, definition, _as_recorded(ask.process))
    case.definition, case.definition_version = definition, ask.definition_version
    given = _as_recorded({name: getattr(ask, name) for name in standing(old)})
    new = decode(ProcessState, given)
    kept = {id: encode(task) for id, task in new.tasks.items() if old.tasks.get(id, task) != task}
    yield CaseMigrated(
        definition=definition.key,
        former_version=former_version,
        definition_version=ask.definition_version,
        definition_sha256=ask.definition_sha256,
        scopes=given["scopes"],
        kept=kept,
        at=ask.at,
    )
    yield from _withdrawn(old, new, ask.at)
    yield from _scopes(old, new, ask.at)
    yield ProcessAdvanced(passed=(), left=(), entered=new.tokens)
    yield from _reached(old, new)


def _as_recorded(told: Json) -> dict[str, Json]:
    # The record sorts members: in any other order, running the command again gave another one.
    read: dict[str, Json] = chain.parse(chain.canonical(told))
    return read


def _withdrawn(old: ProcessState, new: ProcessState, at: datetime) -> Iterator[Event]:
    for task in _gone(old.tasks, new.tasks):
        was = old.tasks[task]
        yield TaskWithdrawn(
            task=was.task, element=was.element, scope=was.scope, unit=was.unit, at=at
        )
    for timer in _gone(old.timers, new.timers):
        yield TimerCancelled(timer=old.timers[timer].timer, element=old.timers[timer].element)
    for job in _gone(old.jobs, new.jobs):
        yield JobCancelled(job=old.jobs[job].job, element=old.jobs[job].element)


def _scopes(old: ProcessState, new: ProcessState, at: datetime) -> Iterator[Event]:
    for scope in reversed(_gone(old.scopes, new.scopes)):
        left = old.scopes[scope]
        yield ScopeLeft(
            scope=ScopeId(scope),
            element=left.element,
            process=left.process,
            interrupted=True,
            results={},
            at=at,
        )
    for scope in _gone(new.scopes, old.scopes):
        entered = new.scopes[scope]
        yield ScopeEntered(
            scope=ScopeId(scope),
            parent=entered.parent,
            element=entered.element,
            process=entered.process,
            variables=entered.variables,
            at=at,
        )


def _reached(old: ProcessState, new: ProcessState) -> Iterator[Event]:
    for task in _gone(new.tasks, old.tasks):
        yield _task_reached(new.tasks[task])
    for timer in new.timers.values():
        former = old.timers.get(timer.timer)
        if former is None:
            yield _timer_started(timer)
        elif former.due_at != timer.due_at or former.stuck is not None:
            # A timer that was stuck on the former version gets another chance on this one.
            yield TimerRescheduled(
                timer=timer.timer,
                element=timer.element,
                former=former.due_at,
                due_at=timer.due_at,
            )
    for job in _gone(new.jobs, old.jobs):
        yield _job_requested(new.jobs[job])


def _gone(before: Iterable[str], after: Iterable[str]) -> list[str]:
    known = set(after)
    return [id for id in before if id not in known]


def _task_reached(task: OpenTask) -> TaskReached:
    return TaskReached(
        task=task.task,
        element=task.element,
        title=task.title,
        scope=task.scope,
        roles=task.roles,
        unit=task.unit,
        assignee=task.assignee,
        form=task.form,
        due_at=task.due_at,
        separate_from=task.separate_from,
        properties=task.properties,
        at=task.reached_at,
    )


def _timer_started(timer: OpenTimer) -> TimerStarted:
    return TimerStarted(
        timer=timer.timer,
        element=timer.element,
        scope=timer.scope,
        due_at=timer.due_at,
        remaining=timer.remaining,
    )


def _job_requested(job: OpenJob) -> JobRequested:
    return JobRequested(
        job=job.job,
        element=job.element,
        scope=job.scope,
        topic=job.topic,
        properties=job.properties,
        at=job.requested_at,
    )
