"""What the demonstration reads: who waits for what, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from engine.store.tables import rejections, tasks


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open task of any case."""

    case: str
    task: str
    element: str
    unit: str | None
    roles: tuple[str, ...]
    assignee: str | None
    due_at: datetime | None


def waiting(connection: Connection) -> tuple[Waiting, ...]:
    """Give every open task, in the order reached."""
    wanted = select(
        tasks.c.case_id,
        tasks.c.task,
        tasks.c.element,
        tasks.c.unit,
        tasks.c.roles,
        tasks.c.assignee,
        tasks.c.due_at,
    ).order_by(tasks.c.reached_at, tasks.c.case_id, tasks.c.task)
    return tuple(
        Waiting(
            row.case_id,
            row.task,
            row.element,
            row.unit,
            tuple(row.roles.split(",")),
            row.assignee,
            row.due_at,
        )
        for row in connection.execute(wanted)
    )


def refusals(connection: Connection) -> dict[str, frozenset[str]]:
    """Give why commands were refused, by case."""
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(rejections.c.case_id, rejections.c.problem)):
        found.setdefault(row.case_id, set()).add(row.problem)
    return {case: frozenset(slugs) for case, slugs in found.items()}
