"""Logs as objects and events that concern them (OCEL 2.0), for one file format or the other.

Objects are cases, tasks, units and people. An event is an activity that ended; it names its case,
its task, the unit and the person, each with what part they had in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from engine.records import Json
from services.mining.log import Activity, CaseLog, facts_of

ATTRIBUTE_TYPES: dict[str, dict[str, str]] = {
    "case": {
        "number": "string",
        "title": "string",
        "case_type": "string",
        "definition_version": "integer",
        "status": "string",
        "urgency": "string",
        "source_kind": "string",
        "lead_unit": "string",
        "registered_at": "time",
        "deadline": "time",
        "closed_at": "time",
        "extensions": "integer",
        "returns": "integer",
        "highest_round": "integer",
        "feedback_late": "boolean",
    },
    "task": {"element": "string", "process": "string", "due_at": "time", "reached_at": "time"},
    "unit": {},
    "person": {},
}
"""The attributes of each type of object."""

EVENT_ATTRIBUTES = {
    "element": "string",
    "process": "string",
    "kind": "string",
    "started_at": "time",
    "withdrawn": "boolean",
    "seq": "integer",
}

Link = tuple[str, str]
"""An object's id, and what part it has."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One object; its attributes hold from `since`."""

    id: str
    type: str
    since: datetime
    attributes: dict[str, Json]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Happening:
    """One event."""

    id: str
    type: str
    at: datetime
    attributes: dict[str, Json]
    links: tuple[Link, ...]


def objects_and_events(logs: Iterable[CaseLog]) -> Iterator[Thing | Happening]:
    """Go through logs; an object comes before the first event that names it."""
    known: set[str] = set()
    for log in logs:
        if log.activities:
            yield from _of_case(log, known)


def _of_case(log: CaseLog, known: set[str]) -> Iterator[Thing | Happening]:
    moment = log.moment
    case = f"case:{moment.case}"
    facts = facts_of(moment)
    began = min(activity.started_at for activity in log.activities)
    links = []
    if "lead_unit" in facts:
        links.append((f"unit:{facts['lead_unit']}", "lead unit"))
    for activity in log.activities:
        yield from _shared(activity, known)
    if "lead_unit" in facts and (unit := f"unit:{facts['lead_unit']}") not in known:
        known.add(unit)
        yield Thing(unit, "unit", began, {})
    yield Thing(case, "case", began, facts, tuple(links))
    for activity in log.activities:
        yield from _of_activity(activity, case)


def _shared(activity: Activity, known: set[str]) -> Iterator[Thing]:
    named = (
        ("unit", activity.unit),
        ("person", activity.resource),
        ("person", activity.acting_for),
    )
    for kind, name in named:
        if name is not None and f"{kind}:{name}" not in known:
            known.add(f"{kind}:{name}")
            yield Thing(f"{kind}:{name}", kind, activity.started_at, {})


def _of_activity(activity: Activity, case: str) -> Iterator[Thing | Happening]:
    links: list[Link] = [(case, "case")]
    if activity.kind == "userTask":
        task = f"task:{activity.id}"
        about: dict[str, Json] = {
            "element": activity.element,
            "process": activity.process,
            "reached_at": activity.started_at,
        }
        if activity.due_at is not None:
            about["due_at"] = activity.due_at
        yield Thing(task, "task", activity.started_at, about, ((case, "task of"),))
        links.append((task, "task"))
    if activity.unit is not None:
        links.append((f"unit:{activity.unit}", "unit"))
    if activity.resource is not None:
        links.append((f"person:{activity.resource}", "done by"))
    if activity.acting_for is not None:
        links.append((f"person:{activity.acting_for}", "done for"))
    yield Happening(
        f"event:{activity.id}",
        activity.name,
        activity.ended_at,
        {
            "element": activity.element,
            "process": activity.process,
            "kind": activity.kind,
            "started_at": activity.started_at,
            "withdrawn": activity.withdrawn,
            "seq": activity.seq,
        },
        tuple(links),
    )
