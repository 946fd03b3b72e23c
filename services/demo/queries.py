"""What the demonstration reads: who waits for what, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Select,
    bindparam,
    event,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect

from engine import CaseId, JobId, TimerId
from engine.store import DueJob, DueTimer
from engine.store.tables import Instant, jobs, rejections, tasks, timers
from services.cases.tables import register


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


@dataclass(frozen=True, slots=True)
class Standing:
    """What one case waits for, and what of it plans go by."""

    tasks: tuple[Waiting, ...] = ()
    timers: tuple[DueTimer, ...] = ()
    """Those that run, the next first."""
    jobs: tuple[DueJob, ...] = ()
    status: str = ""
    lead_unit: str | None = None
    deadline: datetime | None = None


def standing_of(connection: Connection, case: CaseId) -> Standing:
    """Read how one case stands, in one query."""
    found: dict[str, list[Any]] = {"task": [], "timer": [], "job": [], "case": []}
    for row in connection.execute(_standing(), {"case": case}):
        found[row.kind].append(row)
    head = found["case"][0] if found["case"] else None
    return Standing(
        tasks=tuple(_waiting(case, row) for row in sorted(found["task"], key=lambda row: row.id)),
        timers=tuple(
            DueTimer(case, TimerId(row.id), row.at)
            for row in sorted(found["timer"], key=lambda row: (row.at, row.id))
        ),
        jobs=tuple(
            DueJob(case, JobId(row.id), row.name, 0)
            for row in sorted(found["job"], key=lambda row: row.id)
        ),
        status=head.name if head else "",
        lead_unit=head.unit if head else None,
        deadline=head.at if head else None,
    )


def _waiting(case: CaseId, row: Any) -> Waiting:  # noqa: ANN401 -- a row of `_standing`
    roles = tuple(row.who.split(","))
    return Waiting(case, row.id, row.name, row.unit, roles, row.assignee, row.at)


@cache
def _standing() -> CompoundSelect[Any]:
    def of(kind: str, *columns: Any) -> Select[Any]:  # noqa: ANN401 -- columns and nulls
        names = ("id", "name", "unit", "who", "assignee")
        named = (column.label(name) for name, column in zip(names, columns[:-1], strict=True))
        case = columns[0].table.c.case_id
        wanted = select(literal(kind).label("kind"), *named, columns[-1].label("at"))
        return wanted.where(case == bindparam("case"))

    nothing, task, timer, job, head = null(), tasks.c, timers.c, jobs.c, register.c
    return union_all(
        of("task", task.task, task.element, task.unit, task.roles, task.assignee, task.due_at),
        of("timer", timer.timer, timer.element, nothing, nothing, nothing, timer.due_at).where(
            timer.due_at.is_not(None)
        ),
        of("job", job.job, job.topic, nothing, nothing, nothing, nothing.cast(Instant)).where(
            job.failed.is_(None)
        ),
        of("case", head.case_id, head.status, head.lead_unit, nothing, nothing, head.deadline),
    )


def refusals(connection: Connection) -> dict[str, frozenset[str]]:
    """Give why commands were refused, by case."""
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(rejections.c.case_id, rejections.c.problem)):
        found.setdefault(row.case_id, set()).add(row.problem)
    return {case: frozenset(slugs) for case, slugs in found.items()}


def hurry(engine: Engine) -> None:
    """Let commits not wait for the disk: what a demonstration loses in a power cut is made again.

    The database stays whole; only the last commits could be missing after such a cut.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    said = "PRAGMA synchronous=NORMAL" if is_sqlite else "SET synchronous_commit TO off"

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:  # noqa: ANN401 -- the driver's own
        cursor = connection.cursor()
        cursor.execute(said)
        cursor.close()
        if not is_sqlite:
            connection.commit()

    engine.dispose()
