from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from services.deadlines import tables
from services.deadlines.calendar import DayKind, working_days_between
from services.deadlines.errors import ScheduleInvalid
from services.deadlines.queries import (
    calendar_revision,
    load_calendar,
    load_year,
    schedule,
    seed,
)

SPRING = date(2027, 2, 8)
MAKE_UP = date(2027, 2, 14)
NOTICE = "国办发明电〔2026〕9号"


@pytest.fixture
def connection() -> Iterator[Connection]:
    database = create_engine("sqlite://", poolclass=StaticPool)
    tables.calendar_days.metadata.create_all(
        database, tables=[tables.calendar_days, tables.calendar_years]
    )
    with database.begin() as connection:
        yield connection
    database.dispose()


def test_the_seed_knows_the_years_2020_to_2026(connection: Connection) -> None:
    seed(connection)

    calendar = load_calendar(connection)

    assert calendar.years == frozenset(range(2020, 2027))
    assert working_days_between(date(2025, 12, 31), date(2026, 12, 31), calendar) == 248
    assert schedule(connection, 2026).notice == "国务院办公厅关于2026年部分节假日安排的通知"


def test_seeding_again_keeps_what_was_loaded(connection: Connection) -> None:
    load_year(connection, 2026, {date(2026, 3, 2): DayKind.HOLIDAY}, NOTICE)
    seed(connection)
    revision = calendar_revision(connection)
    seed(connection)

    assert calendar_revision(connection) == revision
    assert schedule(connection, 2026).days == ((date(2026, 3, 2), DayKind.HOLIDAY),)


def test_a_loaded_year_is_not_provisional_any_more(connection: Connection) -> None:
    seed(connection)
    before = load_calendar(connection)

    load_year(
        connection,
        2027,
        {SPRING: DayKind.HOLIDAY, MAKE_UP: DayKind.MAKE_UP},
        NOTICE,
        published_at=date(2026, 11, 4),
    )
    after = load_calendar(connection)

    assert before.is_provisional(2027)
    assert not after.is_provisional(2027)
    assert before.is_working(SPRING)
    assert not after.is_working(SPRING)
    assert not before.is_working(MAKE_UP)
    assert after.is_working(MAKE_UP)
    assert after.sha256 != before.sha256
    loaded = schedule(connection, 2027)
    assert (loaded.notice, loaded.published_at, loaded.revision) == (NOTICE, date(2026, 11, 4), 1)


def test_loading_a_year_again_replaces_its_days_and_raises_the_revision(
    connection: Connection,
) -> None:
    first = load_year(connection, 2027, {SPRING: DayKind.HOLIDAY}, NOTICE)
    before = calendar_revision(connection)
    second = load_year(connection, 2027, {MAKE_UP: DayKind.MAKE_UP}, NOTICE)

    assert (first, second) == (1, 2)
    assert calendar_revision(connection) == before + 1
    assert schedule(connection, 2027).days == ((MAKE_UP, DayKind.MAKE_UP),)


def test_a_notice_may_name_days_in_the_december_before(connection: Connection) -> None:
    load_year(connection, 2027, {date(2026, 12, 31): DayKind.HOLIDAY}, NOTICE)
    load_year(connection, 2026, {}, NOTICE)

    assert load_calendar(connection).kind_of(date(2026, 12, 31)) is DayKind.HOLIDAY


def test_a_year_that_is_not_loaded_has_no_schedule(connection: Connection) -> None:
    missing = schedule(connection, 2030)

    assert (missing.notice, missing.published_at, missing.revision, missing.days) == (
        None,
        None,
        0,
        (),
    )
    assert calendar_revision(connection) == 0
    assert load_calendar(connection).years == frozenset()


@pytest.mark.parametrize("day", [date(2026, 11, 30), date(2028, 1, 1)])
def test_days_of_other_years_are_refused_and_nothing_changes(
    connection: Connection, day: date
) -> None:
    with pytest.raises(ScheduleInvalid) as refusal:
        load_year(connection, 2027, {day: DayKind.HOLIDAY}, " ")

    assert [(f.field, f.code) for f in refusal.value.fields] == [
        (f"days.{day.isoformat()}", "outside-year"),
        ("notice", "required"),
    ]
    assert schedule(connection, 2027).revision == 0
