"""The rules of a public concern's tasks (domain.md §6.6)."""

from collections.abc import Iterator

from engine import Case, CompleteTask, Event, FieldError, Invalid, decides
from engine.events import TaskCompleted
from engine.records import instant_text
from services.cases.state import CaseState
from services.concerns.events import ConcernClassified, FirstResponseGiven


@decides(CompleteTask, element="classify")
def classify(done: TaskCompleted, case: Case) -> Iterator[Event]:
    yield ConcernClassified(
        accepted=done.data["decision"] == "accept",
        kind=done.data.get("concern_kind"),
        category=done.data.get("category"),
        stability=bool(done.data.get("stability")),
        by=done.by,
        at=done.at,
    )


@decides(CompleteTask, element="first_response")
def first_response(done: TaskCompleted, case: Case) -> Iterator[Event]:
    yield FirstResponseGiven(
        unit=done.unit or case[CaseState].lead_unit or "",
        late=done.due_at is not None and done.at > done.due_at,
        method=done.data["method"],
        at=done.at,
    )


@decides(CompleteTask, element="handle")
def handle(done: TaskCompleted, case: Case) -> Iterator[Event]:
    answered_on = done.data.get("answered_on")
    if answered_on is not None and answered_on > case.ask("office_day", instant_text(done.at)):
        raise Invalid([FieldError("answered_on", "in_the_future")])
    yield from ()
