"""Which events cost or bring points. How many stands in the decision table `scoring` (§7)."""

from collections.abc import Iterator
from decimal import Decimal

from engine import Case, Event, follows
from engine.events import MilestoneReached, TaskCompleted
from engine.records import instant_text
from services.cases.events import (
    AnswerRated,
    CoOpinionMissed,
    FeedbackReturned,
    FeedbackSubmitted,
    RefusalOverruled,
)
from services.cases.state import CaseState
from services.deadlines.state import DeadlineState
from services.escalation.events import MeasureIssued, ReferralDecided
from services.scoring.events import PointsEntered
from services.scoring.state import ScoringState

TABLE = "scoring"


@follows(MilestoneReached)
def milestone_reached(event: MilestoneReached, case: Case) -> Iterator[Event]:
    """Score the faults that the diagram itself marks, and closing early."""
    unit = event.properties.get("unit") or case[CaseState].lead_unit
    fault = event.properties.get("fault")
    if fault is not None and unit is not None:
        yield from _enter(case, unit, fault)
    if event.properties.get("status") == "closed" and unit is not None:
        yield from _closed_early(case, unit)


def _closed_early(case: Case, unit: str) -> Iterator[Event]:
    due_at, at = case[DeadlineState].due_at, case.at
    if due_at is None or at is None or at > due_at:
        return
    left = case.ask("working_days_left", instant_text(at), instant_text(due_at))
    row = case.decide_table(TABLE, fault="closed_early")
    if left >= row["threshold"]:
        yield from _enter(case, unit, "closed_early")


@follows(FeedbackSubmitted)
def feedback_submitted(event: FeedbackSubmitted, case: Case) -> Iterator[Event]:
    """Score the working days that feedback was late."""
    due_at = case[DeadlineState].due_at
    if not event.late or due_at is None:
        return
    # The first day late costs the amount "at once"; the table counts further working days.
    late = case.ask("working_days_left", instant_text(due_at), instant_text(event.at))
    if late > 0:
        yield from _enter(case, event.unit, "overdue_day", times=late, shared=("overdue",))


@follows(FeedbackReturned)
def feedback_returned(event: FeedbackReturned, case: Case) -> Iterator[Event]:
    """Score feedback that had to be redone."""
    row = case.decide_table(TABLE, fault="feedback_returned")
    if event.count > (row.get("free") or 0):
        yield from _enter(case, event.unit, "feedback_returned")


@follows(CoOpinionMissed)
def co_opinion_missed(event: CoOpinionMissed, case: Case) -> Iterator[Event]:
    """Score a co-unit that said nothing."""
    yield from _enter(case, event.unit, "co_unit_silent")


@follows(RefusalOverruled)
def refused_without_ground(event: RefusalOverruled, case: Case) -> Iterator[Event]:
    """Score a refusal that the office didn't accept."""
    yield from _enter(case, event.unit, "refused_without_ground")


@follows(MeasureIssued)
def measure_issued(event: MeasureIssued, case: Case) -> Iterator[Event]:
    """Score a measure; a referral costs only when the leader approves it."""
    if event.unit is not None and event.measure != "accountability_referral":
        yield from _enter(case, event.unit, event.measure)


@follows(ReferralDecided)
def referral_decided(event: ReferralDecided, case: Case) -> Iterator[Event]:
    """Score an approved referral; a rejected one takes no points (§10, case 20)."""
    if event.approved and event.unit is not None:
        yield from _enter(case, event.unit, "accountability_referral")


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


def _enter(
    case: Case, unit: str, rule: str, *, times: int = 1, shared: tuple[str, ...] = ()
) -> Iterator[Event]:
    """Enter points by the table's row, within its limit per case or per year.

    `shared` names further rows that count towards the same limit.
    """
    at = case.at
    if at is None:
        return
    row = case.decide_table(TABLE, fault=rule)
    points = Decimal(str(row["points"])) * times
    year = case.ask("office_year", instant_text(at))
    limit = Decimal(str(row.get("limit") or 0))
    if limit:
        if row.get("limit_per") == "year":
            spent = Decimal(case.ask("points_of_year", unit, year, rule))
        else:
            spent = case[ScoringState].total(unit, rule, *shared)
        room = max(limit - abs(spent), Decimal(0))
        points = max(min(points, room), -room)
    if points:
        human = case.by is not None and case.by.user not in ("clock", "outbox")
        yield PointsEntered(
            entry=case.last_seq + 1,
            unit=unit,
            year=year,
            rule=rule,
            points=points,
            cause=case.last_seq,
            officer=case.by.user if human and case.by is not None else None,
            at=at,
        )
