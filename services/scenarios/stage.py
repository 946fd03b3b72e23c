"""A throwaway office for one scenario: a database of its own, people, one definition, a clock."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from argon2 import PasswordHasher

from engine import SetClock
from services.demo.sample import units
from services.office import Office, build_office
from services.people.demo import create_demo_people
from services.settings import Settings

_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Nobody signs in here."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An office whose clock is in the hands of the scenario."""

    office: Office
    clock: SetClock
    case_type: str
    taken: dict[str, str] = field(default_factory=dict)
    """Files that steps attached: SHA-256 by name."""


@contextmanager
def stage(
    files: Mapping[str, bytes], now: datetime, *, database_url: str | None = None
) -> Iterator[Stage]:
    """Open a throwaway office with the demonstration's people and one definition.

    Parameters
    ----------
    files : the definition, as `engine.definitions.load_folder` gives it.
    now : where the clock stands at first.
    database_url : an empty database; `None` means a SQLite file that is deleted afterwards.

    Raises
    ------
    InvalidDefinition : the definition can't run.
    """
    data = Path(tempfile.mkdtemp(prefix="duban-scenario-"))
    clock = SetClock(now)
    try:
        settings = Settings(data=data, database_url=database_url, secret_key="scenario")  # noqa: S106
        office = build_office(settings, clock)
        try:
            with office.store.transaction() as transaction:
                create_demo_people(transaction.connection, units(), "none", hasher=_QUICK)
            deployed = office.engine.library.deploy(files, "system", now)
            yield Stage(office, clock, deployed.key)
        finally:
            office.close()
    finally:
        shutil.rmtree(data)
