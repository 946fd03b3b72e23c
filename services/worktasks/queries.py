"""Who met targets and who didn't: what the quarterly bulletin says of tasks (domain.md §6.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from services.cases.queries import visible
from services.cases.tables import register
from services.permissions import Visibility
from services.worktasks.tables import goals_met, target_results

EVERYTHING = Visibility(everything=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetResult:
    """A target that came due, with its task."""

    case: str
    number: str
    title: str
    unit: str
    by_date: date
    planned: int
    reached: int
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyGoal:
    """A task whose goal of the year was met before its deadline."""

    case: str
    number: str
    title: str
    unit: str
    at: datetime


def targets_due(
    connection: Connection,
    first: date,
    last: date,
    *,
    met: bool | None = None,
    visibility: Visibility = EVERYTHING,
) -> Sequence[TargetResult]:
    """List the targets that were due in a period, such as a quarter, by unit.

    Parameters
    ----------
    first, last : the period's days, both included.
    met : only those met, or only those missed; `None` lists both.
    """
    target = target_results.c
    statement = (
        select(
            target.case_id.label("case"),
            register.c.number,
            register.c.title,
            target.unit,
            target.by_date,
            target.planned,
            target.reached,
            target.met,
        )
        .join(register, register.c.case_id == target.case_id)
        .where(target.by_date.between(first, last), visible(visibility))
        .order_by(target.unit, register.c.number, target.by_date)
    )
    if met is not None:
        statement = statement.where(target.met == met)
    return [TargetResult(**row) for row in connection.execute(statement).mappings()]


def goals_met_early(
    connection: Connection,
    since: datetime,
    until: datetime,
    *,
    visibility: Visibility = EVERYTHING,
) -> Sequence[EarlyGoal]:
    """List the tasks whose goal was met early, from an instant up to another, by unit."""
    statement = (
        select(
            goals_met.c.case_id.label("case"),
            register.c.number,
            register.c.title,
            goals_met.c.unit,
            goals_met.c.at,
        )
        .join(register, register.c.case_id == goals_met.c.case_id)
        .where(goals_met.c.at >= since, goals_met.c.at < until, visible(visibility))
        .order_by(goals_met.c.unit, register.c.number)
    )
    return [EarlyGoal(**row) for row in connection.execute(statement).mappings()]
