"""Read which items a round may list, and which rounds are done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from services.cases.tables import register
from services.deadlines.queries import light_of
from services.rhythm.tables import rhythm_rounds
from services.worktasks.tables import work_tasks

_OVER = ("closed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """A case that a unit answers for and that isn't over."""

    case: str
    number: str
    title: str
    case_type: str
    task_kind: str
    """Of a task with targets, such as livelihood; "" for every other case."""
    status: str
    light: str
    unit: str
    deadline: datetime | None


def open_items(connection: Connection, dispatched_by: datetime) -> Sequence[OpenItem]:
    """List what units had in hand at an instant and still have, by unit and number."""
    case = register.c
    found = connection.execute(
        select(
            case.case_id,
            case.number,
            case.title,
            case.case_type,
            case.status,
            case.lead_unit,
            case.deadline,
            case.yellow_from,
            case.closed_at,
            work_tasks.c.kind,
        )
        .outerjoin(work_tasks, work_tasks.c.case_id == case.case_id)
        .where(
            case.status.not_in(_OVER),
            case.lead_unit.is_not(None),
            case.dispatched_at <= dispatched_by,
        )
        .order_by(case.lead_unit, case.number, case.case_id)
    )
    return [
        OpenItem(
            case=row.case_id,
            number=row.number,
            title=row.title,
            case_type=row.case_type,
            task_kind=row.kind or "",
            status=row.status,
            light=light_of(row.status, row.deadline, row.yellow_from, row.closed_at, dispatched_by),
            unit=row.lead_unit,
            deadline=row.deadline,
        )
        for row in found
    ]


def is_done(connection: Connection, rhythm: str, period: str) -> bool:
    """Tell whether every list of a round was sent."""
    done = rhythm_rounds.c
    wanted = select(done.period).where(done.rhythm == rhythm, done.period == period)
    return connection.execute(wanted).one_or_none() is not None


def note_done(
    connection: Connection, rhythm: str, period: str, *, due_at: datetime, now: datetime, lists: int
) -> None:
    """Note that a round is done; another worker may have noted it already."""
    if not is_done(connection, rhythm, period):
        connection.execute(
            insert(rhythm_rounds).values(
                rhythm=rhythm, period=period, due_at=due_at, done_at=now, lists=lists
            )
        )
