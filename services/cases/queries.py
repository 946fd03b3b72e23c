"""Read the register: which cases there are, and what one of them is, for the person who looks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    false,
    or_,
    select,
    true,
)

from engine import CaseId, States
from engine.records import Json
from engine.rows import make_rows
from engine.state import ProcessState
from engine.store.tables import cases as heads
from engine.store.tables import task_roles, tasks
from services.cases.tables import case_people, case_units, register
from services.deadlines.queries import Light, light_is, light_of
from services.pages import Page, read_page
from services.people.roles import Role
from services.permissions import CaseFacts, Visibility


@dataclass(frozen=True, slots=True)
class Glance:
    """Who looks, and when: what is visible, and how near a due instant is.

    `yellow_from` gives the instant from which something due then is shown in yellow.
    """

    visibility: Visibility
    now: datetime
    yellow_from: Callable[[datetime], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    """An open task as lists show it."""

    id: str
    case: str
    element: str
    name: str
    roles: tuple[str, ...]
    unit: str | None
    assignee: str | None
    due_at: datetime | None
    reached_at: datetime
    light: Light
    case_number: str
    case_title: str
    case_type: str


@dataclass(frozen=True, slots=True)
class DefinitionVersion:
    """The version of a definition that a case runs on."""

    key: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Rounds:
    """Where a case stands in the three rounds, or how far they went."""

    round: int
    status: str
    highest_round: int
    measures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """A case as the register shows it; `seq` and `head` are those of its last event."""

    id: str
    number: str
    case_type: str
    title: str
    status: str
    light: Light
    urgency: str
    secrecy: str
    source_kind: str
    source_number: str | None
    source_date: date | None
    issuer: str | None
    parent: str | None
    lead_unit: str | None
    co_units: tuple[str, ...]
    handling: str
    deadline: datetime | None
    provisional: bool
    extensions: int
    registered_by: str
    registered_at: datetime
    dispatched_at: datetime | None
    feedback_at: datetime | None
    feedback_late: bool | None
    closed_at: datetime | None
    returns: int
    rating: str | None
    escalation: Rounds | None
    definition: DefinitionVersion
    open_tasks: tuple[TaskSummary, ...]
    seq: int
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """What a list of cases is narrowed to; `None` doesn't narrow it."""

    case_type: str | None = None
    status: str | None = None
    unit: str | None = None
    light: Light | None = None
    text: str | None = None
    due_before: datetime | None = None
    due_after: datetime | None = None
    parent: str | None = None


def cases(
    connection: Connection,
    glance: Glance,
    wanted: CaseFilter,
    *,
    after: tuple[str, ...] | None = None,
    limit: int = 50,
) -> Page[CaseSummary]:
    """List visible cases, the last registered first.

    Parameters
    ----------
    after, limit : see `read_page`.
    """

    def items_of(rows: Sequence[RowMapping]) -> list[CaseSummary]:
        waiting = open_tasks_of(connection, [row["case_id"] for row in rows], glance)
        return [_summary(row, waiting.get(row["case_id"], ()), glance.now) for row in rows]

    return read_page(
        connection,
        _joined().where(visible(glance.visibility), *_narrowed(wanted, glance.now)),
        (register.c.registered_at, register.c.case_id),
        items_of,
        after=after,
        limit=limit,
    )


def case(connection: Connection, glance: Glance, case_id: str) -> CaseSummary | None:
    """Read one case; `None` when there is none, or it isn't for this person's eyes."""
    statement = _joined().where(register.c.case_id == case_id, visible(glance.visibility))
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        return None
    waiting = open_tasks_of(connection, [case_id], glance)
    return _summary(row, waiting.get(case_id, ()), glance.now)


def case_as_of(case_id: str, seq: int, head: str, states: States, glance: Glance) -> CaseSummary:
    """Give a case as the register showed it after event `seq`."""
    rows = make_rows(CaseId(case_id), states)
    process = states[ProcessState]
    if not isinstance(process, ProcessState):
        raise TypeError(process)
    row = {
        **next(iter(rows["register"].values())),
        "seq": seq,
        "head": head,
        "definition": process.definition,
        "definition_version": process.definition_version,
        "definition_sha256": process.definition_sha256,
    }
    about = {**row, "case_title": row["title"]}
    waiting = (task_summary({**about, **task}, glance) for task in rows["tasks"].values())
    return _summary(row, tuple(waiting), glance.now)


def exists(connection: Connection, case_id: str) -> bool:
    """Tell whether there is a case with this id, whoever asks."""
    found = connection.execute(select(heads.c.seq).where(heads.c.case_id == case_id)).first()
    return found is not None


def id_of(connection: Connection, number: str) -> str | None:
    """Give the id of the case with a number such as ``督〔2026〕批示-0001``."""
    found = select(register.c.case_id).where(register.c.number == number)
    return connection.execute(found).scalars().first()


def is_visible(connection: Connection, visibility: Visibility, case_id: str) -> bool:
    """Tell whether a person may know of a case."""
    found = connection.execute(
        select(register.c.case_id).where(register.c.case_id == case_id, visible(visibility))
    ).first()
    return found is not None


def facts(connection: Connection, case_id: str) -> CaseFacts:
    """Give what rights on a case depend on, as far as tables say; who worked on it they don't."""
    units = connection.execute(select(case_units.c.unit).where(case_units.c.case_id == case_id))
    people = connection.execute(
        select(case_people.c.user, case_people.c.part).where(case_people.c.case_id == case_id)
    ).all()
    offered = connection.execute(_offered_units().where(task_roles.c.case_id == case_id))
    return CaseFacts(
        units=frozenset(units.scalars()),
        offered_to=frozenset(offered.scalars()),
        assigned_users=frozenset(row.user for row in people if row.part != "proposer"),
        proposer_users=frozenset(row.user for row in people if row.part == "proposer"),
    )


def _offered_units() -> Select[Any]:
    # Only tasks that nobody is assigned to have rows of roles.
    handlers = task_roles.c.role == Role.HANDLER
    return select(task_roles.c.unit).where(handlers, task_roles.c.unit.is_not(None))


def open_tasks_of(
    connection: Connection, case_ids: Sequence[str], glance: Glance
) -> dict[str, tuple[TaskSummary, ...]]:
    """Read the open tasks of cases, in the order they were reached."""
    found: dict[str, tuple[TaskSummary, ...]] = {}
    if not case_ids:
        return found
    statement = joined_tasks().where(tasks.c.case_id.in_(case_ids))
    for task in task_summaries(
        connection, statement.order_by(tasks.c.reached_at, tasks.c.task), glance
    ):
        found[task.case] = (*found.get(task.case, ()), task)
    return found


def task_summaries(
    connection: Connection, statement: Select[Any], glance: Glance
) -> Iterable[TaskSummary]:
    """Run a SELECT made of `joined_tasks`."""
    return [task_summary(row, glance) for row in connection.execute(statement).mappings()]


def joined_tasks() -> Select[Any]:
    """Give the SELECT of open tasks with what lists show of their cases."""
    shown = (register.c.number, register.c.title.label("case_title"), register.c.case_type)
    return select(tasks, *shown, register.c.status).join(
        register, register.c.case_id == tasks.c.case_id
    )


def visible(visibility: Visibility) -> ColumnElement[bool]:
    """Give the condition on `register` that a person may know of a case (domain.md §12)."""
    if visibility.everything:
        return true()
    ways: list[ColumnElement[bool]] = []
    if visibility.units:
        concerned = select(case_units.c.case_id).where(case_units.c.unit.in_(visibility.units))
        ways.append(register.c.case_id.in_(concerned))
    if visibility.assigned_to:
        assigned = select(case_people.c.case_id).where(
            case_people.c.user.in_(visibility.assigned_to), case_people.c.part != "proposer"
        )
        ways.append(register.c.case_id.in_(assigned))
    if visibility.offered_to:
        offered = select(task_roles.c.case_id).where(
            task_roles.c.role == Role.HANDLER, task_roles.c.unit.in_(visibility.offered_to)
        )
        ways.append(register.c.case_id.in_(offered))
    if visibility.proposed_by:
        proposed = select(case_people.c.case_id).where(
            case_people.c.user.in_(visibility.proposed_by), case_people.c.part == "proposer"
        )
        ways.append(register.c.case_id.in_(proposed))
    return or_(false(), *ways)


def of_unit(unit: str) -> ColumnElement[bool]:
    """Give the condition on `register` that a unit leads a case or contributes to it now."""
    now = select(case_units.c.case_id).where(
        case_units.c.unit == unit, case_units.c.part.in_(("lead", "co"))
    )
    return register.c.case_id.in_(now)


def _joined() -> Select[Any]:
    ours = (
        heads.c.seq,
        heads.c.head,
        heads.c.definition,
        heads.c.definition_version,
        heads.c.definition_sha256,
    )
    return select(register, *ours).join(heads, heads.c.case_id == register.c.case_id)


def _narrowed(wanted: CaseFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    equal = {
        register.c.case_type: wanted.case_type,
        register.c.status: wanted.status,
        register.c.parent: wanted.parent,
    }
    conditions += [column == value for column, value in equal.items() if value is not None]
    if wanted.unit is not None:
        conditions.append(of_unit(wanted.unit))
    if wanted.light is not None:
        conditions.append(light_is(wanted.light, now))
    if wanted.due_before is not None:
        conditions.append(register.c.deadline <= wanted.due_before)
    if wanted.due_after is not None:
        conditions.append(register.c.deadline > wanted.due_after)
    if wanted.text:
        conditions.append(_mentions(wanted.text))
    return conditions


def _mentions(text: str) -> ColumnElement[bool]:
    places = (
        register.c.title,
        register.c.number,
        register.c.source_number,
        register.c.issuer,
    )
    words = text.split()[:8]
    return and_(
        true(), *(or_(*(place.icontains(w, autoescape=True) for place in places)) for w in words)
    )


def _summary(row: Mapping[Any, Any], waiting: Iterable[TaskSummary], now: datetime) -> CaseSummary:
    rounds = None
    if row["escalation_status"] is not None:
        rounds = Rounds(
            row["escalation_round"] or 1,
            row["escalation_status"],
            row["highest_round"],
            row["measures"],
        )
    kept: dict[str, Json] = {name: row[name] for name in _SHOWN_AS_STORED}
    return CaseSummary(
        id=row["case_id"],
        co_units=tuple(filter(None, row["co_units"].split(","))),
        light=light_of(row["status"], row["deadline"], row["yellow_from"], row["closed_at"], now),
        escalation=rounds,
        definition=DefinitionVersion(
            row["definition"], row["definition_version"], row["definition_sha256"]
        ),
        open_tasks=tuple(waiting),
        **kept,
    )


_SHOWN_AS_STORED = (
    "number",
    "case_type",
    "title",
    "status",
    "urgency",
    "secrecy",
    "source_kind",
    "source_number",
    "source_date",
    "issuer",
    "parent",
    "lead_unit",
    "handling",
    "deadline",
    "provisional",
    "extensions",
    "registered_by",
    "registered_at",
    "dispatched_at",
    "feedback_at",
    "feedback_late",
    "closed_at",
    "returns",
    "rating",
    "seq",
    "head",
)


def task_summary(row: Mapping[Any, Any], glance: Glance) -> TaskSummary:
    """Give a task of a row that `joined_tasks` selected."""
    due = row["due_at"]
    yellow = None if due is None else glance.yellow_from(due)
    return TaskSummary(
        id=row["task"],
        case=row["case_id"],
        element=row["element"],
        name=row["title"],
        roles=tuple(filter(None, row["roles"].split(","))),
        unit=row["unit"],
        assignee=row["assignee"],
        due_at=due,
        reached_at=row["reached_at"],
        light=light_of(row["status"], due, yellow, None, glance.now),
        case_number=row["number"],
        case_title=row["case_title"],
        case_type=row["case_type"],
    )
