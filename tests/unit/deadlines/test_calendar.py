from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deadlines.calendar import (
    OFFICE_ZONE,
    Calendar,
    DayKind,
    Deadline,
    add_months,
    after,
    before,
    earlier_deadline,
    end_of_day,
    end_of_period,
    last_day,
    next_report,
    start_of_day,
    within,
    working_days_between,
)
from services.deadlines.errors import RhythmUnknown
from services.deadlines.periods import Period, PeriodUnit, parse_period
from services.deadlines.schedules import SEEDED_YEARS, published_days

CALENDAR = Calendar(
    days={day: kind for year in SEEDED_YEARS for day, kind in published_days(year).items()},
    years=frozenset(SEEDED_YEARS),
)

moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 -- the zone is the next argument but one
    max_value=datetime(2028, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2028, 1, 1))
working_day_periods = st.builds(Period, st.integers(0, 60), st.just(PeriodUnit.WORKING_DAYS))
calendar_periods = st.one_of(
    st.builds(Period, st.integers(0, 200), st.just(PeriodUnit.DAYS)),
    st.builds(Period, st.integers(0, 12), st.just(PeriodUnit.MONTHS)),
)
day_periods = st.one_of(working_day_periods, calendar_periods)
periods = st.one_of(day_periods, st.builds(Period, st.integers(0, 500), st.just(PeriodUnit.HOURS)))


def office(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=OFFICE_ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "working_days", "last"),
    [
        ("2025-01-20", 15, "2025-02-14"),
        ("2025-09-24", 5, "2025-09-30"),
        ("2025-12-30", 2, "2026-01-04"),
        ("2026-01-30", 15, "2026-02-27"),
        ("2026-02-10", 10, "2026-03-02"),
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-04-29", 2, "2026-05-06"),
        ("2026-09-24", 3, "2026-09-30"),
    ],
)
def test_the_worked_examples_of_the_office_come_out_as_written(
    start: str, working_days: int, last: str
) -> None:
    received = datetime.combine(date.fromisoformat(start), time(10, 30), OFFICE_ZONE)

    deadline = within(received, Period(working_days, PeriodUnit.WORKING_DAYS), CALENDAR)

    assert deadline == Deadline(end_of_day(date.fromisoformat(last)), provisional=False)
    assert last_day(deadline.instant) == date.fromisoformat(last)


def test_2026_has_248_working_days() -> None:
    assert working_days_between(date(2025, 12, 31), date(2026, 12, 31), CALENDAR) == 248


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2025, 1, 26), DayKind.MAKE_UP),
        (date(2025, 10, 11), DayKind.MAKE_UP),
        (date(2026, 1, 4), DayKind.MAKE_UP),
        (date(2026, 2, 14), DayKind.MAKE_UP),
        (date(2025, 10, 8), DayKind.HOLIDAY),
        (date(2026, 2, 23), DayKind.HOLIDAY),
        (date(2026, 3, 7), DayKind.OFF),
        (date(2026, 3, 9), DayKind.WORKING),
    ],
)
def test_make_up_days_are_worked_and_holidays_are_not(day: date, kind: DayKind) -> None:
    assert CALENDAR.kind_of(day) is kind
    assert CALENDAR.is_working(day) is (kind in (DayKind.MAKE_UP, DayKind.WORKING))


def test_a_period_of_working_days_starts_the_day_after_however_late_the_hour() -> None:
    period = parse_period("1 working day")

    for received in (office(2026, 3, 2), office(2026, 3, 2, 23, 59)):
        assert within(received, period, CALENDAR).instant == office(2026, 3, 4)


def test_the_day_of_the_office_counts_not_the_day_of_utc() -> None:
    early_on_tuesday = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)

    deadline = within(early_on_tuesday, parse_period("1 working day"), CALENDAR)

    assert last_day(deadline.instant) == date(2026, 3, 4)


def test_another_zone_has_its_own_24_00() -> None:
    urumqi = ZoneInfo("Asia/Urumqi")

    deadline = within(office(2026, 3, 2, 10), parse_period("1 day"), CALENDAR, zone=urumqi)

    assert deadline.instant == datetime(2026, 3, 4, tzinfo=urumqi)
    assert last_day(deadline.instant, urumqi) == date(2026, 3, 3)


def test_three_months_from_5_march_end_on_5_june() -> None:
    assert last_day(
        within(office(2026, 3, 5, 9), parse_period("3 months"), CALENDAR).instant
    ) == date(2026, 6, 5)


def test_three_months_from_30_november_end_on_the_last_day_of_february() -> None:
    to_an_ordinary_year = within(office(2025, 11, 30, 9), parse_period("3 months"), CALENDAR)
    to_a_leap_year = within(office(2023, 11, 30, 9), parse_period("3 months"), CALENDAR)

    assert last_day(to_an_ordinary_year.instant) == date(2026, 2, 28)
    assert last_day(to_a_leap_year.instant) == date(2024, 2, 29)


def test_a_period_may_end_on_29_february() -> None:
    deadline = within(office(2024, 2, 14, 9), parse_period("15 days"), CALENDAR)

    assert deadline == Deadline(office(2024, 3, 1), provisional=False)
    assert last_day(deadline.instant) == date(2024, 2, 29)


def test_a_year_from_29_february_ends_on_the_last_of_february() -> None:
    deadline = within(office(2024, 2, 29, 9), parse_period("12 months"), CALENDAR)

    assert last_day(deadline.instant) == date(2025, 2, 28)


def test_a_deadline_on_the_last_of_december_ends_with_the_year_of_the_office() -> None:
    deadline = within(office(2025, 12, 24, 9), parse_period("7 days"), CALENDAR)

    assert deadline == Deadline(datetime(2025, 12, 31, 16, tzinfo=UTC), provisional=False)
    assert last_day(deadline.instant) == date(2025, 12, 31)


def test_a_period_ending_on_the_eve_of_spring_festival_ends_after_the_holiday() -> None:
    deadline = within(office(2026, 2, 1, 9), parse_period("15 days"), CALENDAR)

    assert last_day(deadline.instant) == date(2026, 2, 24)


def test_a_period_ending_on_a_make_up_saturday_ends_that_day() -> None:
    deadline = within(office(2026, 2, 4, 9), parse_period("10 days"), CALENDAR)

    assert last_day(deadline.instant) == date(2026, 2, 14)


def test_a_period_in_a_year_without_schedule_is_provisional() -> None:
    counted_into_it = within(office(2026, 12, 28, 9), parse_period("5 working days"), CALENDAR)
    ending_in_it = within(office(2026, 11, 30, 9), parse_period("3 months"), CALENDAR)
    ending_before = within(office(2026, 12, 28, 9), parse_period("2 working days"), CALENDAR)

    assert counted_into_it == Deadline(office(2027, 1, 6), provisional=True)
    assert ending_in_it == Deadline(office(2027, 3, 2), provisional=True)
    assert ending_before == Deadline(office(2026, 12, 31), provisional=False)


def test_working_days_counted_across_a_year_without_schedule_are_provisional() -> None:
    without_2025 = Calendar(
        days={day: kind for day, kind in CALENDAR.days.items() if day.year != 2025},
        years=CALENDAR.years - {2025},
    )

    deadline = within(office(2024, 12, 30, 9), parse_period("270 working days"), without_2025)

    assert last_day(deadline.instant).year == 2026
    assert deadline.provisional


def test_a_day_off_at_the_end_of_a_year_moves_a_period_into_a_year_without_schedule() -> None:
    until_2025 = Calendar(
        days={day: kind for day, kind in CALENDAR.days.items() if day.year <= 2022},
        years=frozenset({2020, 2021, 2022}),
    )

    deadline = within(office(2022, 12, 1, 9), parse_period("30 days"), until_2025)

    assert deadline == Deadline(office(2023, 1, 3), provisional=True)


def test_a_year_without_schedule_has_weekends_and_the_holidays_of_fixed_date() -> None:
    assert CALENDAR.is_provisional(2027)
    assert CALENDAR.kind_of(date(2027, 1, 1)) is DayKind.HOLIDAY
    assert CALENDAR.kind_of(date(2027, 5, 1)) is DayKind.HOLIDAY
    assert CALENDAR.kind_of(date(2027, 10, 2)) is DayKind.HOLIDAY
    assert CALENDAR.kind_of(date(2027, 2, 8)) is DayKind.WORKING
    assert CALENDAR.kind_of(date(2027, 2, 6)) is DayKind.OFF
    assert not CALENDAR.is_provisional(2026)


def test_hours_end_to_the_second_even_on_a_holiday() -> None:
    received = datetime(2026, 10, 1, 3, 4, 5, tzinfo=UTC)

    assert within(received, parse_period("24 hours"), CALENDAR) == Deadline(
        received + timedelta(hours=24), provisional=False
    )
    assert within(received, parse_period("PT90M"), CALENDAR).instant == received + timedelta(
        minutes=90
    )


def test_a_period_may_run_from_a_date() -> None:
    meeting = date(2026, 3, 2)

    assert end_of_period(meeting, parse_period("15 days"), CALENDAR).instant == office(2026, 3, 18)
    assert end_of_period(meeting, parse_period("24 hours"), CALENDAR).instant == office(2026, 3, 3)


def test_no_days_at_all_end_with_the_day_itself_or_the_next_working_day() -> None:
    nothing = Period(0, PeriodUnit.WORKING_DAYS)

    assert last_day(within(office(2026, 3, 2, 9), nothing, CALENDAR).instant) == date(2026, 3, 2)
    assert last_day(within(office(2026, 3, 7, 9), nothing, CALENDAR).instant) == date(2026, 3, 9)
    assert within(office(2027, 12, 31, 9), nothing, CALENDAR).provisional


def test_an_instant_without_zone_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="time zone"):
        within(datetime(2026, 3, 2, 9), parse_period("1 day"), CALENDAR)  # noqa: DTZ001


def test_the_early_reminder_goes_out_two_working_days_before_the_last_day() -> None:
    end_of_friday = within(office(2026, 1, 30, 9), parse_period("15 working days"), CALENDAR)

    reminder = before(end_of_friday.instant, parse_period("2 working days"), CALENDAR)

    assert reminder == office(2026, 2, 25)


def test_the_early_reminder_steps_over_a_holiday() -> None:
    end_of_the_first_day_back = office(2026, 10, 9)

    reminder = before(end_of_the_first_day_back, parse_period("2 working days"), CALENDAR)

    assert reminder == office(2026, 9, 29)


@pytest.mark.parametrize(
    ("period", "begins"),
    [
        ("0 working days", office(2026, 3, 31)),
        ("2 days", office(2026, 3, 29)),
        ("1 month", office(2026, 2, 28)),
        ("24 hours", office(2026, 3, 31)),
    ],
)
def test_a_reminder_before_the_end_of_31_march_begins(period: str, begins: datetime) -> None:
    assert before(office(2026, 4, 1), parse_period(period), CALENDAR) == begins


def test_a_deadline_in_the_middle_of_a_day_belongs_to_that_day() -> None:
    friday_evening = office(2026, 3, 6, 18)

    assert before(friday_evening, parse_period("0 days"), CALENDAR) == office(2026, 3, 6)
    assert last_day(friday_evening) == date(2026, 3, 6)


def test_the_internal_deadline_lies_three_working_days_before_the_superiors() -> None:
    set_by_the_province = end_of_day(date(2026, 10, 8))

    assert earlier_deadline(
        set_by_the_province, parse_period("3 working days"), CALENDAR
    ) == end_of_day(date(2026, 9, 28))
    assert earlier_deadline(
        set_by_the_province, parse_period("24 hours"), CALENDAR
    ) == set_by_the_province - timedelta(hours=24)


@pytest.mark.parametrize(
    ("since", "due"),
    [
        (office(2026, 3, 2, 9), office(2026, 3, 6, 18)),
        (office(2026, 3, 6, 17, 59), office(2026, 3, 6, 18)),
        (office(2026, 3, 6, 18), office(2026, 3, 13, 18)),
        (office(2026, 3, 7, 9), office(2026, 3, 13, 18)),
    ],
)
def test_a_weekly_report_is_due_on_friday_at_18_00(since: datetime, due: datetime) -> None:
    assert next_report(since, "weekly") == due


@pytest.mark.parametrize(
    ("since", "last"),
    [
        (office(2026, 3, 1), date(2026, 4, 5)),
        (office(2026, 3, 31, 23, 59), date(2026, 4, 5)),
        (office(2026, 4, 6), date(2026, 5, 5)),
        (office(2026, 12, 6), date(2027, 1, 5)),
    ],
)
def test_a_monthly_report_is_due_by_the_5th_of_the_month_after(since: datetime, last: date) -> None:
    assert next_report(since, "monthly") == end_of_day(last)


@pytest.mark.parametrize(
    ("since", "last"),
    [
        (office(2026, 1, 1), date(2026, 4, 5)),
        (office(2026, 3, 31, 23, 59), date(2026, 4, 5)),
        (office(2026, 4, 6), date(2026, 7, 5)),
        (office(2026, 11, 30, 9), date(2027, 1, 5)),
    ],
)
def test_a_quarterly_report_is_due_by_the_5th_after_the_quarter(
    since: datetime, last: date
) -> None:
    assert next_report(since, "quarterly") == end_of_day(last)


def test_a_report_made_once_has_no_next_one() -> None:
    assert next_report(office(2026, 3, 2), "once") is None


def test_an_unknown_rhythm_is_named_in_the_refusal() -> None:
    with pytest.raises(RhythmUnknown) as refusal:
        next_report(office(2026, 3, 2), "daily")

    assert refusal.value.facts == {"rhythm": "daily"}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2026, 3, 2), date(2026, 3, 2), 0),
        (date(2026, 3, 6), date(2026, 3, 9), 1),
        (date(2026, 3, 9), date(2026, 3, 6), -1),
        (date(2026, 9, 30), date(2026, 10, 8), 1),
        (date(2026, 10, 8), date(2026, 10, 10), 2),
    ],
)
def test_working_days_are_counted_after_one_day_up_to_another(
    start: date, end: date, expected: int
) -> None:
    assert working_days_between(start, end, CALENDAR) == expected


def test_the_hash_of_a_calendar_depends_on_its_contents_only() -> None:
    backwards: Mapping[date, DayKind] = dict(reversed(list(CALENDAR.days.items())))
    same = Calendar(days=backwards, years=CALENDAR.years)
    other = Calendar(days=CALENDAR.days, years=CALENDAR.years | {2027})

    assert same.sha256 == CALENDAR.sha256
    assert same == CALENDAR
    assert other.sha256 != CALENDAR.sha256


@given(start=moments, period=day_periods)
def test_every_period_of_days_ends_at_24_00_of_a_working_day(
    start: datetime, period: Period
) -> None:
    deadline = within(start, period, CALENDAR)

    assert deadline.instant.tzinfo is UTC
    assert deadline.instant.astimezone(OFFICE_ZONE).time() == time()
    assert CALENDAR.is_working(last_day(deadline.instant))
    assert deadline.instant > start


@given(start=moments, later=st.timedeltas(timedelta(0), timedelta(days=30)), period=periods)
def test_what_starts_later_never_ends_earlier(
    start: datetime, later: timedelta, period: Period
) -> None:
    assert (
        within(start, period, CALENDAR).instant <= within(start + later, period, CALENDAR).instant
    )


@given(start=moments, period=periods, more=st.integers(0, 20))
def test_a_longer_period_never_ends_earlier(start: datetime, period: Period, more: int) -> None:
    longer = Period(period.count + more, period.unit)

    assert within(start, period, CALENDAR).instant <= within(start, longer, CALENDAR).instant


@given(start=moments, period=working_day_periods)
def test_a_period_of_n_working_days_has_n_working_days(start: datetime, period: Period) -> None:
    first = start.astimezone(OFFICE_ZONE).date()
    deadline = within(start, period, CALENDAR)

    counted = working_days_between(first, last_day(deadline.instant), CALENDAR)

    assert counted == period.count or (period.count == 0 and not CALENDAR.is_working(first))


@given(start=moments, period=working_day_periods)
def test_as_many_working_days_before_a_deadline_brings_back_to_a_day_not_before_the_start(
    start: datetime, period: Period
) -> None:
    deadline = within(start, period, CALENDAR).instant

    begins = before(deadline, period, CALENDAR)

    assert begins <= deadline
    assert (
        working_days_between(begins.astimezone(OFFICE_ZONE).date(), last_day(deadline), CALENDAR)
        == period.count
    )


@given(deadline=moments, period=day_periods)
def test_the_stretch_before_a_deadline_begins_at_00_00(deadline: datetime, period: Period) -> None:
    begins = before(deadline, period, CALENDAR)

    assert begins.astimezone(OFFICE_ZONE).time() == time()
    assert begins < deadline
    assert earlier_deadline(deadline, period, CALENDAR) == begins + timedelta(days=1)


@given(since=moments, rhythm=st.sampled_from(["weekly", "monthly", "quarterly"]))
def test_reports_in_a_rhythm_come_one_after_the_other(since: datetime, rhythm: str) -> None:
    due = next_report(since, rhythm)
    assert due is not None

    after = next_report(due, rhythm)

    assert after is not None
    assert since < due < after


@given(day=days)
def test_the_last_day_of_the_end_of_a_day_is_that_day(day: date) -> None:
    assert last_day(end_of_day(day)) == day
    assert end_of_day(day) == start_of_day(day + timedelta(days=1))


@given(day=days, months=st.integers(-24, 24))
def test_months_keep_the_day_or_end_with_the_month(day: date, months: int) -> None:
    moved = add_months(day, months)

    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == months
    assert moved.day == day.day or (moved + timedelta(days=1)).day == 1


@given(first=days, second=days, third=days)
def test_counts_of_working_days_add_up(first: date, second: date, third: date) -> None:
    assert working_days_between(first, second, CALENDAR) + working_days_between(
        second, third, CALENDAR
    ) == working_days_between(first, third, CALENDAR)


def test_a_week_after_a_deadline_ends_on_the_same_weekday() -> None:
    deadline = office(2026, 3, 18)  # 24:00 on Tuesday the 17th

    ends = after(deadline, parse_period("7 days"), CALENDAR)

    assert ends.instant == office(2026, 3, 25)  # 24:00 on Tuesday the 24th
