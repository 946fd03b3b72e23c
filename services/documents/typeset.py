"""The PDF of a docx: the same paragraphs, tables and rules, set by typst with fonts embedded.

Covered is what official documents use: styles, alignment, indents, exact line pitch, borders,
tables with spanned cells, pictures in the line, footers of odd and even pages, page numbers. The
PDF is PDF/A-2b and the same bytes for the same docx.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime

from docx import Document
from docx.document import Document as OpenDocument
from docx.oxml.ns import qn
from docx.section import Section

from services.documents.fonts import HEAVY, FontBook, word_of
from services.documents.formats import (
    TWIPS,
    Formats,
    ParagraphFormat,
    Rule,
    RunFormat,
    Xml,
)
from services.documents.grids import Grid, read_grid

EMU = 12700.0
"""Units of a picture's size in a point."""

PREVIEW_PPI = 110.0

_ALIGN = {"center": "center", "right": "right", "end": "right"}
_ABOVE, _BELOW = 0.38, 0.38
"""A line's middle lies this far above the base line, in units of the size."""


def pdf_of(docx: bytes, book: FontBook, at: datetime, watermark: str | None = None) -> bytes:
    """Set a docx as PDF.

    Parameters
    ----------
    at : what the PDF says about when it was made.
    watermark : written across every page, such as 已撤销.
    """
    source = Typesetter(Document(io.BytesIO(docx)), book).source(watermark)
    return book.pdf(source, at)


def picture_of(
    docx: bytes, book: FontBook, page: int, watermark: str | None = None
) -> bytes | None:
    """Draw one page (from 1) of a docx as PNG, as its PDF shows it; `None` past the last page."""
    source = Typesetter(Document(io.BytesIO(docx)), book).source(watermark)
    pages = book.pictures(source, PREVIEW_PPI)
    return pages[page - 1] if 1 <= page <= len(pages) else None


class Typesetter:
    """Writes one docx as typst source, everything in code: no text of a document is ever markup."""

    def __init__(self, document: OpenDocument, book: FontBook) -> None:
        self._document = document
        self._formats = Formats(document)
        self._book = book

    def source(self, watermark: str | None = None) -> str:
        """Give the source of the whole document."""
        section = self._document.sections[0]
        title = self._document.core_properties.title
        lines = [
            f"#set document(title: {_text(title)}, date: auto)",
            f"#set page({self._page(section, watermark)})",
            '#set text(lang: "zh", region: "cn", cjk-latin-spacing: none, '
            "costs: (widow: 0%, orphan: 0%))",
            "#set par(leading: 0pt, spacing: 0pt, linebreaks: auto)",
            "#set block(spacing: 0pt)",
            "#set table(gutter: 0pt)",
        ]
        body = self._document.element.body
        lines += [f"#{made}" for made in self._blocks(body)]
        return "\n".join(lines) + "\n"

    def _page(self, section: Section, watermark: str | None) -> str:
        sizes = {
            "width": section.page_width,
            "height": section.page_height,
        }
        margins = {
            "top": section.top_margin,
            "bottom": section.bottom_margin,
            "left": section.left_margin,
            "right": section.right_margin,
        }
        parts = [f"{name}: {_emu(value)}" for name, value in sizes.items()]
        sides = ", ".join(f"{name}: {_emu(value)}" for name, value in margins.items())
        parts.append(f"margin: ({sides})")
        parts.append(f"footer: {self._footer(section)}")
        bottom = section.bottom_margin or 0
        distance = section.footer_distance or 0
        parts.append(f"footer-descent: {_pt(max(0.0, (bottom - distance) / EMU - 16))}")
        if watermark:
            words = f'text(size: 96pt, fill: rgb("#e0000038"), tracking: 12pt, {_text(watermark)})'
            fonts = _families(self._book.families("黑体"))
            parts.append(
                f"foreground: {{ set text(font: {fonts}); rotate(-38deg, {words}) }}",
            )
        return ", ".join(parts)

    def _footer(self, section: Section) -> str:
        odd = self._joined(section.footer._element)
        if not self._document.settings.odd_and_even_pages_header_footer:
            return odd
        even = self._joined(section.even_page_footer._element)
        return f"context if calc.odd(counter(page).get().first()) {odd} else {even}"

    def _joined(self, parent: Xml) -> str:
        return "{" + "; ".join(self._blocks(parent)) + "}"

    def _blocks(self, parent: Xml) -> Iterator[str]:
        for element in parent:
            if element.tag == qn("w:p"):
                yield from self._paragraph(element)
            elif element.tag == qn("w:tbl"):
                yield from self._table(element)

    def _paragraph(self, element: Xml) -> Iterator[str]:
        shape, base = self._formats.paragraph(element)
        runs = list(self._runs(element, base))
        size = max((run.size for run, _ in runs), default=base.size)
        pitch = shape.pitch(size)
        if shape.page_break:
            yield "pagebreak(weak: true)"
        if not runs and shape.top is None and shape.bottom is None:
            height = pitch + shape.before + shape.after
            sticky = ", sticky: true" if shape.keep_next else ""
            yield f"block(height: {_pt(height)}, width: 100%{sticky}, none)"
            return
        content = " + ".join(made for _, made in runs) or "[]"
        yield self._block(shape, size, pitch, content)

    def _block(self, shape: ParagraphFormat, size: float, pitch: float, content: str) -> str:
        top = f"{_pt(pitch / 2 + size * _ABOVE)}"
        bottom = f"{_pt(-(pitch / 2 - size * _BELOW))}"
        justify = "true" if shape.align in ("both", "distribute") else "false"
        first = f"first-line-indent: (amount: {_pt(max(shape.first, 0.0))}, all: true)"
        hanging = f", hanging-indent: {_pt(-shape.first)}" if shape.first < 0 else ""
        left = shape.left + min(shape.first, 0.0)
        inner = f"set text(top-edge: {top}, bottom-edge: {bottom}); "
        inner += f"par(justify: {justify}, {first}{hanging}, {content})"
        align = _ALIGN.get(shape.align, "left")
        inset = f"(left: {_pt(left)}, right: {_pt(shape.right)}{_room(shape)})"
        stroke = _strokes({"top": shape.top, "bottom": shape.bottom})
        # Two blocks, for what stands before a rule must lie outside of it.
        above = f"inset: (top: {_pt(shape.before)}, bottom: {_pt(shape.after)})"
        sticky = ", sticky: true" if shape.keep_next else ""
        return (
            f"block(width: 100%, {above}{sticky}, block(width: 100%, inset: {inset}, "
            f"stroke: {stroke}, align({align}, {{ {inner} }})))"
        )

    def _runs(self, paragraph: Xml, base: RunFormat) -> Iterator[tuple[RunFormat, str]]:
        in_field, instruction = False, ""
        for element in paragraph.iter(qn("w:r")):
            format_ = self._formats.run(element, base)
            for part in element:
                if part.tag == qn("w:fldChar"):
                    kind = part.get(qn("w:fldCharType"))
                    in_field = kind == "begin" or (in_field and kind != "end")
                    if kind == "end":
                        yield format_, self._styled(format_, _field(instruction))
                        instruction = ""
                elif part.tag == qn("w:instrText"):
                    instruction += part.text or ""
                elif not in_field:
                    made = self._part(part, format_)
                    if made is not None:
                        yield format_, made

    def _part(self, part: Xml, format_: RunFormat) -> str | None:
        if part.tag == qn("w:t"):
            return self._styled(format_, _text(part.text or "")) if part.text else None
        if part.tag in (qn("w:br"), qn("w:cr")):
            return "pagebreak()" if part.get(qn("w:type")) == "page" else "linebreak()"
        if part.tag == qn("w:tab"):
            return f"h({_pt(2 * format_.size)})"
        if part.tag == qn("w:drawing"):
            return self._picture(part)
        return None

    def _styled(self, format_: RunFormat, content: str) -> str:
        fonts = _families(self._book.families(format_.font))
        color = format_.color or "000000"
        parts = [f"size: {_pt(format_.size)}", f"font: {fonts}", f'fill: rgb("#{color}")']
        if format_.spacing:
            parts.append(f"tracking: {_pt(format_.spacing)}")
        if format_.bold:
            parts.append('weight: "bold"')
        if self._needs_weight(format_):
            parts.append(f'stroke: {_pt(format_.size * 0.022)} + rgb("#{color}")')
        made = f"text({', '.join(parts)}, {content})"
        return f"underline({made})" if format_.underline else made

    def _needs_weight(self, format_: RunFormat) -> bool:
        heavy = format_.bold or word_of(format_.font) == HEAVY
        return heavy and self._book.is_stand_in(format_.font)

    def _picture(self, drawing: Xml) -> str | None:
        blip = next(drawing.iter(qn("a:blip")), None)
        extent = next(drawing.iter(qn("wp:extent")), None)
        if blip is None or extent is None:
            return None
        content = self._document.part.related_parts[blip.get(qn("r:embed"))].blob
        numbers = ",".join(str(byte) for byte in content)
        width, height = float(extent.get("cx")) / EMU, float(extent.get("cy")) / EMU
        return f"box(image(bytes(({numbers})), width: {_pt(width)}, height: {_pt(height)}))"

    def _table(self, element: Xml) -> Iterator[str]:
        grid = read_grid(element, self._formats)
        if grid.at_bottom:
            yield "v(1fr)"
        columns = ", ".join(_pt(width / TWIPS) for width in grid.columns)
        cells = ", ".join(self._cells(grid))
        made = f"table(columns: ({columns},), stroke: none, inset: 0pt, {cells})"
        yield f"block(breakable: {'false' if grid.at_bottom else 'true'}, {made})"

    def _cells(self, grid: Grid) -> Iterator[str]:
        header: list[str] = []
        for cell in grid.cells:
            content = self._joined(cell.element)
            if cell.height:
                strut = f"box(height: {_pt(cell.height / TWIPS)}, width: 0pt)"
                content = f"grid(columns: (0pt, 1fr), align: horizon, {strut}, {content})"
            fill = f', fill: rgb("#{cell.fill}")' if cell.fill else ""
            made = (
                f"table.cell(x: {cell.x}, y: {cell.y}, colspan: {cell.across}, "
                f"rowspan: {cell.down}, stroke: {_strokes(cell.sides)}{fill}, "
                f"align: {'horizon' if cell.centered else 'top'}, "
                f"breakable: {'false' if cell.whole else 'true'}, "
                f"inset: (x: {_pt(cell.inset / TWIPS)}, y: 0pt), {content})"
            )
            if cell.repeats:
                header.append(made)
            else:
                yield made
        if header:
            yield f"table.header({', '.join(header)})"


def _room(shape: ParagraphFormat) -> str:
    return "".join(
        f", {side}: {_pt(rule.space)}"
        for side, rule in (("top", shape.top), ("bottom", shape.bottom))
        if rule is not None
    )


def _strokes(sides: dict[str, Rule | None]) -> str:
    drawn = [
        f'{side}: {_pt(rule.width)} + rgb("#{rule.color}")'
        for side, rule in sides.items()
        if rule is not None
    ]
    return f"({', '.join(drawn)})" if drawn else "none"


def _field(instruction: str) -> str:
    name = next(iter(instruction.split()), "")
    if name == "PAGE":
        return "context counter(page).display()"
    return "context str(counter(page).final().first())" if name == "NUMPAGES" else '""'


def _families(names: tuple[str, ...]) -> str:
    return "(" + ", ".join(_text(name) for name in names) + ",)"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "").replace("\t", "\\t") + '"'


def _pt(length: float) -> str:
    return f"{length:.3f}pt"


def _emu(length: int | None) -> str:
    return _pt((length or 0) / EMU)
