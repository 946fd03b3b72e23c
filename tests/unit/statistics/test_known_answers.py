"""A caseload written by hand, with answers counted by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest

from services.deadlines.calendar import OFFICE_ZONE
from services.statistics.figures import (
    MEASURES,
    CaseFigures,
    behind,
    counted,
    duration,
    figure,
    figures,
    percent,
)
from tests.unit.statistics.conftest import APRIL, MARCH, case

DUE = MARCH + timedelta(days=15)
SESSION = "congress_session"
LATE = DUE + timedelta(days=1)


def closed(number: int, **known: object) -> list[CaseFigures]:
    """Write down closed cases, in time unless told otherwise."""
    told = {"status": "closed", "deadline": DUE, "closed_at": DUE, **known}
    return [case(**told) for _ in range(number)]


CASELOAD = [
    # 12 instructions: 11 closed, 8 of them in time; 1 overdue.
    *closed(8, unit="u1", issuer="市长"),
    *closed(3, unit="u2", issuer="市长", closed_at=LATE, light="red", highest_round=1),
    case(status="in_progress", deadline=DUE, unit="u2", issuer="副市长", light="red"),
    # 11 suggestions: 9 answered, 5 contacted, 6 rated of which 3 satisfied and 2 basically; one
    # was withdrawn before it went to a unit, one isn't due yet.
    *closed(3, case_type="npc_suggestion", unit="u1", answered_at=DUE, answer_class="A",
            contacted=True, rating="satisfied", registered_at=APRIL, source_kind=SESSION),
    *closed(2, case_type="npc_suggestion", unit="u1", answered_at=DUE, answer_class="B",
            contacted=True, rating="basically", registered_at=APRIL, source_kind=SESSION),
    *closed(1, case_type="npc_suggestion", unit="u2", answered_at=DUE, answer_class="C",
            rating="not", registered_at=APRIL, source_kind=SESSION),
    *closed(3, case_type="npc_suggestion", unit="u2", answered_at=DUE, answer_class="A",
            registered_at=APRIL, source_kind="between_sessions"),
    case(case_type="npc_suggestion", status="cancelled", registered_at=APRIL),
    case(case_type="npc_suggestion", status="in_progress", unit="u2", deadline=DUE,
         registered_at=APRIL),
]  # fmt: skip

ANSWERS = {
    # measure: count, of, percent
    "registered": (23, None, None),
    "closed": (20, None, None),
    "open": (2, None, None),
    "cancelled": (1, None, None),
    "suspended": (0, None, None),
    "overdue": (1, None, None),
    "red_lights": (4, None, None),
    "escalated": (3, None, None),
    "answered": (9, None, None),
    "closing_rate": (20, 23, "87.0"),
    "on_time_rate": (17, 20, "85.0"),
    "reported_in_time_rate": (0, 0, None),
    "answer_rate": (9, 9, "100.0"),
    "contact_rate": (5, 10, "50.0"),
    "resolution_rate": (6, 9, "66.7"),
    "fully_satisfied_rate": (3, 6, "50.0"),
    "satisfaction_rate": (5, 6, "83.3"),
}


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_gives_the_answer_counted_by_hand(name: str) -> None:
    found = figure(MEASURES[name], CASELOAD)

    count, of, share = ANSWERS[name]
    assert (found.count, found.of) == (count, of)
    assert found.percent == (None if share is None else Decimal(share))


def test_case_16_a_rating_never_given_isnt_in_the_denominator() -> None:
    rated = figure(MEASURES["satisfaction_rate"], CASELOAD)

    assert rated.of == 6
    assert sum(one.answered_at is not None for one in CASELOAD) == 9


@pytest.mark.parametrize(
    ("by", "answer"),
    [
        ("type", {"leader_instruction": 12, "npc_suggestion": 11}),
        ("unit", {"u1": 13, "u2": 9, None: 1}),
        ("leader", {"副市长": 1, "市长": 11, None: 11}),
        ("source", {"between_sessions": 3, "congress_session": 6, "letter": 14}),
        ("month", {"2026-03": 12, "2026-04": 11}),
        ("closed_month", {"2026-03": 20, None: 3}),
        ("year", {"2026": 23}),
        ("status", {"cancelled": 1, "closed": 20, "in_progress": 2}),
        ("light", {"green": 19, "red": 4}),
        ("urgency", {"normal": 23}),
    ],
)
def test_the_groups_give_the_counts_of_hand_and_add_up(
    by: str, answer: dict[str | None, int]
) -> None:
    found = figures(MEASURES["registered"], by, CASELOAD, OFFICE_ZONE)

    assert {one.key: one.count for one in found} == answer
    assert sum(one.count for one in found) == 23


@pytest.mark.parametrize("name", MEASURES)
def test_parts_add_up_for_every_measure(name: str) -> None:
    whole = figure(MEASURES[name], CASELOAD)

    parts = figures(MEASURES[name], "unit", CASELOAD, OFFICE_ZONE)

    assert sum(part.count for part in parts) == whole.count
    assert sum(part.of or 0 for part in parts) == (whole.of or 0)


@pytest.mark.parametrize("name", MEASURES)
def test_behind_a_figure_stand_as_many_cases_as_it_says(name: str) -> None:
    whole = figure(MEASURES[name], CASELOAD)

    counting = behind(MEASURES[name], CASELOAD, rest=False)
    others = behind(MEASURES[name], CASELOAD, rest=True)

    assert len(counting) == whole.count
    if whole.of is not None:
        assert len(counting) + len(others) == whole.of


@pytest.mark.parametrize(
    ("count", "of", "answer"),
    [
        (1, 3, "33.3"),
        (11, 23, "47.8"),
        (1, 16, "6.3"),  # 6.25 exactly: half up, where half even and floats give 6.2
        (3, 16, "18.8"),  # 18.75
        (1, 8, "12.5"),
        (1, 2000, "0.1"),  # 0.05
        (49, 100000, "0.0"),  # 0.049
        (999, 1000, "99.9"),
        (19999, 20000, "100.0"),  # 99.995
        (0, 7, "0.0"),
        (7, 7, "100.0"),
        (2005, 20000, "10.0"),  # 10.025
        (123456789, 1000000000, "12.3"),
    ],
)
def test_percentages_are_rounded_half_up_on_exact_numbers(count: int, of: int, answer: str) -> None:
    assert percent(count, of) == Decimal(answer)


def test_of_nothing_there_is_no_percentage() -> None:
    assert percent(0, 0) is None


@pytest.mark.parametrize(
    ("hours", "median", "ninetieth"),
    [
        ([24], "1.0", "1.0"),
        ([24, 48], "1.5", "2.0"),
        ([0, 24, 240], "1.0", "10.0"),
        ([24 * n for n in range(1, 11)], "5.5", "9.0"),
        ([24 * n for n in range(1, 12)], "6.0", "10.0"),
        ([6], "0.3", "0.3"),  # a quarter of a day, half up
    ],
)
def test_medians_and_90th_percentiles_of_steps(
    hours: list[int], median: str, ninetieth: str
) -> None:
    found = duration("handle", [3600 * hour for hour in hours], 0)

    assert (found.median, found.ninetieth) == (Decimal(median), Decimal(ninetieth))


def test_things_are_counted_the_most_frequent_first() -> None:
    assert list(counted("cabab").items()) == [("a", 2), ("b", 2), ("c", 1)]
