import pytest

from services.permissions import Visibility
from services.relations.queries import similar
from services.relations.similarity import Wanted, likeness, matches, pairs, plain
from tests.helpers.offices import Place, registered_case

EVERYTHING = Visibility(everything=True)


def alike(one: str, other: str) -> float:
    return likeness(pairs(plain(one)), pairs(plain(other)))


def test_titles_are_as_alike_as_the_pairs_of_signs_they_share() -> None:
    # 耕地 地补 补偿 | 耕地 地补 补助: two of four.
    assert alike("耕地补偿", "耕地补助") == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("赵家村 耕地被占补偿问题", "赵家村耕地被占补偿问题。"),
        ("１２号线延误", "12号线延误"),
        ("ABC项目", "abc项目"),
    ],
)
def test_spaces_punctuation_width_and_case_do_not_matter(one: str, other: str) -> None:
    assert alike(one, other) == 1


def test_nothing_is_like_an_empty_title() -> None:
    assert alike("", "") == 0
    assert alike("。", "耕地") == 0


def test_the_same_source_document_halves_the_distance() -> None:
    wanted = Wanted("耕地补偿", "letter", "信〔2026〕8号")
    others = [
        ("a", "耕地补助", "letter", "信 (2026) 8 号"),
        ("b", "耕地补助", "letter", "信〔2026〕9号"),
        ("c", "耕地补助", "bulletin", "信〔2026〕8号"),
    ]

    found = {match.case: match for match in matches(wanted, others, 0.6)}

    assert set(found) == {"a"}
    assert found["a"].score == pytest.approx((1 + 0.5) / 2)


def test_no_match_is_lost_by_looking_quickly() -> None:
    titles = [
        "赵家村耕地被占补偿",
        "耕地被占",
        "赵家村道路",
        "",
        "耕",
        "补偿赵家村耕地被占",
        "无关",
    ]
    wanted = Wanted("赵家村耕地被占补偿")
    candidates = [(str(n), title, "letter", None) for n, title in enumerate(titles)]

    for least in (0.1, 0.3, 0.5, 0.8, 1.0):
        quick = {match.case for match in matches(wanted, candidates, least)}
        assert quick == {
            str(n) for n, title in enumerate(titles) if alike(wanted.title, title) >= least
        }


def test_case_13_a_duplicate_is_suggested_with_the_reason(place: Place) -> None:
    registered_case(place, "a", title="赵家村耕地被占补偿问题", source_number="信〔2026〕18号")
    registered_case(place, "b", title="关于赵家村耕地被占用补偿的问题")
    registered_case(place, "c", title="老旧小区加装电梯")

    with place.office.store.transaction(write=False) as transaction:
        found = similar(
            transaction.connection,
            EVERYTHING,
            Wanted("赵家村耕地被占补偿问题", "letter", "信〔2026〕18号"),
        )

    assert [(one.case, one.same_source) for one in found] == [("a", True), ("b", False)]
    assert found[0].score == 1


def test_a_unit_gets_no_suggestion_of_cases_it_may_not_see(place: Place) -> None:
    registered_case(place, "a")

    with place.office.store.transaction(write=False) as transaction:
        found = similar(
            transaction.connection,
            Visibility(units=frozenset({"u1"})),
            Wanted("赵家村耕地被占补偿问题"),
        )

    assert list(found) == []
