"""The third door: due timers and open jobs, swept in process or by workers beside the server.

In process a thread sweeps; as a server shape, each ``duban worker`` sweeps for due timers itself
and takes jobs from Redis. Any number of them may run: whoever claims a row has it.
"""

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Protocol

import structlog

from engine import CaseId, JobId, pump
from engine.errors import Problem
from engine.store import DueJob, StoreUnavailable
from services.archive.archiving import archive, years_before
from services.erasure.erasing import finish as finish_erasures
from services.evidence.sealing import seal
from services.office import Office
from services.rhythm.rounds import keep_rhythm
from services.scoring.proposals import propose_measures

LONGEST_SLEEP_S = 1.0
BATCH = 200
_MOST_ROUNDS = 100_000

DELIVER = "deliver_job"
QUEUE = "duban"

log = structlog.get_logger("duban.worker")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep came to."""

    timers: int = 0
    jobs: int = 0
    documents: int = 0

    def __add__(self, other: "Swept") -> "Swept":
        return Swept(
            self.timers + other.timers,
            self.jobs + other.jobs,
            self.documents + other.documents,
        )

    def __bool__(self) -> bool:
        return bool(self.timers or self.jobs or self.documents)


Deliver = Callable[[DueJob], None]


class Stoppable(Protocol):
    """Threads that can be stopped."""

    def stop(self) -> None:
        """Finish what is under way and stop."""
        ...


class Sweeper:
    """Sweeps an installation; one sweep at a time in a process.

    Parameters
    ----------
    deliver : sends a job to whoever delivers it; `None` delivers it right here.
    """

    def __init__(self, office: Office, deliver: Deliver | None = None) -> None:
        self._office = office
        self._deliver = deliver
        self._lock = threading.Lock()
        self._sealed_on: date | None = None
        self._rhythm_kept: datetime | None = None
        self.last_sweep: float | None = None
        """When the last sweep ended, by `time.monotonic`."""

    def sweep(self) -> Swept:
        """Fire what is due and deliver what waits, one batch of each."""
        with self._lock:
            self._daily()
            self._rhythm()
            swept = Swept(
                self._office.engine.fire_due(limit=BATCH),
                self._jobs(),
                self._office.documents.sweep(self._office.clock.now()),
            )
        self.last_sweep = monotonic()
        return swept

    def step(self) -> float:
        """Sweep, and say in how many seconds something is due: at most `LONGEST_SLEEP_S`."""
        return 0.0 if self.sweep() else self._until_next()

    def _until_next(self) -> float:
        due = self._office.store.next_due()
        if due is None:
            return LONGEST_SLEEP_S
        left = due - self._office.clock.now()
        return min(max(left, timedelta(milliseconds=20)).total_seconds(), LONGEST_SLEEP_S)

    def _rhythm(self) -> None:
        # What is due at an hour of the office goes out within its minute.
        minute = self._office.clock.now().replace(second=0, microsecond=0)
        if minute == self._rhythm_kept:
            return
        try:
            keep_rhythm(
                self._office.engine,
                lambda transaction: self._office.calendar.get(transaction.connection),
                self._office.clock.now(),
                self._office.settings.zone,
            )
        except Problem as refusal:
            log.warning("rhythm_not_kept", problem=str(refusal))
        self._rhythm_kept = minute

    def _daily(self) -> None:
        # A signed head over all cases, and measures that are due; another worker may be first.
        today = self._office.clock.now().astimezone(self._office.settings.zone).date()
        if today == self._sealed_on:
            return
        self._sealed_on = today
        try:
            seal(self._office, once_a_day=True)
            finish_erasures(self._office)
            self._archive()
            propose_measures(self._office.engine, self._office.clock.now())
        except StoreUnavailable:
            self._sealed_on = None
            raise
        except Problem as refusal:
            log.warning("daily_work_cut_short", problem=str(refusal))

    def _archive(self) -> None:
        settings, now = self._office.settings, self._office.clock.now()
        before = years_before(settings.archive_after_years, now, settings.zone)
        if before is not None:
            report = archive(self._office, before)
            for left in report.skipped:
                log.warning("not_archived", case=left.case, number=left.number, reason=left.reason)
            log.info("archived", cases=len(report.archived), size_bytes=report.size_bytes)

    def _jobs(self) -> int:
        office = self._office
        if self._deliver is None:
            return office.engine.deliver_jobs(office.handlers, BATCH)
        waiting = office.store.claim_jobs(office.clock.now(), BATCH, pump.LEASE_S)
        for due in waiting:
            self._deliver(due)
        return len(waiting)

    def sweep_until_quiet(self) -> Swept:
        """Sweep until nothing is due and nothing waits, such as after the clock was set."""
        total = Swept()
        for _ in range(_MOST_ROUNDS):
            swept = self.sweep()
            if not swept:
                break
            total += swept
        return total


def post_step(office: Office) -> Callable[[], float]:
    """Make the step of what sends mails and webhooks; other sides that are slow hold up only it."""

    def step() -> float:
        return 0.0 if office.notifier.sweep(office.clock.now()) else LONGEST_SLEEP_S

    return step


class Loop:
    """A thread that takes one step after the other, and sleeps in between.

    Parameters
    ----------
    step : does what is to be done, and says in how many seconds to look again.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self._step = step
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"duban-{name}", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the step under way and stop."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def run(self) -> None:
        """Work in this thread until somebody calls `stop`."""
        self._run()

    def request_stop(self) -> None:
        """Ask the loop to stop, without waiting; safe within a signal handler."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._once())

    def _once(self) -> float:
        try:
            return self._step()
        except Exception as failure:
            log.error("step_failed", exc_info=failure)
            return LONGEST_SLEEP_S


def log_as_json() -> None:
    """Write logs as a JSON object per line, to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def run_worker(office: Office, threads: int) -> None:
    """Work until SIGTERM or SIGINT: alone when there is no Redis, else with other workers.

    With Redis, each worker's loop fires due timers itself and sends waiting jobs to the queue, for
    the threads of any worker. A job that is lost on the way is claimed again when its lease ends.
    """
    log_as_json()
    deliver: Deliver | None = None
    running = None
    if office.settings.redis_url is not None:
        deliver, running = _queue(office, office.settings.redis_url, threads)
    loop = Loop("worker", Sweeper(office, deliver).step)
    post = Loop("post", post_step(office))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.request_stop())
    log.info("worker_started", queue=deliver is not None)
    post.start()
    loop.run()
    post.stop()
    if running is not None:
        running.stop()
    log.info("worker_stopped")


def _queue(office: Office, url: str, threads: int) -> tuple[Deliver, Stoppable]:
    import dramatiq  # noqa: PLC0415 -- only this shape needs it
    from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415

    broker = RedisBroker(url=url)  # type: ignore[no-untyped-call]  # dramatiq's own
    dramatiq.set_broker(broker)

    # Attempts and waits are the outbox's, not the queue's; a message older than a lease is void.
    lease_ms = int(pump.LEASE_S * 1000)

    @dramatiq.actor(
        actor_name=DELIVER, queue_name=QUEUE, broker=broker, max_retries=0, max_age=lease_ms
    )
    def deliver_job(case: str, job: str, topic: str, attempts: int) -> None:
        due = DueJob(CaseId(case), JobId(job), topic, attempts)
        pump.deliver(office.engine, office.handlers, due, office.clock.now())

    worker = dramatiq.Worker(broker, queues={QUEUE}, worker_threads=threads)
    # Without it, time limits and shutdown never reach threads of this process.
    broker.emit_after("process_boot")
    worker.start()

    def send(due: DueJob) -> None:
        deliver_job.send(due.case, due.job, due.topic, due.attempts)

    return send, worker
