"""The third door: due timers and open jobs, swept in process or by workers beside the server.

In process a thread sweeps; as a server shape, each ``duban worker`` sweeps for due timers itself
and takes jobs from Redis. Any number of them may run: whoever claims a row has it.
"""

import threading
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import structlog

from services.office import Office

LONGEST_SLEEP_S = 1.0
BATCH = 200
_MOST_ROUNDS = 100_000

log = structlog.get_logger("duban.worker")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep came to."""

    timers: int = 0
    jobs: int = 0

    def __add__(self, other: "Swept") -> "Swept":
        return Swept(self.timers + other.timers, self.jobs + other.jobs)

    def __bool__(self) -> bool:
        return bool(self.timers or self.jobs)


class Sweeper:
    """Sweeps an installation; one sweep at a time in a process."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._lock = threading.Lock()
        self.last_sweep: float | None = None
        """When the last sweep ended, by `time.monotonic`."""

    def sweep(self) -> Swept:
        """Fire what is due and deliver what waits, one batch of each."""
        with self._lock:
            engine = self._office.engine
            swept = Swept(
                engine.fire_due(limit=BATCH), engine.deliver_jobs(self._office.handlers, BATCH)
            )
        self.last_sweep = monotonic()
        return swept

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
