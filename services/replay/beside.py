"""What stands beside elements: names and times, placed where they cover nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from engine.diagrams import ACTIVITIES, CONTAINERS, EVENTS
from services.replay import palette
from services.replay.layout import Box, Layout, Line, Shape
from services.replay.lettering import width, wrap
from services.replay.markup import node
from services.replay.shapes import Pen, has_name_beside, lettered

LABEL_WIDTH = 90.0


class Beside:
    """Places names and times of one picture; `placed` are the boxes taken so far."""

    def __init__(self, layout: Layout, pen: Pen) -> None:
        self._layout = layout
        self._pen = pen
        self._solid = [s.box for s in layout.shapes if not _is_frame(s)]
        tokens = (s for s in layout.shapes if pen.marks.tokens[s.element])
        self._solid += [_disc(s.box) for s in tokens if s.kind not in ACTIVITIES]
        self._lines = [box for line in layout.lines for box in _segments(line)]
        self.placed: list[Box] = []

    def names(self) -> Iterator[str]:
        """Write the names of events, gateways and flows."""
        for shape in self._layout.shapes:
            if shape.name and has_name_beside(shape):
                look = self._pen.look(shape.element)
                yield self._name(shape.name, shape.label or _below(shape.box), look.ink)
        for line in self._layout.lines:
            if line.name:
                taken = bool(self._pen.marks.flows[line.element])
                colour = palette.TAKEN if taken else palette.FAINT
                yield self._name(line.name, line.label or _middle(line), colour)

    def times(self) -> Iterator[str]:
        """Write the times of events; where there is no room they stay in the tooltip only."""
        for shape in self._layout.shapes:
            if shape.kind in EVENTS:
                lines = self._pen.times(shape.element)
                spot = self._spot(shape.box, lines) if lines else None
                if spot is not None:
                    yield from _written(spot, lines)

    def counts(self) -> Iterator[str]:
        """Draw tokens, and how often an element was visited or runs at once."""
        for shape in self._layout.shapes:
            tokens = self._pen.marks.tokens[shape.element]
            if tokens:
                together = max(tokens, self._pen.marks.instances[shape.element])
                yield _token(*self._token_place(shape), together)
            visits = len(self._pen.marks.visits.get(shape.element, ()))
            if visits > 1 and shape.kind in ACTIVITIES:
                yield self._badge(shape.box, self._pen.words.times.format(count=visits))

    def _name(self, name: str, label: Box, colour: str) -> str:
        size = palette.SMALL_SIZE
        lines = wrap(name, max(label.width + 4, LABEL_WIDTH if label.width > 60 else 0), size)  # noqa: PLR2004
        x, y = label.centre[0], label.y
        wide = max(width(line, size) for line in lines)
        self.placed.append(Box(x - wide / 2, y, wide, len(lines) * size * 1.2))
        return lettered(lines, x, y + size * 0.95, size, colour, halo=True)

    def _spot(self, box: Box, lines: list[tuple[str, str]]) -> Box | None:
        wide = max(width(line, palette.TIME_SIZE) for line, _ in lines)
        high = len(lines) * (palette.TIME_SIZE + 1.5)
        x, y = box.centre
        below, above = box.bottom + 3, box.y - high - 3
        spots = [
            (x - wide / 2, below),
            (x - wide / 2, above),
            (box.right + 4, below - 8),
            (box.x - wide - 4, below - 8),
            (box.right + 4, above + 8),
            (box.x - wide - 4, above + 8),
            (box.right + 4, y - high / 2),
            (x - wide / 2, below + 16),
            (x - wide / 2, below + 30),
            (x - wide / 2, above - 16),
        ]
        for left, top in spots:
            spot = Box(left, top, wide, high)
            if not self._is_covered(spot):
                self.placed.append(spot)
                return spot
        return None

    def _is_covered(self, spot: Box) -> bool:
        return any(spot.meets(other) for other in (*self._solid, *self.placed, *self._lines))

    def _badge(self, box: Box, said: str) -> str:
        wide = width(said, 10) + 8
        spots = [Box(x, box.y - 7, wide, 15) for x in (box.right - wide + 5, box.x - 5)]
        attached = self._pen.attached
        spot = next((s for s in spots if not any(s.meets(b) for b in attached)), spots[0])
        ground = node(
            "rect",
            x=spot.x,
            y=spot.y,
            width=wide,
            height=15,
            rx=7.5,
            fill=palette.GROUND,
            stroke=palette.TAKEN,
            stroke_width=1.2,
        )
        return ground + lettered([said], spot.centre[0], spot.y + 11, 10, palette.TAKEN)

    def _token_place(self, shape: Shape) -> tuple[float, float]:
        box = shape.box
        if shape.kind not in ACTIVITIES:
            return _disc(box).centre
        for share in (0.5, 0.25, 0.75):
            x, y = box.x + box.width * share, box.y
            spot = Box(x - 10, y - 10, 20, 20)
            others = (b for b in self._solid if b != box)
            if not any(spot.meets(other) for other in (*others, *self._lines)):
                return x, y
        return box.x + box.width * 0.3, box.y


def _is_frame(shape: Shape) -> bool:
    return (shape.kind in CONTAINERS and shape.expanded) or shape.kind in ("participant", "lane")


def _disc(box: Box) -> Box:
    """Where the token of an event or gateway is drawn: at its upper right."""
    return Box(box.right - 11, box.y - 9, 20, 20)


def _below(box: Box) -> Box:
    return Box(box.centre[0] - LABEL_WIDTH / 2, box.bottom + 4, LABEL_WIDTH, 14)


def _middle(line: Line) -> Box:
    place = (len(line.points) - 1) // 2
    (x, y), (to_x, to_y) = line.points[place], line.points[place + 1]
    return Box((x + to_x) / 2 - LABEL_WIDTH / 2, (y + to_y) / 2 - 16, LABEL_WIDTH, 14)


def _segments(line: Line) -> Iterator[Box]:
    for (x, y), (to_x, to_y) in zip(line.points, line.points[1:], strict=False):
        box = Box(min(x, to_x), min(y, to_y), abs(x - to_x), abs(y - to_y))
        yield box.grown(1.5)


def _written(spot: Box, lines: list[tuple[str, str]]) -> Iterator[str]:
    for place, (line, colour) in enumerate(lines):
        y = spot.y + palette.TIME_SIZE + place * (palette.TIME_SIZE + 1.5)
        yield lettered([line], spot.centre[0], y, palette.TIME_SIZE, colour, halo=True)


def _token(x: float, y: float, count: int) -> str:
    disc = node(
        "circle", cx=x, cy=y, r=9, fill=palette.STANDING, stroke=palette.GROUND, stroke_width=2
    )
    return disc + lettered([str(count)], x, y + 4, 11, palette.GROUND)
