"""Every kind of paper made over HTTP, opened again by readers that know nothing of its making."""

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pdfplumber
import pypdf
import pypdfium2
import pytest
from docx import Document

from tests.helpers.clerks import Clerks, clerks_of, papers_of
from tests.helpers.offices import sqlite_place

MM = 72 / 25.4
TITLE = "关于赵家村村民𠮷䶮等三十七户反映城东快速路二期工程占用耕地补偿款长期未到位问题的办理"
CONTENT = "村民𠮷䶮反映：二〇二五年修路占用耕地3.6亩，补偿款46.8万元至今未到位，请查明情况。\n" * 12
GOVERNMENT = "盘江市人民政府"
OFFICE = "盘江市人民政府督查室"
UNITS = "各县（区）人民政府，市直各部门："

# Kind: what its title says, whom it is for, who signs it.
KINDS = {
    "supervision_notice": ("督办通知单", "自然资源局：", OFFICE),
    "inspection_notice": ("议定事项的督查通知", "住房和城乡建设局：", OFFICE),
    "transfer_card": ("转办卡", "住房和城乡建设局", OFFICE),
    "reminder": ("催办单", "自然资源局：", OFFICE),
    "feedback_form": ("督查事项落实情况反馈表", f"报送：{GOVERNMENT}", "自然资源局"),
    "answer_letter": ("的答复", "王建国代表、䶮永𠮷代表：", "住房和城乡建设局"),
    "rectification_notice": ("整改通知书", "自然资源局：", OFFICE),
    "yellow_card": ("黄牌警告通知书", "自然资源局：", OFFICE),
    "accountability_referral": ("问责建议书", f"{GOVERNMENT}：", OFFICE),
    "special_report": ("督查专报", "市长：", OFFICE),
    "bulletin": ("2026年3月督查工作通报", UNITS, OFFICE),
    "quarterly_report": ("2026年第一季度督查工作通报", UNITS, OFFICE),
    "annual_report": ("2026年度督查工作报告", UNITS, OFFICE),
}
WITH_RED_LINE = sorted(set(KINDS) - {"feedback_form"})


@dataclass(frozen=True)
class Paper:
    """One paper as it came over HTTP."""

    number: str
    date: str
    docx: bytes
    pdf: bytes

    @cached_property
    def words(self) -> str:
        """All words of the docx, tables included, without spaces."""
        document = Document(io.BytesIO(self.docx))
        texts = [p.text for p in document.paragraphs]
        texts += [cell.text for t in document.tables for row in t.rows for cell in row.cells]
        lines = [line for text in texts for line in text.splitlines()]
        return "\n".join("".join(line.split()) for line in lines)


@pytest.fixture(scope="module")
def cabinet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Paper]]:
    """Give one paper of each kind, from real cases walked over HTTP."""
    offices: list[Clerks] = []
    found: dict[str, Paper] = {}

    def office() -> Clerks:
        offices.append(clerks_of(sqlite_place(tmp_path_factory.mktemp("office"))))
        return offices[-1]

    def file(clerks: Clerks, case: str) -> None:
        for paper in papers_of(clerks, case):
            path = f"/cases/{case}/documents/{paper['id']}/file"
            found.setdefault(paper["kind"], fetched(clerks, path, paper, paper["wanted_at"]))

    clerks = office()
    case = clerks.play("leader_instruction/three_rounds", title=TITLE, content=CONTENT)
    clerks.post(f"/cases/{case}/commands", "supervisor", {"name": "urge", "data": {}})
    clerks.at("2026-05-11T09:00:00+08:00")
    file(clerks, case)
    for period, when in (("2026-03", "05-11"), ("2026-Q1", "05-11"), ("2026", "2027")):
        if when == "2027":
            clerks.at("2027-01-05T09:00:00+08:00")
        issued = clerks.post("/bulletins", "supervisor", {"period": period})
        path = f"/bulletins/{issued['id']}/file"
        found[issued["kind"]] = fetched(clerks, path, issued, issued["issued_at"])
    for scenario in (
        "leader_instruction/on_time",
        "npc_suggestion/satisfied",
        "meeting_decision/refused_first",
    ):
        clerks = office()
        file(clerks, clerks.play(scenario, title=TITLE))

    yield found

    for clerks in offices:
        clerks.place.office.close()


def fetched(clerks: Clerks, path: str, paper: dict[str, Any], at: str) -> Paper:
    year, month, day = (int(part) for part in at[:10].split("-"))
    return Paper(
        paper["number"],
        f"{year}年{month}月{day}日",
        clerks.file(f"{path}?format=docx"),
        clerks.file(path),
    )


def body_of(page: Any) -> list[dict[str, Any]]:  # noqa: ANN401 -- pdfplumber's page
    """Give letters and digits above the foot: the empty half of a punctuation mark may hang."""
    return [
        c
        for c in page.chars
        if c["bottom"] < page.height - 35 * MM + 1 and unicodedata.category(c["text"])[0] in "LN"
    ]


def test_a_paper_of_each_kind_was_made(cabinet: dict[str, Paper]) -> None:
    assert set(cabinet) >= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_docx_says_number_title_addressee_signer_and_date(
    cabinet: dict[str, Paper], kind: str
) -> None:
    title, addressee, signer = KINDS[kind]

    lines = cabinet[kind].words.splitlines()

    assert any(line.startswith(cabinet[kind].number) for line in lines)
    assert any(line.endswith(title) for line in lines)
    assert addressee in lines
    assert any(signer in line for line in lines)
    assert any(line.startswith(cabinet[kind].date) for line in lines)
    assert "{" not in cabinet[kind].words


@pytest.mark.parametrize("kind", KINDS)
def test_a_docx_has_the_paper_and_margins_of_the_standard(
    cabinet: dict[str, Paper], kind: str
) -> None:
    section = Document(io.BytesIO(cabinet[kind].docx)).sections[0]

    sides = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(side.mm, 1) for side in sides if side is not None] == [37, 35, 28, 26]
    assert [round(s.mm) for s in (section.page_width, section.page_height) if s] == [210, 297]


@pytest.mark.parametrize("kind", KINDS)
def test_a_pdf_says_what_the_docx_says_inside_the_margins(
    cabinet: dict[str, Paper], kind: str
) -> None:
    title, addressee, signer = KINDS[kind]

    with pdfplumber.open(io.BytesIO(cabinet[kind].pdf)) as pdf:
        pages = list(pdf.pages)
        text = "".join("".join(page.extract_text().split()) for page in pages)
        bodies = [body_of(page) for page in pages]
        feet = ["".join(c["text"] for c in p.chars if c["top"] > 262 * MM + 1) for p in pages]

    for wanted in (cabinet[kind].number, title, addressee, signer, cabinet[kind].date):
        assert wanted in text
    for number, (page, body) in enumerate(zip(pages, bodies, strict=True), start=1):
        assert (round(page.width / MM), round(page.height / MM)) == (210, 297)
        assert body, f"page {number} is empty"
        assert min(c["x0"] for c in body) >= 28 * MM - 1
        assert max(c["x1"] for c in body) <= (210 - 26) * MM + 1
        assert min(c["top"] for c in body) >= 37 * MM - 1
        assert "".join(feet[number - 1].split()) == f"—{number}—"


@pytest.mark.parametrize("kind", KINDS)
def test_case_36_a_pdf_brings_its_fonts_and_rare_characters_are_text_in_it(
    cabinet: dict[str, Paper], kind: str
) -> None:
    reader = pypdf.PdfReader(io.BytesIO(cabinet[kind].pdf))
    pages: list[Any] = list(reader.pages)

    fonts = [
        below.get_object()["/FontDescriptor"]
        for page in pages
        for font in page["/Resources"]["/Font"].values()
        for below in font.get_object().get("/DescendantFonts", [])
    ]
    assert fonts
    assert all({"/FontFile2", "/FontFile3"} & set(descriptor) for descriptor in fonts)
    text = "".join(page.extract_text() for page in pages)
    if "𠮷" in cabinet[kind].words:
        assert {"𠮷", "䶮"} <= set(text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_drawn_has_ink_where_text_is_and_the_red_line(
    cabinet: dict[str, Paper], kind: str
) -> None:
    drawn = pypdfium2.PdfDocument(cabinet[kind].pdf)
    picture = drawn[0].render(scale=2).to_pil().convert("RGB")
    drawn.close()

    width, height = picture.size
    rows = [picture.crop((0, y, width, y + 1)).tobytes() for y in range(height)]
    red = [sum(r > 180 and g < 90 and b < 90 for r, g, b in _pixels(row)) for row in rows]
    inked = [any(max(pixel) < 100 for pixel in _pixels(row)) for row in rows]

    assert sum(inked) > 200
    has_line = max(red) >= 0.98 * 156 * MM * 2
    assert has_line is (kind in WITH_RED_LINE)


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_bears_a_signature_alone(cabinet: dict[str, Paper], kind: str) -> None:
    _, _, signer = KINDS[kind]

    with pdfplumber.open(io.BytesIO(cabinet[kind].pdf)) as pdf:
        lines = [
            ["".join(line["text"].split()) for line in page.extract_text_lines()]
            for page in pdf.pages
        ]

    last = lines[-1]
    if signer in last and len(lines) > 1:
        assert last.index(signer) > 0


def test_bulletins_count_beside_percentages_and_their_charts_leave_the_tables_alone(
    cabinet: dict[str, Paper],
) -> None:
    with pdfplumber.open(io.BytesIO(cabinet["quarterly_report"].pdf)) as pdf:
        pictures = [(page, picture) for page in pdf.pages for picture in page.images]
        gaps = [
            picture["top"]
            - max(
                (t.bbox[3] for t in page.find_tables() if t.bbox[1] < picture["top"]), default=0.0
            )
            for page, picture in pictures
        ]

    assert pictures
    assert min(gaps) >= 3
    assert "0.0%（0/1）" in cabinet["quarterly_report"].words


def _pixels(row: bytes) -> Iterator[tuple[int, int, int]]:
    return zip(row[::3], row[1::3], row[2::3], strict=True)
