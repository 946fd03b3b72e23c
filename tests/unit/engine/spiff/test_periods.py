"""Periods: durations, cycles, months by calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.errors import EvaluationFailed
from engine.expressions import Names, Setting
from engine.records import Json
from engine.spiff.periods import instant_of, later, next_in_cycle, parse_cycle, parse_duration
from tests.unit.engine.spiff.play import HOST

START = datetime(2026, 1, 31, 1, tzinfo=UTC)


class NoHost:
    names: frozenset[str] = frozenset()

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        raise NotImplementedError


WITH = Setting(Names(), HOST, "")
WITHOUT = Setting(Names(), NoHost(), "")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("P1M", "2026-02-28"),
        ("P13M", "2027-02-28"),
        ("P2Y1M", "2028-02-29"),
        ("P1W", "2026-02-07"),
        ("P1M1D", "2026-03-01"),
        ("P0D", "2026-01-31"),
    ],
)
def test_months_go_by_the_calendar(text: str, end: str) -> None:
    duration = parse_duration(text)

    assert duration is not None
    assert later(START, *duration).date().isoformat() == end


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1", "1D", "P1DT", "P1H", "P-1D", "P1.5D", " P1D"]
)
def test_other_texts_are_no_durations(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "R3",
        "R/",
        "R3/PT0S",
        "3/P1D",
        "R3/2026-01-01/P1D",
        "R99999/P1D",
        "R/2026-13-01T00:00:00Z/P1D",
    ],
)
def test_other_texts_are_no_cycles(text: str) -> None:
    assert parse_cycle(text) is None


@pytest.mark.parametrize("value", ["P9999Y", "2026-99-01", 5, None, True, ["P1D"], "nonsense"])
def test_what_is_no_instant_is_refused(value: Json) -> None:
    for setting in (WITH, WITHOUT):
        with pytest.raises(EvaluationFailed):
            instant_of(value, START, setting)


def test_the_host_counts_other_periods() -> None:
    assert instant_of("3 days", START, WITH) == START + timedelta(days=3)


@pytest.mark.parametrize(
    ("interval", "remaining", "seen", "expected"),
    [
        ("P1D", 2, 0, (1, 1)),
        ("P1D", 0, 0, None),
        ("P1D", 5, 3.5, (4, 1)),
        ("P1D", 3, 3, None),
        ("P1D", None, 30, (31, None)),
        ("2 days", 4, 3, (4, 2)),
        ("PT1S", None, 400, (400 + 1 / 86400, None)),
    ],
)
def test_the_next_repetition_lies_ahead(
    interval: str, remaining: int | None, seen: float, expected: tuple[float, int | None] | None
) -> None:
    found = next_in_cycle(START, interval, remaining, START + timedelta(days=seen), WITH)

    if expected is None:
        assert found is None
    else:
        assert found == (START + timedelta(days=expected[0]), expected[1])


def test_a_cycle_of_months_is_found_and_one_that_never_ends_refused() -> None:
    due = next_in_cycle(START, "P1M", None, START + timedelta(days=70), WITH)

    assert due is not None
    assert due[0].date().isoformat() == "2026-04-28"
    with pytest.raises(EvaluationFailed):
        next_in_cycle(START, "0 days", None, START, WITH)
