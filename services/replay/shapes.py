"""One element of a picture: its outline, its signs, its name, its times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from engine.diagrams import ACTIVITIES, CONTAINERS, EVENTS, GATEWAYS, Element
from services.replay import palette, symbols
from services.replay.layout import Box, Shape
from services.replay.lettering import width, wrap
from services.replay.marks import Marks
from services.replay.markup import node, number, text
from services.replay.palette import Look
from services.replay.trail import Visit
from services.replay.words import Words, due_text

MAX_NAME_LINES = 3


@dataclass(frozen=True, slots=True)
class Pen:
    """What all elements of one picture are drawn with."""

    marks: Marks
    elements: Mapping[str, Element]
    words: Words
    zone: ZoneInfo
    attached: tuple[Box, ...] = ()
    """The boundary events: names and times keep clear of them."""

    def look(self, element: str) -> Look:
        """Say how an element is drawn: reached or not, waiting, interrupted."""
        visits = self.marks.visits.get(element)
        if self.marks.tokens[element]:
            return palette.WAITING
        if not visits:
            return palette.UNREACHED
        return palette.BROKEN if visits[-1].withdrawn else palette.PASSED

    def times(self, element: str) -> list[tuple[str, str]]:
        """Give the lines of time shown at an element, each with its colour."""
        visits = self.marks.visits.get(element, ())
        due = self.marks.dues.get(element)
        lines: list[tuple[str, str]] = []
        if visits:
            lines += [(line, palette.FAINT) for line in self._stay(visits[-1])]
        if due is not None and (due.is_timer or self.marks.tokens[element]):
            words = self.words.until if due.is_timer else self.words.due
            said = words.format(at=due_text(due.at, self.zone))
            lines = [*lines[:1], (said, palette.LIGHTS[due.light])]
        return lines

    def _stay(self, visit: Visit) -> list[str]:
        arrived = due_text(visit.arrived_at, self.zone)
        if visit.left_at is None:
            return [arrived]
        left = due_text(visit.left_at, self.zone)
        if left == arrived:
            return [arrived]
        if left[:5] == arrived[:5]:
            return [f"{arrived}→{left[6:]}"]
        return [arrived, f"→{left}"]

    def tooltip(self, shape: Shape) -> str:
        """Tell all visits of an element."""
        lines = [shape.name or shape.element]
        for count, visit in enumerate(self.marks.visits.get(shape.element, ()), start=1):
            arrived = due_text(visit.arrived_at, self.zone, year=True)
            left = "" if visit.left_at is None else due_text(visit.left_at, self.zone, year=True)
            ended = f"{self.words.comma}{self.words.withdrawn}" if visit.withdrawn else ""
            number_of = self.words.visits.format(number=count)
            lines.append(f"{number_of}{self.words.colon}{arrived} → {left}{ended}")
        return node("title", text("\n".join(lines)))


def draw_shape(shape: Shape, pen: Pen) -> str:
    """Draw an element without what stands beside it."""
    if shape.kind in EVENTS:
        inside = _event(shape, pen)
    elif shape.kind in GATEWAYS:
        inside = _gateway(shape, pen)
    elif shape.kind in CONTAINERS and shape.expanded:
        inside = _frame(shape, pen)
    elif shape.kind in ACTIVITIES:
        inside = _activity(shape, pen)
    else:
        return _other(shape)
    return node("g", pen.tooltip(shape), inside, id_=f"{pen.marks.process}.{shape.element}")


def has_name_beside(shape: Shape) -> bool:
    """Tell whether the name stands beside the shape."""
    return shape.kind in EVENTS or shape.kind in GATEWAYS or shape.kind.startswith("data")


def _event(shape: Shape, pen: Pen) -> str:
    look, (x, y) = pen.look(shape.element), shape.box.centre
    element = pen.elements.get(shape.element)
    radius = min(shape.box.width, shape.box.height) / 2
    dashes = "4 3" if element is not None and not element.interrupting else look.dashes
    width = look.width * (2 if shape.kind == "endEvent" else 1)
    outer = node(
        "circle",
        cx=x,
        cy=y,
        r=radius,
        fill=look.fill,
        stroke=look.line,
        stroke_width=width,
        stroke_dasharray=dashes,
    )
    inner = ""
    if shape.kind not in ("startEvent", "endEvent"):
        inner = node(
            "circle",
            cx=x,
            cy=y,
            r=radius - 3.5,
            fill="none",
            stroke=look.line,
            stroke_width=look.width * 0.8,
            stroke_dasharray=dashes,
        )
    return outer + inner + symbols.event_sign(element, shape.kind, shape.box)


def _gateway(shape: Shape, pen: Pen) -> str:
    look, box = pen.look(shape.element), shape.box
    x, y = box.centre
    corners = ((x, box.y), (box.right, y), (x, box.bottom), (box.x, y))
    d = "M" + "L".join(f"{number(a)} {number(b)}" for a, b in corners) + "Z"
    outline = node(
        "path",
        d=d,
        fill=look.fill,
        stroke=look.line,
        stroke_width=look.width,
        stroke_linejoin="round",
    )
    return outline + symbols.gateway_sign(shape.kind, box)


def _outline(shape: Shape, look: Look, *, heavy: bool = False, radius: float = 9) -> str:
    box = shape.box
    return node(
        "rect",
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        rx=radius,
        fill=look.fill,
        stroke=look.line,
        stroke_width=look.width + (2 if heavy else 0),
        stroke_dasharray=look.dashes,
    )


def _frame(shape: Shape, pen: Pen) -> str:
    """Draw an open sub-process: an event sub-process has a dotted frame."""
    look, element = pen.look(shape.element), pen.elements.get(shape.element)
    dotted = element is not None and element.event_triggered
    waits, box = look is palette.WAITING, shape.box
    outline = node(
        "rect",
        x=box.x,
        y=box.y,
        width=box.width,
        height=box.height,
        rx=12,
        stroke=look.line,
        stroke_width=look.width,
        stroke_dasharray="2 4" if dotted else look.dashes,
        fill="#fffaf0" if waits else "#fbfcfe",
        fill_opacity=0.7,
    )
    name = lettered(
        [shape.name], box.x + 12, box.y + 18, palette.NAME_SIZE, look.ink, anchor="start"
    )
    times = " ".join(line for line, _ in pen.times(shape.element))
    beside = lettered(
        [times], box.right - 12, box.y + 17, palette.TIME_SIZE, palette.FAINT, anchor="end"
    )
    sign = symbols.repeat_sign(element, box.centre[0], box.bottom - 12)
    return outline + name + (beside if times else "") + sign


def _activity(shape: Shape, pen: Pen) -> str:
    look, element, box = pen.look(shape.element), pen.elements.get(shape.element), shape.box
    called = shape.kind == "callActivity"
    collapsed = shape.kind in CONTAINERS
    parts = [_outline(shape, look, heavy=called), symbols.task_sign(shape.kind, box)]
    parts.append(_foot(element, box, plus=called or collapsed))
    times = pen.times(shape.element)
    step = palette.TIME_SIZE + 2
    foot = _foot_room(shape, element, pen)
    below = foot + step * len(times)
    parts.append(_name_inside(shape, look, top=_head(shape), below=below))
    for place, (line, colour) in enumerate(times):
        y = box.bottom - foot - step * (len(times) - place - 1) - 3
        parts.append(lettered([line], box.centre[0], y, palette.TIME_SIZE, colour))
    return "".join(parts)


def _foot_room(shape: Shape, element: Element | None, pen: Pen) -> float:
    box = shape.box
    foot = Box(box.x, box.bottom - 4, box.width, 4)
    if any(foot.meets(other) for other in pen.attached):
        return 22
    repeated = element is not None and element.loop is not None
    return 18 if repeated or shape.kind in ("callActivity", *CONTAINERS) else 4


def _head(shape: Shape) -> float:
    if shape.kind in ("callActivity", "task", *CONTAINERS):
        return 6
    # A short name stands beside the task's sign, a long one below it.
    return 10 if width(shape.name, palette.NAME_SIZE) < shape.box.width - 56 else 20


def _foot(element: Element | None, box: Box, *, plus: bool) -> str:
    x, y = box.centre[0], box.bottom - 10
    repeated = element is not None and element.loop is not None
    if not plus:
        return symbols.repeat_sign(element, x, y)
    sign = symbols.inside_sign(x - 9 if repeated else x, y)
    return sign + (symbols.repeat_sign(element, x + 9, y) if repeated else "")


def _name_inside(shape: Shape, look: Look, *, top: float, below: float) -> str:
    box, size = shape.box, palette.NAME_SIZE
    room, height = box.width - 12, box.height - top - below
    while size > 8 and len(wrap(shape.name, room, size)) * size * 1.2 > height:  # noqa: PLR2004
        size -= 0.5
    fits = max(1, int(height / (size * 1.2)))
    lines = wrap(shape.name, room, size, min(MAX_NAME_LINES, fits))
    middle = box.y + top + height / 2
    first = middle - (len(lines) - 1) * size * 0.6 + size * 0.36
    return lettered(lines, box.centre[0], first, size, look.ink)


def _other(shape: Shape) -> str:
    """Draw what no token passes: pools, lanes, notes, data."""
    box = shape.box
    if shape.kind == "textAnnotation":
        bracket = f"M{number(box.x + 12)} {number(box.y)}h-12v{number(box.height)}h12"
        lines = wrap(shape.text, box.width - 14, palette.SMALL_SIZE)
        note = lettered(
            lines, box.x + 8, box.y + 14, palette.SMALL_SIZE, palette.FAINT, anchor="start"
        )
        return node("path", d=bracket, fill="none", stroke=palette.IDLE) + note
    outline = _outline(shape, palette.UNREACHED, radius=0)
    if shape.kind not in ("participant", "lane"):
        return outline
    x, y = (box.x + 15, box.centre[1]) if shape.horizontal else (box.centre[0], box.y + 15)
    turn = f"rotate(-90 {number(x)} {number(y)})" if shape.horizontal else None
    name = lettered([shape.name], x, y + 4, palette.NAME_SIZE, palette.FAINT)
    return outline + node("g", name, transform=turn)


def lettered(
    lines: list[str],
    x: float,
    y: float,
    size: float,
    colour: str,
    *,
    anchor: str = "middle",
    halo: bool = False,
) -> str:
    """Write lines of text, the first one's foot at `y`; with `halo` over whatever is below."""
    if not any(lines):
        return ""
    parts = [
        node("tspan", text(line), x=x, y=y + place * size * 1.2) for place, line in enumerate(lines)
    ]
    around: dict[str, str | float | None] = {}
    if halo:
        around = {"stroke": palette.GROUND, "stroke_width": 3, "paint_order": "stroke"}
    return node("text", *parts, font_size=size, fill=colour, text_anchor=anchor, **around)
