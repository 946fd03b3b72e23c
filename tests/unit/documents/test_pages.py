"""Papers opened again by readers that know nothing of how they were made."""

import io
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import pdfplumber
import pypdf
import pypdfium2
import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.styles.style import ParagraphStyle

from services.documents.fonts import FontBook
from services.documents.jobs import WITHDRAWN
from services.documents.render import docx_of, marked, text_of
from services.documents.typeset import pdf_of, picture_of
from tests.unit.documents.conftest import MORNING, ROOT, Desk

MM = 72 / 25.4
TEMPLATES = ROOT / "bpmn/shared/documents"
LONG = "督查事项办理情况报告内容完整数据真实措施具体责任明确期限清楚" * 40


@pytest.fixture(scope="module")
def book() -> FontBook:
    return FontBook()


@pytest.fixture
def notice(desk: Desk) -> tuple[bytes, bytes]:
    desk.dispatch(urgency="extra_urgent")
    desk.sweep()
    paper = desk.papers()[0]
    return desk.read(paper.docx_sha256), desk.read(paper.pdf_sha256)


def facts() -> dict[str, Any]:
    return {
        "document": {"number": "盘政督催〔2026〕12号", "date": "2026年3月2日"},
        "office": {"name": "盘江市人民政府督查室", "flag": "盘江市人民政府督查室文件"},
        "unit": {"name": "市水利局"},
        "case": {
            "title": "河道清淤",
            "number": "督〔2026〕批示-0012",
            "deadline": "2026年3月17日24时",
            "overdue": True,
            "urgency_mark": "",
        },
        "urge": {"text": [LONG]},
    }


def reminder() -> bytes:
    template = (TEMPLATES / "reminder.docx").read_bytes()
    return docx_of(template, facts(), title="催办单", at=MORNING)


def test_a_notice_opened_as_docx_says_what_an_official_paper_says(
    notice: tuple[bytes, bytes],
) -> None:
    document = Document(io.BytesIO(notice[0]))

    texts = [p.text for p in document.paragraphs]
    assert texts[0] == "特急"
    assert texts[1] == "盘江市人民政府督查室文件"
    assert texts[2] == "盘政督办〔2026〕1号"
    assert "督办通知单" in texts
    assert "市水利局：" in texts
    assert any("市长在群众来信（信〔2026〕8号）上作出批示" in text for text in texts)
    assert any("赵家村𠮷䶮耕地被占补偿问题" in text for text in texts)
    assert any("请于2026年3月5日24时前" in text and "一式2份" in text for text in texts)
    assert texts[-2:] == ["盘江市人民政府督查室", "2026年3月2日"]
    imprint = [cell.text for row in document.tables[-1].rows for cell in row.cells]
    assert "抄送：市人民政府办公室，市财政局。" in imprint
    assert not [text for text in texts if "{" in text]


def test_a_docx_has_the_paper_margins_and_type_of_the_standard(notice: tuple[bytes, bytes]) -> None:
    document = Document(io.BytesIO(notice[0]))

    section = document.sections[0]
    assert section.page_width is not None
    assert abs(section.page_width - Mm(210)) < Mm(0.1)
    sides = (
        section.top_margin,
        section.bottom_margin,
        section.left_margin,
        section.right_margin,
    )
    for side, wanted in zip(sides, (37, 35, 28, 26), strict=True):
        assert side is not None
        assert abs(side - Mm(wanted)) < Mm(0.1)
    styles = {s.name: s for s in document.styles if isinstance(s, ParagraphStyle)}
    assert (_font(styles["文件标题"]), _size(styles["文件标题"])) == ("方正小标宋简体", 22)
    assert (_font(styles["Normal"]), _size(styles["Normal"])) == ("仿宋_GB2312", 16)
    assert _font(styles["一级标题"]) == "黑体"
    assert document.settings.odd_and_even_pages_header_footer


def test_a_notice_opened_as_pdf_shows_the_same_words_in_embedded_fonts(
    notice: tuple[bytes, bytes],
) -> None:
    with pdfplumber.open(io.BytesIO(notice[1])) as pdf:
        text = "".join(page.extract_text() for page in pdf.pages).replace("\n", "")
        characters = [c for page in pdf.pages for c in page.chars]

    for wanted in (
        "特急",
        "盘政督办〔2026〕1号",
        "督办通知单",
        "市水利局：",
        "2026年3月2日",
        "𠮷䶮",
    ):
        assert wanted in text
    by_font = {c["text"]: c["fontname"] for c in characters}
    assert "NotoSerifSC" in by_font["䶮"]
    assert "NotoSerifJP" in by_font["𠮷"]
    assert all(_embedded_fonts(notice[1]).values())
    assert len(_embedded_fonts(notice[1])) >= 3


def test_pages_have_the_margins_of_the_standard(book: FontBook) -> None:
    with pdfplumber.open(io.BytesIO(pdf_of(reminder(), book, MORNING))) as pdf:
        page = pdf.pages[1]
        body = [c for c in page.chars if c["bottom"] < page.height - 35 * MM]

    assert (round(page.width / MM), round(page.height / MM)) == (210, 297)
    assert min(c["x0"] for c in body) == pytest.approx(28 * MM, abs=1)
    assert max(c["x1"] for c in body) <= (210 - 26) * MM + 0.5
    assert max(c["x1"] for c in body) == pytest.approx((210 - 26) * MM, abs=2)
    assert 37 * MM <= min(c["top"] for c in body) < 37 * MM + 12


def test_a_full_page_has_22_lines_of_28_characters(book: FontBook) -> None:
    with pdfplumber.open(io.BytesIO(pdf_of(reminder(), book, MORNING))) as pdf:
        page = pdf.pages[1]
        body = [c for c in page.chars if c["bottom"] < page.height - 35 * MM]

    lines = Counter(round(c["top"], 1) for c in body)
    assert len(lines) == 22
    assert set(lines.values()) == {28}
    assert {round(c["size"]) for c in body} == {16}


def test_pages_are_numbered_outside_with_dashes(book: FontBook) -> None:
    with pdfplumber.open(io.BytesIO(pdf_of(reminder(), book, MORNING))) as pdf:
        feet = [
            [c for c in page.chars if c["top"] > page.height - 35 * MM] for page in pdf.pages[:2]
        ]

    assert "".join(c["text"] for c in feet[0]) == "— 1 —"
    assert "".join(c["text"] for c in feet[1]) == "— 2 —"
    assert min(c["x0"] for c in feet[0]) > 105 * MM
    assert max(c["x1"] for c in feet[1]) < 105 * MM


def test_a_page_drawn_has_the_red_line_and_no_boxes(notice: tuple[bytes, bytes]) -> None:
    drawn = pypdfium2.PdfDocument(notice[1])
    picture = drawn[0].render(scale=2).to_pil().convert("RGB")
    drawn.close()

    width, height = picture.size
    pixels = picture.load()
    reds = {y: sum(_is_red(pixels[x, y]) for x in range(width)) for y in range(0, height // 2)}
    text_width = 156 * MM * 2
    assert max(reds.values()) >= 0.98 * text_width
    assert sum(1 for count in reds.values() if 0 < count < 0.9 * text_width) > 40


def test_every_character_of_every_paper_has_a_glyph(book: FontBook) -> None:
    for template in sorted(TEMPLATES.glob("*.docx")):
        assert book.missing(text_of(template.read_bytes())) == (), template.name
    assert book.missing("𠮷䶮囍〔〕〇㎡①—…") == ()
    assert book.missing("好\U0003134a好") == ("\U0003134a",)


def test_the_same_facts_give_the_same_bytes(book: FontBook) -> None:
    first, again = reminder(), reminder()

    assert first == again
    assert pdf_of(first, book, MORNING) == pdf_of(again, book, MORNING)


def test_a_withdrawn_copy_says_so_on_every_page(book: FontBook) -> None:
    copy = marked(reminder(), WITHDRAWN)

    header = Document(io.BytesIO(copy)).sections[0].header._element
    assert WITHDRAWN in header.xml
    with pdfplumber.open(io.BytesIO(pdf_of(copy, book, MORNING, WITHDRAWN))) as pdf:
        for page in pdf.pages:
            marks = [c for c in page.chars if c["size"] > 40 or c["text"] in WITHDRAWN]
            assert {c["text"] for c in marks} >= set(WITHDRAWN)


def test_a_preview_is_a_picture_of_one_page(book: FontBook) -> None:
    first = picture_of(reminder(), book, 1)

    assert first is not None
    assert first.startswith(b"\x89PNG")
    assert picture_of(reminder(), book, 99) is None


def test_a_table_a_designer_added_in_a_style_keeps_its_lines(book: FontBook) -> None:
    document = Document()
    table = document.add_table(rows=2, cols=2, style="Table Grid")
    table.cell(0, 0).merge(table.cell(1, 0)).text = "合并"
    table.cell(0, 1).text = "甲"
    document.add_picture(io.BytesIO(_png()), width=Mm(20))
    raw = io.BytesIO()
    document.save(raw)

    with pdfplumber.open(io.BytesIO(pdf_of(raw.getvalue(), book, MORNING))) as pdf:
        page = pdf.pages[0]

        assert len(page.lines) + len(page.rects) + len(page.curves) >= 4
        assert len(page.images) == 1
        assert "合并" in page.extract_text()


def test_an_offices_own_fonts_come_first(tmp_path: Path, book: FontBook) -> None:
    source = next(p for p in book._files if "Sans" in p.name)
    (tmp_path / "own.otf").write_bytes(source.read_bytes())

    own = FontBook(tmp_path)

    assert own.missing("督") == ()
    assert own.families("仿宋_GB2312")[-2:] == ("Noto Serif SC", "Noto Serif JP")
    assert own.is_stand_in("方正小标宋简体")


def _font(style: ParagraphStyle) -> str:
    fonts = style.element.find(f"{qn('w:rPr')}/{qn('w:rFonts')}")
    return str(fonts.get(qn("w:eastAsia")))


def _size(style: ParagraphStyle) -> float:
    return 0.0 if style.font.size is None else style.font.size.pt


def _embedded_fonts(pdf: bytes) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for page in pypdf.PdfReader(io.BytesIO(pdf)).pages:
        resources: Any = page["/Resources"]
        for font in resources["/Font"].values():
            for below in font.get_object().get("/DescendantFonts", []):
                descriptor = below.get_object()["/FontDescriptor"]
                files = {"/FontFile", "/FontFile2", "/FontFile3"}
                found[str(descriptor["/FontName"])] = bool(files & set(descriptor))
    return found


def _is_red(pixel: tuple[int, int, int]) -> bool:
    red, green, blue = pixel
    return red > 180 and green < 90 and blue < 90


def _png() -> bytes:
    def part(kind: bytes, content: bytes) -> bytes:
        sum_ = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + sum_

    head = part(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0]))
    body = part(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
    return b"\x89PNG\r\n\x1a\n" + head + body + part(b"IEND", b"")
