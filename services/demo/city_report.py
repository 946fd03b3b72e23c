"""A city's year for people and programs: by type, beside what was published, the bulletin."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.records import Json
from services.bulletins.queries import Line
from services.demo.city import CityYear, Compared
from services.demo.published import Count
from services.demo.report import Language, word
from services.statistics.figures import Figure

_SHOWN_FAULTS = 20
_RATES = ("closing_rate", "on_time_rate", "satisfaction_rate")


def city_tables(year: CityYear, language: Language) -> RenderableType:
    """Lay out the figures by type, the published counts beside the bulletin's, what is off."""
    proved = word("verified", language).format(verified=year.verified, events=year.events)
    seconds = word("seconds", language).format(seconds=year.seconds)
    issued = word("bulletin", language).format(
        title=year.issued.title, number=year.issued.number, sha256=year.issued.docx_sha256[:12]
    )
    last = Text(f"{proved}  {seconds}", style="green" if year.ok else "yellow")
    shown = list(year.faults[:_SHOWN_FAULTS])
    if len(year.faults) > len(shown):
        shown.append(f"+{len(year.faults) - len(shown)}")
    faults = [Text(f"{word('off', language)} {fault}", style="red") for fault in shown]
    return Group(_by_type(year, language), _compared(year, language), Text(issued), last, *faults)


def city_json(year: CityYear) -> dict[str, Json]:
    """Give everything as JSON-plain values; rates are text with one decimal, or null."""
    return {
        "ok": year.ok,
        "seconds": round(year.seconds, 2),
        "seed": year.seed,
        "types": {line.key or "": _line_json(line) for line in year.types},
        "cases": year.cases,
        "commands": year.commands,
        "events": year.events,
        "verified": year.verified,
        "published": [_compared_json(one) for one in year.compared],
        "bulletin": {
            "number": year.issued.number,
            "title": year.issued.title,
            "docx_sha256": year.issued.docx_sha256,
            "pdf_sha256": year.issued.pdf_sha256,
        },
        "faults": list(year.faults),
    }


def _by_type(year: CityYear, language: Language) -> Table:
    whole = list(_columns(year.bulletin.whole))
    table = Table(show_footer=True, footer_style="bold")
    table.add_column(word("type", language), word("total", language))
    names = ("registered", "closed", "open", "overdue", "closing", "on_time", "satisfied")
    for name, footer in zip(names, whole, strict=True):
        table.add_column(word(name, language), footer, justify="right")
    for line in year.types:
        table.add_row(word(line.key or "", language), *_columns(line))
    return table


def _columns(line: Line) -> Iterator[str]:
    yield from (str(count) for count in (line.new, line.closed, line.open, line.overdue))
    yield from (_share(line.rate(name)) for name in _RATES)


def _share(rate: Figure) -> str:
    return "–" if rate.percent is None else f"{rate.percent}% ({rate.count}/{rate.of})"


def _compared(year: CityYear, language: Language) -> Table:
    names = ("origin", "published", "in_bulletin")
    table = Table(*(word(name, language) for name in names))
    for one in year.compared:
        style = "" if one.found == one.wanted else "red"
        told = (_told(count, language) for count in (one.wanted, one.found))
        table.add_row(one.label, *told, style=style)
    return table


def _told(count: Count, language: Language) -> str:
    parts = [str(count.cases)]
    for name, said in (("closed", count.closed), ("answered", count.answered)):
        if said is not None:
            parts.append(f"{word(name, language)} {said}")
    if count.sources:
        parts.append(f"{word('sources', language)} {'+'.join(map(str, count.sources.values()))}")
    return ", ".join(parts)


def _line_json(line: Line) -> dict[str, Json]:
    counts: dict[str, Json] = {
        "registered": line.new,
        "closed": line.closed,
        "cancelled": line.cancelled,
        "open": line.open,
        "overdue": line.overdue,
    }
    rates = {name: line.rate(name).percent for name in _RATES}
    return counts | {n: None if rate is None else str(rate) for n, rate in rates.items()}


def _compared_json(one: Compared) -> dict[str, Json]:
    return {
        "label": one.label,
        "origins": list(one.wanted.origins),
        "published": _count_json(one.wanted),
        "bulletin": _count_json(one.found),
    }


def _count_json(count: Count) -> dict[str, Json]:
    told: dict[str, Json] = {"cases": count.cases}
    if count.closed is not None:
        told["closed"] = count.closed
    if count.answered is not None:
        told["answered"] = count.answered
    if count.sources:
        told["sources"] = dict(count.sources)
    return told
