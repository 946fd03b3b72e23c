"""Items by where they came from, as the office's decision table sorts them."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.definitions import load_folder, trusted_definition
from services.bulletins.origins import (
    OriginLine,
    OriginOf,
    origin_lines,
    origin_section,
    origins_by,
)
from tests.unit.bulletins.conftest import Desk

BPMN = Path(__file__).resolve().parents[3] / "bpmn"


@pytest.fixture(scope="module")
def origin_of() -> OriginOf:
    found = origins_by(trusted_definition(load_folder(BPMN, "leader_instruction")))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("case_type", "source_kind", "issuer", "origin"),
    [
        ("superior_directive", "superior", "省政府办公厅", "provincial_special"),
        ("leader_instruction", "superior", "省长", "provincial_instruction"),
        ("leader_instruction", "letter", "市委书记", "party_instruction"),
        ("leader_instruction", "letter", "市长", "city_instruction"),
        ("leader_instruction", "other", "市长", "ad_hoc"),
        ("meeting_decision", "plenary_meeting", "市政府全体会议", "plenary_meeting"),
        ("meeting_decision", "document", "市政府文件", "decision_document"),
        ("npc_suggestion", "congress_session", None, "npc_suggestion"),
        ("npc_suggestion", "between_sessions", "省人大常委会", "provincial_suggestion"),
        ("cppcc_proposal", "between_sessions", "省政协", "provincial_proposal"),
        ("public_concern", "hotline", None, "supervised"),
        ("something_new", "other", None, "other"),
    ],
)
def test_the_table_knows_where_an_item_came_from(
    origin_of: OriginOf, case_type: str, source_kind: str, issuer: str | None, origin: str
) -> None:
    assert origin_of(case_type, source_kind, issuer).id == origin


def test_a_definition_without_the_table_sorts_nothing() -> None:
    files = load_folder(BPMN, "leader_instruction")
    del files["shared/origins.dmn"]

    assert origins_by(trusted_definition(files)) is None


def test_lines_stand_in_the_order_of_the_table_and_add_up(
    first_quarter: Desk, origin_of: OriginOf
) -> None:
    found = first_quarter.compute("2026-Q1")

    assert [(line.origin, line.cases, line.closed) for line in found.origins] == [
        ("city_instruction", 5, 1)
    ]
    assert sum(line.cases for line in found.origins) == found.whole.new
    assert found.overdue
    both = [
        replace(found.overdue[0], id="a", case_type="cppcc_proposal", source="同一件"),
        replace(found.overdue[0], id="b", case_type="cppcc_proposal", source="同一件"),
        replace(found.overdue[0], id="c", issuer="市委书记", source=None),
    ]
    assert [(line.origin, line.cases, line.sources) for line in origin_lines(both, origin_of)] == [
        ("party_instruction", 1, 1),
        ("cppcc_proposal", 2, 1),
    ]


def line(label: str, group: str, cases: int) -> OriginLine:
    return OriginLine(
        origin=label, label=label, group=group, cases=cases, sources=1, closed=1, answered=0
    )


def test_a_group_of_several_lines_has_a_sum_of_its_own() -> None:
    section = origin_section([line("甲", "会议", 3), line("乙", "会议", 5), line("丙", "其他", 8)])

    assert section is not None
    assert section.table is not None
    assert [row[:3] for row in section.table.rows] == [
        ["甲", "1", "3"],
        ["乙", "1", "5"],
        ["会议小计", "2", "8"],
        ["丙", "1", "8"],
        ["合计", "3", "16"],
    ]
    assert section.table.rows[0][-1] == "33.3% （1/3）"


def test_without_lines_there_is_no_section() -> None:
    assert origin_section([]) is None
