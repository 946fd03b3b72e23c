"""What a bulletin says of proposals, of targets and of long lists."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.bulletins.queries import Bulletin, Named
from services.bulletins.wording import SHOWN_OVERDUE, Names, paper_of
from services.deadlines.calendar import OFFICE_ZONE
from services.documents.papers import Paper, PaperSection
from tests.unit.bulletins.conftest import Desk

NAMES = Names(label=lambda _, value: value, unit=lambda code: f"单位{code}", step=str)


@pytest.fixture
def write(first_quarter: Desk) -> Any:  # noqa: ANN401 -- a function
    def do(period: str = "2026-Q1", **changed: object) -> tuple[Bulletin, Paper]:
        found = replace(first_quarter.compute(period), **changed)  # type: ignore[arg-type]  # fields
        book = first_quarter.place.office.documents.book
        return found, paper_of(found, NAMES, book, OFFICE_ZONE)

    return do


def section(paper: Paper, heading: str) -> PaperSection | None:
    return next((one for one in paper.sections if one.heading.endswith(heading)), None)


def test_targets_missed_and_goals_met_early_are_named(write: Any) -> None:  # noqa: ANN401
    missed = Named(case="c1", number="督〔2026〕任务-0001", title="修路", unit="u1")
    met = Named(case="c2", number="督〔2026〕任务-0002", title="架桥", unit="u2")

    _, paper = write(missed=(missed,), praised=(met,))

    told = section(paper, "重点工作目标")
    assert told is not None
    assert list(told.lines) == [
        "提前完成年度目标，予以表扬：单位u2《架桥》（督〔2026〕任务-0002）。",
        "未完成当期目标，予以通报：单位u1《修路》（督〔2026〕任务-0001）。",
    ]


def test_a_month_has_no_trend_and_an_empty_one_no_tables_of_nothing(write: Any) -> None:  # noqa: ANN401
    _, march = write("2026-03")
    _, january = write("2026-01")

    assert march.kind == "bulletin"
    assert section(march, "逐月情况") is None
    for heading in ("立项来源", "批示与交办情况", "逾期事项", "三次督查", "各环节用时"):
        assert section(march, heading) is not None
        assert section(january, heading) is None


def test_a_long_list_of_overdue_cases_says_how_many_it_leaves_out(write: Any) -> None:  # noqa: ANN401
    (one,) = write()[0].overdue
    many = tuple(
        replace(one, id=f"c{n}", deadline=one.deadline + timedelta(days=n))
        for n in range(SHOWN_OVERDUE + 7)
    )

    _, paper = write(overdue=many)

    told = section(paper, "逾期事项")
    assert told is not None
    assert told.table is not None
    assert list(told.lines) == ["另有7件未列出。"]
    assert len(told.table.rows) == SHOWN_OVERDUE
    assert told.table.rows[0][3] == "2026-03-17"


def test_sections_are_numbered_without_gaps(write: Any) -> None:  # noqa: ANN401
    _, paper = write()

    numerals = [one.heading.partition("、")[0] for one in paper.sections]
    assert numerals == list("一二三四五六七八九十"[: len(numerals)])
