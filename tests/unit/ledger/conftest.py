"""A furnished office of its own, and ledgers as files."""

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from engine.records import Json
from services.ledger.importing import Imported, Importer
from services.people import queries as people
from tests.helpers.offices import Place, sqlite_place

HEADINGS = (
    "督查类型",
    "标题*",
    "来源",
    "来源文号",
    "来源日期",
    "批示领导或会议",
    "提出人",
    "内容",
    "紧急程度",
)
INSTRUCTION = (
    "领导批示",
    "关于解决城东小学门前积水的批示",
    "群众来信",
    "信〔2026〕8号",
    "2026-03-01",
    "市长",
    "",
    "请尽快解决。",
    "急",
)
SUGGESTION = (
    "人大代表建议",
    "关于加装电梯的建议",
    "大会期间",
    "第12号",
    "2026/2/28",
    "",
    "*王代表(deputy.1)；𠮷代表",
    "老旧小区需要电梯。",
    "普通",
)


def with_row(row: tuple[Any, ...], **cells: object) -> tuple[Any, ...]:
    """Change cells of a row by heading."""
    names = [heading.rstrip("*") for heading in HEADINGS]
    return tuple(cells.get(name, value) for name, value in zip(names, row, strict=True))


def workbook(*rows: tuple[Any, ...], headings: tuple[str, ...] = HEADINGS) -> bytes:
    """Make an Excel file as an office would."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(headings)
    for row in rows:
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = sqlite_place(tmp_path)
    yield found
    found.office.close()


@pytest.fixture
def importer(place: Place) -> Importer:
    def is_known(kind: str, value: Json) -> bool:
        with place.office.store.transaction(write=False) as transaction:
            connection = transaction.connection
            if kind == "active_unit":
                return people.is_active_unit(connection, value)
            return people.is_active_user(connection, value)

    return Importer(place.office.engine, place.office.settings.zone, is_known)


@pytest.fixture
def run(place: Place, importer: Importer) -> Callable[..., Imported]:
    def do(content: bytes, at: datetime | None = None, **how: bool) -> Imported:
        return importer.run(content, "registrar", at or place.clock.now(), **how)

    return do
