"""Runs the measures and prints them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bench import completion, http, memory, office, proof, timers, wide
from bench.figures import Figure

MEASURES: Mapping[str, Callable[[], list[Figure]]] = {
    "completion_sqlite": completion.completion_on_sqlite,
    "completion_postgresql": completion.completion_on_postgresql,
    "completion_90th": completion.growth,
    "open_uncached": wide.opening,
    "timers": timers.draining,
    "http": http.throughput,
    "memory": memory.memory,
    **office.MEASURES,
    **proof.MEASURES,
}


def main(only: Sequence[str] = (), *, as_json: bool = False) -> bool:
    """Measure, print, and tell whether every target was met.

    Parameters
    ----------
    only : beginnings of the names to measure; empty means all.
    """
    figures: list[Figure] = []
    for name, measure in MEASURES.items():
        if only and not name.startswith(tuple(only)):
            continue
        if not as_json:
            print(f"{name} …", file=sys.stderr, flush=True)
        figures += measure()
    if as_json:
        print(json.dumps([figure.as_json() for figure in figures]))
    else:
        Console().print(_table(figures))
    return bool(figures) and all(figure.ok for figure in figures)


def _table(figures: Sequence[Figure]) -> Table:
    table = Table("measure", box=None)
    for name in ("value", "unit", "target", ""):
        table.add_column(name, justify="right" if name == "value" else "left")
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        target = "" if figure.target is None else f"{sign} {figure.target:g}"
        verdict = "" if figure.target is None else ("ok" if figure.ok else "MISSED")
        table.add_row(figure.name, f"{figure.value:,.2f}", figure.unit, target, verdict)
    return table
