"""Where items came from, as an office reports it: by its decision table ``origins``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from engine import Definition
from engine.case import Lookups
from engine.errors import DefinitionNotFound
from engine.expressions import Names, Setting
from services.bulletins.rates import written
from services.documents.papers import PaperSection, PaperTable
from services.statistics.figures import MEASURES, CaseFigures, Figure, percent

TABLE = "origins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A row of the table; `group` is what its lines are summed up under, or nothing."""

    place: int
    id: str
    label: str
    group: str


OriginOf = Callable[[str, str, str | None], Origin]
"""Gives the origin of a case's type, kind of source and issuer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginLine:
    """New cases of one origin, how many sources they came from, and what became of them."""

    origin: str
    label: str
    group: str
    cases: int
    sources: int
    closed: int
    answered: int


def origins_by(definition: Definition) -> OriginOf | None:
    """Read a definition's table; `None` when it has none, and so no such section."""
    try:
        table = definition.table(TABLE)
    except DefinitionNotFound:
        return None

    @cache
    def origin_of(case_type: str, source_kind: str, issuer: str | None) -> Origin:
        names = Names({"case_type": case_type, "source_kind": source_kind, "issuer": issuer})
        decided = table.evaluate(Setting(names, Lookups(frozenset()), ""))
        return Origin(
            place=decided.rules[0],
            id=decided.outputs["origin"],
            label=decided.outputs["origin_label"],
            group=decided.outputs["origin_group"] or "",
        )

    return origin_of


def origin_lines(new: Iterable[CaseFigures], origin_of: OriginOf) -> tuple[OriginLine, ...]:
    """Count cases by origin, in the order of the table; the lines add up to all of them."""
    found: dict[Origin, list[CaseFigures]] = {}
    for case in new:
        origin = origin_of(case.case_type, case.source_kind, case.issuer)
        found.setdefault(origin, []).append(case)
    return tuple(
        OriginLine(
            origin=origin.id,
            label=origin.label,
            group=origin.group,
            cases=len(cases),
            sources=len({case.source or case.id for case in cases}),
            closed=sum(map(MEASURES["closed"].counts, cases)),
            answered=sum(map(MEASURES["answered"].counts, cases)),
        )
        for origin, cases in sorted(found.items(), key=lambda pair: pair[0].place)
    )


def origin_section(lines: Iterable[OriginLine]) -> PaperSection | None:
    """Write the section of a bulletin; `None` without lines."""
    told = list(lines)
    if not told:
        return None
    rows = [_row(line) for line in (*_with_subtotals(told), _summed(told, "合计"))]
    head = ["事项来源", "来源数", "立项件数", "办结件数", "答复件数", "办结率"]
    return PaperSection("各类来源事项", (), PaperTable("按来源归类", head, rows))


def _row(line: OriginLine) -> list[str]:
    rate = Figure(
        key=None, count=line.closed, of=line.cases, percent=percent(line.closed, line.cases)
    )
    counts = (line.sources, line.cases, line.closed, line.answered)
    return [line.label, *map(str, counts), written(rate)]


def _with_subtotals(lines: Iterable[OriginLine]) -> Iterator[OriginLine]:
    """Put the sum of a group of several lines after them."""
    for group, members in groupby(lines, key=lambda line: line.group):
        of_group = list(members)
        yield from of_group
        if group and len(of_group) > 1:
            yield _summed(of_group, f"{group}小计")


def _summed(lines: Sequence[OriginLine], label: str) -> OriginLine:
    return OriginLine(
        origin="",
        label=label,
        group="",
        cases=sum(line.cases for line in lines),
        sources=sum(line.sources for line in lines),
        closed=sum(line.closed for line in lines),
        answered=sum(line.answered for line in lines),
    )
