"""The engine as the rooms above see it: execute, history, definitions, one sweep of the pump."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from engine import chain, decisions, erasure, migration, pump
from engine.clock import Clock
from engine.commands import Command
from engine.event_types import EVENTS
from engine.execute import BindLookups, Executor, Permit, Receipt
from engine.history import History
from engine.ids import CaseId
from engine.library import Library
from engine.pump import Handler
from engine.state import APPLIERS
from engine.store import Store

_DOORS = (decisions, migration)
"""Importing the decisions registers them."""


class Engine:
    """Runs cases on one store.

    Parameters
    ----------
    permit : says who acts, or refuses; asked once per command.
    lookups : names of what decisions and expressions may ask outside a case.
    bind_lookups : gives those look-ups within a transaction.
    algorithm : name of the hash function that new cases are chained with.

    Raises
    ------
    RuntimeError : an event type has no applier: forgotten isn't the same as ignored.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        permit: Permit,
        lookups: frozenset[str],
        bind_lookups: BindLookups,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        algorithm: str = chain.ALGORITHM,
    ) -> None:
        forgotten = sorted(name for name, kind in EVENTS.items() if kind not in APPLIERS)
        if forgotten:
            message = f"event types without an applier: {', '.join(forgotten)}"
            raise RuntimeError(message)
        self.store = store
        self.clock = clock
        self.library = Library(store)
        self.history = History(store, self.library, lookups)
        self._executor = Executor(
            store,
            clock,
            self.library,
            permit=permit,
            lookups=lookups,
            bind_lookups=bind_lookups,
            entropy=entropy,
            algorithm=algorithm,
        )

    def execute(
        self, command: Command, *, key: str | None = None, expect: int | None = None
    ) -> Receipt:
        """Carry out a command, or refuse it and change nothing; see `Executor.execute`."""
        return self._executor.execute(command, key=key, expect=expect)

    def fire_due(self, now: datetime | None = None, limit: int = 200) -> int:
        """Fire due timers, at most `limit`; give how many there were."""
        return pump.fire_due(self, now or self.clock.now(), limit)

    def deliver_jobs(self, handlers: Mapping[str, Handler], limit: int = 50) -> int:
        """Deliver open jobs, at most `limit`; give how many there were."""
        return pump.deliver_jobs(self, handlers, self.clock.now(), limit)

    def erase(self, case: CaseId, by: str) -> bool:
        """Destroy the personal values of a case that is over; see `engine.erasure.erase`."""
        return erasure.erase(self.store, case, by, self.clock.now())

    def forget_live_cases(self) -> None:
        """Drop the cache; every case is rebuilt from its snapshot and history when next used."""
        self._executor.shelf.clear()
