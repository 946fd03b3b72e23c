"""The periods that bulletins are of: a month, a quarter, a year."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from engine import FieldError
from services.bulletins.errors import PeriodUnknown
from services.deadlines.calendar import OFFICE_ZONE, add_months, start_of_day

_WRITTEN = re.compile(r"(?P<year>[12]\d{3})(?:-(?:Q(?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")
_QUARTERS = "一二三四"
_KINDS = {1: "bulletin", 3: "quarterly_report", 12: "annual_report"}


@dataclass(frozen=True, slots=True)
class Period:
    """So many months from the first of a month on."""

    first: date
    months: int
    name: str
    title: str

    @property
    def last(self) -> date:
        """The last day."""
        return date.fromordinal(add_months(self.first, self.months).toordinal() - 1)

    @property
    def kind(self) -> str:
        """The kind of paper that is made of it."""
        return _KINDS[self.months]

    def since(self, zone: ZoneInfo = OFFICE_ZONE) -> datetime:
        """Give its first instant."""
        return start_of_day(self.first, zone)

    def until(self, zone: ZoneInfo = OFFICE_ZONE) -> datetime:
        """Give 24:00 of its last day."""
        return start_of_day(add_months(self.first, self.months), zone)


def period_of(text: str) -> Period:
    """Read a period such as ``2026``, ``2026-Q1`` or ``2026-03``.

    Raises
    ------
    PeriodUnknown : it is written otherwise.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise PeriodUnknown([FieldError("period", "pattern")], period=text[:40])
    year = int(found["year"])
    if found["quarter"]:
        quarter = int(found["quarter"])
        title = f"{year}年第{_QUARTERS[quarter - 1]}季度督查工作通报"
        return Period(date(year, 3 * quarter - 2, 1), 3, text, title)
    if found["month"]:
        month = int(found["month"])
        return Period(date(year, month, 1), 1, text, f"{year}年{month}月督查工作通报")
    return Period(date(year, 1, 1), 12, text, f"{year}年度督查工作报告")
