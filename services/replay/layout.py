"""Where a BPMN file puts its shapes and lines: the picture's part of the file (BPMN DI)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from engine import Definition
from engine.diagram_files import local, read_xml

_DI = "http://www.omg.org/spec/BPMN/20100524/DI"
_DC = "http://www.omg.org/spec/DD/20100524/DC"
_DD = "http://www.omg.org/spec/DD/20100524/DI"

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; x to the right, y down."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def centre(self) -> Point:
        """Its middle."""
        return self.x + self.width / 2, self.y + self.height / 2

    def meets(self, other: Box) -> bool:
        """Tell whether the two overlap."""
        return (
            self.x < other.right
            and other.x < self.right
            and self.y < other.bottom
            and other.y < self.bottom
        )

    def grown(self, by: float) -> Box:
        """Give a box larger by a margin on each side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)


@dataclass(frozen=True, slots=True)
class Shape:
    """One element as a shape; `label` is where its name stands when that isn't inside."""

    element: str
    kind: str
    name: str
    box: Box
    label: Box | None
    expanded: bool
    text: str = ""
    horizontal: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One flow or association as a line."""

    element: str
    kind: str
    name: str
    points: tuple[Point, ...]
    label: Box | None


@dataclass(frozen=True, slots=True)
class Layout:
    """One picture: a process, or a sub-process that is shown on a page of its own."""

    page: str
    shapes: tuple[Shape, ...]
    lines: tuple[Line, ...]


def layout_of(definition: Definition, process: str) -> Layout | None:
    """Give the picture of a process; `None` when its file has none."""
    found = definition.processes.get(process)
    if found is None:
        return None
    pages = _pages(definition.files[found.file])
    wanted = {process, *found.elements}
    own = next((page for page in pages if page.page == process), None)
    if own is not None:
        return own
    return next((page for page in pages if wanted & {shape.element for shape in page.shapes}), None)


def pages_of(definition: Definition, process: str) -> list[Layout]:
    """List the pictures of a process: its own, then those of its collapsed sub-processes."""
    found = definition.processes.get(process)
    first = layout_of(definition, process)
    if found is None or first is None:
        return []
    inner = (p for p in _pages(definition.files[found.file]) if p.page in found.elements)
    return [first, *(page for page in inner if page is not first)]


@lru_cache(maxsize=64)
def _pages(content: bytes) -> tuple[Layout, ...]:
    root = read_xml(content)
    named = {node.get("id"): node for node in root.iter() if node.get("id")}
    planes = root.iter(f"{{{_DI}}}BPMNPlane")
    return tuple(_page(plane, named) for plane in planes)


def _page(plane: etree._Element, named: Mapping[str | None, etree._Element]) -> Layout:
    return Layout(
        plane.get("bpmnElement", ""),
        tuple(_shapes(plane, named)),
        tuple(_lines(plane, named)),
    )


def _shapes(plane: etree._Element, named: Mapping[str | None, etree._Element]) -> Iterator[Shape]:
    for node in plane.iterchildren(f"{{{_DI}}}BPMNShape"):
        element = named.get(node.get("bpmnElement"))
        box = _box(node)
        if element is None or box is None:
            continue
        text = next((n.text or "" for n in element.iterchildren() if local(n) == "text"), "")
        yield Shape(
            node.get("bpmnElement", ""),
            local(element),
            (element.get("name") or "").strip(),
            box,
            _label(node),
            node.get("isExpanded") == "true",
            text.strip(),
            node.get("isHorizontal") != "false",
        )


def _lines(plane: etree._Element, named: Mapping[str | None, etree._Element]) -> Iterator[Line]:
    for node in plane.iterchildren(f"{{{_DI}}}BPMNEdge"):
        element = named.get(node.get("bpmnElement"))
        points = tuple(
            (float(p.get("x", "0")), float(p.get("y", "0")))
            for p in node.iterchildren(f"{{{_DD}}}waypoint")
        )
        if element is not None and len(points) > 1:
            name = (element.get("name") or "").strip()
            yield Line(node.get("bpmnElement", ""), local(element), name, points, _label(node))


def _label(node: etree._Element) -> Box | None:
    label = node.find(f"{{{_DI}}}BPMNLabel")
    return None if label is None else _box(label)


def _box(node: etree._Element) -> Box | None:
    bounds = node.find(f"{{{_DC}}}Bounds")
    if bounds is None:
        return None
    x, y, width, height = (float(bounds.get(n, "0")) for n in ("x", "y", "width", "height"))
    return Box(x, y, width, height)


def extent(shapes: Sequence[Shape], lines: Sequence[Line]) -> Box:
    """Give the box around everything drawn, labels included."""
    boxes = [shape.box for shape in shapes]
    labels = [*(shape.label for shape in shapes), *(line.label for line in lines)]
    boxes += [label for label in labels if label is not None]
    boxes += [Box(x, y, 0, 0) for line in lines for x, y in line.points]
    if not boxes:
        return Box(0, 0, 100, 100)
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.right for b in boxes), max(b.bottom for b in boxes)
    return Box(left, top, right - left, bottom - top)
