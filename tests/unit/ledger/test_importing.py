import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from openpyxl.worksheet.formula import ArrayFormula

from engine import CaseId
from engine.events import TaskCompleted
from services.cases.state import CaseState
from services.ledger.errors import RowsRejected, SheetUnreadable
from services.ledger.importing import Imported, summary
from tests.helpers.offices import Place
from tests.unit.ledger.conftest import HEADINGS, INSTRUCTION, SUGGESTION, with_row, workbook

Run = Callable[..., Imported]


def state(place: Place, case: str) -> CaseState:
    found = place.office.engine.history.states(CaseId(case))[2][CaseState]
    assert isinstance(found, CaseState)
    return found


def content_of(place: Place, case: str) -> dict[str, object]:
    history = place.office.engine.history.recorded(CaseId(case))
    return next(r.event.data for r in history if isinstance(r.event, TaskCompleted))


def csv_of(*rows: tuple[str, ...], encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter).writerows([HEADINGS, *rows])
    return target.getvalue().encode(encoding)


def test_each_row_becomes_a_numbered_case(place: Place, run: Run) -> None:
    result = run(workbook(INSTRUCTION, SUGGESTION))

    assert [one.row for one in result.registered] == [2, 3]
    assert [one.number for one in result.registered] == [
        "督〔2026〕批示-0001",
        "督〔2026〕建议-0001",
    ]
    first, second = (state(place, one.case) for one in result.registered)
    assert (first.title, first.source_kind, first.urgency) == (INSTRUCTION[1], "letter", "urgent")
    assert str(second.source_date) == "2026-02-28"
    assert second.proposers == ("deputy.1",)
    assert content_of(place, result.registered[1].case)["proposers"] == [
        {"name": "王代表", "kind": "deputy", "leading": True, "user": "deputy.1"},
        {"name": "𠮷代表", "kind": "deputy", "leading": False},
    ]


def test_a_member_of_the_cppcc_isnt_a_deputy(place: Place, run: Run) -> None:
    row = with_row(SUGGESTION, 督查类型="政协提案", 提出人="李委员")

    (made,) = run(workbook(row)).registered

    assert content_of(place, made.case)["proposers"] == [
        {"name": "李委员", "kind": "member", "leading": True}
    ]


def test_case_35_a_formula_in_an_imported_cell_is_text(place: Place, run: Run) -> None:
    row = with_row(INSTRUCTION, 标题='=cmd|" /C calc"!A0', 内容="=1+1")

    (made,) = run(workbook(row)).registered

    assert state(place, made.case).title == '=cmd|" /C calc"!A0'
    assert content_of(place, made.case)["content"] == "=1+1"


def test_an_array_formula_is_the_text_it_is_written_as(place: Place, run: Run) -> None:
    row = with_row(INSTRUCTION, 内容=ArrayFormula("H2", "=SUM(A1:A2)"))

    (made,) = run(workbook(row)).registered

    assert content_of(place, made.case)["content"] == "=SUM(A1:A2)"


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8-sig", ","), ("utf-8", ","), ("gb18030", ","), ("utf-16", "\t"), ("utf-8", ";")],
)
def test_case_36_rare_characters_survive_every_encoding(
    place: Place, run: Run, encoding: str, delimiter: str
) -> None:
    row = with_row(INSTRUCTION, 标题="𠮷家村䶮先生来信", 内容="第一行，\n“引号”")

    (made,) = run(csv_of(row, encoding=encoding, delimiter=delimiter)).registered

    assert state(place, made.case).title == "𠮷家村䶮先生来信"
    assert content_of(place, made.case)["content"] == "第一行，\n“引号”"


def test_bad_rows_are_named_by_row_column_and_cell_and_nothing_is_registered(
    place: Place, run: Run
) -> None:
    rows = (
        INSTRUCTION,
        with_row(INSTRUCTION, 标题="", 来源="梦"),
        with_row(SUGGESTION, 来源日期="2026-13-01"),
        with_row(INSTRUCTION, 督查类型="圣旨"),
        with_row(INSTRUCTION, 来源日期="2026-03-03"),
        with_row(SUGGESTION, 提出人="*王代表(nobody)"),
        with_row(INSTRUCTION, 提出人="张三"),
    )

    with pytest.raises(RowsRejected) as refusal:
        run(workbook(*rows))

    assert [(f.field, f.code, f.facts.get("cell")) for f in refusal.value.fields] == [
        ("3.title", "required", "B3"),
        ("3.source_kind", "not_in_list", "C3"),
        ("4.source_date", "bad_date", "E4"),
        ("5.case_type", "unknown_case_type", "A5"),
        ("6.source_date", "in_the_future", "E6"),
        ("7.proposers.0.user", "unknown_user", "G7"),
        ("8.proposers", "unknown_field", "G8"),
    ]
    assert refusal.value.facts["rows"] == 6
    assert place.office.store.case_ids() == []


def test_bad_rows_may_be_left_out_when_asked_for(place: Place, run: Run) -> None:
    result = run(workbook(with_row(INSTRUCTION, 标题=""), INSTRUCTION), skip_bad=True)

    assert [one.row for one in result.registered] == [3]
    assert summary(result)["rejected"] == [
        {"row": 2, "column": "title", "code": "required", "facts": {"cell": "B2"}}
    ]


def test_a_dry_run_registers_nothing(place: Place, run: Run) -> None:
    result = run(workbook(INSTRUCTION, with_row(INSTRUCTION, 标题=""), ("",) * 9), dry_run=True)

    assert (result.rows, result.good, len(result.rejected)) == (2, 1, 1)
    assert place.office.store.case_ids() == []


def test_the_same_ledger_again_registers_nothing_twice(place: Place, run: Run) -> None:
    before = run(workbook(INSTRUCTION, SUGGESTION))

    again = run(csv_of(INSTRUCTION, SUGGESTION), at=place.clock.now() + timedelta(days=1))

    assert again.registered == ()
    assert again.already == before.registered
    assert len(place.office.store.case_ids()) == 2


def test_a_ledger_that_grew_registers_only_the_new_rows(place: Place, run: Run) -> None:
    run(workbook(INSTRUCTION))

    grown = run(workbook(SUGGESTION, INSTRUCTION))

    assert [one.row for one in grown.registered] == [2]
    assert [one.row for one in grown.already] == [3]


def test_rows_that_say_the_same_in_one_file_are_as_many_cases(place: Place, run: Run) -> None:
    result = run(workbook(INSTRUCTION, INSTRUCTION))

    assert len({one.case for one in result.registered}) == 2


def test_another_persons_import_of_the_same_rows_registers_nothing(
    place: Place, importer: object, run: Run
) -> None:
    run(workbook(INSTRUCTION))

    again = importer.run(workbook(INSTRUCTION), "registrar2", place.clock.now())  # type: ignore[attr-defined]  # an Importer

    assert again.registered == ()
    assert len(again.already) == 1


def test_a_parent_is_named_by_its_number(place: Place, run: Run) -> None:
    (parent,) = run(workbook(INSTRUCTION)).registered
    headings = (*HEADINGS, "上级事项")

    (child,) = run(
        workbook((*with_row(INSTRUCTION, 标题="子项"), parent.number), headings=headings)
    ).registered

    assert state(place, child.case).parent == parent.case
    with pytest.raises(RowsRejected) as refusal:
        run(workbook((*INSTRUCTION, "督〔2026〕批示-9999"), headings=headings))
    assert [(f.field, f.code) for f in refusal.value.fields] == [("2.parent", "unknown_case")]


@pytest.mark.parametrize(
    ("headings", "code"),
    [((*HEADINGS, "星座"), "unknown_column"), ((*HEADINGS, "标题"), "column_twice")],
)
def test_columns_nobody_knows_are_refused(run: Run, headings: tuple[str, ...], code: str) -> None:
    with pytest.raises(RowsRejected) as refusal:
        run(workbook((*INSTRUCTION, "x"), headings=headings))

    assert {f.code for f in refusal.value.fields} == {code}


def doctype() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            "xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>'
        )
    return target.getvalue()


def cut() -> bytes:
    return workbook(INSTRUCTION)[:-200]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
        (b"\x81\xff\xff\xff", "encoding"),
        ("甲,乙\n1,2\n".encode(), "headings"),
        (b'a,"b\n', "csv"),
        (doctype(), "not_a_workbook"),
        (cut(), "not_a_workbook"),
        (b"x\n" * 20_002, "too_large"),
        (b"x," * 61, "too_large"),
    ],
)
def test_what_is_no_ledger_is_refused_with_the_reason(
    run: Run, content: bytes, reason: str
) -> None:
    with pytest.raises(SheetUnreadable) as refusal:
        run(content)

    assert refusal.value.facts == {"reason": reason}


def test_500_rows_are_registered_each_under_a_number_of_its_own(place: Place, run: Run) -> None:
    rows = [with_row(INSTRUCTION, 来源文号=f"信〔2026〕{n}号") for n in range(500)]

    result = run(workbook(*rows))

    assert len(set(result.registered)) == 500
