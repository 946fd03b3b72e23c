"""The counts that a city published for a year, whole or scaled down (domain.md §8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from importlib import resources
from typing import Any

import yaml

_FILE = resources.files("services.demo") / "data" / "published.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many items of some origins there were; `None` where nothing was said.

    Parameters
    ----------
    origins : as the decision table ``origins`` calls them; counted together.
    sources : how many meetings or papers the items of each origin came from.
    """

    origins: tuple[str, ...]
    cases: int
    closed: int | None = None
    answered: int | None = None
    sources: Mapping[str, int] = field(default_factory=dict)

    def scaled(self, scale: Fraction) -> Count:
        """Give so much of the counts, at least one of each that isn't nothing."""
        sources = {origin: _scaled(n, scale) for origin, n in self.sources.items()}
        return Count(
            origins=self.origins,
            cases=max(_scaled(self.cases, scale), sum(sources.values())),
            closed=None if self.closed is None else _scaled(self.closed, scale),
            answered=None if self.answered is None else _scaled(self.answered, scale),
            sources=sources,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """All counts of one year."""

    year: int
    counts: tuple[Count, ...]

    @property
    def cases(self) -> int:
        """How many items there were in all."""
        return sum(count.cases for count in self.counts)

    def scaled(self, scale: Fraction) -> Published:
        """Give so much of every count."""
        return Published(year=self.year, counts=tuple(one.scaled(scale) for one in self.counts))


@cache
def published() -> Published:
    """Give the counts as they were published."""
    told: dict[str, Any] = yaml.safe_load(_FILE.read_bytes())
    counts = tuple(
        Count(
            origins=tuple(entry["origins"]),
            cases=entry["cases"],
            closed=entry.get("closed"),
            answered=entry.get("answered"),
            sources=entry.get("sources") or {},
        )
        for entry in told["counts"]
    )
    return Published(year=told["year"], counts=counts)


def _scaled(count: int, scale: Fraction) -> int:
    return max(1, round(count * scale)) if count else 0
