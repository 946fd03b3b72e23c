"""How the engine's own commands become events, by way of the process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from engine import forms
from engine.case import Case
from engine.commands import (
    ELEMENT_RULES,
    CancelCase,
    ClaimTask,
    Command,
    CompleteTask,
    DelegateTask,
    DeliverMessage,
    FailJob,
    FinishJob,
    FireTimer,
    ReleaseTask,
    ReportStuckTimer,
    ResumeCase,
    RetryJob,
    RetryTimer,
    StartCase,
    SuspendCase,
    decides,
)
from engine.errors import (
    CaseEnded,
    CaseIsSuspended,
    CaseNotSuspended,
    FieldError,
    Invalid,
    JobNotOpen,
    SamePerson,
    TaskNotOpen,
    TaskTaken,
    TimerNotOpen,
)
from engine.event_types import Event
from engine.events import (
    CaseCancelled,
    CaseResumed,
    CaseStarted,
    CaseSuspended,
    JobFailed,
    JobFinished,
    JobRetried,
    MessageDelivered,
    TaskClaimed,
    TaskCompleted,
    TaskDelegated,
    TaskReleased,
    TimerFired,
    TimerRetried,
    TimerStuck,
)
from engine.expressions import Names, Setting, compile_template
from engine.ids import CASE_SCOPE, Actor, JobId, ScopeId, TaskId, TimerId
from engine.records import Json, instant_text, whole_numbers
from engine.state import OpenJob, OpenTask, OpenTimer, ProcessState

MAX_REASON = 2000


@decides(StartCase)
def start_case(ask: StartCase, case: Case) -> Iterator[Event]:
    yield from starting(case, ask.variables, ask.at)


def starting(case: Case, variables: dict[str, Json], at: datetime) -> Iterator[Event]:
    """Begin the process of a new case; commands of other rooms that open a case call it."""
    definition = case.definition
    yield CaseStarted(
        definition=definition.key,
        definition_version=case.definition_version,
        definition_sha256=definition.sha256,
        at=at,
    )
    yield from case.process.start(variables, case.lookups, at)


@decides(ClaimTask)
def claim_task(ask: ClaimTask, case: Case) -> Iterator[Event]:
    task = open_task(case, ask.task)
    person = ask.by.acting_for or ask.by.user
    if task.assignee is not None and task.assignee != person:
        raise TaskTaken(task=ask.task, assignee=task.assignee)
    check_four_eyes(case, task, ask.by)
    if not task.claimed:
        yield TaskClaimed(task=ask.task, assignee=person)


@decides(ReleaseTask)
def release_task(ask: ReleaseTask, case: Case) -> Iterator[Event]:
    task = open_task(case, ask.task)
    if task.claimed and task.assignee is not None:
        yield TaskReleased(task=ask.task, former=task.assignee)


@decides(DelegateTask)
def delegate_task(ask: DelegateTask, case: Case) -> Iterator[Event]:
    task = open_task(case, ask.task)
    if not case.ask("may_do_task", ask.assignee, ",".join(task.roles), task.unit):
        raise Invalid([FieldError("assignee", "may_not_do_task")])
    check_four_eyes(case, task, Actor(ask.assignee))
    yield TaskDelegated(task=ask.task, former=task.assignee, assignee=ask.assignee)


@decides(CompleteTask)
def complete_task(ask: CompleteTask, case: Case) -> Iterator[Event]:
    task = open_task(case, ask.task)
    yield from completing(case, task, ask.data, ask)


def completing(case: Case, task: OpenTask, data: dict[str, Json], ask: Command) -> Iterator[Event]:
    """Complete an open task: form, four eyes, the element's own rule, then the process.

    Raises
    ------
    Invalid : the data doesn't fit the form.
    SamePerson : the rule of four eyes wants somebody else.
    """
    check_four_eyes(case, task, ask.by)
    data = {name: whole_numbers(value) for name, value in data.items()}
    schema: Mapping[str, Json] = case.definition.form(task.form) if task.form else {}
    check_form(case, schema, data, task.scope)
    done = TaskCompleted(
        task=task.task,
        element=task.element,
        scope=task.scope,
        unit=task.unit,
        due_at=task.due_at,
        data=data,
        personal=tuple(f"/data{p}" for p in forms.personal_pointers(schema, data)),
        by=ask.by.user,
        acting_for=ask.by.acting_for,
        at=ask.at,
    )
    yield done
    yield from case.assign(forms.routed(schema, data), task.scope)
    rule = ELEMENT_RULES.get((CompleteTask, task.element))
    if rule is not None:
        yield from rule(done, case)
    yield from case.process.complete(task.task, {}, case.lookups, ask.at)


def check_form(
    case: Case, schema: Mapping[str, Json], data: dict[str, Json], scope: ScopeId = CASE_SCOPE
) -> None:
    """Check data against a form and what it refers to, such as a unit, against the register.

    Parameters
    ----------
    scope : whose variables, beside the data itself, say which further fields are required.

    Raises
    ------
    Invalid : with an error per field.
    """
    forms.validate(schema, data)

    def value(template: str) -> Json:
        setting = Setting(Names(data, case.variables(scope)), case.lookups, instant_text(case.now))
        return compile_template(template).evaluate(setting)

    absent = [FieldError(name, "required") for name in forms.missing(schema, data, value)]
    if absent:
        raise Invalid(absent)
    unknown = [
        FieldError(pointer.lstrip("/").replace("/", "."), f"unknown_{kind}", {"value": value})
        for pointer, kind, value in forms.references(schema, data)
        if not case.ask(f"is_{kind}", value)
    ]
    if unknown:
        raise Invalid(unknown)


def check_four_eyes(case: Case, task: OpenTask, by: Actor) -> None:
    """Refuse a person who did one of the elements that the task must be kept apart from.

    Raises
    ------
    SamePerson : by the same person, whichever role or absent person they act for.
    """
    done_by = case[ProcessState].done_by
    for element in task.separate_from:
        if done_by.get(element) == by.user:
            raise SamePerson(element=element)


@decides(FireTimer)
def fire_timer(ask: FireTimer, case: Case) -> Iterator[Event]:
    timer = open_timer(case, ask.timer)
    if timer.due_at != ask.at:
        # It moved after a worker had found it due, and is found again when it is.
        raise TimerNotOpen(timer=ask.timer)
    if case[ProcessState].status == "suspended":
        raise CaseIsSuspended(case=case.id)
    yield TimerFired(
        timer=ask.timer,
        element=timer.element,
        scope=timer.scope,
        due_at=timer.due_at,
        fired_at=ask.fired_at,
    )
    yield from case.process.fire(ask.timer, case.lookups, ask.at, ask.fired_at)


@decides(ReportStuckTimer)
def report_stuck_timer(ask: ReportStuckTimer, case: Case) -> Iterator[Event]:
    timer = open_timer(case, ask.timer)
    yield TimerStuck(
        timer=ask.timer, element=timer.element, reason=ask.reason[:MAX_REASON], at=ask.at
    )


@decides(RetryTimer)
def retry_timer(ask: RetryTimer, case: Case) -> Iterator[Event]:
    timer = open_timer(case, ask.timer)
    if timer.stuck is None:
        raise TimerNotOpen(timer=ask.timer)
    yield TimerRetried(timer=ask.timer, element=timer.element, at=ask.at)


@decides(FinishJob)
def finish_job(ask: FinishJob, case: Case) -> Iterator[Event]:
    job = open_job(case, ask.job)
    yield JobFinished(job=ask.job, element=job.element, topic=job.topic, result=ask.result)
    yield from case.process.complete(ask.job, ask.result, case.lookups, ask.at)


@decides(FailJob)
def fail_job(ask: FailJob, case: Case) -> Iterator[Event]:
    job = open_job(case, ask.job)
    if ask.error_code is not None:
        yield JobFinished(job=ask.job, element=job.element, topic=job.topic, result={})
        yield from case.process.fail(ask.job, ask.error_code, case.lookups, ask.at)
        return
    yield JobFailed(
        job=ask.job,
        element=job.element,
        topic=job.topic,
        attempts=ask.attempts,
        reason=ask.reason[:MAX_REASON],
        at=ask.at,
    )


@decides(RetryJob)
def retry_job(ask: RetryJob, case: Case) -> Iterator[Event]:
    job = open_job(case, ask.job)
    if job.failed is None:
        raise JobNotOpen(job=ask.job)
    yield JobRetried(job=ask.job, element=job.element, at=ask.at)


@decides(DeliverMessage)
def deliver_message(ask: DeliverMessage, case: Case) -> Iterator[Event]:
    check_running(case)
    yield from delivering(case, ask.kind, ask.message, ask.variables, ask.at)


def delivering(
    case: Case, kind: str, message: str, variables: dict[str, Json], at: datetime
) -> Iterator[Event]:
    """Hand a message to the process; commands of other rooms that speak to the diagram call it.

    Raises
    ------
    NotWaiting : nothing in the case waits for it.
    """
    yield MessageDelivered(kind=kind, message=message, variables=variables)
    sent = case.process.send(
        "signal" if kind == "signal" else "message", message, variables, case.lookups, at
    )
    yield from sent


@decides(SuspendCase)
def suspend_case(ask: SuspendCase, case: Case) -> Iterator[Event]:
    check_running(case)
    yield CaseSuspended(reason=ask.reason, at=ask.at)


@decides(ResumeCase)
def resume_case(ask: ResumeCase, case: Case) -> Iterator[Event]:
    yield from resuming(case, ask.at)


def resuming(case: Case, at: datetime) -> Iterator[Event]:
    """Let the clock run again: every open timer moves later by the time it stood still.

    Raises
    ------
    CaseNotSuspended : the clock of the case runs.
    """
    state = case[ProcessState]
    if state.status != "suspended" or state.suspended_at is None:
        raise CaseNotSuspended(case=case.id)
    yield CaseResumed(suspended_at=state.suspended_at, at=at)
    yield from case.process.shift(at - state.suspended_at, case.lookups, at)


@decides(CancelCase)
def cancel_case(ask: CancelCase, case: Case) -> Iterator[Event]:
    yield from cancelling(case, ask.reason, ask)


def cancelling(case: Case, reason: str, ask: Command) -> Iterator[Event]:
    """End a case without result; whatever was open is withdrawn.

    Raises
    ------
    CaseEnded : the case is over already.
    """
    if case[ProcessState].is_over:
        raise CaseEnded(case=case.id)
    yield from case.process.cancel(ask.at)
    yield CaseCancelled(reason=reason, by=ask.by.user, at=ask.at)


def check_running(case: Case) -> None:
    """Refuse when the case is over or its clock stands still.

    Raises
    ------
    CaseEnded, CaseIsSuspended : accordingly.
    """
    state = case[ProcessState]
    if state.is_over:
        raise CaseEnded(case=case.id)
    if state.status == "suspended":
        raise CaseIsSuspended(case=case.id)


def open_task(case: Case, task: TaskId) -> OpenTask:
    """Give an open task of a running case.

    Raises
    ------
    TaskNotOpen : it was completed or withdrawn, or never was.
    CaseIsSuspended : the clock of the case stands still.
    """
    found = case[ProcessState].tasks.get(task)
    if found is None:
        raise TaskNotOpen(task=task)
    if case[ProcessState].status == "suspended":
        raise CaseIsSuspended(case=case.id)
    return found


def open_timer(case: Case, timer: TimerId) -> OpenTimer:
    """Give an open timer, or raise `TimerNotOpen`."""
    found = case[ProcessState].timers.get(timer)
    if found is None:
        raise TimerNotOpen(timer=timer)
    return found


def open_job(case: Case, job: JobId) -> OpenJob:
    """Give an open job, or raise `JobNotOpen`."""
    found = case[ProcessState].jobs.get(job)
    if found is None:
        raise JobNotOpen(job=job)
    return found
