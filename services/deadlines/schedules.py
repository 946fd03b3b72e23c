"""The yearly schedules this release knows: the seed of the calendar (domain.md §5)."""

from datetime import date

import chinese_calendar

from services.deadlines.calendar import DayKind

SEEDED_YEARS = range(2020, 2027)


def published_days(year: int) -> dict[date, DayKind]:
    """Give the holidays and make-up days of a year; none for a year that isn't known."""
    holidays = {day: DayKind.HOLIDAY for day in chinese_calendar.constants.holidays}
    make_up_days = {day: DayKind.MAKE_UP for day in chinese_calendar.constants.workdays}
    both = holidays | make_up_days
    return {day: kind for day, kind in both.items() if day.year == year}


def notice_of(year: int) -> str:
    """Give the title of the notice that sets the schedule of a year."""
    return f"国务院办公厅关于{year}年部分节假日安排的通知"
