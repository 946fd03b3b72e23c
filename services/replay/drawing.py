"""A case's diagram at an instant as one standalone SVG: no browser, no script, no outside font."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from engine.diagrams import CONTAINERS
from services.cases.state import CaseState
from services.replay import palette
from services.replay.beside import Beside
from services.replay.errors import NoDiagram
from services.replay.layout import Box, Layout, Shape, extent, pages_of
from services.replay.lettering import FONTS, width
from services.replay.lines import draw_line
from services.replay.marks import Marks, YellowFrom, marks_of
from services.replay.markup import node, number, text
from services.replay.moment import Moment
from services.replay.shapes import Pen, draw_shape, lettered
from services.replay.words import Language, Words, due_text, words_of

MARGIN = 24.0
HEAD = 52.0
FOOT = 34.0


def draw(
    moment: Moment,
    process: str | None = None,
    *,
    zone: ZoneInfo,
    scope: str | None = None,
    language: Language = "zh",
    yellow_from: YellowFrom | None = None,
) -> str:
    """Draw the diagram of a case, or of a process it called, as it stood.

    Parameters
    ----------
    process : the process or sub-process to show; `None` for the case's own.
    zone : office time, in which times are written.
    scope : one call of that process; `None` shows all calls together.
    yellow_from : gives from when a due instant is shown in yellow.

    Raises
    ------
    NoDiagram : the case never was in this process, or its file holds no picture.
    """
    wanted = process or moment.definition.key
    owner = _owner(moment, wanted)
    layout = next((p for p in pages_of(moment.definition, owner) if _shows(p, wanted, owner)), None)
    if layout is None:
        raise NoDiagram(case=moment.case, process=wanted)
    marks = marks_of(moment, owner, scope=scope, yellow_from=yellow_from)
    attached = tuple(s.box for s in layout.shapes if s.kind == "boundaryEvent")
    elements = moment.definition.processes[owner].elements
    pen = Pen(marks, elements, words_of(language), zone, attached)
    return _picture(moment, layout, pen)


def pages(moment: Moment) -> list[tuple[str, str]]:
    """List what `draw` can show of a case: id and name of each process it has been in."""
    found = []
    for process in moment.trail.processes():
        for page in pages_of(moment.definition, process):
            known = moment.definition.processes[process]
            inner = known.elements.get(page.page)
            found.append((process, known.name) if inner is None else (page.page, inner.title))
    return found


def _owner(moment: Moment, wanted: str) -> str:
    been = moment.trail.processes()
    if wanted in been:
        return wanted
    for process in been:
        if wanted in moment.definition.processes[process].elements:
            return process
    raise NoDiagram(case=moment.case, process=wanted)


def _shows(page: Layout, wanted: str, owner: str) -> bool:
    return page.page == wanted or (wanted == owner and page.page not in _inner(page))


def _inner(page: Layout) -> frozenset[str]:
    return frozenset(shape.element for shape in page.shapes)


def _picture(moment: Moment, layout: Layout, pen: Pen) -> str:
    beside = Beside(layout, pen)
    drawn = extent(layout.shapes, layout.lines)
    names = "".join(beside.names())
    times = "".join(beside.times())
    # What stands beside elements at the rim may reach beyond the file's own picture.
    everything = [drawn, *beside.placed]
    left = min(box.x for box in everything)
    top = min(box.y for box in everything)
    right = max(box.right for box in everything)
    bottom = max(box.bottom for box in everything)
    view = Box(left - MARGIN, top - MARGIN - HEAD, 0, bottom - top + 2 * MARGIN + HEAD + FOOT)
    title = _title(moment, pen)
    wide = max(right - left, width(title, 16), _legend_width(pen.words)) + 2 * MARGIN
    view = Box(view.x, view.y, wide, view.height)
    body = "".join(
        [
            node("rect", x=view.x, y=view.y, width=wide, height=view.height, fill=palette.GROUND),
            _head(moment, pen, view, title),
            *_layers(layout, pen),
            names,
            times,
            *beside.counts(),
            _legend(pen.words, view),
        ]
    )
    return _document(view, title, _description(moment, layout, pen), body)


def _layers(layout: Layout, pen: Pen) -> Iterator[str]:
    frames = [s for s in layout.shapes if _is_ground(s)]
    frames.sort(key=lambda shape: -shape.box.width * shape.box.height)
    yield from (draw_shape(shape, pen) for shape in frames)
    idle = [line for line in layout.lines if not pen.marks.flows[line.element]]
    taken = [line for line in layout.lines if pen.marks.flows[line.element]]
    yield from (draw_line(line, pen) for line in (*idle, *taken))
    above = [s for s in layout.shapes if not _is_ground(s)]
    above.sort(key=lambda shape: shape.kind == "boundaryEvent")
    yield from (draw_shape(shape, pen) for shape in above)


def _is_ground(shape: Shape) -> bool:
    if shape.kind in CONTAINERS:
        return shape.expanded
    return shape.kind in ("participant", "lane", "group")


def _document(view: Box, title: str, description: str, body: str) -> str:
    box = " ".join(number(n) for n in (view.x, view.y, view.width, view.height))
    arrows = "".join(
        node(
            "marker",
            node("path", d="M0 0L10 5L0 10z", fill=colour),
            id_=name,
            viewBox="0 0 10 10",
            refX=10,
            refY=5,
            markerWidth=size,
            markerHeight=size,
            orient="auto",
            markerUnits="userSpaceOnUse",
        )
        for name, colour, size in (("idle", palette.IDLE, 9), ("taken", palette.TAKEN, 13))
    )
    root = node(
        "svg",
        node("title", text(title), id_="title"),
        node("desc", text(description), id_="desc"),
        node("defs", arrows),
        node("g", body, font_family=FONTS),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=box,
        width=view.width,
        height=view.height,
        role="img",
        aria_labelledby="title desc",
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n'


def _title(moment: Moment, pen: Pen) -> str:
    case = moment[CaseState]
    process = moment.definition.processes[pen.marks.process].name
    return " · ".join(part for part in (case.number, case.title, process) if part)


def _head(moment: Moment, pen: Pen, view: Box, title: str) -> str:
    x, y = view.x + MARGIN, view.y + MARGIN
    at = due_text(moment.at, pen.zone, year=True)
    below = f"{at}　{pen.words.event.format(seq=moment.seq)}"
    return lettered([title], x, y + 12, 16, "#14304f", anchor="start") + lettered(
        [below], x, y + 32, 12, palette.FAINT, anchor="start"
    )


def _description(moment: Moment, layout: Layout, pen: Pen) -> str:
    words, marks = pen.words, pen.marks
    names = {shape.element: shape.name or shape.element for shape in layout.shapes}
    waiting = [names[element] for element in marks.waiting if element in names]
    stands = words.nothing_waits
    if waiting:
        stands = f"{words.waits}{words.colon}{words.comma.join(waiting)}"
    at = due_text(moment.at, pen.zone, year=True)
    return words.comma.join(
        (
            f"{at} {words.event.format(seq=moment.seq)}",
            stands,
            words.passed.format(count=_passed(marks)),
        )
    )


def _passed(marks: Marks) -> int:
    return sum(
        any(v.left_at and not v.withdrawn for v in visits) for visits in marks.visits.values()
    )


def _legend_entries(words: Words) -> list[tuple[palette.Look, str]]:
    return [
        (palette.WAITING, words.stands),
        (palette.PASSED, words.went),
        (palette.BROKEN, words.withdrawn),
        (palette.UNREACHED, words.not_reached),
    ]


def _legend_width(words: Words) -> float:
    return sum(46 + width(said, 11) for _, said in _legend_entries(words))


def _legend(words: Words, view: Box) -> str:
    parts, x, y = [], view.x + MARGIN, view.y + view.height - FOOT + 4
    for look, said in _legend_entries(words):
        parts.append(
            node(
                "rect",
                x=x,
                y=y,
                width=20,
                height=13,
                rx=3,
                fill=look.fill,
                stroke=look.line,
                stroke_width=look.width,
                stroke_dasharray=look.dashes,
            )
        )
        parts.append(lettered([said], x + 26, y + 11, 11, palette.FAINT, anchor="start"))
        x += 46 + width(said, 11)
    return "".join(parts)
