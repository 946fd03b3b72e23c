"""How far histories follow their model: each is run again, and deviations are put on elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from engine.records import Json
from services.replay.again import Report

_OF_THE_STORE = frozenset(
    {"missing", "altered", "chain", "head", "definition", "rows", "snapshot", "receipt", "file"}
)
"""Faults of what is kept: they say nothing about whether the case followed its diagram."""


def conformance_json(reports: Iterable[Report]) -> dict[str, Json]:
    """Give how many cases conform, and where the others part from their model.

    ``fitness`` of a case is the share of its events before the first deviation, 1 when it has none.
    """
    cases = []
    places: Counter[tuple[str, str]] = Counter()
    whole = 0.0
    for report in reports:
        fits = report.ok or report.fault in _OF_THE_STORE
        bad = report.events if fits or report.first_bad is None else report.first_bad - 1
        fitness = bad / report.events if report.events else 1.0
        whole += fitness
        if not fits:
            places[report.element or "", report.command or ""] += 1
        cases.append(
            {
                "case": report.case,
                "conforms": fits,
                "fitness": round(fitness, 4),
                "first_deviation": None if fits else report.first_bad,
                "element": None if fits else report.element,
            }
        )
    return {
        "cases": len(cases),
        "conforming": sum(bool(case["conforms"]) for case in cases),
        "fitness": round(whole / len(cases), 4) if cases else None,
        "deviations": [
            {"element": element, "command": command, "count": count}
            for (element, command), count in places.most_common()
        ],
        "of_cases": cases,
    }
