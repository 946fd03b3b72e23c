"""Read open tasks: whose they are, what their form asks, and what became of one that is over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, exists, false, or_

from engine import CaseId, Definition, ProcessState, ScopeId, States
from engine.case import Lookup, Lookups
from engine.errors import EvaluationFailed
from engine.expressions import Names, Setting, evaluate
from engine.forms import missing, prefill
from engine.journal import envelope_of
from engine.records import Json, instant_text
from engine.store import Transaction
from engine.store.tables import task_roles, tasks
from services.cases.queries import (
    Glance,
    TaskSummary,
    is_visible,
    joined_tasks,
    of_unit,
    task_summaries,
    task_summary,
    visible,
)
from services.pages import Page, each, read_page
from services.people.queries import Person

_ENDS = ("task_completed", "task_withdrawn")
_LONG_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """What a list of tasks is narrowed to.

    `mine`: assigned to the person, or to somebody away whom they act for. `candidate`: assigned to
    nobody, and the person has the role. Both together: either.
    """

    mine: bool = False
    candidate: bool = False
    unit: str | None = None
    case: str | None = None
    due_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How a task ended; `by` is who completed it, `None` for a withdrawn one."""

    kind: Literal["completed", "withdrawn"]
    by: str | None
    acting_for: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Form:
    """What a task asks: JSON Schema, hints for a page, and the values to begin with."""

    schema: Mapping[str, Json]
    ui: Mapping[str, Json]
    data: Mapping[str, Json]


def open_tasks(
    connection: Connection,
    glance: Glance,
    person: Person,
    wanted: TaskFilter,
    *,
    after: tuple[str, ...] | None = None,
    limit: int = 50,
) -> Page[TaskSummary]:
    """List open tasks of visible cases, those that wait longest first."""
    return read_page(
        connection,
        joined_tasks().where(visible(glance.visibility), *_narrowed(wanted, person)),
        (tasks.c.reached_at, tasks.c.task),
        each(lambda row: task_summary(row, glance)),
        after=after,
        limit=limit,
        newest_first=False,
    )


def open_task(connection: Connection, glance: Glance, task_id: str) -> TaskSummary | None:
    """Read one open task of a visible case."""
    statement = joined_tasks().where(tasks.c.task == task_id, visible(glance.visibility))
    statement = statement.where(tasks.c.case_id == case_of(task_id))
    return next(iter(task_summaries(connection, statement, glance)), None)


def may_see(connection: Connection, glance: Glance, task_id: str) -> bool:
    """Tell whether a person may know of the case that a task belongs or belonged to."""
    return is_visible(connection, glance.visibility, case_of(task_id))


def case_of(wait: str) -> str:
    """Give the case that a task, timer or job belongs to, by its id; "" for no such id."""
    return wait.rpartition(".")[0]


def end_of(transaction: Transaction, task_id: str) -> TaskEnd | None:
    """Tell how a task ended; `None` when it is open or never was."""
    for stored in reversed(transaction.events(CaseId(case_of(task_id)))):
        if stored.type not in _ENDS:
            continue
        envelope = envelope_of(stored)
        if envelope["payload"]["task"] == task_id:
            completed = stored.type == "task_completed"
            return TaskEnd(
                "completed" if completed else "withdrawn",
                envelope["by"] if completed else None,
                envelope["for"] if completed else None,
                stored.at,
            )
    return None


def form_of(
    definition: Definition,
    states: States,
    task_id: str,
    functions: Mapping[str, Lookup],
    now: datetime,
) -> Form | None:
    """Give the form of an open task; `None` when the task isn't among those of the states.

    Parameters
    ----------
    functions : the look-ups that default values may ask; none may write.
    """
    process = states.get(ProcessState)
    task = process.tasks.get(task_id) if isinstance(process, ProcessState) else None
    if task is None or not isinstance(process, ProcessState):
        return None
    if task.form is None:
        return Form({"type": "object", "properties": {}}, {"order": []}, {})
    return filled_form(
        definition.form(task.form), process.variables(ScopeId(task.scope)), functions, now
    )


def filled_form(
    schema: Mapping[str, Json],
    variables: Mapping[str, Json],
    functions: Mapping[str, Lookup],
    now: datetime,
) -> Form:
    """Give a form with the values it begins with."""
    lookups = Lookups(frozenset(functions), functions)
    setting = Setting(Names(variables), lookups, instant_text(now))

    def value(default: Json) -> Json:
        return evaluate(default, setting) if isinstance(default, str) else default

    def known(required: str) -> Json:
        try:
            return value(required)
        except EvaluationFailed:
            # It looks at fields of the form, which nobody has filled in yet.
            return None

    # What a blank form would lack is required as things stand.
    absent = missing(schema, {}, known)
    shown = {**schema, "required": [*schema.get("required", ()), *absent]} if absent else schema
    return Form(shown, hints(shown), prefill(schema, value))


def hints(schema: Mapping[str, Json]) -> dict[str, Json]:
    """Say how a page may show a form: its fields in order, and what to enter each with."""
    fields: Mapping[str, Mapping[str, Json]] = schema.get("properties", {})
    return {
        "order": list(fields),
        "widgets": {name: _widget(field) for name, field in fields.items()},
    }


def _widget(field: Mapping[str, Json]) -> str:
    refers = field.get("x-refers-to") or field.get("items", {}).get("x-refers-to", "")
    kinds = (
        ("units" if field.get("type") == "array" else "unit", refers == "active_unit"),
        ("user", refers in ("unit_member", "user")),
        ("select", "enum" in field),
        ("date", field.get("format") == "date" or "anyOf" in field),
        ("instant", field.get("format") == "date-time"),
        ("switch", field.get("type") == "boolean"),
        ("number", field.get("type") in ("integer", "number")),
        ("list", field.get("type") == "array"),
        ("group", field.get("type") == "object"),
        ("textarea", field.get("maxLength", 0) > _LONG_TEXT),
    )
    return next((kind for kind, fits in kinds if fits), "text")


def _narrowed(wanted: TaskFilter, person: Person) -> Iterator[ColumnElement[bool]]:
    if wanted.mine or wanted.candidate:
        ways: list[ColumnElement[bool]] = []
        if wanted.mine:
            ways.append(tasks.c.assignee.in_({person.id, *person.acting_for}))
        if wanted.candidate:
            ways.append(_is_candidate(person))
        yield or_(*ways)
    if wanted.unit is not None:
        yield or_(tasks.c.unit == wanted.unit, and_(tasks.c.unit.is_(None), of_unit(wanted.unit)))
    if wanted.case is not None:
        yield tasks.c.case_id == wanted.case
    if wanted.due_before is not None:
        yield tasks.c.due_at <= wanted.due_before


def _is_candidate(person: Person) -> ColumnElement[bool]:
    held: list[ColumnElement[bool]] = []
    for capacity in (person, *person.stands_in_for):
        for role in sorted(capacity.roles | {role for role, _ in capacity.further}):
            units = capacity.units_as(role)
            fits = or_(task_roles.c.unit.is_(None), task_roles.c.unit.in_(units))
            held.append(and_(task_roles.c.role == role, fits))
    matching: ColumnElement[Any] = or_(false(), *held)
    return and_(
        tasks.c.assignee.is_(None),
        exists().where(
            task_roles.c.case_id == tasks.c.case_id, task_roles.c.task == tasks.c.task, matching
        ),
    )
