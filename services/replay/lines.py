"""Flows and associations of a picture."""

from __future__ import annotations

from math import hypot

from services.replay import palette
from services.replay.layout import Line, Point
from services.replay.markup import node, number
from services.replay.shapes import Pen

_ROUND = 6.0


def draw_line(line: Line, pen: Pen) -> str:
    """Draw a flow: coloured and strong when it was taken."""
    if line.kind != "sequenceFlow":
        return node(
            "path",
            d=_path(line.points),
            fill="none",
            stroke=palette.IDLE,
            stroke_dasharray="6 4" if line.kind == "messageFlow" else "1 4",
        )
    taken = bool(pen.marks.flows[line.element])
    colour = palette.TAKEN if taken else palette.IDLE
    drawn = node(
        "path",
        d=_path(line.points),
        fill="none",
        stroke=colour,
        stroke_width=2.4 if taken else 1.3,
        stroke_linejoin="round",
        marker_end="url(#taken)" if taken else "url(#idle)",
    )
    return drawn + (_slash(line.points, colour) if _is_default(line, pen) else "")


def _is_default(line: Line, pen: Pen) -> bool:
    return any(element.default == line.element for element in pen.elements.values())


def _slash(points: tuple[Point, ...], colour: str) -> str:
    (x, y), (to_x, to_y) = points[0], points[1]
    length = hypot(to_x - x, to_y - y) or 1.0
    ux, uy = (to_x - x) / length, (to_y - y) / length
    cx, cy = x + ux * 9, y + uy * 9
    a, b = (ux + uy) * 5, (uy - ux) * 5
    d = f"M{number(cx - a)} {number(cy - b)}L{number(cx + a)} {number(cy + b)}"
    return node("path", d=d, stroke=colour, stroke_width=1.6, fill="none")


def _path(points: tuple[Point, ...]) -> str:
    """Write a line with rounded corners."""
    steps = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(corner, before), _towards(corner, after)
        steps.append(f"L{number(near[0])} {number(near[1])}")
        steps.append(f"Q{number(corner[0])} {number(corner[1])} {number(far[0])} {number(far[1])}")
    steps.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return "".join(steps)


def _towards(corner: Point, other: Point) -> Point:
    length = hypot(other[0] - corner[0], other[1] - corner[1]) or 1.0
    step = min(_ROUND, length / 2) / length
    return corner[0] + (other[0] - corner[0]) * step, corner[1] + (other[1] - corner[1]) * step
