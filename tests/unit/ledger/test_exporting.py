import csv
import io
from collections.abc import Callable

import openpyxl
import pytest

from services.cases.queries import CaseFilter, Glance
from services.ledger import exporting, queries
from services.ledger.columns import EXPORTED, letter_of
from services.ledger.importing import Imported
from services.ledger.sheets import read_rows
from services.permissions import Visibility
from tests.helpers.offices import Place, dispatched_case
from tests.unit.ledger.conftest import INSTRUCTION, SUGGESTION, with_row, workbook

Run = Callable[..., Imported]


def rows(place: Place, **wanted: str) -> list[tuple[str, ...]]:
    glance = Glance(Visibility(everything=True), place.clock.now(), lambda due: due)
    with place.office.store.transaction(write=False) as transaction:
        found = queries.every_case(transaction.connection, glance, CaseFilter(**wanted))  # type: ignore[arg-type]  # words
        return exporting.rows_of(
            found, {"u11": "市水利局"}, lambda _, value: value, place.office.settings.zone
        )


def test_the_register_comes_out_as_text_never_as_a_formula(place: Place, run: Run) -> None:
    run(workbook(with_row(INSTRUCTION, 标题='=HYPERLINK("x")', 来源文号="-1𠮷䶮")))

    book = openpyxl.load_workbook(io.BytesIO(exporting.excel(rows(place))))

    sheet = book.worksheets[0]
    title = sheet["C2"]
    assert (title.data_type, title.value) == ("s", '=HYPERLINK("x")')
    assert sheet["G2"].value == "-1𠮷䶮"
    assert sheet.max_row == 2


def test_a_csv_is_neutral_to_spreadsheets_and_read_back_as_it_was(place: Place, run: Run) -> None:
    run(workbook(with_row(INSTRUCTION, 标题="@SUM(1)")))

    made = exporting.as_csv(rows(place))

    cells = list(csv.reader(io.StringIO(made.decode("utf-8-sig"))))[1]
    assert "'@SUM(1)" in cells
    assert "@SUM(1)" in list(read_rows(made))[1]


def test_deadlines_are_shown_as_24_00_of_their_day(place: Place) -> None:
    dispatched_case(place)

    (row,) = rows(place)

    cells = dict(zip((column.field for column in EXPORTED), row, strict=True))
    assert cells["deadline"] == "2026-03-17 24:00"
    assert cells["dispatched_at"] == "2026-03-02 09:00"
    assert cells["lead_unit"] == "市水利局"


def test_an_export_is_filtered_as_the_register_is(place: Place, run: Run) -> None:
    run(workbook(INSTRUCTION, SUGGESTION))

    assert len(rows(place)) == 2
    assert [row[2] for row in rows(place, case_type="npc_suggestion")] == [SUGGESTION[1]]


def test_the_same_register_is_the_same_file(place: Place, run: Run) -> None:
    run(workbook(INSTRUCTION))

    assert exporting.excel(rows(place)) == exporting.excel(rows(place))


def test_more_cases_than_a_page_come_out(place: Place, run: Run) -> None:
    run(workbook(*(with_row(INSTRUCTION, 来源文号=str(n)) for n in range(201))))

    assert len({row[0] for row in rows(place)}) == 201


@pytest.mark.parametrize(("place", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ")])
def test_columns_are_named_as_spreadsheets_do(place: int, letters: str) -> None:
    assert letter_of(place) == letters
