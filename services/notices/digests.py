"""What a digest tells: the cases its reader may see, what waits for them, what is late."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.cases.queries import Glance
from services.deadlines.calendar import Calendar
from services.notices.messages import Digest, Item
from services.notices.queries import Wishes
from services.notices.words import Language, when
from services.people import queries as people
from services.people.queries import Person
from services.permissions import visible_cases
from services.statistics.figures import MEASURES, CaseFigures, counted
from services.statistics.queries import counted_cases
from services.tasks.queries import TaskFilter, open_tasks

SHOWN = 10
SHOWN_UNITS = 5
_SPAN = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}


def period_due(wish: Wishes, now: datetime, calendar: Calendar, zone: ZoneInfo) -> str | None:
    """Name the digest that is due for a person, such as ``daily:2026-03-02``; `None` when none is.

    A daily one comes on working days, a weekly one on the first working day of the week, from the
    person's hour on. One that was missed isn't made up for once its day is over.
    """
    local = now.astimezone(zone)
    day = local.date()
    if local.hour < wish.digest_hour or not calendar.is_working(day):
        return None
    if wish.digest == "daily":
        return f"daily:{day.isoformat()}"
    before = (day - timedelta(days=n) for n in range(1, day.isoweekday()))
    if wish.digest != "weekly" or any(calendar.is_working(one) for one in before):
        return None
    year, week, _ = day.isocalendar()
    return f"weekly:{year}-W{week:02}"


def digest_of(
    connection: Any,  # noqa: ANN401 -- SQLAlchemy's connection
    person: Person,
    kind: str,
    now: datetime,
    *,
    language: Language,
    zone: ZoneInfo,
) -> Digest:
    """Gather what a person is told of the day or week before `now`."""
    glance = Glance(visible_cases(person), now, lambda due: due)
    found = counted_cases(connection, glance)
    since = now - _SPAN[kind]
    late = sorted(
        (case for case in found if MEASURES["overdue"].counts(case)),
        key=lambda case: (case.deadline or case.registered_at, case.number),
    )
    counts = (
        ("open", _count(found, "open")),
        ("yellow", sum(case.light == "yellow" for case in found)),
        ("red", len(late)),
        ("new", sum(since <= case.registered_at < now for case in found)),
        ("closed", sum(_closed_within(case, since, now) for case in found)),
    )
    names = {unit.code: unit.name for unit in people.units(connection)}
    return Digest(
        kind=kind,
        as_of=now,
        counts=counts,
        lists=(
            _waiting(connection, glance, person, language, zone),
            _late(late, names, language, zone),
            _worst(late, names) if glance.visibility.everything else ("worst", (), 0),
        ),
    )


_List = tuple[str, tuple[Item, ...], int]


def _count(found: list[CaseFigures], measure: str) -> int:
    return sum(map(MEASURES[measure].counts, found))


def _closed_within(case: CaseFigures, since: datetime, now: datetime) -> bool:
    return case.is_closed and case.closed_at is not None and since <= case.closed_at < now


def _waiting(
    connection: Any,  # noqa: ANN401 -- SQLAlchemy's connection
    glance: Glance,
    person: Person,
    language: Language,
    zone: ZoneInfo,
) -> _List:
    wanted = TaskFilter(mine=True, candidate=True)
    page = open_tasks(connection, glance, person, wanted, limit=200)
    items = tuple(
        Item(
            case=task.case,
            text=f"{task.name}：{task.case_number} {task.case_title}",
            note="" if task.due_at is None else when(task.due_at, language, zone),
            light=task.light,
        )
        for task in page.items
    )
    return ("waiting", items[:SHOWN], max(len(items) - SHOWN, 0))


def _late(
    late: list[CaseFigures], names: dict[str, str], language: Language, zone: ZoneInfo
) -> _List:
    items = tuple(
        Item(
            case=case.id,
            text=f"{case.number} {case.title}",
            note=" · ".join(
                filter(
                    None,
                    (
                        names.get(case.unit or "", case.unit or ""),
                        "" if case.deadline is None else when(case.deadline, language, zone),
                    ),
                )
            ),
            light="red",
        )
        for case in late[:SHOWN]
    )
    return ("late", items, max(len(late) - SHOWN, 0))


def _worst(late: list[CaseFigures], names: dict[str, str]) -> _List:
    counts = counted(case.unit for case in late if case.unit is not None)
    items = tuple(
        Item(case="", text=names.get(unit, unit), note=str(count), light="red")
        for unit, count in counts.items()
    )
    return ("worst", items[:SHOWN_UNITS], max(len(items) - SHOWN_UNITS, 0))
