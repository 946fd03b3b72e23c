"""Killed at a named point: before the commit nothing happened, after it everything did."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Actor, CaseId, CompleteTask, TaskId, pump
from engine.events import TimerFired
from engine.execute import Executor
from engine.pump import Handler
from engine.shelf import Shelf
from engine.store.sql import SqlStore
from engine.store.sql_transaction import SqlTransaction
from services.cases.commands import RegisterCase
from tests import servers
from tests.helpers.offices import (
    INSTRUCTION,
    NOW,
    Place,
    dispatched_case,
    furnish,
    open_place,
    registered_case,
    registration,
    sqlite_place,
)
from tests.helpers.processes import processes
from tests.helpers.town import sweep, town_of

CASE = CaseId("case-1")
DUE = NOW + timedelta(days=20)


def die(*_: object, **__: object) -> None:
    """End this process the hard way."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner: type[Any], name: str) -> None:
    """Die instead of what a method does."""
    setattr(owner, name, die)


def after(owner: type[Any], name: str) -> None:
    """Die right after what a method does."""
    original = getattr(owner, name)

    def dying(*args: Any, **more: Any) -> None:  # noqa: ANN401
        original(*args, **more)
        die()

    setattr(owner, name, dying)


def after_handlers(place: Place) -> None:
    """Die right after a job was done, before its answer is brought back."""
    for topic, handler in list(place.office.handlers.items()):

        def dying(*args: Any, handler: Handler = handler) -> dict[str, Any]:  # noqa: ANN401
            handler(*args)
            die()
            return {}

        place.office.handlers[topic] = dying  # type: ignore[index]  # a dict, only typed narrower


def commit_then_die() -> None:
    """Die right after the next commit of a writer, before anybody is told of it."""
    original = SqlStore.transaction

    class Dying:
        def __init__(self, store: SqlStore, **more: Any) -> None:  # noqa: ANN401
            self.inner = original(store, **more)
            self.write = more.get("write", True)

        def __enter__(self) -> SqlTransaction:
            return self.inner.__enter__()

        def __exit__(self, *problem: Any) -> None:  # noqa: ANN401
            self.inner.__exit__(*problem)
            if self.write:
                die()

    def dying(store: SqlStore, **more: Any) -> Dying:  # noqa: ANN401
        return Dying(store, **more)

    SqlStore.transaction = dying  # type: ignore[assignment,method-assign]


BEFORE_THE_COMMIT: Mapping[str, Callable[[], None]] = {
    "lock": lambda: after(SqlTransaction, "lock"),
    "before append": lambda: before(SqlTransaction, "append"),
    "half of append": lambda: before(SqlTransaction, "replace_rows"),
    "after append": lambda: after(SqlTransaction, "append"),
}
AFTER_THE_COMMIT: Mapping[str, Callable[[], None]] = {
    "after commit": commit_then_die,
    "before the cache": lambda: before(Shelf, "put_back"),
    "before the answer": lambda: after(Executor, "execute"),
}


def asked(place: Place, what: str) -> RegisterCase | CompleteTask:
    """Give the command that the process dies in."""
    if what == "register":
        return registration(place)
    return CompleteTask(
        case=CASE,
        by=Actor("office_director"),
        at=place.clock.now(),
        task=TaskId(f"{CASE}.t2"),
        data={"decision": "approve"},
    )


def die_in_command(data: Path, url: str | None, what: str, point: str) -> None:
    """Open the office in a process of its own and die at a point of a command."""
    place = open_place(data, url)
    ask = asked(place, what)
    {**BEFORE_THE_COMMIT, **AFTER_THE_COMMIT}[point]()
    place.execute(ask, key="k1")


def die_in_sweep(data: Path, url: str | None, point: str) -> None:
    """Open the office in a process of its own and die at a point of a sweep."""
    place = open_place(data, url, DUE)
    town = town_of(place)
    if point == "timers claimed":
        after(SqlStore, "claim_timers")
    elif point == "jobs claimed":
        after(SqlStore, "claim_jobs")
    elif point == "job done":
        after_handlers(place)
    else:
        commit_then_die()
    sweep(town)


def kill(target: Callable[..., None], *args: object) -> None:
    process = processes().Process(target=target, args=args)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.fixture(params=["sqlite", "postgresql"])
def address(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: servers.Postgres
) -> Iterator[tuple[Path, str | None]]:
    """Give the folder and address of a furnished office that nobody has open."""
    data = tmp_path / "var"
    url = postgres.create_database(furnish) if request.param == "postgresql" else None
    if url is None:
        sqlite_place(data).office.close()
    yield data, url
    if url is not None:
        postgres.drop_database(url)


def everything(place: Place) -> dict[str, int]:
    """Count the rows of all tables."""
    with place.office.store.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {
            name: int(
                connection.execute(
                    sa.select(sa.func.count()).select_from(sa.table(name))
                ).scalar_one()
            )
            for name in names
            if name not in ("counters", "settings")
        }


@pytest.mark.parametrize("what", ["register", "complete"])
@pytest.mark.parametrize("point", [*BEFORE_THE_COMMIT, *AFTER_THE_COMMIT])
def test_a_command_killed_at_any_point_happened_wholly_or_not_at_all(
    address: tuple[Path, str | None], what: str, point: str
) -> None:
    place = open_place(*address)
    if what == "complete":
        registered_case(place)
    before = everything(place)
    place.office.close()

    kill(die_in_command, *address, what, point)

    place = open_place(*address)
    if point in BEFORE_THE_COMMIT:
        assert everything(place) == before
    else:
        assert everything(place) != before
    receipt = place.execute(asked(place, what), key="k1")
    assert receipt.repeated == (point in AFTER_THE_COMMIT)
    types = [one.type for one in place.office.engine.history.stored(CASE)]
    assert types.count("task_completed") == (1 if what == "register" else 2)
    assert place.office.engine.history.verify(CASE).ok
    assert registered_number(place) == 1
    place.office.close()


def registered_number(place: Place) -> int:
    """Give the number at the end of the case's; the next case gets the one after it."""
    registered_case(place, "case-2", **INSTRUCTION)
    with place.office.store.transaction(write=False) as transaction:
        one, two = (
            int(transaction.rows(CaseId(case), "register")[0]["number"][-4:])
            for case in ("case-1", "case-2")
        )
    assert two == one + 1
    return one


@pytest.mark.parametrize("point", ["timers claimed", "jobs claimed", "job done", "after commit"])
def test_a_sweep_killed_at_any_point_loses_no_timer_and_no_job(
    address: tuple[Path, str | None], point: str
) -> None:
    place = open_place(*address)
    dispatched_case(place, co_units=["u9"])
    due = {t.timer for t in place.process(CASE).timers.values() if t.due_at <= DUE}
    assert len(due) > 2
    place.office.close()

    kill(die_in_sweep, *address, point)

    place = open_place(*address, DUE + timedelta(seconds=pump.LEASE_S + 1))
    sweep(town_of(place))
    fired = [
        one.event.timer
        for one in place.office.engine.history.recorded(CASE)
        if isinstance(one.event, TimerFired)
    ]
    assert due <= set(fired)
    assert len(set(fired)) == len(fired)
    assert place.process(CASE).jobs == {}
    with place.office.store.engine.connect() as connection:
        told = connection.execute(sa.text('SELECT job, "user" FROM notices')).all()
    assert len(set(told)) == len(told) > 0
    assert place.office.engine.history.verify(CASE).ok
    place.office.close()
