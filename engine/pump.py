"""Due timers and open jobs, one sweep at a time; the caller loops.

A due timer never acts, it asks: `FireTimer` takes the same path as every command. Killed anywhere,
the row is still open and the key stops a second run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from engine.commands import FailJob, FinishJob, FireTimer, ReportStuckTimer
from engine.errors import Conflict, NotFound, Problem, Refused
from engine.events import CLOCK, OUTBOX, CaseId, JobId, TimerId
from engine.records import Json
from engine.store import DueJob, DueTimer

LEASE_S = 60.0
MAX_ATTEMPTS = 6
BACKOFF = timedelta(seconds=20)
"""First wait after a failed delivery; it doubles each time, up to ten minutes at the last."""

Handler = Callable[[CaseId, JobId, Mapping[str, Any]], dict[str, Json]]


class JobError(Exception):
    """Raised by a job handler to throw a BPMN error, which a boundary event may catch."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Pumped(Protocol):
    """What the pump needs of the engine."""

    store: Any

    def execute(self, command: Any, *, key: str | None = None) -> Any:  # noqa: ANN401
        """Carry out a command."""
        ...


def fire_due(engine: Pumped, now: datetime, limit: int = 200) -> int:
    """Fire timers due at `now`, at most `limit`; give how many were due.

    Timers of one case fire in the order of their instants, each at its own due instant: a late
    worker doesn't change what the rule says.
    """
    due = engine.store.claim_timers(now, limit, LEASE_S)
    for timer in due:
        _fire(engine, timer, now)
    return len(due)


def _fire(engine: Pumped, timer: DueTimer, now: datetime) -> None:
    ask = FireTimer(
        case=timer.case, by=CLOCK, at=timer.due_at, timer=TimerId(timer.timer), fired_at=now
    )
    key = f"timer:{timer.timer}:{timer.due_at.timestamp():.6f}"
    try:
        engine.execute(ask, key=key)
    except (NotFound, Conflict):
        return
    except Refused as refusal:
        if refusal.slug in ("timer-not-open", "case-suspended"):
            return
        stuck = ReportStuckTimer(
            case=timer.case, by=CLOCK, at=now, timer=timer.timer, reason=str(refusal)
        )
        engine.execute(stuck)


def deliver_jobs(
    engine: Pumped, handlers: Mapping[str, Handler], now: datetime, limit: int = 50
) -> int:
    """Deliver open jobs to their handlers, at most `limit`; give how many were open."""
    due = engine.store.claim_jobs(now, limit, LEASE_S)
    for job in due:
        deliver(engine, handlers, job, now)
    return len(due)


def deliver(engine: Pumped, handlers: Mapping[str, Handler], job: DueJob, now: datetime) -> None:
    """Deliver one job. At least once: the handler sees the same job id again after a crash."""
    key = f"job:{job.job}:{job.attempts}"
    try:
        result = handlers[job.topic](job.case, job.job, {"now": now})
        answer: FinishJob | FailJob = FinishJob(
            case=job.case, by=OUTBOX, at=now, job=job.job, result=result
        )
    except JobError as thrown:
        answer = FailJob(
            case=job.case,
            by=OUTBOX,
            at=now,
            job=job.job,
            attempts=job.attempts + 1,
            reason=str(thrown),
            error_code=thrown.code,
        )
    except Exception as failure:
        if job.attempts + 1 < MAX_ATTEMPTS:
            wait = min(BACKOFF * 2**job.attempts, timedelta(minutes=10))
            engine.store.postpone_job(job, now + wait, repr(failure)[:2000])
            return
        answer = FailJob(
            case=job.case,
            by=OUTBOX,
            at=now,
            job=job.job,
            attempts=job.attempts + 1,
            reason=repr(failure),
        )
    try:
        engine.execute(answer, key=key)
    except Problem as refusal:
        if refusal.slug not in ("job-not-open", "stale-version", "case-not-found"):
            engine.store.postpone_job(job, now + BACKOFF, str(refusal)[:2000])
