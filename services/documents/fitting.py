"""Fits the columns of a filled table to what they hold, where its template asks for it.

A word processor would do so itself; done here, docx and PDF have the same columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from math import sqrt

from docx.document import Document as OpenDocument
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from services.documents.formats import TWIPS, Formats, Xml
from services.documents.grids import Cell, read_grid

_NARROW = 0.56
"""Width of a Latin letter or digit, in units of its size."""
_SLACK = 1.0
"""What is left free in each column, in points: fonts differ a little."""
_SHORT = 6.5
"""Cells up to so many characters wide are never broken, as far as there is room."""
_NUMBERS = re.compile(r"[\d.,%（）()/—\s-]*")


def fit_tables(document: OpenDocument) -> None:
    """Set the columns of every table laid out automatically; other tables stay as they are."""
    formats = Formats(document)
    for table in document.element.body.iter(qn("w:tbl")):
        layout = table.find(f"{qn('w:tblPr')}/{qn('w:tblLayout')}")
        if layout is not None and layout.get(qn("w:type")) == "autofit":
            _fit(table, formats)
            layout.set(qn("w:type"), "fixed")


def _fit(table: Xml, formats: Formats) -> None:
    grid = read_grid(table, formats)
    single = [cell for cell in grid.cells if cell.across == 1]
    total, empty = sum(grid.columns), [0.0] * len(grid.columns)
    whole, broken, short = list(empty), list(empty), list(empty)
    for cell in single:
        wide, narrower, size = _wants(cell, formats)
        whole[cell.x] = max(whole[cell.x], wide)
        broken[cell.x] = max(broken[cell.x], narrower)
        short[cell.x] = max(short[cell.x], _SHORT * size + 2 * cell.inset)
    widths = shared(whole if sum(whole) <= total else broken, short, total)
    for column, width in zip(table.iter(qn("w:gridCol")), widths, strict=True):
        column.set(qn("w:w"), str(width))
    for cell in grid.cells:
        _set_width(cell, sum(widths[cell.x : cell.x + cell.across]))
    _center_numbers(single, len(widths))


def shared(natural: Sequence[float], short: Sequence[float], total: float) -> list[int]:
    """Share a width among columns.

    Parameters
    ----------
    natural : what each column wants so that nothing in it is broken.
    short : up to which width a column gets what it wants even when others have to break.
    total : what there is, in the same unit.

    Returns
    -------
    Whole widths that add up to `total`.
    """
    wanted = sum(natural) or 1.0
    if wanted <= total:
        given = [width * total / wanted for width in natural]
    else:
        kept = [width if width <= most else 0.0 for width, most in zip(natural, short, strict=True)]
        # Wide columns by the square root: ten times the text needs several times the width.
        roots = [0.0 if k else sqrt(n) for k, n in zip(kept, natural, strict=True)]
        left = total - sum(kept)
        if sum(roots) and left > 0:
            given = [k or left * r / sum(roots) for k, r in zip(kept, roots, strict=True)]
        else:
            given = [width * total / wanted for width in natural]
    ends = [round(sum(given[: n + 1])) for n in range(len(given))]
    ends[-1] = round(total)
    return [end - before for before, end in zip([0, *ends], ends, strict=False)]


def _wants(cell: Cell, formats: Formats) -> tuple[float, float, float]:
    """Give how wide a cell would be unbroken, broken at its spaces, and its size, all in twips."""
    whole, broken, size = 0.0, 0.0, 0.0
    for paragraph in cell.element.findall(qn("w:p")):
        _, base = formats.paragraph(paragraph)
        text = "".join(node.text or "" for node in paragraph.iter(qn("w:t")))
        size = max(size, base.size)
        whole = max(whole, _signs(text) * base.size)
        broken = max(broken, *(_signs(part) * base.size for part in text.split(" ")))
    room = _SLACK * TWIPS + 2 * cell.inset
    return whole * TWIPS + room, broken * TWIPS + room, size * TWIPS


def _signs(text: str) -> float:
    return sum(1.0 if unicodedata.east_asian_width(c) in "WFA" else _NARROW for c in text)


def _set_width(cell: Cell, width: int) -> None:
    properties = cell.element.get_or_add_tcPr()
    found = properties.find(qn("w:tcW"))
    if found is None:
        found = OxmlElement("w:tcW")
        properties.insert(0, found)
    found.set(qn("w:w"), str(width))
    found.set(qn("w:type"), "dxa")


def _center_numbers(cells: Sequence[Cell], columns: int) -> None:
    """Center the columns that hold numbers alone; a heading says what they count."""
    for x in range(columns):
        body = [cell for cell in cells if cell.x == x and not cell.repeats]
        texts = ["".join(node.text or "" for node in c.element.iter(qn("w:t"))) for c in body]
        if any(texts) and all(_NUMBERS.fullmatch(text) for text in texts):
            for paragraph in (p for cell in body for p in cell.element.findall(qn("w:p"))):
                paragraph.alignment = 1
