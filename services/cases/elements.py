"""The rules of the common tasks: what registering, dispatching, reviewing … mean (domain.md §11).

Each runs inside `CompleteTask`, after the form was checked and before the diagram moves on. How
many days a thing takes stands in the decision tables, which the diagram evaluates into variables
such as ``handle_period``.
"""

from collections.abc import Iterator
from datetime import date, datetime

from engine import CASE_SCOPE, Case, CompleteTask, Event, FieldError, Invalid, ScopeId, decides
from engine.events import TaskCompleted
from engine.records import Json, instant_text, parse_instant
from engine.state import ProcessState
from services.cases.errors import RefusalOverruledAlready, RefusalTooLate
from services.cases.events import (
    AnswerGiven,
    AnswerRated,
    CaseDispatched,
    CaseRegistered,
    CoOpinionMissed,
    CoOpinionReturned,
    FeedbackAccepted,
    FeedbackReturned,
    FeedbackSubmitted,
    HandlerNamed,
    InstructedAgain,
    RefusalOverruled,
    RefusalUpheld,
    RegistrationAmended,
    UnitRefused,
)
from services.cases.state import CaseState
from services.deadlines.rules import ends, handle_again, set_again, set_deadline
from services.deadlines.state import DeadlineState

UNIT_PROCESSES = ("unit_handling", "unit_answer")
"""The called processes whose sign-off sends the unit's report to the office."""

OPINIONS = ("co_opinion", "redo_co_opinion")
"""What a co-unit owes the lead unit; late in either it counts as silent."""


@decides(CompleteTask, element="register")
def register(done: TaskCompleted, case: Case) -> Iterator[Event]:
    data = done.data
    source_date = date.fromisoformat(data["source_date"])
    if source_date.isoformat() > case.ask("office_day", instant_text(done.at)):
        raise Invalid([FieldError("source_date", "in_the_future")])
    _check_parent(done, case)
    proposers = tuple(
        p["user"]
        for p in sorted(data.get("proposers") or [], key=lambda p: not p.get("leading"))
        if p.get("user")
    )
    amended = RegistrationAmended(
        title=data["title"],
        urgency=data.get("urgency", "normal"),
        secrecy=data.get("secrecy", "internal"),
        source_kind=data["source_kind"],
        source_number=data.get("source_number"),
        source_date=source_date,
        issuer=data.get("issuer"),
        parent=data.get("parent"),
        proposers=proposers,
    )
    yield from case.assign({"lead_proposer": proposers[0] if proposers else ""})
    if case[CaseState].number:
        yield amended
        return
    case_type = case.definition.key
    element = case.definition.elements[case_type, done.element]
    label = element.properties.get("number_label") or case.definition.name
    year = case.ask("office_year", instant_text(done.at))
    number = case.ask("next_number", f"case:{year}:{case_type}")
    yield CaseRegistered(
        number=f"督〔{year}〕{label}-{number:04d}",
        case_type=case_type,
        title=amended.title,
        urgency=amended.urgency,
        secrecy=amended.secrecy,
        source_kind=amended.source_kind,
        source_number=amended.source_number,
        source_date=source_date,
        issuer=amended.issuer,
        parent=amended.parent,
        proposers=proposers,
        by=done.by,
        at=done.at,
    )


def _check_parent(done: TaskCompleted, case: Case) -> None:
    parent = done.data.get("parent")
    if parent is None:
        return
    # A case never closes before those below it: below itself it never would.
    if parent == case.id or (case[CaseState].number and case.ask("is_below", parent, case.id)):
        raise Invalid([FieldError("parent", "below_this_case")])
    if not case.ask("may_see_case", done.by, parent):
        raise Invalid([FieldError("parent", "unknown_case", {"value": parent})])


@decides(CompleteTask, element="dispatch")
def dispatch(done: TaskCompleted, case: Case) -> Iterator[Event]:
    data = done.data
    co_units = tuple(data.get("co_units") or ())
    _check_units(data["lead_unit"], co_units)
    due_at, by_name = _dispatch_deadline(done, case)
    yield CaseDispatched(
        lead_unit=data["lead_unit"],
        co_units=co_units,
        handling=data.get("handling") or ("lead_and_co" if co_units else "single"),
        responsible_person=data["responsible_person"],
        at=done.at,
    )
    yield from case.assign(
        {
            "dispatched_at": instant_text(done.at),
            "lead_unit": data["lead_unit"],
            "co_units": list(co_units),
            "rhythm": data.get("rhythm") or "once",
            "handling": data.get("handling") or ("lead_and_co" if co_units else "single"),
        }
    )
    yield from set_deadline(case, due_at, "dispatched", by_name=by_name)


def _check_units(lead_unit: str, co_units: tuple[str, ...]) -> None:
    wrong = [
        FieldError(f"co_units.{place}", "is_lead_unit")
        for place, unit in enumerate(co_units)
        if unit == lead_unit
    ]
    if wrong:
        raise Invalid(wrong)


def _dispatch_deadline(done: TaskCompleted, case: Case) -> tuple[datetime, bool]:
    """Give the deadline, and whether it was set by name rather than by the table.

    Another one than the table's needs a reason; a later one the director, or a leader who
    confirmed it with the source.
    """
    period = case.variables().get("handle_period")
    default = ends(case, done.at, period) if period else None
    given = done.data.get("deadline")
    if given is None:
        if default is None:
            raise Invalid([FieldError("deadline", "required")])
        return default, False
    due_at = named_instant(case, given)
    if due_at <= done.at:
        raise Invalid([FieldError("deadline", "in_the_past")])
    if default is not None and due_at != default:
        if not done.data.get("deadline_reason"):
            raise Invalid([FieldError("deadline_reason", "required")])
        if due_at > default and not _may_be_later(done, case, due_at):
            raise Invalid([FieldError("deadline", "later_needs_director")])
    return due_at, due_at != default


def _may_be_later(done: TaskCompleted, case: Case, due_at: datetime) -> bool:
    confirmed = case.variables().get("confirmed_deadline")
    if confirmed is not None and due_at <= named_instant(case, confirmed):
        return True
    return bool(case.ask("has_role", done.by, "office_director"))


def named_instant(case: Case, given: str) -> datetime:
    """Read a deadline set by name: a day means its 24:00, and doesn't move (domain.md §5)."""
    if "T" in given:
        return parse_instant(given)
    return parse_instant(case.ask("end_of_day", given))


@decides(CompleteTask, element="sign_for")
def sign_for(done: TaskCompleted, case: Case) -> Iterator[Event]:
    if done.data["decision"] != "refuse":
        return
    state = case[CaseState]
    if state.insisted:
        raise RefusalOverruledAlready(number=state.number)
    period = case.variables().get("refuse_period")
    if period and state.dispatched_at is not None:
        latest = ends(case, state.dispatched_at, period)
        if done.at > latest:
            raise RefusalTooLate(latest=instant_text(latest))
    yield UnitRefused(
        unit=done.unit or state.lead_unit or "",
        suggested_unit=done.data.get("suggested_unit"),
        reason=done.data["reason"],
        at=done.at,
    )


@decides(CompleteTask, element="decide_refusal")
def decide_refusal(done: TaskCompleted, case: Case) -> Iterator[Event]:
    state, reason = case[CaseState], done.data["reason"]
    # Under separate handling each unit answers in a scope of its own.
    former = case.variables(done.scope).get("lead_unit") or state.lead_unit or ""
    if done.data["decision"] == "insist":
        yield RefusalOverruled(unit=former, reason=reason, by=done.by, at=done.at)
        return
    unit = done.data["new_lead_unit"]
    if unit == former:
        raise Invalid([FieldError("new_lead_unit", "same_unit")])
    yield RefusalUpheld(former_unit=former, lead_unit=unit, reason=reason, by=done.by, at=done.at)
    yield from case.assign({"lead_unit": unit, "dispatched_at": instant_text(done.at)}, done.scope)
    yield from case.assign({"co_units": list(case[CaseState].co_units)})
    period = case.variables().get("handle_period")
    if period and not case[DeadlineState].by_name:
        yield from set_deadline(case, ends(case, done.at, period), "redispatched")


@decides(CompleteTask, element="co_opinion")
@decides(CompleteTask, element="redo_co_opinion")
def co_opinion(done: TaskCompleted, case: Case) -> Iterator[Event]:
    """Remember who gave its opinion: asked once, also when another unit comes to lead."""
    answered = case.variables().get("co_answered") or []
    yield from case.assign({"co_answered": [*answered, done.unit]}, CASE_SCOPE)


@decides(CompleteTask, element="check_co_opinion")
def check_co_opinion(done: TaskCompleted, case: Case) -> Iterator[Event]:
    """Take a co-unit's opinion, or return one that says nothing: it is owed again (§6.2)."""
    if done.data["decision"] != "return":
        return
    co_unit: str = case.variables(done.scope)["co_unit"]
    yield CoOpinionReturned(unit=co_unit, reason=done.data["reason"], by=done.by, at=done.at)
    answered = case.variables().get("co_answered") or []
    yield from case.assign({"co_answered": [u for u in answered if u != co_unit]}, CASE_SCOPE)


@decides(CompleteTask, element="unit_instruction")
def unit_instruction(done: TaskCompleted, case: Case) -> Iterator[Event]:
    handler, unit = done.data["handler"], done.unit or case[CaseState].lead_unit or ""
    if not case.ask("is_member_of", handler, unit):
        raise Invalid([FieldError("handler", "not_of_unit", {"unit": unit})])
    internal = done.data.get("internal_deadline")
    due_at = case[DeadlineState].due_at
    if internal and due_at is not None and named_instant(case, internal) > due_at:
        raise Invalid([FieldError("internal_deadline", "after_deadline")])
    yield HandlerNamed(unit=unit, handler=handler, form=done.data["form"])


@decides(CompleteTask, element="sign_off")
def sign_off(done: TaskCompleted, case: Case) -> Iterator[Event]:
    if done.data["decision"] != "sign" or not _is_unit_report(case, done.scope):
        return
    if done.data.get("seal") is not True:
        raise Invalid([FieldError("seal", "required_to_sign")])
    due_at = case[DeadlineState].due_at
    late = due_at is not None and done.at > due_at
    unit = done.unit or case[CaseState].lead_unit or ""
    yield FeedbackSubmitted(unit=unit, late=late, at=done.at)
    if case[CaseState].handling != "separate":
        for task in case[ProcessState].tasks.values():
            late = task.due_at is not None and done.at > task.due_at
            if task.element in OPINIONS and task.unit is not None and late:
                yield CoOpinionMissed(unit=task.unit, at=done.at)


def _is_unit_report(case: Case, scope: ScopeId) -> bool:
    here = case[ProcessState].scopes.get(scope)
    return here is not None and here.process in UNIT_PROCESSES


@decides(CompleteTask, element="review")
def review(done: TaskCompleted, case: Case) -> Iterator[Event]:
    state = case[CaseState]
    unit = done.unit or state.lead_unit or ""
    content = done.data["content_gate"] == "pass"
    form = done.data["format_gate"] == "pass"
    if content and form:
        yield FeedbackAccepted(unit=unit, at=done.at)
        return
    _check_reasons(done.data.get("reasons"), content=content, form=form)
    yield FeedbackReturned(
        unit=unit,
        content=not content,
        format=not form,
        reasons=done.data["reasons"],
        count=state.returns + 1,
        at=done.at,
    )
    period, due_at = case.variables().get("redo_period"), case[DeadlineState].due_at
    if period and due_at is not None:
        redo = ends(case, done.at, period)
        # A unit that reported in time has the redo period, even past the deadline in force.
        if redo > due_at:
            yield from set_deadline(case, redo, "returned_for_redo")


def _check_reasons(reasons: Json, *, content: bool, form: bool) -> None:
    given = reasons if isinstance(reasons, dict) else {}
    failed = [gate for gate, passed in (("content", content), ("format", form)) if not passed]
    missing = [
        FieldError(f"reasons.{gate}", "required")
        for gate in failed
        if not (isinstance(reasons, str) and reasons.strip()) and not given.get(gate)
    ]
    if missing:
        raise Invalid(missing)


@decides(CompleteTask, element="answer_report")
def answer_report(done: TaskCompleted, case: Case) -> Iterator[Event]:
    if done.data["decision"] != "instruct_again":
        return
    yield InstructedAgain(instruction=done.data["instruction"], by=done.by, at=done.at)
    yield from set_again(case, done.at, done.data.get("period"))


@decides(CompleteTask, element="contact_proposer")
def contact_proposer(done: TaskCompleted, case: Case) -> Iterator[Event]:
    """Take no record of a talk that is still to come: it counts in the contact rate."""
    if done.data["date"][:10] > case.ask("office_day", instant_text(done.at)):
        raise Invalid([FieldError("date", "in_the_future")])
    yield from ()


@decides(CompleteTask, element="answer")
def answer(done: TaskCompleted, case: Case) -> Iterator[Event]:
    planned = done.data.get("planned_date")
    yield AnswerGiven(
        unit=done.unit or case[CaseState].lead_unit or "",
        answer_class=done.data["answer_class"],
        planned_date=date.fromisoformat(planned[:10]) if planned else None,
        at=done.at,
    )
    # One unit's promise makes the whole case stay on the ledger of commitments.
    if planned:
        yield from case.assign({"answer_class": done.data["answer_class"], "planned_date": planned})


@decides(CompleteTask, element="mediate")
def mediate(done: TaskCompleted, case: Case) -> Iterator[Event]:
    period = case.variables().get("again_period")
    if done.data["outcome"] == "rework" and period:
        yield from handle_again(case, done.at, period)


@decides(CompleteTask, element="rate")
def rate(done: TaskCompleted, case: Case) -> Iterator[Event]:
    failed = done.data["result"] == "not"
    yield AnswerRated(
        attitude=done.data["attitude"],
        result=done.data["result"],
        not_satisfied=case[CaseState].not_satisfied + int(failed),
        at=done.at,
    )
    period = case.variables().get("again_period")
    if failed and period:
        yield from handle_again(case, done.at, period)


@decides(CompleteTask, element="follow_up")
def follow_up(done: TaskCompleted, case: Case) -> Iterator[Event]:
    period = case.variables().get("handle_period")
    if done.data.get("reopen") and period:
        yield from handle_again(case, done.at, period)
