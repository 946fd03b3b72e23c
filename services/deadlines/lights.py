"""When an open task turns yellow, by the office's own table (domain.md §5)."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.case import Lookups
from engine.expressions import Names, Setting
from engine.library import Library
from engine.records import instant_text
from engine.store import Transaction
from services.deadlines import calendar as calendars
from services.deadlines.calendar import Calendar
from services.deadlines.periods import parse_period
from services.deadlines.rules import LIGHTS

OFFICE_RHYTHM = "office_rhythm"
"""The definition that holds what goes for the office as a whole, not for one type of case."""

_TASK = "task"


def task_yellow_from(
    library: Library,
    transaction: Transaction,
    calendar: Callable[[], Calendar],
    now: datetime,
    zone: ZoneInfo,
) -> Callable[[datetime], datetime]:
    """Give what tells from when a task due at an instant is shown in yellow.

    Without a deployed `OFFICE_RHYTHM` nothing turns yellow before it is due.
    """
    deployed = transaction.deployment(OFFICE_RHYTHM)
    if deployed is None:
        return lambda due: due
    definition = library.get(deployed.sha256, transaction)
    setting = Setting(Names({"case_type": _TASK}), Lookups(frozenset()), instant_text(now))
    period = parse_period(definition.table(LIGHTS).evaluate(setting).outputs["yellow_period"])
    return lambda due: calendars.before(due, period, calendar(), zone=zone)
