from collections import Counter
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from services.deadlines.calendar import Calendar
from services.deadlines.schedules import published_days
from services.demo.caseload import Drawn, draw
from services.demo.published import Published, published
from services.demo.sample import units

CALENDAR = Calendar(days=published_days(2026), years=frozenset({2026}))
ZONE = ZoneInfo("Asia/Shanghai")


def drawn(seed: int = 1, counts: Published | None = None) -> tuple[Drawn, ...]:
    return draw(counts or published(), seed, CALENDAR, ZONE)


@pytest.fixture(scope="module")
def year() -> tuple[Drawn, ...]:
    return drawn()


def test_the_published_year_is_the_one_of_the_specification() -> None:
    by_origin = {count.origins[0]: count for count in published().counts}

    assert published().cases == 2523
    assert by_origin["city_instruction"].cases == 711
    assert (by_origin["ad_hoc"].cases, by_origin["ad_hoc"].closed) == (307, 288)
    assert list(by_origin["plenary_meeting"].sources.values()) == [6, 13, 16, 20, 6]
    assert by_origin["cppcc_proposal"].answered == 289


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_the_seed_the_counts_are_those_published(seed: int) -> None:
    found = Counter(one.origin for one in drawn(seed))

    for count in published().counts:
        assert sum(found[origin] for origin in count.origins) == count.cases


def test_each_meeting_and_paper_has_at_least_one_decision(year: tuple[Drawn, ...]) -> None:
    (meetings,) = (count for count in published().counts if count.sources)

    for origin, many in meetings.sources.items():
        numbers = {one.plan.register["source_number"] for one in year if one.origin == origin}
        assert len(numbers) == many


def test_items_are_numbered_in_the_order_they_are_registered(year: tuple[Drawn, ...]) -> None:
    assert [one.at for one in year] == sorted(one.at for one in year)
    assert [one.case for one in year] == sorted(one.case for one in year)
    assert len({one.case for one in year}) == len(year)


def test_everything_comes_in_office_hours_of_working_days_of_the_year(
    year: tuple[Drawn, ...],
) -> None:
    for one in year:
        at = one.at.astimezone(ZONE)
        assert at.year == 2026
        assert CALENDAR.is_working(at.date())
        assert 8 <= at.hour < 16


def test_every_type_and_nearly_every_unit_has_work(year: tuple[Drawn, ...]) -> None:
    assert len({one.plan.item.case_type for one in year}) == 8
    assert len({one.plan.item.lead_unit for one in year}) > len(units()) * 0.7


def test_the_same_seed_draws_the_same_and_another_one_another_year() -> None:
    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)


def test_a_part_of_the_year_keeps_something_of_every_count() -> None:
    part = published().scaled(Fraction(1, 400))

    assert len(drawn(1, part)) == part.cases
    assert all(count.cases >= 1 for count in part.counts)
    instructions = published().scaled(Fraction(1, 20)).counts[3]
    assert (instructions.origins, instructions.cases) == (("city_instruction",), 36)


def test_nothing_drawn_is_left_unfilled(year: tuple[Drawn, ...]) -> None:
    for one in year:
        told = repr((one.plan.item, one.plan.register, one.plan.steps, one.plan.extras))
        assert "<year>" not in told
        assert "<place>" not in told
        assert "<district>" not in told
        assert ".." not in told
