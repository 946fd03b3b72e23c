"""A history as process mining wants it: what was done, when it began and ended, by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine import Definition, ProcessState, Recorded
from engine.events import (
    JobCancelled,
    JobFinished,
    JobRequested,
    TaskCompleted,
    TaskReached,
    TaskWithdrawn,
)
from engine.records import Json
from services.cases.state import CaseState
from services.deadlines.state import DeadlineState
from services.escalation.state import EscalationState
from services.replay.moment import Moment, moment_of
from services.statistics.state import TimelineState

Detail = Literal["tasks", "all"]
"""What people and machines did, or every element that a token passed."""

_BY_THEIR_EVENTS = frozenset({"userTask", "serviceTask"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """One thing done in a case. `withdrawn` ones weren't finished: nobody wanted them any more."""

    case: str
    id: str
    element: str
    name: str
    process: str
    kind: str
    scope: str
    started_at: datetime
    ended_at: datetime
    seq: int
    withdrawn: bool = False
    resource: str | None = None
    acting_for: str | None = None
    unit: str | None = None
    roles: tuple[str, ...] = ()
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseLog:
    """One case: its facts, and its activities in the order they ended."""

    moment: Moment
    activities: tuple[Activity, ...]


def log_of(
    case: str, history: list[Recorded], definition: Definition, detail: Detail = "tasks"
) -> CaseLog:
    """Read one history, which isn't empty.

    With detail ``tasks`` only what was finished is there; with ``all`` also what was withdrawn.
    """
    moment = moment_of(history[0].case, history, definition)
    found = list(_done(case, history, moment))
    if detail == "all":
        found += _passed(case, moment)
    else:
        found = [activity for activity in found if not activity.withdrawn]
    found.sort(key=lambda activity: (activity.ended_at, activity.seq))
    return CaseLog(moment, tuple(found))


def _done(case: str, history: Sequence[Recorded], moment: Moment) -> Iterator[Activity]:
    """Tasks and jobs, from the events that open and close them."""
    tasks: dict[str, TaskReached] = {}
    jobs: dict[str, JobRequested] = {}
    for recorded in history:
        event = recorded.event
        match event:
            case TaskReached():
                tasks[event.task] = event
            case JobRequested():
                jobs[event.job] = event
            case TaskCompleted() | TaskWithdrawn():
                yield _task(case, tasks.pop(event.task), event, recorded, moment)
            case JobFinished() | JobCancelled():
                yield _job(case, jobs.pop(event.job), event, recorded, moment)
            case _:
                pass


def _task(
    case: str,
    reached: TaskReached,
    closed: TaskCompleted | TaskWithdrawn,
    recorded: Recorded,
    moment: Moment,
) -> Activity:
    done = closed if isinstance(closed, TaskCompleted) else None
    return Activity(
        case=case,
        id=str(reached.task),
        element=reached.element,
        name=reached.title,
        process=_process(moment, reached.scope),
        kind="userTask",
        scope=reached.scope,
        started_at=reached.at,
        ended_at=recorded.at,
        seq=recorded.seq,
        withdrawn=done is None,
        resource=None if done is None else done.by,
        acting_for=None if done is None else done.acting_for,
        unit=reached.unit,
        roles=reached.roles,
        due_at=reached.due_at,
    )


def _job(
    case: str,
    asked: JobRequested,
    closed: JobFinished | JobCancelled,
    recorded: Recorded,
    moment: Moment,
) -> Activity:
    process = _process(moment, asked.scope)
    return Activity(
        case=case,
        id=str(asked.job),
        element=asked.element,
        name=_title(moment, process, asked.element),
        process=process,
        kind="serviceTask",
        scope=asked.scope,
        started_at=asked.at,
        ended_at=recorded.at,
        seq=recorded.seq,
        withdrawn=isinstance(closed, JobCancelled),
        resource="outbox",
    )


def _passed(case: str, moment: Moment) -> Iterator[Activity]:
    """Everything else that tokens went through: gateways, events, decisions, calls."""
    for number, visit in enumerate(moment.trail.visits):
        process = _process(moment, visit.scope)
        known = moment.definition.elements.get((process, visit.element))
        if known is None or known.kind in _BY_THEIR_EVENTS or visit.left_at is None:
            continue
        yield Activity(
            case=case,
            id=f"{case}.v{number}",
            element=visit.element,
            name=known.title,
            process=process,
            kind=known.kind,
            scope=visit.scope,
            started_at=visit.arrived_at,
            ended_at=visit.left_at,
            seq=visit.seq,
            withdrawn=visit.withdrawn,
        )


def _process(moment: Moment, scope: str) -> str:
    return moment.trail.process_of(scope)


def _title(moment: Moment, process: str, element: str) -> str:
    known = moment.definition.elements.get((process, element))
    return element if known is None else known.title


def facts_of(moment: Moment) -> dict[str, Json]:
    """Give what is known of a case as attributes; instants stay instants, `None` is left out."""
    case, process = moment[CaseState], moment[ProcessState]
    deadline, rounds = moment[DeadlineState], moment[EscalationState]
    timeline = moment[TimelineState]
    facts: dict[str, Json] = {
        "number": case.number or None,
        "title": case.title or None,
        "case_type": case.case_type or process.definition,
        "definition_version": process.definition_version,
        "status": case.status,
        "urgency": case.urgency,
        "source_kind": case.source_kind or None,
        "lead_unit": case.lead_unit,
        "registered_at": case.registered_at,
        "deadline": deadline.due_at,
        "closed_at": timeline.changes[-1].closed_at if timeline.changes else None,
        "extensions": deadline.extensions,
        "returns": case.returns,
        "highest_round": rounds.highest_round,
        "feedback_late": case.feedback_late,
    }
    return {name: value for name, value in facts.items() if value is not None}
