"""Refusals about bulletins."""

from engine import Invalid, Refused


class PeriodUnknown(Invalid):
    """Raised when a period isn't written as 2026, 2026-Q1 or 2026-03."""

    slug = "period-unknown"


class PeriodNotOver(Refused):
    """Raised when a bulletin would get its number before its period is over."""

    slug = "period-not-over"
