"""How wide text is without asking a font, and where a line of Chinese or English may break."""

from __future__ import annotations

import re
import unicodedata

FONTS = (
    "'Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',"
    "'WenQuanYi Zen Hei',sans-serif"
)

_NARROW = frozenset("iljftI.,:;'|!()[] ")
_WIDE = frozenset("mwMW@%")
_NOT_FIRST = frozenset("，。、；：？！）》」』】〉”’…,.;:?!)]}%")
_NOT_LAST = frozenset("（《「『【〈“‘([{")
_PIECES = re.compile(r"[A-Za-z0-9_\-/.:+→]+|\s+|.", re.DOTALL)
_ELLIPSIS = "…"


def width(text: str, size: float) -> float:
    """Give about how wide a text is at a font size; on the safe side for common fonts."""
    return sum(_em(sign) for sign in text) * size


def _em(sign: str) -> float:
    if unicodedata.east_asian_width(sign) in ("W", "F", "A"):
        return 1.0
    if sign in _NARROW:
        return 0.36
    if sign in _WIDE:
        return 0.92
    return 0.68 if sign.isupper() else 0.58


def wrap(text: str, room: float, size: float, most: int = 99) -> list[str]:
    """Break a text into lines no wider than `room`.

    No line begins with a closing mark or ends with an opening one; English words stay whole
    unless one alone is wider than a line. What doesn't fit into `most` lines ends with an ellipsis.
    """
    lines = _lines(_words(text, room, size), room, size)
    if len(lines) > most:
        last = lines[most - 1]
        while last and width(last + _ELLIPSIS, size) > room:
            last = last[:-1]
        lines = [*lines[: most - 1], last + _ELLIPSIS]
    return lines


def _words(text: str, room: float, size: float) -> list[str]:
    found: list[str] = []
    for piece in _PIECES.findall(" ".join(text.split())):
        glued = found and (piece in _NOT_FIRST or found[-1][-1] in _NOT_LAST)
        if glued:
            found[-1] += piece
        elif width(piece, size) > room:
            found.extend(piece)
        else:
            found.append(piece)
    return found


def _lines(words: list[str], room: float, size: float) -> list[str]:
    lines = [""]
    for word in words:
        if lines[-1] and width(lines[-1] + word.rstrip(), size) > room:
            lines.append("")
        if lines[-1] or not word.isspace():
            lines[-1] += word
    return _balanced([line.rstrip() for line in lines if line.strip()])


def _balanced(lines: list[str]) -> list[str]:
    """Don't leave one Chinese sign alone on the last line."""
    if len(lines) > 1 and len(lines[-1]) == 1 and len(lines[-2]) > 3:  # noqa: PLR2004 -- signs
        before = lines[-2]
        if before[-2] not in _NOT_LAST and not before[-2:].isascii():
            lines[-2], lines[-1] = before[:-1], before[-1] + lines[-1]
    return lines
