"""Which events cost or bring points. How many stands in the decision table `scoring` (§7)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from engine import CLOCK, OUTBOX, Case, Event, follows
from engine.events import CaseCancelled, CaseResumed, CaseSuspended, MilestoneReached, TaskCompleted
from engine.records import instant_text
from services.cases.events import (
    AnswerRated,
    CoOpinionMissed,
    FeedbackReturned,
    FeedbackSubmitted,
    LeadUnitChanged,
    RefusalOverruled,
    RefusalUpheld,
)
from services.cases.state import CaseState
from services.deadlines.events import DeadlineSet
from services.deadlines.state import DeadlineState
from services.documents.state import DocumentsState, IssuedDocument
from services.escalation.events import MeasureIssued, ReferralDecided
from services.scoring.events import OverdueBegan, OverdueEnded, PointsEntered
from services.scoring.state import Overdue, ScoringState

TABLE = "scoring"
OVERDUE = "overdue"
OVERDUE_DAY = "overdue_day"
OVERDUE_RULES = (OVERDUE, OVERDUE_DAY)
"""The two rows that share one limit per case: the miss itself, and each further working day."""
CLOSED_EARLY = "closed_early"
REFERRAL = "accountability_referral"

_MACHINES = frozenset({CLOCK.user, OUTBOX.user})
_MOMENT = timedelta(seconds=1)


@follows(MilestoneReached)
def milestone_reached(event: MilestoneReached, case: Case) -> Iterator[Event]:
    """Score the faults that the diagram itself marks, and closing early."""
    unit = event.properties.get("unit") or case[CaseState].lead_unit
    fault = event.properties.get("fault")
    if fault == OVERDUE and unit is not None:
        # A timer's command carries the instant it was due, however late the service saw it.
        yield from _missed(case, unit, event.at)
    elif fault and unit is not None:
        yield from _enter(case, unit, fault)
    if event.properties.get("status") == "closed":
        yield from _end_all(case)
        if unit is not None:
            yield from _closed_early(case, unit)


def _closed_early(case: Case, unit: str) -> Iterator[Event]:
    due_at = case[DeadlineState].due_at
    if due_at is None or case.now > due_at or case[ScoringState].has(unit, CLOSED_EARLY):
        return
    left = case.ask("working_days_left", instant_text(case.now), instant_text(due_at))
    row = case.decide_table(TABLE, fault=CLOSED_EARLY)
    if left >= row["threshold"]:
        yield from _enter(case, unit, CLOSED_EARLY)


@follows(FeedbackSubmitted)
def feedback_submitted(event: FeedbackSubmitted, case: Case) -> Iterator[Event]:
    """Score the working days that feedback was late; the points stay (§10, case 1)."""
    due_at = case[DeadlineState].due_at
    if event.late and due_at is not None:
        # Normally the clock has noted it; not if the service was down when the deadline passed.
        yield from _missed(case, event.unit, due_at)
    yield from _end(case, event.unit)


@follows(FeedbackReturned)
def feedback_returned(event: FeedbackReturned, case: Case) -> Iterator[Event]:
    """Score feedback that had to be redone."""
    row = case.decide_table(TABLE, fault="feedback_returned")
    if event.count > (row.get("free") or 0):
        yield from _enter(case, event.unit, "feedback_returned")


@follows(CoOpinionMissed)
def co_opinion_missed(event: CoOpinionMissed, case: Case) -> Iterator[Event]:
    """Score a co-unit that said nothing (§10, case 10)."""
    yield from _enter(case, event.unit, "co_unit_silent")


@follows(RefusalOverruled)
def refused_without_ground(event: RefusalOverruled, case: Case) -> Iterator[Event]:
    """Score a refusal that the office didn't accept."""
    yield from _enter(case, event.unit, "refused_without_ground")


@follows(MeasureIssued)
def measure_issued(event: MeasureIssued, case: Case) -> Iterator[Event]:
    """Score a measure; a referral costs only when the leader approves it."""
    if event.unit is not None and event.measure != REFERRAL:
        finders, paper = case[ScoringState].finders, case[DocumentsState].numbered(event.number)
        yield from _enter(case, event.unit, event.measure, officers=finders, paper=paper)


@follows(ReferralDecided)
def referral_decided(event: ReferralDecided, case: Case) -> Iterator[Event]:
    """Score an approved referral; a rejected one takes no points (§10, case 20)."""
    if event.approved and event.unit is not None:
        finders, paper = case[ScoringState].finders, case[DocumentsState].latest(REFERRAL)
        yield from _enter(case, event.unit, REFERRAL, officers=finders, paper=paper)


@follows(AnswerRated)
def answer_rated(event: AnswerRated, case: Case) -> Iterator[Event]:
    """Score an answer that the proposer isn't satisfied with."""
    unit = case[CaseState].lead_unit
    if event.result == "not" and unit is not None:
        again = event.not_satisfied > 1
        yield from _enter(case, unit, "not_satisfied_again" if again else "not_satisfied")


@follows(TaskCompleted)
def praised(event: TaskCompleted, case: Case) -> Iterator[Event]:
    """Score a leader's praise."""
    unit = case[CaseState].lead_unit
    if event.element == "answer_report" and event.data.get("praise") and unit is not None:
        yield from _enter(case, unit, "praised")


@follows(LeadUnitChanged)
def handed_over(event: LeadUnitChanged, case: Case) -> Iterator[Event]:
    """Score the days up to here on the former unit; the next ones are the new unit's (case 8)."""
    for late in case[ScoringState].running:
        if late.unit == event.former_unit:
            yield from _end(case, late.unit)
            yield _began(case, event.lead_unit, late.due_at)


@follows(RefusalUpheld)
def refusal_upheld(event: RefusalUpheld, case: Case) -> Iterator[Event]:
    """Score the days until the office agreed; the new unit's clock starts at its dispatch."""
    yield from _end(case, event.former_unit)


@follows(DeadlineSet)
def deadline_moved(event: DeadlineSet, case: Case) -> Iterator[Event]:
    """Stop counting when a new deadline lies ahead."""
    if event.due_at <= event.at:
        return
    if event.reason == "schedule_published":
        # By the published schedule the unit isn't late at all.
        for late in case[ScoringState].running:
            yield OverdueEnded(unit=late.unit, paused=False, at=event.at)
        return
    yield from _end_all(case)


@follows(CaseSuspended)
def suspended(event: CaseSuspended, case: Case) -> Iterator[Event]:
    """Days on which the clock stands still don't count."""
    for late in case[ScoringState].running:
        yield from _end(case, late.unit, paused=True)


@follows(CaseResumed)
def resumed(event: CaseResumed, case: Case) -> Iterator[Event]:
    """Count on where it stopped."""
    for late in case[ScoringState].paused:
        yield _began(case, late.unit, late.due_at)


@follows(CaseCancelled)
def cancelled(event: CaseCancelled, case: Case) -> Iterator[Event]:
    """Score the days until here: cancelling takes nothing back."""
    yield from _end_all(case)


def _missed(case: Case, unit: str, due_at: datetime) -> Iterator[Event]:
    """Enter a missed deadline, once, and let the days count from there."""
    if case[ScoringState].missed(unit, due_at):
        return
    yield from _enter(case, unit, OVERDUE, shared=OVERDUE_RULES)
    # The first working day late is paid for "at once"; the table counts further ones.
    yield _began(case, unit, due_at, since=due_at - _MOMENT, free=1)


def _began(
    case: Case, unit: str, due_at: datetime, *, since: datetime | None = None, free: int = 0
) -> OverdueBegan:
    row = case.decide_table(TABLE, fault=OVERDUE_DAY)
    return OverdueBegan(
        unit=unit,
        due_at=due_at,
        since=since or case.now,
        free=free,
        per_day=Decimal(str(row["points"])),
        limit=Decimal(str(row.get("limit") or 0)),
        at=case.now,
    )


def _end_all(case: Case) -> Iterator[Event]:
    for late in case[ScoringState].running:
        yield from _end(case, late.unit)


def _end(case: Case, unit: str, *, paused: bool = False) -> Iterator[Event]:
    """Stop counting days of a unit, and enter those that count."""
    for late in case[ScoringState].running:
        if late.unit == unit:
            days = _further_days(case, late)
            yield from _enter(case, unit, OVERDUE_DAY, times=days, shared=OVERDUE_RULES)
            yield OverdueEnded(unit=unit, paused=paused, at=case.now)


def _further_days(case: Case, late: Overdue) -> int:
    days: int = case.ask("working_days_left", instant_text(late.since), instant_text(case.now))
    return max(days - late.free, 0)


def _enter(
    case: Case,
    unit: str,
    rule: str,
    *,
    times: int = 1,
    shared: tuple[str, ...] = (),
    officers: tuple[str, ...] = (),
    paper: IssuedDocument | None = None,
) -> Iterator[Event]:
    """Enter points by the table's row, within its limit per case or per year.

    Parameters
    ----------
    shared : the rows that count towards the same limit; `rule` alone when empty.
    officers : who made the finding, besides the person who acts.
    paper : the document that told the unit; a won appeal withdraws it.
    """
    row = case.decide_table(TABLE, fault=rule)
    year = case.ask("office_year", instant_text(case.now))
    points = Decimal(str(row["points"])) * times
    limit = Decimal(str(row.get("limit") or 0))
    if limit and points:
        if row.get("limit_per") == "year":
            spent = Decimal(case.ask("points_of_year", unit, year, rule))
        else:
            spent = case[ScoringState].total(unit, *(shared or (rule,)))
        room = max(limit - abs(spent), Decimal(0))
        points = max(min(points, room), -room)
    if points:
        yield PointsEntered(
            entry=case.last_seq + 1,
            unit=unit,
            year=year,
            rule=rule,
            points=points,
            cause=case.following,
            officers=tuple(dict.fromkeys((*officers, *_acting(case)))),
            document=None if paper is None else paper.id,
            at=case.now,
        )


def _acting(case: Case) -> tuple[str, ...]:
    by = case.by
    if by is None or by.user in _MACHINES:
        return ()
    return (by.user,) if by.acting_for is None else (by.user, by.acting_for)
