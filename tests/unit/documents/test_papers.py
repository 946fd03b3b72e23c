import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pdfplumber
import pytest
from docx import Document

from services.documents import queries, templates
from services.documents.charts import Bar, bar_chart
from services.documents.errors import GlyphMissing, TemplateInvalid
from services.documents.papers import Paper, PaperSection, PaperTable, issue_paper
from services.documents.queries import OfficeDocument
from services.documents.render import text_of
from tests.unit.documents.conftest import ROOT, Desk


def paper(desk: Desk, **changed: Any) -> Paper:  # noqa: ANN401 -- fields of a Paper
    bars = [
        Bar("市教育局", Decimal("98.5"), "98.5%（197/200）"),
        Bar("市水利局", Decimal(80), "80.0%（8/10）"),
    ]
    made = Paper(
        id="bulletin-2026-q1",
        kind="bulletin",
        title="2026年第一季度督查通报",
        addressee="各县（区）人民政府，市直各部门",
        opening=["现将有关情况通报如下。"],
        sections=[
            PaperSection(
                "一、总体情况",
                ["一季度共登记711件。"],
                PaperTable("表1", ["类型", "登记", "办结", "办结率", "按时率"], [["批示"] * 5] * 2),
                bar_chart(bars, desk.office.documents.book),
            ),
            PaperSection("二、存在问题", ["部分单位逾期。"]),
        ],
    )
    return replace(made, **changed)


def issue(desk: Desk, wanted: Paper) -> OfficeDocument:
    definition = desk.office.engine.library.current("leader_instruction")[1]
    return issue_paper(
        desk.office.documents,
        desk.office.store,
        definition,
        wanted,
        by="office_director",
        at=desk.clock.now(),
        zone=desk.office.settings.zone,
    )


def test_a_bulletin_has_its_tables_and_charts_in_both_files(desk: Desk) -> None:
    issued = issue(desk, paper(desk))

    document = Document(io.BytesIO(desk.read(issued.docx_sha256)))
    assert issued.number == "盘政督通〔2026〕1号"
    assert [c.text for c in document.tables[0].rows[0].cells] == [
        "类型",
        "登记",
        "办结",
        "办结率",
        "按时率",
    ]
    assert len(document.tables[0].rows) == 3
    assert len(document.inline_shapes) == 1
    with pdfplumber.open(io.BytesIO(desk.read(issued.pdf_sha256))) as pdf:
        text = "".join(page.extract_text() for page in pdf.pages)
        assert sum(len(page.images) for page in pdf.pages) == 1
    assert "2026年第一季度督查通报" in text
    assert "按时率" in text
    assert "各县（区）人民政府，市直各部门：" in text


def test_the_same_bulletin_asked_for_again_is_the_same_and_takes_no_number(desk: Desk) -> None:
    first = issue(desk, paper(desk))

    again = issue(desk, paper(desk, title="另一个标题"))
    second = issue(desk, paper(desk, id="bulletin-2026-q2"))

    assert again == first
    assert second.number == "盘政督通〔2026〕2号"
    with desk.office.store.transaction(write=False) as transaction:
        listed = queries.office_documents_of(transaction.connection, "bulletin")
    assert {found.id for found in listed} == {first.id, second.id}


def test_a_bulletin_that_cannot_be_made_leaves_no_gap(desk: Desk) -> None:
    with pytest.raises(GlyphMissing):
        issue(desk, paper(desk, title="\U0003134a"))
    with pytest.raises(TemplateInvalid):
        issue(desk, paper(desk, kind="no_such_kind"))

    assert issue(desk, paper(desk)).number == "盘政督通〔2026〕1号"


def test_the_first_templates_are_those_in_the_folder(tmp_path: Path) -> None:
    templates.main(tmp_path)

    for kind in templates.KINDS:
        first = text_of((tmp_path / f"{kind}.docx").read_bytes())
        assert first == text_of((ROOT / f"bpmn/shared/documents/{kind}.docx").read_bytes()), kind
