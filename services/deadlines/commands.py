"""What can be asked about deadlines: extensions, and the clock standing still."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine import Case, Command, CompleteTask, Event, FieldError, Invalid, decides
from engine.decisions import check_form, check_running, delivering, resuming
from engine.events import CaseSuspended, TaskCompleted
from engine.records import Json, instant_text, parse_instant
from engine.state import ProcessState
from services.deadlines.errors import DeadlinePassed, ExtensionPending, NoDeadline
from services.deadlines.events import ExtensionDeclined, ExtensionGranted, ExtensionRequested
from services.deadlines.rules import set_deadline
from services.deadlines.state import DeadlineState

EXTENSION_REQUESTED = "extension_requested"
"""The message that the diagrams wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExtension(Command):
    """Ask for a later deadline. Only before the deadline (domain.md §5)."""

    name: ClassVar[str] = "extend"

    data: dict[str, Json]


@decides(RequestExtension)
def request_extension(ask: RequestExtension, case: Case) -> Iterator[Event]:
    check_running(case)
    check_form(case, case.definition.form("request_extension"), ask.data)
    state = case[DeadlineState]
    if state.due_at is None:
        raise NoDeadline(case=case.id)
    if ask.at > state.due_at:
        raise DeadlinePassed(due=instant_text(state.due_at), asked_at=instant_text(ask.at))
    if state.asked_until is not None:
        raise ExtensionPending(until=instant_text(state.asked_until))
    given = ask.data["until"]
    until = parse_instant(given if "T" in given else case.ask("end_of_day", given))
    if until <= state.due_at:
        raise Invalid([FieldError("until", "not_after_deadline")])
    yield ExtensionRequested(until=until, reason=ask.data["reason"], by=ask.by.user, at=ask.at)
    yield from case.assign({"extensions": state.extensions})
    yield from delivering(case, "message", EXTENSION_REQUESTED, {}, ask.at)


@decides(CompleteTask, element="decide_extension")
def decide_extension(done: TaskCompleted, case: Case) -> Iterator[Event]:
    until = case[DeadlineState].asked_until
    if done.data["decision"] != "approve" or until is None:
        reason = done.data.get("reason") or ""
        yield ExtensionDeclined(reason=reason, by=done.by, at=done.at)
        return
    yield ExtensionGranted(until=until, by=done.by, at=done.at)
    yield from set_deadline(case, until, "extended")
    yield from case.assign({"extensions": case[DeadlineState].extensions})


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendSupervision(Command):
    """Let the clock stand still, with a reason (domain.md §3 中止)."""

    name: ClassVar[str] = "suspend_supervision"

    data: dict[str, Json]


@decides(SuspendSupervision)
def suspend_supervision(ask: SuspendSupervision, case: Case) -> Iterator[Event]:
    check_running(case)
    check_form(case, case.definition.form("suspend"), ask.data)
    yield CaseSuspended(reason=ask.data["reason"], at=ask.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSupervision(Command):
    """Let the clock run again: the time that was left counts on (domain.md §10, case 6)."""

    name: ClassVar[str] = "resume_supervision"

    data: dict[str, Json]


@decides(ResumeSupervision)
def resume_supervision(ask: ResumeSupervision, case: Case) -> Iterator[Event]:
    check_form(case, case.definition.form("resume"), ask.data)
    stopped, due_at = case[ProcessState].suspended_at, case[DeadlineState].due_at
    yield from resuming(case, ask.at)
    if stopped is None or due_at is None or due_at < stopped:
        return
    left = case.ask("working_days_left", instant_text(stopped), instant_text(due_at))
    new = case.ask("within", instant_text(ask.at), f"{left} working days") if left else None
    new_due = parse_instant(
        new or case.ask("end_of_day", case.ask("office_day", instant_text(ask.at)))
    )
    yield from set_deadline(case, max(due_at, new_due), "resumed")
