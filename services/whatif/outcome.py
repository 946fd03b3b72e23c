"""What a run of a case came to, and in what two runs of it differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine import Event, ProcessState, State
from engine.event_types import payload
from engine.events import ProcessAdvanced
from engine.records import Json, instant_text
from services.cases.events import FeedbackSubmitted
from services.cases.state import CaseState
from services.deadlines.state import DeadlineState
from services.escalation.state import EscalationState
from services.whatif.places import Places

Path = Literal["same", "other", "unknown"]

_IDS = frozenset({"task", "timer", "job", "scope", "parent", "fired_at", "former_version"})
_DEFINITION = frozenset({"definition_version", "definition_sha256"})
_OVER = ("closed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case went. `late` is `None` when it never had a deadline."""

    status: str
    is_over: bool
    deadline: datetime | None
    late: bool | None
    escalated: bool
    highest_round: int
    waiting: tuple[str, ...]
    """Elements of the open tasks."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event in which two runs differ: both of them, and the fields that differ."""

    seq: int | None
    at: datetime
    recorded: Mapping[str, Json] | None
    again: Mapping[str, Json] | None
    fields: tuple[str, ...]


def outcome_of(
    states: Mapping[type[State], State], events: Iterable[Event], until: datetime
) -> Outcome:
    """Judge a run as of an instant."""
    case, process = states.get(CaseState), states.get(ProcessState)
    deadline, escalation = states.get(DeadlineState), states.get(EscalationState)
    case = case if isinstance(case, CaseState) else CaseState()
    process = process if isinstance(process, ProcessState) else ProcessState()
    due = deadline.due_at if isinstance(deadline, DeadlineState) else None
    rounds = escalation if isinstance(escalation, EscalationState) else EscalationState()
    return Outcome(
        status=case.status,
        is_over=process.is_over,
        deadline=due,
        late=_late(case, due, events, until),
        escalated=rounds.started > 0,
        highest_round=rounds.highest_round,
        waiting=tuple(sorted(task.element for task in process.tasks.values())),
    )


def _late(
    case: CaseState, due: datetime | None, events: Iterable[Event], until: datetime
) -> bool | None:
    if any(isinstance(event, FeedbackSubmitted) and event.late for event in events):
        return True
    if due is None:
        return None
    if case.status in _OVER or case.feedback_at is not None:
        return False
    return until > due


def path_of(events: Iterable[Event], places: Places, key: str) -> Counter[tuple[str, str]]:
    """Count the elements that a run passed, by process and id."""
    return Counter(
        (places.process_of(token.scope) or key, token.element)
        for event in events
        if isinstance(event, ProcessAdvanced)
        for token in event.passed
    )


def first_difference(
    recorded: Sequence[tuple[int, datetime, Event]], again: Sequence[tuple[datetime, Event]]
) -> Difference | None:
    """Find where two runs part; ids and the definition's hash don't count."""
    for (seq, at, was), (then, now) in zip(recorded, again, strict=False):
        before, after = _comparable(was), _comparable(now)
        if was.name != now.name or before != after:
            fields = _differing(before, after) if was.name == now.name else ("type",)
            return Difference(seq, min(at, then), _shown(was), _shown(now), fields)
        if at != then:
            return Difference(seq, min(at, then), _shown(was), _shown(now), ("at",))
    if len(recorded) > len(again):
        seq, at, was = recorded[len(again)]
        return Difference(seq, at, _shown(was), None, ())
    if len(again) > len(recorded):
        then, now = again[len(recorded)]
        return Difference(None, then, None, _shown(now), ())
    return None


def _differing(before: Mapping[str, Json], after: Mapping[str, Json]) -> tuple[str, ...]:
    names = sorted({*before, *after})
    return tuple(name for name in names if before.get(name) != after.get(name))


def _comparable(happened: Event) -> dict[str, Json]:
    """Give an event's fields without ids, those of records inside by ``field.name``."""
    found: dict[str, Json] = {}
    for name, value in payload(happened).items():
        if name in _IDS or name in _DEFINITION:
            continue
        if isinstance(value, dict):
            found.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            found[name] = _without_ids(value)
    return found


def _without_ids(value: Json) -> Json:
    if isinstance(value, list):
        return [_without_ids(item) for item in value]
    if isinstance(value, dict) and set(value) == {"element", "scope"}:
        return value["element"]
    return value


def _shown(happened: Event) -> dict[str, Json]:
    return {"type": happened.name, **payload(happened)}


def outcome_json(outcome: Outcome) -> dict[str, Json]:
    """Give an outcome as JSON-plain values."""
    return {
        "status": outcome.status,
        "is_over": outcome.is_over,
        "deadline": None if outcome.deadline is None else instant_text(outcome.deadline),
        "late": outcome.late,
        "escalated": outcome.escalated,
        "highest_round": outcome.highest_round,
        "waiting": list(outcome.waiting),
    }
