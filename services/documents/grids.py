"""The tables of a docx as a grid of cells, with what is drawn around each."""

from __future__ import annotations

from dataclasses import dataclass, field

from docx.oxml.ns import qn

from services.documents.formats import Formats, Rule, Xml, rule

_SIDES = ("top", "bottom", "left", "right")


@dataclass(slots=True)
class Cell:
    """A cell: its place, how many columns and rows it takes, its own rules. Lengths in twips."""

    element: Xml
    x: int
    y: int
    across: int
    down: int = 1
    sides: dict[str, Rule | None] = field(default_factory=dict)
    fill: str | None = None
    height: float = 0.0
    inset: float = 0.0
    centered: bool = False
    repeats: bool = False
    whole: bool = False


@dataclass(slots=True)
class Grid:
    """A table; `at_bottom` says that it stands at the foot of the page it falls on."""

    columns: list[float]
    cells: list[Cell]
    at_bottom: bool = False


def read_grid(table: Xml, formats: Formats) -> Grid:
    """Read a table, cells that continue the one above joined to it."""
    properties = table.find(qn("w:tblPr"))
    columns = [float(c.get(qn("w:w"))) for c in table.iter(qn("w:gridCol"))]
    grid = Grid(columns, [], _at_bottom(properties))
    drawn, inset = _table_rules(formats.table_borders(properties)), _inset(properties)
    above: dict[int, Cell] = {}
    rows = table.findall(qn("w:tr"))
    for y, row in enumerate(rows):
        x = 0
        for element in row.findall(qn("w:tc")):
            cell = _cell(element, row, (x, y), inset)
            if _continues(element) and x in above:
                above[x].down += 1
            else:
                above[x] = cell
                grid.cells.append(cell)
            x += cell.across
    for cell in grid.cells:
        _sides(cell, drawn, len(columns), len(rows))
    return grid


def _continues(element: Xml) -> bool:
    merge = element.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merge is not None and merge.get(qn("w:val")) != "restart"


def _cell(element: Xml, row: Xml, place: tuple[int, int], inset: float) -> Cell:
    properties = element.find(qn("w:tcPr"))
    span = _value(properties, "w:gridSpan")
    fill = _value(properties, "w:shd", "w:fill")
    row_properties = row.find(qn("w:trPr"))
    height = _value(row_properties, "w:trHeight")
    return Cell(
        element,
        *place,
        across=int(span) if span else 1,
        fill=None if fill in (None, "auto") else fill,
        height=float(height) if height else 0.0,
        inset=inset,
        centered=_value(properties, "w:vAlign") == "center",
        repeats=_has(row_properties, "w:tblHeader"),
        whole=_has(row_properties, "w:cantSplit"),
    )


def _value(properties: Xml, tag: str, name: str = "w:val") -> str | None:
    found = properties.find(qn(tag)) if properties is not None else None
    value: str | None = None if found is None else found.get(qn(name))
    return value


def _has(properties: Xml, tag: str) -> bool:
    return properties is not None and properties.find(qn(tag)) is not None


def _at_bottom(properties: Xml) -> bool:
    place = properties.find(qn("w:tblpPr")) if properties is not None else None
    return place is not None and place.get(qn("w:tblpYSpec")) == "bottom"


def _inset(properties: Xml) -> float:
    margins = properties.find(qn("w:tblCellMar")) if properties is not None else None
    return float(_value(margins, "w:left", "w:w") or 108)


def _table_rules(borders: Xml) -> dict[str, Rule | None]:
    names = (*_SIDES, "insideH", "insideV")
    return {n: None if borders is None else rule(borders, f"w:{n}") for n in names}


def _sides(cell: Cell, drawn: dict[str, Rule | None], columns: int, rows: int) -> None:
    outer = {
        "top": cell.y == 0,
        "bottom": cell.y + cell.down >= rows,
        "left": cell.x == 0,
        "right": cell.x + cell.across >= columns,
    }
    inner = {"top": "insideH", "bottom": "insideH", "left": "insideV", "right": "insideV"}
    cell.sides = {side: drawn[side if outer[side] else inner[side]] for side in _SIDES}
    properties = cell.element.find(qn("w:tcPr"))
    own = properties.find(qn("w:tcBorders")) if properties is not None else None
    if own is not None:
        named = (side for side in _SIDES if own.find(qn(f"w:{side}")) is not None)
        cell.sides |= {side: rule(own, f"w:{side}") for side in named}
