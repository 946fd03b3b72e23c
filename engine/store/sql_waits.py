"""Due timers and waiting jobs, handed out to one worker at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Select, select, update

from engine.ids import CaseId, JobId, TimerId
from engine.store import DueJob, DueTimer
from engine.store.tables import jobs, timers


def claim_timers(
    connection: Connection, now: datetime, limit: int, lease_s: float
) -> list[DueTimer]:
    """Take due timers in one statement, skipping what other workers hold."""
    free = (timers.c.claimed_until.is_(None)) | (timers.c.claimed_until < now)
    due = (
        select(timers.c.case_id, timers.c.timer)
        .where(timers.c.due_at <= now, free)
        .order_by(timers.c.due_at)
        .limit(limit)
    )
    taken = _claim(connection, due, timers.c.timer, now + timedelta(seconds=lease_s))
    found = [DueTimer(CaseId(r.case_id), TimerId(r.timer), r.due_at) for r in taken]
    return sorted(found, key=lambda t: (t.due_at, t.case, t.timer))


def claim_jobs(connection: Connection, now: datetime, limit: int, lease_s: float) -> list[DueJob]:
    """Take waiting jobs in one statement, skipping what other workers hold."""
    free = (jobs.c.claimed_until.is_(None)) | (jobs.c.claimed_until < now)
    ready = (jobs.c.not_before.is_(None)) | (jobs.c.not_before <= now)
    due = (
        select(jobs.c.case_id, jobs.c.job)
        .where(jobs.c.failed.is_(None), free, ready)
        .order_by(jobs.c.requested_at)
        .limit(limit)
    )
    taken = _claim(connection, due, jobs.c.job, now + timedelta(seconds=lease_s))
    return [DueJob(CaseId(r.case_id), JobId(r.job), r.topic, r.attempts) for r in taken]


def _claim(
    connection: Connection, due: Select[Any], wait: Column[str], until: datetime
) -> Sequence[Any]:
    table = wait.table
    wanted = due.with_for_update(skip_locked=True).cte("due")
    statement = (
        update(table)
        .where(table.c.case_id == wanted.c.case_id, wait == wanted.c[wait.name])
        .values(claimed_until=until)
        .returning(table)
    )
    return connection.execute(statement).all()


def postpone_job(connection: Connection, job: DueJob, not_before: datetime, reason: str) -> None:
    """Note a failed attempt and when to try again."""
    connection.execute(
        update(jobs)
        .where(jobs.c.case_id == job.case, jobs.c.job == job.job)
        .values(
            attempts=job.attempts + 1,
            not_before=not_before,
            last_error=reason,
            claimed_until=None,
        )
    )


def next_due(connection: Connection) -> datetime | None:
    """Give the instant of the earliest open timer."""
    due: datetime | None = connection.execute(
        select(timers.c.due_at)
        .where(timers.c.due_at.is_not(None))
        .order_by(timers.c.due_at)
        .limit(1)
    ).scalar_one_or_none()
    return due
