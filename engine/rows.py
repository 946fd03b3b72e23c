"""Rows of the read tables, computed from states; only those that differ are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.ids import CaseId
from engine.state import ProcessState, State, States

Values = dict[str, Any]
MakeRows = Callable[[CaseId, States], Iterable[Values]]
TableRows = dict[tuple[Any, ...], Values]
CaseRows = dict[str, TableRows]


@dataclass(frozen=True, slots=True)
class RowsOf:
    """How one table's rows of a case are made: from which states, under which key columns."""

    table: str
    key: tuple[str, ...]
    states: tuple[type[State], ...]
    make: MakeRows


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row to write: `values` is the whole row, or only the key when it goes."""

    table: str
    kind: Literal["insert", "update", "delete"]
    key: tuple[str, ...]
    values: Values


ROWS: dict[str, RowsOf] = {}


def rows(
    table: str, *, key: tuple[str, ...], of: tuple[type[State], ...]
) -> Callable[[MakeRows], MakeRows]:
    """Register how a table's rows are made from states: `(case id, states) -> rows`.

    Each row names every column but the operational ones; `key` are its key columns after
    `case_id`. The function is called only when one of the states changed.
    """

    def register(make: MakeRows) -> MakeRows:
        ROWS[table] = RowsOf(table, key, of, make)
        return make

    return register


def make_rows(case: CaseId, states: States) -> CaseRows:
    """Compute all rows of a case in every table."""
    return {table: _table_rows(how, case, states) for table, how in ROWS.items()}


def difference(
    case: CaseId, before: CaseRows, was: States, now: States
) -> tuple[CaseRows, list[RowChange]]:
    """Compute the rows anew where a state changed, and what has to be written.

    Parameters
    ----------
    before : the rows as they stand in the tables, which `was` gave; it is left as it is.
    """
    after = dict(before)
    changes: list[RowChange] = []
    for table, how in ROWS.items():
        if all(was.get(kind) is now.get(kind) for kind in how.states) and table in before:
            continue
        after[table] = _table_rows(how, case, now)
        changes.extend(_changes(how, before.get(table, {}), after[table]))
    return after, changes


def _table_rows(how: RowsOf, case: CaseId, states: States) -> TableRows:
    made: TableRows = {}
    for values in how.make(case, states):
        values["case_id"] = case
        made[tuple(values[column] for column in how.key)] = values
    return made


def _changes(how: RowsOf, before: TableRows, after: TableRows) -> Iterator[RowChange]:
    key = ("case_id", *how.key)
    for place, values in before.items():
        if place not in after:
            yield RowChange(how.table, "delete", key, {c: values[c] for c in key})
    for place, values in after.items():
        former = before.get(place)
        if former is None:
            yield RowChange(how.table, "insert", key, values)
        elif former != values:
            yield RowChange(how.table, "update", key, values)


def _process(states: Mapping[type[State], State]) -> ProcessState:
    state = states.get(ProcessState)
    return state if isinstance(state, ProcessState) else ProcessState()


@rows("tasks", key=("task",), of=(ProcessState,))
def task_rows(case: CaseId, states: States) -> Iterator[Values]:
    """One row per open task."""
    for task in _process(states).tasks.values():
        yield {
            "task": task.task,
            "element": task.element,
            "title": task.title,
            "roles": ",".join(task.roles),
            "unit": task.unit,
            "assignee": task.assignee,
            "due_at": task.due_at,
            "reached_at": task.reached_at,
        }


@rows("task_roles", key=("task", "role"), of=(ProcessState,))
def task_role_rows(case: CaseId, states: States) -> Iterator[Values]:
    """One row per role that may take an open task nobody is assigned to."""
    for task in _process(states).tasks.values():
        if task.assignee is None:
            for role in task.roles:
                yield {"task": task.task, "role": role, "unit": task.unit}


@rows("timers", key=("timer",), of=(ProcessState,))
def timer_rows(case: CaseId, states: States) -> Iterator[Values]:
    """One row per open timer; none is due while the case is suspended or the timer stuck."""
    state = _process(states)
    for timer in state.timers.values():
        waits = state.status == "running" and timer.stuck is None
        yield {
            "timer": timer.timer,
            "element": timer.element,
            "due_at": timer.due_at if waits else None,
            "stuck": timer.stuck,
        }


@rows("jobs", key=("job",), of=(ProcessState,))
def job_rows(case: CaseId, states: States) -> Iterator[Values]:
    """One row per open job: the outbox."""
    for job in _process(states).jobs.values():
        yield {
            "job": job.job,
            "element": job.element,
            "topic": job.topic,
            "unit": job.properties.get("unit") or None,
            "requested_at": job.requested_at,
            "failed": job.failed,
        }
