"""Every definition, worked on at random: replay, tables and history agree after every step."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests import servers
from tests.helpers.offices import CASE_TYPES, furnish, open_place, sqlite_place
from tests.helpers.town import Town, memory_town, town_of
from tests.stateful.machine import Work

STEPS = 40
IN_MEMORY = 20
IN_DATABASE = 2

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


def work_on(case_type: str, open_town: OpenTown, examples: int) -> None:
    """Let Hypothesis work on cases of a type; a failure prints the history and how to repeat it."""

    class Working(Work):
        def open_town(self) -> AbstractContextManager[Town]:
            return open_town()

    Working.case_type = case_type
    setting = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        # Making forty steps fewer takes minutes; the history that a failure prints says enough.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Working, settings=setting)


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_a_case_in_memory_holds_together_whatever_comes(case_type: str) -> None:
    work_on(case_type, partial(memory_town, case_type), IN_MEMORY)


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_a_case_on_sqlite_holds_together_whatever_comes(case_type: str) -> None:
    work_on(case_type, sqlite_town, IN_DATABASE)


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_a_case_on_postgresql_holds_together_whatever_comes(case_type: str) -> None:
    work_on(case_type, postgres_town, IN_DATABASE)
