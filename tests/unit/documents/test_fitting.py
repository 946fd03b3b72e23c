"""Columns of a bulletin's tables: as wide as what they hold."""

import io
from collections.abc import Sequence

import pdfplumber
import pytest
from docx import Document

from services.documents.fitting import shared
from services.documents.fonts import FontBook
from services.documents.papers import Paper, PaperSection, PaperTable, facts_of_paper
from services.documents.render import docx_of
from services.documents.typeset import pdf_of
from tests.unit.documents.conftest import MORNING, ROOT

MM = 72 / 25.4
HEAD = ["编号", "事项", "主办单位", "办理期限", "件数"]
TITLE = "关于赵家村村民𠮷䶮等三十七户反映城东快速路二期工程占用耕地补偿款长期未发放到位的问题"
ROW = ["督〔2026〕批示-0001", TITLE, "自然资源局", "2026-03-17", "12"]


@pytest.fixture(scope="module")
def book() -> FontBook:
    return FontBook()


def bulletin(rows: Sequence[Sequence[str]]) -> bytes:
    section = PaperSection("一、逾期事项", (), PaperTable("逾期事项", HEAD, rows))
    paper = Paper(id="x", kind="bulletin", title="督查通报", sections=[section])
    office = {"name": "督查室", "flag": "督查室文件", "government": "市政府"}
    facts = facts_of_paper(paper, "盘政督通〔2026〕1号", MORNING.date(), office, ["市委办公室"])
    template = (ROOT / "bpmn/shared/documents/bulletin.docx").read_bytes()
    return docx_of(template, facts, title="督查通报", at=MORNING)


def test_a_long_title_gets_the_room_that_short_columns_leave() -> None:
    table = Document(io.BytesIO(bulletin([ROW] * 3))).tables[0]

    number, title, unit, day, count = (column.width.mm for column in table.columns if column.width)
    assert number + title + unit + day + count == pytest.approx(156, abs=0.2)
    assert title == max(number, title, unit, day, count)
    assert count < day < title
    assert all(
        cell.width == column.width
        for row in table.rows
        for cell, column in zip(row.cells, table.columns, strict=True)
    )


def test_short_cells_are_never_broken_and_the_pdf_has_the_same_columns(book: FontBook) -> None:
    docx = bulletin([ROW] * 3)
    wanted = [c.width.mm for c in Document(io.BytesIO(docx)).tables[0].columns if c.width]

    with pdfplumber.open(io.BytesIO(pdf_of(docx, book, MORNING))) as pdf:
        page = pdf.pages[0]
        lines = page.extract_text_lines()
        (drawn, *_) = page.find_tables()

    assert any("2026-03-17" in line["text"] for line in lines)
    assert any("自然资源局" in line["text"] for line in lines)
    cells = drawn.rows[0].cells
    widths = [(right - left) / MM for left, _, right, _ in (c for c in cells if c is not None)]
    assert widths == pytest.approx(wanted, abs=0.3)


def test_columns_of_numbers_are_centered_and_others_are_not() -> None:
    table = Document(io.BytesIO(bulletin([ROW] * 2))).tables[0]

    second = [cell.paragraphs[0].alignment for cell in table.rows[1].cells]
    assert [alignment is not None for alignment in second] == [False, False, False, True, True]


def test_a_long_table_goes_on_over_pages_under_its_heading(book: FontBook) -> None:
    with pdfplumber.open(io.BytesIO(pdf_of(bulletin([ROW] * 40), book, MORNING))) as pdf:
        tables = [table.extract() for page in pdf.pages for table in page.find_tables()]

    pages = [t for t in tables if t and t[0][0] == HEAD[0]]
    assert len(pages) > 3
    rows = [row for page in pages for row in page[1:]]
    assert len(rows) == 40
    assert all("".join((row[1] or "").split()) == TITLE for row in rows)


def test_widths_add_up_whatever_is_asked() -> None:
    assert shared([10, 10], [5, 5], 40) == [20, 20]
    assert shared([10, 400], [20, 20], 100) == [10, 90]
    assert sum(shared([50, 50, 50], [60, 60, 60], 100)) == 100
    assert sum(shared([0, 0, 0], [10, 10, 10], 100)) == 100
