"""Make the first templates; from then on they are the designer's, changed in any word processor.

``python -m services.documents.templates FOLDER`` writes one docx per kind, by GB/T 9704-2012: A4,
margins 37, 35, 28, 26 mm, 22 lines of 28 characters, title 小标宋 二号, text 仿宋 三号.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from docx import Document
from docx.document import Document as OpenDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from services.documents.formats import Xml
from services.documents.letters import (
    ACCOUNTABILITY,
    ANNUAL_REPORT,
    ANSWER_LETTER,
    BULLETIN,
    FEEDBACK_FORM,
    INSPECTION_NOTICE,
    QUARTERLY_DISPATCH,
    QUARTERLY_REPORT,
    RECTIFICATION,
    REMINDER,
    REMINDER_LIST,
    SPECIAL_REPORT,
    SUPERVISION_NOTICE,
    TRANSFER_CARD,
    YELLOW_CARD,
    Block,
    Line,
    Table,
)
from services.documents.render import same_bytes

KINDS: dict[str, Sequence[Block]] = {
    "supervision_notice": SUPERVISION_NOTICE,
    "inspection_notice": INSPECTION_NOTICE,
    "transfer_card": TRANSFER_CARD,
    "reminder": REMINDER,
    "reminder_list": REMINDER_LIST,
    "quarterly_dispatch": QUARTERLY_DISPATCH,
    "feedback_form": FEEDBACK_FORM,
    "answer_letter": ANSWER_LETTER,
    "rectification_notice": RECTIFICATION,
    "yellow_card": YELLOW_CARD,
    "accountability_referral": ACCOUNTABILITY,
    "special_report": SPECIAL_REPORT,
    "bulletin": BULLETIN,
    "quarterly_report": QUARTERLY_REPORT,
    "annual_report": ANNUAL_REPORT,
}

# Name, half points, east asian font, colour, alignment, paragraph XML.
_STYLES: tuple[tuple[str, int, str, str | None, str, str], ...] = (
    ("紧急程度", 32, "黑体", None, "left", ""),
    ("机关标志", 68, "方正小标宋简体", "FF0000", "center", '<w:spacing w:before="1400" {one}/>'),
    ("发文字号", 32, "仿宋_GB2312", None, "center", '<w:spacing w:before="1158"/>'),
    ("红线", 8, "仿宋_GB2312", None, "left", "{red}{thin}"),
    ("文件标题", 44, "方正小标宋简体", None, "center", '<w:spacing w:before="1158" {title}/>'),
    ("主送机关", 32, "仿宋_GB2312", None, "both", '<w:spacing w:before="579"/>'),
    ("正文首缩", 32, "仿宋_GB2312", None, "both", '<w:ind w:firstLineChars="200"/>'),
    ("末段", 32, "仿宋_GB2312", None, "both", '<w:keepNext/><w:ind w:firstLineChars="200"/>'),
    ("一级标题", 32, "黑体", None, "both", '<w:keepNext/><w:ind w:firstLineChars="200"/>'),
    ("二级标题", 32, "楷体_GB2312", None, "both", '<w:keepNext/><w:ind w:firstLineChars="200"/>'),
    (
        "附件说明",
        32,
        "仿宋_GB2312",
        None,
        "both",
        '<w:ind w:leftChars="500" w:hangingChars="300"/>',
    ),
    ("署名", 32, "仿宋_GB2312", None, "center", '<w:keepNext/><w:ind w:leftChars="1200"/>'),
    ("成文日期", 32, "仿宋_GB2312", None, "center", '<w:ind w:leftChars="1200"/>'),
    ("上行文号", 32, "仿宋_GB2312", None, "both", '<w:spacing w:before="1158"/>'),
    ("表格文字", 28, "仿宋_GB2312", None, "left", '<w:spacing w:line="480" w:lineRule="exact"/>'),
    ("表格标题", 28, "黑体", None, "center", '<w:spacing w:line="480" w:lineRule="exact"/>'),
    ("表题", 28, "黑体", None, "center", "<w:keepNext/>"),
    ("版记日期", 28, "仿宋_GB2312", None, "right", "{imprint}"),
    ("版记", 28, "仿宋_GB2312", None, "left", "{imprint}"),
    ("图", 28, "仿宋_GB2312", None, "center", "{picture}"),
    ("单页码", 28, "宋体", None, "right", '<w:ind w:rightChars="100"/>{page}'),
    ("双页码", 28, "宋体", None, "left", '<w:ind w:leftChars="100"/>{page}'),
)

_SNIPPETS = {
    "one": 'w:line="1000" w:lineRule="exact"',
    "title": 'w:line="700" w:lineRule="exact"',
    "red": '<w:pBdr><w:bottom w:val="single" w:sz="12" w:space="0" w:color="FF0000"/></w:pBdr>',
    "thin": '<w:spacing w:line="226" w:lineRule="exact"/>',
    "imprint": '<w:spacing w:line="480" w:lineRule="exact"/>'
    '<w:ind w:leftChars="100" w:rightChars="100"/>',
    "picture": '<w:spacing w:before="160" w:after="80" w:line="240" w:lineRule="auto"/>',
    "page": '<w:spacing w:line="320" w:lineRule="exact"/>',
}

_ALTERNATIVES = {
    "仿宋_GB2312": "FangSong",
    "方正小标宋简体": "FZXiaoBiaoSong-B05S",
    "黑体": "SimHei",
    "楷体_GB2312": "KaiTi",
    "宋体": "SimSun",
}

_WIDTH = 8844
"""156 mm in twips: the width of the text."""


def build(kind: str) -> OpenDocument:
    """Make the template of one kind."""
    document = Document()
    _lay_out(document)
    _add_styles(document)
    body = document.element.body
    for block in KINDS[kind]:
        made = _line(block) if isinstance(block, Line) else _table(block)
        body.insert(len(body) - 1, made)
    return document


def _lay_out(document: OpenDocument) -> None:
    section = document.sections[0]._sectPr
    for tag in ("w:pgSz", "w:pgMar", "w:cols", "w:docGrid"):
        for found in section.findall(qn(tag)):
            section.remove(found)
    section.append(_xml('<w:pgSz w:w="11906" w:h="16838"/>'))
    section.append(
        _xml(
            '<w:pgMar w:top="2098" w:bottom="1984" w:left="1588" w:right="1474" '
            'w:header="850" w:footer="1304" w:gutter="0"/>'
        )
    )
    section.append(_xml('<w:docGrid w:type="lines" w:linePitch="579"/>'))
    document.settings.odd_and_even_pages_header_footer = True
    for footer, style in (
        (document.sections[0].footer, "单页码"),
        (document.sections[0].even_page_footer, "双页码"),
    ):
        footer.is_linked_to_previous = False
        place = footer._element
        for old in list(place):
            place.remove(old)
        place.append(
            _xml(
                f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{_run("— ")}'
                '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
                '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
                '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
                f'<w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>{_run(" —")}'
                "</w:p>"
            )
        )


def _add_styles(document: OpenDocument) -> None:
    styles = document.styles.element
    kept = {"Normal", "DefaultParagraphFont", "TableNormal", "NoList"}
    for style in styles.findall(qn("w:style")):
        if style.get(qn("w:styleId")) not in kept:
            styles.remove(style)
    normal = next(s for s in styles if s.get(qn("w:styleId")) == "Normal")
    for tag in ("w:pPr", "w:rPr"):
        for found in normal.findall(qn(tag)):
            normal.remove(found)
    normal.append(
        _xml(
            '<w:pPr><w:widowControl w:val="0"/><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/>'
            '<w:spacing w:before="0" w:after="0" w:line="579" w:lineRule="exact"/>'
            '<w:jc w:val="both"/></w:pPr>'
        )
    )
    normal.append(
        _xml(
            f'<w:rPr>{_fonts("仿宋_GB2312")}<w:spacing w:val="-5"/><w:sz w:val="32"/>'
            '<w:szCs w:val="32"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr>'
        )
    )
    for style in _STYLES:
        styles.append(_style(style))
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            relation.target_part._blob = _font_table()


def _style(style: tuple[str, int, str, str | None, str, str]) -> Xml:
    name, size, font, color, align, shape = style
    tint = f'<w:color w:val="{color}"/>' if color else ""
    return _xml(
        f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{name}"><w:name w:val="{name}"/>'
        f'<w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>{shape.format(**_SNIPPETS)}'
        f'<w:jc w:val="{align}"/></w:pPr><w:rPr>{_fonts(font)}{tint}<w:sz w:val="{size}"/>'
        f'<w:szCs w:val="{size}"/></w:rPr></w:style>'
    )


def _fonts(name: str) -> str:
    return (
        f'<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="{name}" '
        'w:cs="Times New Roman"/>'
    )


def _font_table() -> bytes:
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/>'
        '<w:family w:val="auto"/><w:pitch w:val="default"/></w:font>'
        for name, other in _ALTERNATIVES.items()
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?><w:fonts {nsdecls("w")}>{fonts}</w:fonts>'
    return text.encode()


def _line(line: Line) -> Xml:
    text = line.text
    run = "" if not text else _run(text)
    return _xml(f'<w:p><w:pPr><w:pStyle w:val="{line.style}"/></w:pPr>{run}</w:p>')


def _run(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<w:r><w:t xml:space="preserve">{safe}</w:t></w:r>'


def _table(table: Table) -> Xml:
    total = sum(table.widths)
    widths = [_WIDTH * width // total for width in table.widths]
    place = (
        '<w:tblpPr w:vertAnchor="margin" w:horzAnchor="margin" w:tblpXSpec="center" '
        'w:tblpYSpec="bottom"/>'
        if table.at_bottom
        else ""
    )
    sides = ("top", "bottom") if table.at_bottom else ("top", "left", "bottom", "right")
    inner = ("insideH",) if table.at_bottom else ("insideH", "insideV")
    sizes = {side: 6 if table.at_bottom else 4 for side in sides} | dict.fromkeys(inner, 4)
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'
        for side, size in sizes.items()
    )
    layout = "autofit" if table.has_header else "fixed"
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    rows = "".join(_row(row, widths, table) for row in table.rows)
    return _xml(
        f'<w:tbl><w:tblPr>{place}<w:tblW w:w="{_WIDTH}" w:type="dxa"/>'
        f'<w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type="{layout}"/>'
        '<w:tblCellMar><w:left w:w="85" w:type="dxa"/><w:right w:w="85" w:type="dxa"/>'
        f"</w:tblCellMar></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>"
    )


def _row(row: Sequence[tuple[str, ...]], widths: list[int], table: Table) -> str:
    cells, column = "", 0
    for texts in row:
        span = 1 if len(row) == len(widths) else (len(widths) - len(row) + 1 if column else 1)
        span = len(widths) if len(row) == 1 else span
        width = sum(widths[column : column + span])
        style = _cell_style(table, column, is_first=row is table.rows[0])
        paragraphs = "".join(
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{_run(text)}</w:p>' for text in texts
        )
        merged = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
        cells += (
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{merged}'
            f'<w:vAlign w:val="center"/></w:tcPr>{paragraphs}</w:tc>'
        )
        column += span
    height = f'<w:trHeight w:val="{table.row_height}"/>' if table.row_height else ""
    header = "<w:tblHeader/>" if table.has_header and row is table.rows[0] else ""
    # A row that can grow long may break; any other stays whole.
    whole = "" if "{%p" in cells else "<w:cantSplit/>"
    return f"<w:tr><w:trPr>{whole}{height}{header}</w:trPr>{cells}</w:tr>"


def _cell_style(table: Table, column: int, *, is_first: bool) -> str:
    if table.at_bottom:
        return "版记日期" if column else "版记"
    if table.has_header:
        return "表格标题" if is_first else "表格文字"
    return "表格文字" if column % 2 else "表格标题"


def _xml(text: str) -> Xml:
    end = next(i for i, sign in enumerate(text) if sign in " />")
    return parse_xml(f"{text[:end]} {nsdecls('w', 'r')}{text[end:]}")


def main(folder: Path) -> None:
    """Write every template into a folder."""
    for kind in KINDS:
        made = io.BytesIO()
        build(kind).save(made)
        (folder / f"{kind}.docx").write_bytes(same_bytes(made.getvalue()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
