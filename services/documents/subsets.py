"""Small fonts made of the glyphs of one document, from the free fonts that come along.

Those fonts are under the SIL Open Font License, which lets parts of them be embedded and changed
under another name; their notices stay in the part.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from services.documents.fonts import HEI_FILES, SONG_FILES

SONG, HEI = "Duban Song", "Duban Hei"

_SOURCES: Mapping[str, tuple[Path, ...]] = {SONG: SONG_FILES, HEI: HEI_FILES}
"""By the name of the small font: where its glyphs come from, best first."""

_COPYRIGHT, _LICENSE, _LICENSE_URL = 0, 13, 14
_KEPT_NAMES = {
    "copyright": _COPYRIGHT,
    "licenseDescription": _LICENSE,
    "licenseInfoURL": _LICENSE_URL,
}
_MAX_ERROR = 1.0
"""How far a quadratic curve may be from the cubic one it stands for, in thousandths of the size."""
_NOT_DEFINED = ".notdef"

# A font read lazily seeks in one open file.
_lock = threading.Lock()


def subset(name: str, characters: Iterable[str]) -> bytes:
    """Make a TrueType font with the glyphs of some characters; what no font has is left out.

    Parameters
    ----------
    name : `SONG` or `HEI`: what the font is called, and which glyphs it has.

    Returns
    -------
    The same bytes for the same characters. Word processors embed TrueType only, so the curves of
    the fonts that come along are drawn anew.
    """
    with _lock:
        sources = [_source(path) for path in _SOURCES[name]]
        chosen = {}
        for character in sorted(set(characters)):
            place = next((s for s in sources if ord(character) in s.characters), None)
            if place is not None:
                chosen[character] = place
        return _built(name, sources[0], chosen)


class _Source:
    """A font that glyphs are taken from."""

    def __init__(self, path: Path) -> None:
        self.font = TTFont(str(path), lazy=True)
        self.characters: dict[int, str] = self.font.getBestCmap()
        self._glyphs = self.font.getGlyphSet()
        self._drawn: dict[str, tuple[Any, int]] = {}

    def drawn(self, glyph: str) -> tuple[Any, int]:
        """Give a glyph in quadratic curves, and its width."""
        if glyph not in self._drawn:
            pen = TTGlyphPen(None)
            self._glyphs[glyph].draw(Cu2QuPen(pen, _MAX_ERROR, reverse_direction=True))
            self._drawn[glyph] = (pen.glyph(), self._glyphs[glyph].width)
        return self._drawn[glyph]


@cache
def _source(path: Path) -> _Source:
    return _Source(path)


def _built(name: str, first: _Source, chosen: Mapping[str, _Source]) -> bytes:
    drawn = {_NOT_DEFINED: first.drawn(_NOT_DEFINED)}
    drawn |= {_glyph_name(c): s.drawn(s.characters[ord(c)]) for c, s in chosen.items()}
    header, lines = first.font["head"], first.font["hhea"]
    builder = FontBuilder(header.unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(list(drawn))
    builder.setupCharacterMap({ord(c): _glyph_name(c) for c in chosen})
    builder.setupGlyf({glyph: outline for glyph, (outline, _) in drawn.items()})
    table = builder.font["glyf"]
    builder.setupHorizontalMetrics(
        {glyph: (width, getattr(table[glyph], "xMin", 0)) for glyph, (_, width) in drawn.items()}
    )
    builder.setupHorizontalHeader(ascent=lines.ascent, descent=lines.descent)
    builder.setupNameTable(_names(name, first), mac=False)
    builder.setupOS2(
        fsType=0,
        sTypoAscender=lines.ascent,
        sTypoDescender=lines.descent,
        usWinAscent=lines.ascent,
        usWinDescent=-lines.descent,
        # Latin 1, and simplified Chinese.
        ulCodePageRange1=1 << 0 | 1 << 18,
    )
    builder.setupPost(isFixedPitch=0)
    builder.font.recalcTimestamp = False
    builder.font["head"].created = builder.font["head"].modified = header.created
    made = io.BytesIO()
    builder.save(made)
    return made.getvalue()


def _names(name: str, source: _Source) -> dict[str, str]:
    table = source.font["name"]
    kept = {field: table.getDebugName(number) or "" for field, number in _KEPT_NAMES.items()}
    return {
        **kept,
        "familyName": name,
        "styleName": "Regular",
        "uniqueFontIdentifier": f"{name} Regular",
        "fullName": name,
        "version": "Version 1.000",
        "psName": name.replace(" ", ""),
    }


def _glyph_name(character: str) -> str:
    return f"u{ord(character):05X}"
