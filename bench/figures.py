"""A measured figure, and how times become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

MS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure; without `target` it only explains another."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False

    @property
    def ok(self) -> bool:
        """Whether the target is met; most targets are upper limits."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    def as_json(self) -> dict[str, object]:
        """Give it as JSON-plain values."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "target": self.target,
            "ok": self.ok,
        }


def p90(times: Sequence[float]) -> float:
    """Give the 90th percentile."""
    return quantiles(times, n=10)[-1]


def compared(
    name: str, ours: Sequence[float], bare: Sequence[float], target: float
) -> list[Figure]:
    """Compare times of ours and of the bare work, taken in turns: medians, and p90 beside."""
    return [
        Figure(name=name, value=median(ours) / median(bare), unit="ratio", target=target),
        Figure(name=f"{name}_p90", value=p90(ours) / p90(bare), unit="ratio"),
        Figure(name=f"{name}_ours", value=median(ours) * MS, unit="ms"),
        Figure(name=f"{name}_bare", value=median(bare) * MS, unit="ms"),
    ]
