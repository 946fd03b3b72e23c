"""What is counted, of what, and by what (domain.md §8): measures, groups, exact percentages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TypeVar
from zoneinfo import ZoneInfo

PROPOSAL = "proposal"
"""What deputies or members file is counted as, by the property `counted_as` of its diagram."""
_OPEN = frozenset({"registered", "dispatched", "in_progress", "under_review", "suspended"})
_DAY_S = 24 * 60 * 60
_TENTH = Decimal("0.1")

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFigures:
    """What a figure looks at of one case."""

    id: str
    number: str
    title: str = field(compare=False)
    """As it is called now; nothing is counted by it."""
    case_type: str
    counted_as: str
    status: str
    light: str
    unit: str | None
    issuer: str | None
    source_kind: str
    source: str | None
    urgency: str
    registered_at: datetime
    deadline: datetime | None
    closed_at: datetime | None
    feedback_late: bool | None
    answered_at: datetime | None
    answer_class: str | None
    contacted: bool
    rating: str | None
    highest_round: int

    @property
    def is_proposal(self) -> bool:
        """Whether deputies or members filed it, and it went to a unit."""
        return self.counted_as == PROPOSAL and self.unit is not None

    @property
    def is_open(self) -> bool:
        """Whether it is still under way."""
        return self.status in _OPEN

    @property
    def is_closed(self) -> bool:
        """Whether the result was accepted."""
        return self.status == "closed"

    @property
    def is_closed_in_time(self) -> bool:
        """Whether it was closed by its deadline as last agreed."""
        return self.is_closed and (
            self.deadline is None or self.closed_at is None or self.closed_at <= self.deadline
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: `count` cases, or `count` of `of` with the percentage to one decimal."""

    key: str | None
    count: int
    of: int | None = None
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What is counted, and of what; without `base` it is a plain number."""

    counts: Callable[[CaseFigures], bool]
    base: Callable[[CaseFigures], bool] | None = None


def _is_rated(case: CaseFigures) -> bool:
    return case.rating is not None


MEASURES: dict[str, Measure] = {
    "registered": Measure(lambda _: True),
    "open": Measure(lambda case: case.is_open),
    "closed": Measure(lambda case: case.is_closed),
    "cancelled": Measure(lambda case: case.status == "cancelled"),
    "suspended": Measure(lambda case: case.status == "suspended"),
    "overdue": Measure(lambda case: case.is_open and case.light == "red"),
    "red_lights": Measure(lambda case: case.light == "red"),
    "escalated": Measure(lambda case: case.highest_round > 0),
    "answered": Measure(lambda case: case.answered_at is not None),
    "closing_rate": Measure(lambda case: case.is_closed, lambda _: True),
    "on_time_rate": Measure(lambda case: case.is_closed_in_time, lambda case: case.is_closed),
    "reported_in_time_rate": Measure(
        lambda case: case.feedback_late is False, lambda case: case.feedback_late is not None
    ),
    "answer_rate": Measure(
        lambda case: case.answered_at is not None,
        lambda case: case.is_proposal and (case.answered_at is not None or case.light == "red"),
    ),
    "contact_rate": Measure(lambda case: case.contacted, lambda case: case.is_proposal),
    "resolution_rate": Measure(
        lambda case: case.answer_class == "A", lambda case: case.answer_class is not None
    ),
    "fully_satisfied_rate": Measure(lambda case: case.rating == "satisfied", _is_rated),
    "satisfaction_rate": Measure(lambda case: case.rating in ("satisfied", "basically"), _is_rated),
}
"""Cases whose light is red are overdue, or were closed after their deadline."""


def _month(instant: datetime | None, zone: ZoneInfo) -> str | None:
    return None if instant is None else instant.astimezone(zone).strftime("%Y-%m")


GROUPS: dict[str, Callable[[CaseFigures, ZoneInfo], str | None]] = {
    "type": lambda case, _: case.case_type,
    "status": lambda case, _: case.status,
    "light": lambda case, _: case.light,
    "unit": lambda case, _: case.unit,
    "leader": lambda case, _: case.issuer,
    "source": lambda case, _: case.source_kind,
    "urgency": lambda case, _: case.urgency,
    "month": lambda case, zone: _month(case.registered_at, zone),
    "closed_month": lambda case, zone: _month(case.closed_at, zone),
    "year": lambda case, zone: case.registered_at.astimezone(zone).strftime("%Y"),
}


def figure(measure: Measure, found: Iterable[CaseFigures], key: str | None = None) -> Figure:
    """Count one group of cases."""
    base = based(measure, found)
    count = sum(map(measure.counts, base))
    if measure.base is None:
        return Figure(key=key, count=count)
    return Figure(key=key, count=count, of=len(base), percent=percent(count, len(base)))


def figures(
    measure: Measure, by: str, found: Iterable[CaseFigures], zone: ZoneInfo
) -> tuple[Figure, ...]:
    """Count cases group by group, the groups in the order of their names; they add up."""
    return tuple(figure(measure, cases, key) for key, cases in grouped(by, found, zone).items())


def grouped(
    by: str, found: Iterable[CaseFigures], zone: ZoneInfo
) -> dict[str | None, list[CaseFigures]]:
    """Sort cases into groups; what belongs to none comes last, under `None`."""
    groups: dict[str | None, list[CaseFigures]] = {}
    for case in found:
        groups.setdefault(GROUPS[by](case, zone), []).append(case)
    return {key: groups[key] for key in sorted(groups, key=lambda key: (key is None, key or ""))}


def based(measure: Measure, found: Iterable[CaseFigures]) -> list[CaseFigures]:
    """Give the cases that a measure is of: all of them, or the base of a rate."""
    return [case for case in found if measure.base is None or measure.base(case)]


def behind(measure: Measure, found: Iterable[CaseFigures], *, rest: bool) -> list[CaseFigures]:
    """Give the cases behind a figure.

    Parameters
    ----------
    rest : those of the base that don't count, such as the late ones of a rate in time.
    """
    return [case for case in based(measure, found) if measure.counts(case) is not rest]


def percent(count: int, of: int) -> Decimal | None:
    """Give a percentage to one decimal, half up; `None` when there is nothing to divide by.

    >>> percent(1, 16)
    Decimal('6.3')
    """
    return None if of == 0 else _tenths(Fraction(100 * count, of))


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long something took, `count` times: in days to one decimal, half up."""

    key: str | None
    count: int
    median: Decimal
    ninetieth: Decimal
    late: int


def duration(key: str | None, took: Sequence[int], late: int) -> Duration:
    """Give the median, and the 90th percentile: what nine of ten took at most (nearest rank).

    Parameters
    ----------
    took : seconds, the shortest first.

    Raises
    ------
    IndexError : nothing took any time.
    """
    count = len(took)
    low, high = took[(count - 1) // 2], took[count // 2]
    # Nine tenths, rounded up without a float.
    ninetieth = took[(9 * count + 9) // 10 - 1]
    return Duration(
        key=key,
        count=count,
        median=_tenths(Fraction(low + high, 2 * _DAY_S)),
        ninetieth=_tenths(Fraction(ninetieth, _DAY_S)),
        late=late,
    )


def counted(keys: Iterable[ItemT]) -> dict[ItemT, int]:
    """Count equal things, the most frequent first, then by name."""
    found: dict[ItemT, int] = {}
    for key in keys:
        found[key] = found.get(key, 0) + 1
    return dict(sorted(found.items(), key=lambda item: (-item[1], str(item[0]))))


def _tenths(exact: Fraction) -> Decimal:
    # Half up on the exact number; nothing here is negative.
    return (
        Decimal((exact * 10 + Fraction(1, 2)).__floor__())
        .scaleb(-1)
        .quantize(_TENTH, ROUND_HALF_UP)
    )
