import io
from datetime import date
from decimal import Decimal

import pytest
from docx import Document

from services.bulletins.errors import PeriodNotOver, PeriodUnknown
from services.bulletins.periods import period_of
from services.bulletins.queries import Bulletin, Line
from services.documents import queries as papers
from tests.unit.bulletins.conftest import SPRING, SUMMER, Desk


def counts(line: Line) -> tuple[int, ...]:
    return (line.new, line.carried, line.closed, line.cancelled, line.open, line.overdue)


def lines(found: Bulletin, by: str) -> dict[str | None, tuple[int, ...]]:
    breakdown = next(one for one in found.breakdowns if one.by == by)
    return {line.key: counts(line) for line in breakdown.lines}


def test_the_first_quarter_is_as_counted_by_hand(first_quarter: Desk) -> None:
    found = first_quarter.compute("2026-Q1")

    assert counts(found.whole) == (5, 0, 1, 1, 3, 1)
    assert lines(found, "type") == {"leader_instruction": (5, 0, 1, 1, 3, 1)}
    assert lines(found, "unit") == {
        "u11": (2, 0, 1, 0, 1, 1),
        "u9": (1, 0, 0, 0, 1, 0),
        None: (2, 0, 0, 1, 1, 0),
    }
    assert lines(found, "leader") == {"副市长": (1, 0, 0, 0, 1, 0), "市长": (4, 0, 1, 1, 2, 1)}
    assert lines(found, "month") == {"2026-03": (5, 0, 1, 1, 3, 1)}
    assert [(one.case_type, one.source_kind, one.cases) for one in found.sources] == [
        ("leader_instruction", "hotline", 1),
        ("leader_instruction", "letter", 4),
    ]
    rate = found.whole.rate("closing_rate")
    assert (rate.count, rate.of, rate.percent) == (1, 5, Decimal("20.0"))
    rate = found.whole.rate("on_time_rate")
    assert (rate.count, rate.of, rate.percent) == (1, 1, Decimal("100.0"))
    assert [one.id for one in found.overdue] == ["c2"]
    assert [(one.round, one.measure, one.count, one.units) for one in found.rounds] == [
        (1, "rectification_notice", 1, ("u11",))
    ]
    handled = next(step for step in found.steps if step.key == "handle")
    assert (handled.count, handled.median) == (1, Decimal("0.0"))


def test_what_isnt_over_is_carried_into_the_next_quarter(half_year: Desk) -> None:
    found = half_year.compute("2026-Q2")

    # c2, c3 and c4 came from the first quarter; c6 is new; c3 was closed.
    assert counts(found.whole)[:5] == (1, 3, 1, 0, 3)


@pytest.mark.parametrize("period", ["2026-Q1", "2026-Q2", "2026-03", "2026"])
def test_every_line_adds_up(half_year: Desk, period: str) -> None:
    found = half_year.compute(period)

    for breakdown in found.breakdowns:
        parts = [counts(line) for line in breakdown.lines]
        assert tuple(map(sum, zip(*parts, strict=True))) == counts(found.whole)
    for line in (found.whole, *(one for b in found.breakdowns for one in b.lines)):
        assert line.new + line.carried == line.closed + line.cancelled + line.open
    assert sum(line.cases for line in found.sources) == found.whole.new


def test_case_44_a_bulletin_computed_twice_is_identical(first_quarter: Desk) -> None:
    assert first_quarter.compute("2026-Q1") == first_quarter.compute("2026-Q1")
    assert first_quarter.draft("2026-Q1") == first_quarter.draft("2026-Q1")


def test_as_of_an_earlier_date_it_equals_the_one_computed_then(first_quarter: Desk) -> None:
    then, files = first_quarter.compute("2026-Q1"), first_quarter.draft("2026-Q1")
    year_so_far = first_quarter.compute("2026")
    assert year_so_far.as_of == SPRING

    first_quarter.at("2026-04-01T09:01+08:00")
    first_quarter.close("c3", 9)
    first_quarter.at("2026-07-01T09:00+08:00")

    assert first_quarter.compute("2026-Q1") == then
    assert first_quarter.draft("2026-Q1") == files
    assert first_quarter.compute("2026", "2026-04-01T09:00+08:00") == year_so_far
    assert first_quarter.compute("2026") != year_so_far
    assert first_quarter.compute("2026").as_of == SUMMER


def test_the_paper_shows_tables_charts_and_counts_beside_percentages(first_quarter: Desk) -> None:
    made = first_quarter.draft("2026-Q1")

    document = Document(io.BytesIO(made.docx))
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "2026年第一季度督查工作通报" in text
    assert "数据截至2026年3月31日。" in text
    assert "办结率20.0% （1/5）。" in text
    tables = [[[cell.text for cell in row.cells] for row in t.rows] for t in document.tables]
    by_unit = next(t for t in tables if t and t[0][0] == "主办单位")
    assert by_unit[0] == ["主办单位", "新立项", "办结", "终止", "在办（逾期）", "办结率"]
    assert by_unit[-1] == ["合计", "5", "1", "1", "3（1）", "20.0% （1/5）"]
    assert len(document.inline_shapes) >= 3
    assert made.pdf.startswith(b"%PDF")


def test_a_bulletin_gets_its_number_once_its_period_is_over(first_quarter: Desk) -> None:
    place = first_quarter.place
    found = first_quarter.compute("2026-Q1")

    issued = first_quarter.editor.issue(found, by="supervisor", at=place.clock.now())
    again = first_quarter.editor.issue(found, by="supervisor2", at=place.clock.now())

    assert issued.number == "盘政督季〔2026〕1号"
    assert again == issued
    with pytest.raises(PeriodNotOver):
        first_quarter.editor.issue(
            first_quarter.compute("2026"), by="supervisor", at=place.clock.now()
        )
    with place.office.store.transaction(write=False) as transaction:
        assert len(papers.office_documents_of(transaction.connection, "quarterly_report")) == 1


@pytest.mark.parametrize(
    ("text", "first", "last", "kind"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "annual_report"),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31), "quarterly_report"),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "quarterly_report"),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), "bulletin"),
    ],
)
def test_periods(text: str, first: date, last: date, kind: str) -> None:
    found = period_of(text)

    assert (found.first, found.last, found.kind) == (first, last, kind)


@pytest.mark.parametrize("text", ["", "2026-Q5", "2026-13", "26", "2026-Q1 ", "0999", "2026-1"])
def test_other_periods_are_refused(text: str) -> None:
    with pytest.raises(PeriodUnknown):
        period_of(text)
