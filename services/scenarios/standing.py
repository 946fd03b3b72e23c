"""How a case stands, as far as a scenario can expect something of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine import CaseId
from engine.records import Json, parse_instant
from services.deadlines.queries import light_of
from services.office import Office

Row = Mapping[str, Any]


def _escalation(row: Row) -> Json:
    if row["escalation_status"] in (None, "ended"):
        return None
    return {"round": row["escalation_round"], "status": row["escalation_status"]}


def _listed(column: str) -> Callable[[Row], Json]:
    return lambda row: row[column].split(",") if row[column] else []


def _column(column: str) -> Callable[[Row], Json]:
    return lambda row: row[column]


_FACTS: Mapping[str, Callable[[Row], Json]] = {
    **{
        name: _column(name)
        for name in (
            "number",
            "status",
            "lead_unit",
            "handling",
            "deadline",
            "extensions",
            "returns",
            "rating",
            "measures",
            "highest_round",
            "feedback_late",
            "provisional",
            "urgency",
        )
    },
    "co_units": _listed("co_units"),
    "escalation": _escalation,
}
EXPECTED = frozenset({*_FACTS, "light", "open_tasks"})
"""What a scenario can expect something of."""


def standing(office: Office, case: CaseId) -> dict[str, Json]:
    """Give everything a scenario can expect of a case; open tasks by element, in order."""
    with office.store.transaction(write=False) as transaction:
        row = transaction.rows(case, "register")[0]
        tasks = sorted(task["element"] for task in transaction.rows(case, "tasks"))
    now = office.clock.now()
    facts = {name: fact(row) for name, fact in _FACTS.items()}
    light = light_of(row["status"], row["deadline"], row["yellow_from"], row["closed_at"], now)
    return {**facts, "light": light, "open_tasks": tasks}


def differs(name: str, expected: Json, actual: Json) -> bool:
    """Tell whether something isn't as expected; an order of open tasks means nothing."""
    if isinstance(actual, datetime):
        return not isinstance(expected, str) or parse_instant(expected) != actual
    if name in ("open_tasks", "co_units") and isinstance(expected, list):
        return sorted(expected) != sorted(actual)
    return bool(expected != actual)
