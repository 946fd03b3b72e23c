"""Time as a dependency: the engine and everything above reads the clock it is given."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant, aware and in UTC."""

    def now(self) -> datetime:
        """Give the present instant."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the present instant."""
        return datetime.now(UTC)  # noqa: TID251 -- the one place that reads the machine's clock


class SetClock:
    """A clock that stands where it was put; tests, demo and ``--test-clock`` use it."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Give the instant the clock was put to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Put the clock to an instant; it may go back, as a server's clock may."""
        with self._lock:
            self._now = now.astimezone(UTC)
