"""Cases made at random by Hypothesis, in memory, on SQLite or PostgreSQL; see `machine.Work`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests import servers
from tests.helpers.offices import furnish, open_place, sqlite_place
from tests.helpers.town import Town, town_of
from tests.stateful.machine import Tally, Work

STEPS = 40

OpenTown = Callable[[], AbstractContextManager[Town]]


@contextmanager
def sqlite_town() -> Iterator[Town]:
    """Open a furnished office on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        place = sqlite_place(Path(folder))
        yield town_of(place)
        place.office.close()


@contextmanager
def postgres_town() -> Iterator[Town]:
    """Open a furnished office on PostgreSQL."""
    server = servers.postgres()
    url = server.create_database(furnish)
    with tempfile.TemporaryDirectory() as folder:
        place = open_place(Path(folder), url)
        yield town_of(place)
        place.office.close()
    server.drop_database(url)


def work_on(
    case_type: str,
    open_town: OpenTown,
    examples: int,
    *,
    use_seed: int | None = None,
    bundles: bool = False,
) -> Tally:
    """Let Hypothesis work on cases of a type; a failure prints the history and how to repeat it.

    Parameters
    ----------
    examples : how many cases, each in an office of its own.
    use_seed : gives the same cases each time; without it, other ones.
    bundles : take an evidence bundle of every case and verify it offline, too.
    """

    class Working(Work):
        def open_town(self) -> AbstractContextManager[Town]:
            return open_town()

    Working.case_type = case_type
    Working.tally = Tally()
    Working.takes_bundles = bundles
    setting = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        database=None if use_seed is not None else settings().database,
        # Making forty steps fewer takes minutes; the history that a failure prints says enough.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    machine = Working if use_seed is None else seed(use_seed)(Working)
    run_state_machine_as_test(machine, settings=setting)
    return Working.tally
