"""The sample data: 50 units and 45 matters of the kinds that supervision offices publish."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from types import MappingProxyType

_DATA = resources.files("services.demo") / "data"

SOURCE_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "群众来信": "letter",
        "舆情快报": "public_opinion_report",
        "信息简报": "bulletin",
        "实地调研": "site_visit",
        "市政府全体会议": "plenary_meeting",
        "市政府常务会议": "executive_meeting",
        "市长办公会议": "mayor_office_meeting",
        "专题会议": "special_meeting",
        "文件": "document",
        "政府工作报告": "document",
        "人大会议": "congress_session",
        "政协会议": "congress_session",
        "闭会期间": "between_sessions",
        "省政府交办": "superior",
        "省领导批示": "superior",
        "市长热线": "hotline",
        "媒体": "media",
        "专项督查": "other",
    }
)
"""What the sample calls the source of a matter, and what the forms do (domain.md §11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One matter of the sample. Units are codes: ``u1`` is the first of `units`."""

    case_type: str
    title: str
    source: str
    source_kind: str
    source_date: date
    lead_unit: str
    co_units: tuple[str, ...]
    urgency: str
    deadline: date | None
    note: str


@cache
def units() -> tuple[str, ...]:
    """Give the names of the sample's units, in the order of their codes ``u1``, ``u2``…."""
    return tuple((_DATA / "units.txt").read_text("utf-8").split())


@cache
def items() -> tuple[Item, ...]:
    """Give the sample's matters in their order."""
    codes = {name: f"u{number}" for number, name in enumerate(units(), start=1)}
    lines = (_DATA / "items.csv").read_text("utf-8").splitlines()
    return tuple(_item(row, codes) for row in csv.DictReader(lines))


def _item(row: Mapping[str, str], codes: Mapping[str, str]) -> Item:
    return Item(
        case_type=row["case_type"],
        title=row["title"],
        source=row["source_kind"],
        source_kind=SOURCE_KINDS[row["source_kind"]],
        source_date=date.fromisoformat(row["source_date"]),
        lead_unit=codes[row["lead_unit"]],
        co_units=tuple(codes[name] for name in row["co_units"].split("|") if name),
        urgency=row["urgency"],
        deadline=date.fromisoformat(row["deadline"]) if row["deadline"] else None,
        note=row["note"],
    )
