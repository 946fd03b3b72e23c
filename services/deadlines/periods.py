"""Periods as people write them: "15 days", "5 working days", "P3M", "24小时"."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from services.deadlines.errors import PeriodNotUnderstood

# Far beyond any deadline of an office; it keeps counting working days a matter of milliseconds.
_LARGEST = 10_000


class PeriodUnit(StrEnum):
    """What a period is counted in."""

    WORKING_DAYS = "working days"
    DAYS = "days"
    MONTHS = "months"
    HOURS = "hours"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time that becomes an instant only on a calendar."""

    count: int
    unit: PeriodUnit

    def __str__(self) -> str:
        """Write the period so that it can be read again: "1 day", "5 working days"."""
        unit = self.unit.value if self.count != 1 else self.unit.value.removesuffix("s")
        return f"{self.count} {unit}"


_UNITS: dict[str, tuple[PeriodUnit, int]] = {
    "workingday": (PeriodUnit.WORKING_DAYS, 1),
    "day": (PeriodUnit.DAYS, 1),
    "week": (PeriodUnit.DAYS, 7),
    "month": (PeriodUnit.MONTHS, 1),
    "year": (PeriodUnit.MONTHS, 12),
    "hour": (PeriodUnit.HOURS, 1),
    "minute": (PeriodUnit.MINUTES, 1),
    "工作日": (PeriodUnit.WORKING_DAYS, 1),
    "日": (PeriodUnit.DAYS, 1),
    "天": (PeriodUnit.DAYS, 1),
    "周": (PeriodUnit.DAYS, 7),
    "月": (PeriodUnit.MONTHS, 1),
    "年": (PeriodUnit.MONTHS, 12),
    "小时": (PeriodUnit.HOURS, 1),
    "分钟": (PeriodUnit.MINUTES, 1),
}
_ISO_DATE_UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day"}

_WORDS = re.compile(
    r"(\d{1,6})(?:(working[ -]?day|day|week|month|year|hour|minute)s?"
    r"|个?(工作日|日|天|周|月|年|小时|分钟))",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"P(\d{1,6})([YMWD])")
_ISO_TIME = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?")


def parse_period(text: str) -> Period:
    """Read a period in English, Chinese or ISO 8601.

    "15 days", "5 working days", "3 months", "24 hours"; "15日", "5个工作日", "3个月", "24小时";
    "P15D", "P3M", "PT24H", "PT1H30M". Weeks are 7 days, years 12 months.

    Raises
    ------
    PeriodNotUnderstood
        When the text is none of these, mixes days with hours, or is longer than 10,000 of its unit.
    """
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    period = _from_words(plain) or _from_iso(plain)
    if period is None or period.count > _LARGEST:
        raise PeriodNotUnderstood(period=text)
    return period


def _from_words(plain: str) -> Period | None:
    found = _WORDS.fullmatch(plain)
    if found is None:
        return None
    name = (found[2] or found[3]).lower().replace("-", "")
    unit, factor = _UNITS[name]
    return Period(int(found[1]) * factor, unit)


def _from_iso(plain: str) -> Period | None:
    dated = _ISO_DATE.fullmatch(plain)
    if dated is not None:
        unit, factor = _UNITS[_ISO_DATE_UNITS[dated[2]]]
        return Period(int(dated[1]) * factor, unit)
    timed = _ISO_TIME.fullmatch(plain)
    if timed is None or (timed[1] is None and timed[2] is None):
        return None
    if timed[2] is None:
        return Period(int(timed[1]), PeriodUnit.HOURS)
    return Period(int(timed[1] or 0) * 60 + int(timed[2]), PeriodUnit.MINUTES)
