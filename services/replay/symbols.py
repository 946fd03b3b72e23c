"""The signs of BPMN: what stands inside events, gateways and tasks."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

from engine.diagrams import Element
from services.replay.layout import Box
from services.replay.markup import Attribute, node, number

INK = "#1f2d3d"
PAPER = "#ffffff"


def event_sign(element: Element | None, kind: str, box: Box) -> str:
    """Draw what an event throws or waits for."""
    trigger = "none" if element is None else element.trigger.kind
    draw = _EVENT_SIGNS.get(trigger)
    if draw is None:
        return ""
    thrown = kind in ("endEvent", "intermediateThrowEvent")
    x, y = box.centre
    return draw(x, y, min(box.width, box.height) / 36, INK if thrown else "none")


def gateway_sign(kind: str, box: Box) -> str:
    """Draw the sign of a gateway."""
    x, y = box.centre
    size = min(box.width, box.height) / 50
    a, b = 8 * size, 11 * size
    thick: dict[str, Attribute] = {"stroke": INK, "fill": "none"}
    thick["stroke_width"] = 3 * size
    match kind:
        case "exclusiveGateway":
            return node("path", d=_cross(x, y, a, diagonal=True), **thick)
        case "parallelGateway":
            return node("path", d=_cross(x, y, b, diagonal=False), **thick)
        case "complexGateway":
            both = _cross(x, y, a, diagonal=True) + _cross(x, y, b, diagonal=False)
            return node("path", d=both, **thick)
        case "inclusiveGateway":
            return node("circle", cx=x, cy=y, r=10 * size, **thick)
        case _:
            thin: dict[str, Attribute] = {"stroke": INK, "stroke_width": 1, "fill": "none"}
            rings = (node("circle", cx=x, cy=y, r=r * size, **thin) for r in (13, 10.5))
            five = node("path", d=_polygon(x, y, 7 * size, 5), **thin)
            return "".join([*rings, five])


def task_sign(kind: str, box: Box) -> str:
    """Draw the sign of a task's kind into its upper left corner."""
    draw = _TASK_SIGNS.get(kind)
    return "" if draw is None else draw(box.x + 5, box.y + 5)


def repeat_sign(element: Element | None, x: float, y: float) -> str:
    """Draw how an activity is repeated, with its middle at the point given."""
    if element is None or element.loop is None:
        return ""
    if element.loop.kind == "parallel":
        d = "".join(f"M{number(x + k)} {number(y - 5)}v10" for k in (-4, 0, 4))
        return node("path", d=d, stroke=INK, stroke_width=2, fill="none")
    if element.loop.kind == "sequential":
        d = "".join(f"M{number(x - 5)} {number(y + k)}h10" for k in (-4, 0, 4))
        return node("path", d=d, stroke=INK, stroke_width=2, fill="none")
    d = f"M{number(x - 2)} {number(y + 5)}A5 5 0 1 1 {number(x + 3)} {number(y + 4)}m-1-4v5h5"
    return node("path", d=d, stroke=INK, stroke_width=1.4, fill="none")


def inside_sign(x: float, y: float) -> str:
    """Draw the plus of an activity that has a process of its own, middle at the point given."""
    frame = node("rect", x=x - 6, y=y - 6, width=12, height=12, stroke=INK, fill=PAPER)
    plus = _cross(x, y, 4, diagonal=False)
    return frame + node("path", d=plus, stroke=INK, stroke_width=1.4, fill="none")


def _cross(x: float, y: float, r: float, *, diagonal: bool) -> str:
    if diagonal:
        ends = ((x - r, y - r, x + r, y + r), (x - r, y + r, x + r, y - r))
    else:
        ends = ((x - r, y, x + r, y), (x, y - r, x, y + r))
    return "".join(f"M{number(a)} {number(b)}L{number(c)} {number(d)}" for a, b, c, d in ends)


def _polygon(x: float, y: float, r: float, corners: int) -> str:
    points = (
        f"{number(x + r * sin(2 * pi * k / corners))} {number(y - r * cos(2 * pi * k / corners))}"
        for k in range(corners)
    )
    return "M" + "L".join(points) + "Z"


def _timer(x: float, y: float, s: float, fill: str) -> str:
    face = node("circle", cx=x, cy=y, r=10 * s, stroke=INK, stroke_width=1.2, fill=PAPER)
    ticks = "".join(
        f"M{number(x + 8 * s * sin(pi * k / 6))} {number(y - 8 * s * cos(pi * k / 6))}"
        f"L{number(x + 10 * s * sin(pi * k / 6))} {number(y - 10 * s * cos(pi * k / 6))}"
        for k in range(12)
    )
    hands = f"M{number(x + 2 * s)} {number(y - 7 * s)}L{number(x)} {number(y)}h{number(5 * s)}"
    return face + node("path", d=ticks + hands, stroke=INK, stroke_width=1, fill="none")


def _message(x: float, y: float, s: float, fill: str) -> str:
    line = PAPER if fill != "none" else INK
    left, top, w, h = x - 9 * s, y - 6 * s, 18 * s, 12 * s
    frame = node("rect", x=left, y=top, width=w, height=h, stroke=INK, fill=fill)
    half, deep = number(w / 2), 7 * s
    flap = f"M{number(left)} {number(top)}l{half} {number(deep)}l{half} {number(-deep)}"
    return frame + node("path", d=flap, stroke=line, fill="none")


def _signal(x: float, y: float, s: float, fill: str) -> str:
    d = _polygon(x, y + s, 10 * s, 3)
    return node("path", d=d, stroke=INK, stroke_width=1.2, stroke_linejoin="round", fill=fill)


def _error(x: float, y: float, s: float, fill: str) -> str:
    steps = ((-9, 8), (-4, -7), (3, 2), (9, -8), (4, 7), (-3, -2))
    d = "M" + "L".join(f"{number(x + a * s)} {number(y + b * s)}" for a, b in steps) + "Z"
    return node("path", d=d, stroke=INK, stroke_linejoin="round", fill=fill)


def _escalation(x: float, y: float, s: float, fill: str) -> str:
    steps = ((0, -9), (7, 8), (0, 1), (-7, 8))
    d = "M" + "L".join(f"{number(x + a * s)} {number(y + b * s)}" for a, b in steps) + "Z"
    return node("path", d=d, stroke=INK, stroke_linejoin="round", fill=fill)


def _terminate(x: float, y: float, s: float, fill: str) -> str:
    return node("circle", cx=x, cy=y, r=9 * s, fill=INK)


def _user(x: float, y: float) -> str:
    head = node("circle", cx=x + 8, cy=y + 5, r=3.6, stroke=INK, fill=PAPER)
    d = f"M{number(x + 1)} {number(y + 16)}c0-9 14-9 14 0z"
    return node("path", d=d, stroke=INK, fill=PAPER) + head


def _service(x: float, y: float) -> str:
    cx, cy = x + 8, y + 8
    teeth = "".join(
        f"M{number(cx + 5 * sin(pi * k / 4))} {number(cy - 5 * cos(pi * k / 4))}"
        f"L{number(cx + 7.6 * sin(pi * k / 4))} {number(cy - 7.6 * cos(pi * k / 4))}"
        for k in range(8)
    )
    wheel = node("circle", cx=cx, cy=cy, r=5, stroke=INK, stroke_width=1.3, fill=PAPER)
    hub = node("circle", cx=cx, cy=cy, r=2, stroke=INK, fill=PAPER)
    return node("path", d=teeth, stroke=INK, stroke_width=2.6) + wheel + hub


def _rule(x: float, y: float) -> str:
    frame = node("rect", x=x, y=y + 2, width=16, height=12, stroke=INK, fill=PAPER)
    head = node("rect", x=x, y=y + 2, width=16, height=3.5, stroke=INK, fill="#c5cdd8")
    d = f"M{number(x)} {number(y + 10)}h16M{number(x + 5)} {number(y + 5.5)}v8.5"
    return frame + head + node("path", d=d, stroke=INK, fill="none")


def _script(x: float, y: float) -> str:
    d = f"M{number(x + 3)} {number(y + 2)}h11c-4 4 4 8 0 12h-11c4-4-4-8 0-12z"
    lines = f"M{number(x + 4)} {number(y + 6)}h7m-5 4h7"
    return node("path", d=d + lines, stroke=INK, fill="none")


def _manual(x: float, y: float) -> str:
    d = f"M{number(x + 1)} {number(y + 7)}l5-4h3l-1 2h7v2h-5h5v2h-5h4v2h-4h3v2h-9c-2 0-3-3-3-6z"
    return node("path", d=d, stroke=INK, stroke_width=0.9, fill=PAPER)


def _sent(x: float, y: float) -> str:
    return _message(x + 8, y + 8, 0.85, INK)


def _received(x: float, y: float) -> str:
    return _message(x + 8, y + 8, 0.85, "none")


_EVENT_SIGNS: dict[str, Callable[[float, float, float, str], str]] = {
    "timer": _timer,
    "message": _message,
    "signal": _signal,
    "error": _error,
    "escalation": _escalation,
    "terminate": _terminate,
}
_TASK_SIGNS: dict[str, Callable[[float, float], str]] = {
    "userTask": _user,
    "serviceTask": _service,
    "businessRuleTask": _rule,
    "scriptTask": _script,
    "manualTask": _manual,
    "sendTask": _sent,
    "receiveTask": _received,
}
