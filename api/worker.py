"""The third door: due timers and open jobs, swept in process or by workers beside the server.

In process a thread sweeps; as a server shape, each ``duban worker`` sweeps for due timers itself
and takes jobs from Redis. Any number of them may run: whoever claims a row has it.
"""

import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from time import monotonic
from typing import Protocol

import structlog

from engine import CaseId, JobId, pump
from engine.errors import Problem
from engine.store import DueJob
from services.evidence.sealing import seal
from services.office import Office
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
        self.last_sweep: float | None = None
        """When the last sweep ended, by `time.monotonic`."""

    def sweep(self) -> Swept:
        """Fire what is due and deliver what waits, one batch of each."""
        with self._lock:
            self._daily()
            swept = Swept(
                self._office.engine.fire_due(limit=BATCH),
                self._jobs(),
                self._office.documents.sweep(self._office.clock.now()),
            )
        self.last_sweep = monotonic()
        return swept

    def _daily(self) -> None:
        # A signed head over all cases, and measures that are due; another worker may be first.
        today = self._office.clock.now().astimezone(self._office.settings.zone).date()
        if today != self._sealed_on:
            self._sealed_on = today
            seal(self._office, once_a_day=True)
            try:
                propose_measures(self._office.engine, self._office.clock.now())
            except Problem as refusal:
                log.warning("measures not proposed", problem=str(refusal))

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


class Loop:
    """A thread that sweeps, and sleeps until the next timer is due, at most a second."""

    def __init__(self, office: Office, sweeper: Sweeper) -> None:
        self._office = office
        self._sweeper = sweeper
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="duban-worker", daemon=True)

    def start(self) -> None:
        """Begin to sweep."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the sweep under way and stop."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def run(self) -> None:
        """Sweep in this thread until somebody calls `stop`."""
        self._run()

    def request_stop(self) -> None:
        """Ask the loop to stop, without waiting; safe within a signal handler."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._once())

    def _once(self) -> float:
        try:
            if self._sweeper.sweep():
                return 0.0
            return self._until_next()
        except Exception as failure:
            log.error("sweep_failed", exc_info=failure)
            return LONGEST_SLEEP_S

    def _until_next(self) -> float:
        due = self._office.store.next_due()
        if due is None:
            return LONGEST_SLEEP_S
        left = due - self._office.clock.now()
        return min(max(left, timedelta(milliseconds=20)).total_seconds(), LONGEST_SLEEP_S)


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
    loop = Loop(office, Sweeper(office, deliver))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.request_stop())
    log.info("worker_started", queue=deliver is not None)
    loop.run()
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
