"""What a docx says about its text, styles followed: the part of it that documents are set with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from docx.document import Document
from docx.oxml.ns import qn

Xml = Any
"""An element of python-docx's lxml tree."""

TWIPS = 20.0
"""Twentieths of a point, the unit of nearly everything in a docx."""
HALF = 2.0
EIGHTHS = 8.0
HUNDREDTHS = 100.0
_SINGLE = 1.3
"""Height of a single-spaced line of Chinese text, in units of its size."""
_AUTO = 240.0


@dataclass(frozen=True, slots=True)
class RunFormat:
    """How characters look; sizes in points."""

    size: float = 16.0
    font: str | None = None
    color: str | None = None
    bold: bool = False
    underline: bool = False
    spacing: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A line above or below: its width and distance in points."""

    width: float
    color: str
    space: float = 0.0


@dataclass(frozen=True, slots=True)
class ParagraphFormat:
    """How a paragraph stands; lengths in points, `line` is the distance of two lines."""

    align: str = "both"
    left: float = 0.0
    right: float = 0.0
    first: float = 0.0
    before: float = 0.0
    after: float = 0.0
    line: float | None = None
    exact: bool = False
    multiple: float = 1.0
    top: Rule | None = None
    bottom: Rule | None = None
    keep_next: bool = False
    page_break: bool = False

    def pitch(self, size: float) -> float:
        """Give the height of a line set in this size."""
        natural = size * _SINGLE * self.multiple
        if self.line is None:
            return natural
        return self.line if self.exact else max(self.line, natural)


class Formats:
    """Resolves the formats of one docx: defaults, then styles, then what stands at the text."""

    def __init__(self, document: Document) -> None:
        root = document.styles.element
        self._styles: dict[str, Xml] = {s.get(qn("w:styleId")): s for s in root.findall(_W_STYLE)}
        self._default = next(
            (
                s.get(qn("w:styleId"))
                for s in self._styles.values()
                if s.get(qn("w:type")) == "paragraph" and s.get(qn("w:default")) == "1"
            ),
            None,
        )
        defaults = root.find(qn("w:docDefaults"))
        self._run, self._paragraph = RunFormat(size=10.0), ParagraphFormat(align="left")
        if defaults is not None:
            self._run = _run(self._run, defaults.find(f"{qn('w:rPrDefault')}/{qn('w:rPr')}"))
            self._paragraph = _paragraph(
                self._paragraph, defaults.find(f"{qn('w:pPrDefault')}/{qn('w:pPr')}"), self._run
            )

    def paragraph(self, element: Xml) -> tuple[ParagraphFormat, RunFormat]:
        """Give how a paragraph stands, and how its text looks unless it says otherwise."""
        properties = element.find(qn("w:pPr"))
        style = _value(properties, "w:pStyle") or self._default
        run = self._run
        chain = list(self._chain(style))
        for part in chain:
            run = _run(run, part.find(qn("w:rPr")))
        shape = self._paragraph
        for part in chain:
            shape = _paragraph(shape, part.find(qn("w:pPr")), run)
        return _paragraph(shape, properties, run), run

    def run(self, element: Xml, base: RunFormat) -> RunFormat:
        """Give how the text of a run looks."""
        properties = element.find(qn("w:rPr"))
        for part in self._chain(_value(properties, "w:rStyle")):
            base = _run(base, part.find(qn("w:rPr")))
        return _run(base, properties)

    def table_borders(self, properties: Xml) -> Xml:
        """Give the borders of a table: its own, or those of its style; `None` without any."""
        if properties is None:
            return None
        found = properties.find(qn("w:tblBorders"))
        for part in self._chain(_value(properties, "w:tblStyle")):
            own = part.find(f"{qn('w:tblPr')}/{qn('w:tblBorders')}")
            found = own if found is None else found
        return found

    def _chain(self, style: str | None) -> Iterator[Xml]:
        found: list[Xml] = []
        while style in self._styles and self._styles[style] not in found:
            found.append(self._styles[style])
            style = _value(self._styles[style], "w:basedOn")
        yield from reversed(found)


_W_STYLE = qn("w:style")


def _value(parent: Xml, tag: str, name: str = "w:val") -> str | None:
    found = parent.find(qn(tag)) if parent is not None else None
    return None if found is None else found.get(qn(name))


def _flag(parent: Xml, tag: str, before: bool) -> bool:
    found = parent.find(qn(tag))
    if found is None:
        return before
    return found.get(qn("w:val")) not in ("0", "false", "none", "off")


def _run(base: RunFormat, properties: Xml) -> RunFormat:
    if properties is None:
        return base
    fonts = properties.find(qn("w:rFonts"))
    size, spacing = _value(properties, "w:sz"), _value(properties, "w:spacing")
    color = _value(properties, "w:color")
    font = fonts.get(qn("w:eastAsia")) if fonts is not None else None
    return replace(
        base,
        size=float(size) / HALF if size else base.size,
        font=font or base.font,
        color=(None if color == "auto" else color) if color else base.color,
        bold=_flag(properties, "w:b", base.bold),
        underline=_flag(properties, "w:u", base.underline),
        spacing=float(spacing) / TWIPS if spacing else base.spacing,
    )


def _paragraph(base: ParagraphFormat, properties: Xml, run: RunFormat) -> ParagraphFormat:
    if properties is None:
        return base
    align = _value(properties, "w:jc")
    made = replace(
        base,
        align=align or base.align,
        keep_next=_flag(properties, "w:keepNext", base.keep_next),
        page_break=_flag(properties, "w:pageBreakBefore", base.page_break),
    )
    indents = properties.find(qn("w:ind"))
    if indents is not None:
        made = replace(
            made,
            left=_indent(indents, ("w:left", "w:start"), made.left, run),
            right=_indent(indents, ("w:right", "w:end"), made.right, run),
            first=_first(indents, made.first, run),
        )
    made = _spacing(made, properties.find(qn("w:spacing")))
    borders = properties.find(qn("w:pBdr"))
    if borders is not None:
        made = replace(made, top=rule(borders, "w:top"), bottom=rule(borders, "w:bottom"))
    return made


def _spacing(base: ParagraphFormat, spacing: Xml) -> ParagraphFormat:
    if spacing is None:
        return base
    before, after = spacing.get(qn("w:before")), spacing.get(qn("w:after"))
    made = replace(
        base,
        before=float(before) / TWIPS if before else base.before,
        after=float(after) / TWIPS if after else base.after,
    )
    line, kind = spacing.get(qn("w:line")), spacing.get(qn("w:lineRule"))
    if line is None:
        return made
    if kind in ("exact", "atLeast"):
        return replace(made, line=float(line) / TWIPS, exact=kind == "exact", multiple=1.0)
    return replace(made, line=None, exact=False, multiple=float(line) / _AUTO)


def _indent(indents: Xml, names: tuple[str, ...], before: float, run: RunFormat) -> float:
    for name in names:
        characters = indents.get(qn(f"{name}Chars"))
        if characters is not None and float(characters):
            return float(characters) / HUNDREDTHS * run.size
        twips = indents.get(qn(name))
        if twips is not None:
            return float(twips) / TWIPS
    return before


def _first(indents: Xml, before: float, run: RunFormat) -> float:
    hanging = _indent(indents, ("w:hanging",), 0.0, run)
    return -hanging if hanging else _indent(indents, ("w:firstLine",), before, run)


def rule(borders: Xml, side: str) -> Rule | None:
    """Read one side of a border; `None` when no line is drawn there."""
    found = borders.find(qn(side))
    if found is None or found.get(qn("w:val")) in (None, "none", "nil"):
        return None
    color = found.get(qn("w:color"))
    return Rule(
        width=float(found.get(qn("w:sz")) or 4) / EIGHTHS,
        color="000000" if color in (None, "auto") else color,
        space=float(found.get(qn("w:space")) or 0),
    )
