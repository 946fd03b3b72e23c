"""Due timers and open jobs, one sweep at a time; the caller loops.

A due timer never acts, it asks: `FireTimer` takes the same path as every command. Killed anywhere,
the row is still open and the key stops a second run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from engine.commands import FailJob, FinishJob, FireTimer, ReportStuckTimer
from engine.errors import (
    CaseNotFound,
    Conflict,
    JobNotOpen,
    KeyReused,
    NotFound,
    Problem,
    TimerNotOpen,
)
from engine.ids import CLOCK, OUTBOX, CaseId, JobId, TimerId
from engine.records import Json
from engine.store import DueJob, DueTimer, StoreUnavailable

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

    Raises
    ------
    ExceptionGroup : after the last one, what was neither done nor an incident, such as when the
        database is away; those timers are due again when their lease is over.
    """
    due = engine.store.claim_timers(now, limit, LEASE_S)
    _one_by_one(due, lambda timer: fire(engine, timer, now))
    return len(due)


def fire(engine: Pumped, timer: DueTimer, now: datetime) -> None:
    """Fire one timer at its own due instant; one that can't move its case becomes an incident."""
    ask = FireTimer(
        case=timer.case, by=CLOCK, at=timer.due_at, timer=TimerId(timer.timer), fired_at=now
    )
    key = f"timer:{timer.timer}:{timer.due_at.timestamp():.6f}"
    try:
        engine.execute(ask, key=key)
    except (NotFound, Conflict):
        return
    except Problem as refusal:
        if refusal.slug in ("timer-not-open", "case-suspended"):
            return
        stuck = ReportStuckTimer(
            case=timer.case, by=CLOCK, at=now, timer=timer.timer, reason=str(refusal)
        )
        with suppress(TimerNotOpen):
            engine.execute(stuck)


def deliver_jobs(
    engine: Pumped, handlers: Mapping[str, Handler], now: datetime, limit: int = 50
) -> int:
    """Deliver open jobs to their handlers, at most `limit`; give how many were open.

    Raises
    ------
    ExceptionGroup : after the last one, what went wrong beside the handlers, as with timers.
    """
    due = engine.store.claim_jobs(now, limit, LEASE_S)
    _one_by_one(due, lambda job: deliver(engine, handlers, job, now))
    return len(due)


def deliver(engine: Pumped, handlers: Mapping[str, Handler], job: DueJob, now: datetime) -> None:
    """Deliver one job. At least once: the handler sees the same job id again after a crash.

    A handler that fails and an answer that the case refuses are the same to it: tried again later
    and later, and after the last attempt an incident. A database that is away counts as no attempt.

    Raises
    ------
    StoreUnavailable : nothing was recorded; the job is due again when its lease is over.
    """
    try:
        engine.execute(_answer(handlers, job, now), key=_key(job))
    except (JobNotOpen, KeyReused, CaseNotFound):
        return
    except StoreUnavailable:
        raise
    except Exception as failure:
        _failed(engine, job, failure, now)


def _answer(handlers: Mapping[str, Handler], job: DueJob, now: datetime) -> FinishJob | FailJob:
    try:
        result = handlers[job.topic](job.case, job.job, {"now": now})
    except JobError as thrown:
        return _failure(job, str(thrown), now, thrown.code)
    return FinishJob(case=job.case, by=OUTBOX, at=now, job=job.job, result=result)


def _failed(engine: Pumped, job: DueJob, failure: Exception, now: datetime) -> None:
    is_last = job.attempts + 1 >= MAX_ATTEMPTS
    wait = min(BACKOFF * 2**job.attempts, timedelta(minutes=10))
    # The last attempt is counted too: asked for again by a person, the job comes under a new key.
    engine.store.postpone_job(job, now if is_last else now + wait, repr(failure)[:2000])
    if is_last:
        with suppress(JobNotOpen):
            engine.execute(_failure(job, repr(failure), now), key=_key(job))


def _failure(job: DueJob, reason: str, now: datetime, error_code: str | None = None) -> FailJob:
    return FailJob(
        case=job.case,
        by=OUTBOX,
        at=now,
        job=job.job,
        attempts=job.attempts + 1,
        reason=reason,
        error_code=error_code,
    )


def _key(job: DueJob) -> str:
    return f"job:{job.job}:{job.attempts}"


Waiting = TypeVar("Waiting", DueTimer, DueJob)


def _one_by_one(due: Sequence[Waiting], act: Callable[[Waiting], None]) -> None:
    """Act on each; one that fails holds up no other."""
    failures: list[Exception] = []
    for waiting in due:
        try:
            act(waiting)
        except Exception as failure:
            failures.append(failure)
    if failures:
        message = f"{len(failures)} of {len(due)} couldn't be dealt with"
        raise ExceptionGroup(message, failures)
