"""Colours and sizes of pictures. Text and its ground differ by 4.5 to 1 at least."""

from __future__ import annotations

from dataclasses import dataclass

from services.deadlines.queries import Light

LIGHTS: dict[Light, str] = {
    "green": "#1b7a43",
    "yellow": "#9a6700",
    "red": "#b3261e",
    "grey": "#5b6773",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How an element is drawn."""

    line: str
    fill: str
    ink: str
    width: float = 1.4
    dashes: str | None = None


UNREACHED = Look("#a3adb8", "#ffffff", "#5b6773")
PASSED = Look("#1f5fa8", "#e9f2fc", "#14304f", 1.8)
BROKEN = Look("#1f5fa8", "#f4f6f8", "#14304f", 1.8, "5 3")
WAITING = Look("#b35900", "#fff4de", "#3a2400", 2.6)

TAKEN = "#1f5fa8"
IDLE = "#a3adb8"
STANDING = "#b35900"
GROUND = "#ffffff"
FAINT = "#5b6773"

NAME_SIZE = 12.0
SMALL_SIZE = 11.0
TIME_SIZE = 9.0
