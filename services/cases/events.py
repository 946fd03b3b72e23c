"""What can happen to a supervised case, in the words of domain.md §3."""

from dataclasses import dataclass
from datetime import date, datetime

from engine import Event, event
from engine.records import Json


@event("case_registered", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRegistered(Event):
    """A matter was accepted as an item to supervise, under a number without gaps."""

    number: str
    case_type: str
    title: str
    urgency: str
    secrecy: str
    source_kind: str
    source_number: str | None
    source_date: date
    issuer: str | None
    parent: str | None
    proposers: tuple[str, ...]
    """Logins of the proposers who have one; their names stand in the form alone."""
    by: str
    at: datetime


@event("registration_amended", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationAmended(Event):
    """A returned registration was filed again; the number stays."""

    title: str
    urgency: str
    secrecy: str
    source_kind: str
    source_number: str | None
    source_date: date
    issuer: str | None
    parent: str | None
    proposers: tuple[str, ...]


@event("case_dispatched", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDispatched(Event):
    """A case went to the unit that answers for it, and to those that contribute."""

    lead_unit: str
    co_units: tuple[str, ...]
    handling: str
    responsible_person: str
    at: datetime


@event("unit_refused", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRefused(Event):
    """The unit says it isn't competent, and the office has to decide."""

    unit: str
    suggested_unit: str | None
    reason: str
    at: datetime


@event("refusal_upheld", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalUpheld(Event):
    """The office agrees; another unit answers for the case, and its clock starts now."""

    former_unit: str
    lead_unit: str
    reason: str
    by: str
    at: datetime


@event("refusal_overruled", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalOverruled(Event):
    """The office insists; the clock runs on from the first dispatch. The dispute is on record."""

    unit: str
    reason: str
    by: str
    at: datetime


@event("lead_unit_changed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class LeadUnitChanged(Event):
    """The case passed from one unit to another while it was being handled."""

    former_unit: str
    lead_unit: str
    reason: str
    by: str
    at: datetime


@event("handler_named", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerNamed(Event):
    """The head of the unit said who handles the case, and in which form."""

    unit: str
    handler: str
    form: str


@event("progress_reported", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReported(Event):
    """The unit told how far it has come."""

    unit: str | None
    percent: int
    text: str
    photos: tuple[str, ...] = ()
    """Attachments by their SHA-256."""
    by: str
    at: datetime


@event("feedback_submitted", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackSubmitted(Event):
    """The unit's report left the unit, signed by its head; `late` by the deadline in force."""

    unit: str
    late: bool
    at: datetime


@event("co_opinion_missed", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CoOpinionMissed(Event):
    """A co-unit's time was over, and it was silent, when the lead unit answered without it."""

    unit: str
    at: datetime


@event("co_opinion_returned", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class CoOpinionReturned(Event):
    """The lead unit sent back a co-unit's opinion that says nothing; it is owed again."""

    unit: str
    reason: str
    by: str
    at: datetime


@event("feedback_returned", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackReturned(Event):
    """The office rejected the feedback, for its content, its format or both."""

    unit: str
    content: bool
    format: bool
    reasons: Json
    count: int
    at: datetime


@event("feedback_accepted", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackAccepted(Event):
    """The feedback passed both gates of the review."""

    unit: str
    at: datetime


@event("instructed_again", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class InstructedAgain(Event):
    """A leader gave a further instruction on the same case."""

    instruction: str
    by: str
    at: datetime


@event("urged", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class Urged(Event):
    """The office reminded the unit, by a numbered document."""

    number: str
    unit: str | None
    text: str
    by: str
    at: datetime


@event("answer_given", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGiven(Event):
    """The unit wrote its answer letter, of class A, B, C or D (domain.md §6.2)."""

    unit: str
    answer_class: str
    planned_date: date | None
    at: datetime


@event("answer_rated", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRated(Event):
    """The proposer rated the answer; `count` says how many times it was rated unsatisfactory."""

    attitude: str
    result: str
    not_satisfied: int
    at: datetime


@event("proposal_withdrawn", 1)
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalWithdrawn(Event):
    """The leading proposer took the proposal back in writing."""

    reason: str
    by: str
    at: datetime
