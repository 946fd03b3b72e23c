from datetime import date
from zoneinfo import ZoneInfo

import pytest

from engine.records import parse_instant
from services.deadlines.calendar import Calendar
from services.deadlines.schedules import published_days
from services.demo.moments import Here, MomentNotUnderstood

REACHED = parse_instant("2026-02-13T16:00+08:00")
DEADLINE = parse_instant("2026-03-18T00:00+08:00")
CALENDAR = Calendar(days=published_days(2026), years=frozenset({2026}))
HERE = Here(REACHED, None, DEADLINE, CALENDAR, ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        ("+2d 10:00", "2026-02-15T10:00+08:00"),
        ("+1w 09:30", "2026-02-14T09:30+08:00"),
        ("+2w 09:30", "2026-02-24T09:30+08:00"),
        ("deadline-1w 15:00", "2026-03-16T15:00+08:00"),
        ("deadline 23:59", "2026-03-17T23:59+08:00"),
        ("deadline+1d 00:10", "2026-03-18T00:10+08:00"),
        ("+30m", "2026-02-13T16:30+08:00"),
        ("+4h", "2026-02-14T09:00+08:00"),
    ],
)
def test_a_moment_is_found_by_the_office_calendar(said: str, instant: str) -> None:
    assert HERE.moment(said) == parse_instant(instant)


def test_a_moment_never_lies_before_the_one_it_counts_from() -> None:
    assert HERE.moment("deadline-40w 10:00") == parse_instant("2026-02-13T16:20+08:00")


def test_a_day_can_be_named() -> None:
    assert HERE.day("deadline+10d") == date(2026, 3, 27)


@pytest.mark.parametrize("said", ["", "soon", "due+1d", "+1y"])
def test_words_that_mean_nothing_are_refused(said: str) -> None:
    with pytest.raises(MomentNotUnderstood):
        HERE.moment(said)
