"""Bar charts for bulletins and reports, as pictures that look the same in docx and PDF."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from docx.shared import Mm
from docxtpl import DocxTemplate, InlineImage

from services.documents.fonts import FontBook
from services.documents.render import Picture

WIDTH_MM = 150
_PPI = 220.0
_BAR = "c00000"


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: what it is, how long, and what is written at its end, count beside percentage."""

    label: str
    value: Decimal
    written: str


def bar_chart(bars: Sequence[Bar], book: FontBook, most: Decimal | None = None) -> Picture:
    """Draw a chart of lying bars.

    Parameters
    ----------
    most : the value of a full bar; `None` takes the longest.
    """
    full = most or max((bar.value for bar in bars), default=Decimal(1)) or Decimal(1)
    fonts = ", ".join(f'"{family}"' for family in book.families("宋体"))
    rows = ", ".join(
        f"align(right, {_text(bar.label)}), "
        f"grid(columns: ({_share(bar.value, full)}, auto), gutter: 4pt, align: horizon, "
        f'rect(width: 100%, height: 10pt, fill: rgb("#{_BAR}")), {_text(bar.written)})'
        for bar in bars
    )
    source = (
        f"#set page(width: {WIDTH_MM}mm, height: auto, margin: 2mm, fill: none)\n"
        f"#set text(size: 10pt, font: ({fonts},))\n"
        f"#grid(columns: (32%, 1fr), gutter: 7pt, align: horizon, {rows})\n"
    )
    (content,) = book.pictures(source, _PPI)

    def place(document: DocxTemplate) -> InlineImage:
        return InlineImage(document, io.BytesIO(content), width=Mm(WIDTH_MM))

    return place


def _share(value: Decimal, full: Decimal) -> str:
    # Two thirds of the width at most: what is written at the end needs the rest.
    return f"{float(value / full) * 66:.3f}%"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
