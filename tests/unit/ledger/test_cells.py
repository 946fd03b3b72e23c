"""What cells mean."""

import io
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from engine.records import Json
from services.ledger.columns import headings_of, value_of
from services.ledger.sheets import read_rows

FORM: Json = {
    "properties": {
        "listed": {"type": "boolean", "title": "挂牌督办", "x-title-en": "Listed"},
        "percent": {"type": "integer", "title": "进度"},
        "amount": {"type": "number"},
        "due": {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]},
        "methods": {
            "type": "array",
            "items": {"type": "string", "x-labels": {"visit": "实地走访", "files": "查阅资料"}},
        },
        "units": {"type": "array", "items": {"type": "string"}},
    }
}


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("listed", "是", True),
        ("listed", "No", False),
        ("listed", "也许", "也许"),
        ("percent", "80", 80),
        ("percent", "八十", "八十"),
        ("amount", "2.5", 2.5),
        ("amount", "-3", -3),
        ("due", "2026年3月2日", "2026-03-02"),
        ("due", "2026.3.2", "2026-03-02"),
        ("due", "2026-03-02T09:00:00+08:00", "2026-03-02T09:00:00+08:00"),
        ("methods", "实地走访；查阅资料、visit", ["visit", "files", "visit"]),
        ("units", "u1;u2\nu3", ["u1", "u2", "u3"]),
        ("nowhere", "x", "x"),
    ],
)
def test_a_cell_is_read_as_its_form_wants_it(field: str, text: str, value: Json) -> None:
    assert value_of(field, text, FORM, "leader_instruction") == value


@pytest.mark.parametrize("heading", ["挂牌督办", " 挂牌督办★", "listed", "LISTED", "Listed*"])
def test_a_column_is_known_by_the_title_of_its_field_in_both_languages(heading: str) -> None:
    assert headings_of([FORM]).field_of(heading) == "listed"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (True, "是"),
        (False, "否"),
        (12.0, "12"),
        (0.5, "0.5"),
        (datetime(2026, 3, 2), "2026-03-02"),  # noqa: DTZ001 -- a cell has no zone
        (datetime(2026, 3, 2, 9, 30), "2026-03-02 09:30:00"),  # noqa: DTZ001 -- likewise
        ("=1+1", "=1+1"),
        ("#REF!", "#REF!"),
        ("𠮷䶮", "𠮷䶮"),
    ],
)
def test_a_cell_of_excel_is_text(cell: Any, text: str) -> None:  # noqa: ANN401 -- any cell
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = cell
    sheet["Z9"] = " "
    target = io.BytesIO()
    book.save(target)

    assert next(iter(read_rows(target.getvalue()))) == (text,)
