"""What the year promises to show, each proved on the histories and not on the plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from engine import Event, Recorded
from engine.events import (
    CaseResumed,
    MilestoneReached,
    ScopeEntered,
    ScopeLeft,
    TaskCompleted,
    TimerFired,
)
from services.cases.events import (
    AnswerRated,
    CaseDispatched,
    CoOpinionMissed,
    FeedbackReturned,
    FeedbackSubmitted,
    InstructedAgain,
    LeadUnitChanged,
    RefusalOverruled,
    RefusalUpheld,
)
from services.deadlines.events import DeadlineSet, ExtensionGranted
from services.escalation.events import (
    EscalationOrdered,
    MeasureDropped,
    MeasureIssued,
    OutcomeRecorded,
    ReferralDecided,
    RoundInspected,
)
from services.escalation.state import ESCALATION

EventT = TypeVar("EventT", bound=Event)

_MANY_REPORTS = 4
_MONTHS_OF_A_HARD_ONE = timedelta(days=150)


@dataclass(frozen=True, slots=True)
class Story:
    """A case as it went: its history, and why commands on it were refused."""

    history: Sequence[Recorded]
    refused: frozenset[str] = frozenset()

    def all(self, kind: type[EventT]) -> list[EventT]:
        """Give the events of one type, in order."""
        return [record.event for record in self.history if isinstance(record.event, kind)]

    def has(self, kind: type[Event]) -> bool:
        """Tell whether such an event is there."""
        return any(isinstance(record.event, kind) for record in self.history)

    def done(self, element: str) -> list[TaskCompleted]:
        """Give the completed tasks of one element."""
        return [task for task in self.all(TaskCompleted) if task.element == element]

    def passed(self, element: str) -> bool:
        """Tell whether a milestone of this element was reached."""
        return any(milestone.element == element for milestone in self.all(MilestoneReached))

    @property
    def is_closed(self) -> bool:
        """Whether the case was closed."""
        return self.passed("closed")

    @property
    def escalations(self) -> list[ScopeLeft]:
        """How each time in the rounds ended."""
        return [left for left in self.all(ScopeLeft) if left.process == ESCALATION]

    @property
    def rounds(self) -> set[int]:
        """The rounds that were inspected."""
        return {inspected.round for inspected in self.all(RoundInspected)}

    def fired(self, element: str) -> bool:
        """Tell whether a timer of this element fired."""
        return any(timer.element == element for timer in self.all(TimerFired))


def _reported_in_time(story: Story) -> bool:
    reports = story.all(FeedbackSubmitted)
    return bool(reports) and story.is_closed and not any(report.late for report in reports)


def _in_time(story: Story) -> bool:
    return _reported_in_time(story) and not story.passed("deadline_missed")


def _early_reminder(story: Story) -> bool:
    return _in_time(story) and story.fired("early_reminder") and not story.rounds


def _round_one_rectified(story: Story) -> bool:
    ended = [left.results.get("escalation_result") for left in story.escalations]
    measures = [issued.measure for issued in story.all(MeasureIssued)]
    return (
        story.passed("deadline_missed")
        and story.rounds == {1}
        and measures == ["rectification_notice"]
        and ended == ["rectified"]
        and not story.escalations[0].interrupted
    )


def _round_in_order(story: Story) -> bool:
    return story.passed("deadline_missed") and any(r.in_order for r in story.all(RoundInspected))


def _referral(*, approved: bool) -> Callable[[Story], bool]:
    def shown(story: Story) -> bool:
        decided = [referral.approved for referral in story.all(ReferralDecided)]
        recorded = story.has(OutcomeRecorded)
        return story.rounds == {1, 2, 3} and decided == [approved] and recorded == approved

    return shown


def _extension_granted(story: Story) -> bool:
    moved = [deadline.reason for deadline in story.all(DeadlineSet)]
    return story.has(ExtensionGranted) and "extended" in moved and _in_time(story)


def _extension_too_late(story: Story) -> bool:
    return "deadline-passed" in story.refused and not story.has(ExtensionGranted)


def _second_instruction(story: Story) -> bool:
    moved = [deadline.reason for deadline in story.all(DeadlineSet)]
    reports = len(story.all(FeedbackSubmitted))
    return story.has(InstructedAgain) and "instructed_again" in moved and reports > 1


def _returned_twice(story: Story) -> bool:
    returned = [returned.count for returned in story.all(FeedbackReturned)]
    return returned == [1, 2] and story.is_closed


def _ratings(*results: str) -> Callable[[Story], bool]:
    return lambda story: tuple(rated.result for rated in story.all(AnswerRated)) == results


def _not_satisfied_twice(story: Story) -> bool:
    return _ratings("not", "not")(story) and bool(story.done("mediate"))


def _closed_in_round_two(story: Story) -> bool:
    """By domain.md §10, case 19: the round ends as rectified, the issued notices stay."""
    ended = story.escalations
    return (
        story.is_closed
        and story.rounds == {1, 2}
        and len(ended) == 1
        and ended[0].interrupted
        and story.has(MeasureIssued)
    )


def _b_acts_for_a(story: Story) -> bool:
    return any(record.by.acting_for for record in story.history)


def _separate_handling(story: Story) -> bool:
    handling = [dispatched.handling for dispatched in story.all(CaseDispatched)]
    units = {report.unit for report in story.all(FeedbackSubmitted)}
    return handling == ["separate"] and len(units) > 1 and story.is_closed


def _commitment_kept(story: Story) -> bool:
    classes = [answer.data["answer_class"] for answer in story.done("answer")]
    entered = any(scope.process == "commitment" for scope in story.all(ScopeEntered))
    return entered and classes == ["B", "A"] and story.passed("commitment_kept")


def _rating_not_given(story: Story) -> bool:
    return story.passed("rating_not_given") and not story.has(AnswerRated) and story.is_closed


def _reports_in_rhythm(story: Story) -> bool:
    return len(story.all(FeedbackSubmitted)) > _MANY_REPORTS and story.is_closed


def _six_months(story: Story) -> bool:
    dispatched = story.all(CaseDispatched)[0].at
    return any(d.due_at - dispatched > _MONTHS_OF_A_HARD_ONE for d in story.all(DeadlineSet))


def _has(*kinds: type[Event]) -> Callable[[Story], bool]:
    return lambda story: all(story.has(kind) for kind in kinds) and story.is_closed


SITUATIONS: Mapping[str, Callable[[Story], bool]] = {
    "in_time": _in_time,
    "early_reminder": _early_reminder,
    "round_one_rectified": _round_one_rectified,
    "round_in_order": _round_in_order,
    "referral_approved": _referral(approved=True),
    "referral_rejected": _referral(approved=False),
    "extension_granted": _extension_granted,
    "extension_too_late": _extension_too_late,
    "refusal_upheld": _has(RefusalUpheld),
    "refusal_overruled": _has(RefusalOverruled),
    "second_instruction": _second_instruction,
    "co_unit_silent": _has(CoOpinionMissed),
    "returned_twice": _returned_twice,
    "not_satisfied_once": _ratings("not", "satisfied"),
    "not_satisfied_twice": _not_satisfied_twice,
    "closed_in_round_two": _closed_in_round_two,
    "b_acts_for_a": _b_acts_for_a,
    "separate_handling": _separate_handling,
    "commitment_kept": _commitment_kept,
    "rating_not_given": _rating_not_given,
    "reports_in_rhythm": _reports_in_rhythm,
    "six_months": _six_months,
    "suspended": _has(CaseResumed),
    "lead_unit_changed": _has(LeadUnitChanged),
    "escalation_ordered": _has(EscalationOrdered),
    "measure_dropped": _has(MeasureDropped),
}
"""Every situation that a plan may promise to show."""


def missing(promised: Sequence[str], story: Story) -> Iterator[str]:
    """Name the promised situations that a history doesn't show."""
    return (name for name in promised if not SITUATIONS[name](story))
