"""An engine in memory with the rules, people and calendar of the real office."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa

from engine import Clock, Command, Engine, SetClock
from engine.case import Lookup
from engine.definitions import Definition, load_folder
from engine.library import Library
from engine.pump import Handler
from engine.store import Store, Transaction
from engine.store.memory import MemoryStore
from services import lookups
from services.deadlines.queries import load_calendar
from services.office import Office
from services.people import queries as people
from services.people.queries import Person
from services.permit import Permissions
from tests.helpers.offices import BPMN, NOW, Place, furnished_file

ZONE = people.OFFICE_ZONE


@dataclass(frozen=True, slots=True)
class Town:
    """A store with an engine on it, its clock, and who does its jobs."""

    engine: Engine
    store: Store
    clock: SetClock
    handlers: Mapping[str, Handler]
    office: Office | None = None
    """The whole office where there is one, with a database of its own."""


def town_of(place: Place) -> Town:
    """Look at a real office as a town."""
    office: Office = place.office
    return Town(office.engine, office.store, place.clock, office.handlers, office)


class Done(dict[str, Handler]):
    """Does every job at once, whatever its topic."""

    def __missing__(self, topic: str) -> Handler:
        return lambda _case, _job, _facts: {}


@dataclass(frozen=True, slots=True)
class _Beside:
    """A transaction in memory, with a real database beside it to look people up in."""

    transaction: Transaction
    connection: sa.Connection

    def next_number(self, counter: str) -> int:
        return self.transaction.next_number(counter)


@dataclass(slots=True)
class _Registers:
    """People and calendar of the furnished office; they never change here."""

    connection: sa.Connection
    clock: Clock
    persons: dict[str, Person | None] = field(default_factory=dict)

    def person(self, user: str, _transaction: object) -> Person | None:
        """Give a person by login."""
        if user not in self.persons:
            self.persons[user] = people.person(self.connection, user, self.clock.now())
        return self.persons[user]


@contextmanager
def memory_town(*case_types: str) -> Iterator[Town]:
    """Open a town whose cases are kept in memory.

    Parameters
    ----------
    case_types : the definitions to deploy.
    """
    clock = SetClock(NOW)
    database = sa.create_engine(f"sqlite:///file:{furnished_file()}?mode=ro&uri=true")
    with database.connect() as connection:
        registers = _Registers(connection, clock)
        calendar = load_calendar(connection)

        def bind(transaction: Transaction, _command: Command) -> Mapping[str, Lookup]:
            beside: Any = _Beside(transaction, connection)
            return lookups.Lookups(beside, lambda: calendar, registers.person, ZONE).functions()

        store, parsed = _deployed(case_types)
        engine = Engine(
            store.copy(),
            clock,
            permit=Permissions(registers.person),
            lookups=lookups.NAMES,
            bind_lookups=bind,
        )
        engine.library._parsed.update(parsed)
        yield Town(engine, engine.store, clock, Done())
    database.dispose()


@cache
def _deployed(case_types: tuple[str, ...]) -> tuple[MemoryStore, Mapping[str, Definition]]:
    """Deploy definitions once; parsing them takes longer than a whole case."""
    store = MemoryStore()
    library = Library(store)
    for case_type in case_types:
        library.deploy(load_folder(BPMN, case_type), "designer", NOW)
    return store, dict(library._parsed)


def pass_to_next_timer(town: Town) -> int:
    """Put the clock to the next due instant and do everything that comes of it."""
    due = town.store.next_due()
    if due is not None:
        town.clock.set(max(due, town.clock.now()))
    return sweep(town)


def sweep(town: Town) -> int:
    """Fire what is due and deliver jobs until nothing is left to do."""
    count = 0
    while True:
        swept = town.engine.fire_due() + town.engine.deliver_jobs(town.handlers)
        count += swept
        if not swept:
            return count
