"""The few words that a picture says by itself, in the two languages of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Words:
    """What a picture says; `{…}` are filled in."""

    event: str
    waits: str
    nothing_waits: str
    passed: str
    due: str
    until: str
    stands: str
    went: str
    withdrawn: str
    not_reached: str
    times: str
    visits: str
    instances: str
    colon: str
    comma: str


_WORDS: Mapping[Language, Words] = {
    "zh": Words(
        event="第{seq}号事件后",
        waits="现在停在",
        nothing_waits="没有等待中的环节",
        passed="已经过{count}个环节",
        due="限 {at}",
        until="至 {at}",
        stands="等待中",
        went="已走过",
        withdrawn="被中断",
        not_reached="未到达",
        times="×{count}",
        visits="第{number}次",
        instances="{count}份并行",
        colon="：",
        comma="，",
    ),
    "en": Words(
        event="after event {seq}",
        waits="waiting at",
        nothing_waits="nothing waits",
        passed="{count} elements passed",
        due="due {at}",
        until="until {at}",
        stands="waiting",
        went="path taken",
        withdrawn="interrupted",
        not_reached="not reached",
        times="×{count}",
        visits="visit {number}",
        instances="{count} at once",
        colon=": ",
        comma=", ",
    ),
}


def words_of(language: Language) -> Words:
    """Give the words of a language."""
    return _WORDS[language]


def clock_text(instant: datetime, zone: ZoneInfo, *, year: bool = False) -> str:
    """Write an instant in office time, such as ``03-17 09:30``."""
    here = instant.astimezone(zone)
    return here.strftime("%Y-%m-%d %H:%M" if year else "%m-%d %H:%M")


def due_text(instant: datetime, zone: ZoneInfo, *, year: bool = False) -> str:
    """Write the end of a period: midnight is 24:00 of the day before (domain.md §5)."""
    here = instant.astimezone(zone)
    if here.time() != time(0):
        return clock_text(instant, zone, year=year)
    day = here - timedelta(days=1)
    return day.strftime("%Y-%m-%d 24:00" if year else "%m-%d 24:00")
