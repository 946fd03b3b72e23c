"""Which fonts a document is set in: those the standard names where they are, else free ones."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import pylopdf_fonts_jp
import pylopdf_fonts_zh_cn
import typst
from fontTools.ttLib import TTCollection, TTFont

SONG_FILES = (pylopdf_fonts_zh_cn.serif_path(), pylopdf_fonts_jp.serif_path())
HEI_FILES = (pylopdf_fonts_zh_cn.sans_path(), pylopdf_fonts_jp.serif_path())
"""The free fonts that come along, best first; rare characters come from the last one."""

_PACKAGED = tuple(dict.fromkeys((*SONG_FILES, *HEI_FILES)))

_SONG = ("Noto Serif SC", "Noto Serif JP")
_HEI = ("Noto Sans SC", "Noto Serif JP")

_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "仿宋": (("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋"), _SONG),
    "小标宋": (("FZXiaoBiaoSong-B05S", "方正小标宋简体", "FZXiaoBiaoSong-B05"), _SONG),
    "黑体": (("SimHei", "黑体"), _HEI),
    "楷体": (("KaiTi_GB2312", "楷体_GB2312", "KaiTi", "楷体"), _SONG),
    "宋体": (("SimSun", "宋体", "NSimSun"), _SONG),
}
"""By the word that a docx names the font with: the standard's own fonts, then free ones.

The standard's fonts may not be passed on, so only the free ones come with the program; an office
puts its own into the folder of the settings. Rare characters come from the last one.
"""

HEAVY = "小标宋"
"""Drawn a little heavier when a free font stands in: the packaged one has one weight."""


class FontBook:
    """The fonts at hand, loaded once.

    Parameters
    ----------
    folder : an office's own fonts; `None` without any.
    """

    def __init__(self, folder: Path | None = None) -> None:
        own = sorted(_font_files(folder)) if folder is not None else []
        self._files = [*own, *_PACKAGED]
        places = [str(path.parent) for path in _PACKAGED] + ([str(folder)] if folder else [])
        self.fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=places
        )
        self._families = frozenset(self.fonts.families())

    def pdf(self, source: str, at: datetime) -> bytes:
        """Set typst source as PDF/A-2b, the same bytes for the same source and second.

        Parameters
        ----------
        at : what the PDF says about when it was made, to the second.
        """
        # A machine's clock gives parts of a second, and typst refuses them.
        made = self._compiler().compile(
            source.encode(), format="pdf", pdf_standards="a-2b", timestamp=at.replace(microsecond=0)
        )
        if not isinstance(made, bytes):
            message = "typst gave no PDF"
            raise TypeError(message)
        return made

    def pictures(self, source: str, ppi: float) -> list[bytes]:
        """Set typst source as PNG, a picture for each page."""
        made = self._compiler().compile(source.encode(), format="png", ppi=ppi)
        pages = made if isinstance(made, list) else [made]
        return [page for page in pages if page is not None]

    def _compiler(self) -> typst.Compiler:
        return typst.Compiler(font_paths=self.fonts, ignore_system_fonts=True)

    def families(self, name: str | None) -> tuple[str, ...]:
        """Give the families to set a font name of a docx in, best first."""
        standard, free = _NAMES[word_of(name)]
        return (*(f for f in standard if f in self._families), *free)

    def is_stand_in(self, name: str | None) -> bool:
        """Tell whether a free font stands in for the one that a docx names."""
        return self.families(name)[0] in (*_SONG, *_HEI)

    def missing(self, text: str) -> tuple[str, ...]:
        """Give the characters of a text that no font at hand has, each once, in order."""
        known = _characters(tuple(self._files))
        return tuple(dict.fromkeys(c for c in text if ord(c) not in known and not c.isspace()))


def word_of(name: str | None) -> str:
    """Give the kind of a font that a docx names, such as 小标宋; 仿宋 for any other."""
    return next((word for word in _NAMES if name is not None and word in name), "仿宋")


def _font_files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.suffix.lower() in (".ttf", ".otf", ".ttc", ".otc")]


@cache
def _characters(files: tuple[Path, ...]) -> frozenset[int]:
    known: set[int] = set()
    for file in files:
        if file.suffix.lower() in (".ttc", ".otc"):
            fonts = list(TTCollection(str(file), lazy=True).fonts)
        else:
            fonts = [TTFont(str(file), lazy=True)]
        for font in fonts:
            known |= set(font.getBestCmap() or ())
    return frozenset(known)
