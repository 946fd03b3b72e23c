"""Deadlines at the edges of the calendar, what holds a case open, what outlives it (§10, 38–42)."""

from __future__ import annotations

from typing import Any

import pytest

from services.documents.render import text_of
from tests.office_cases.desk import Desk, last_day
from tests.office_cases.files import fetch
from tests.office_cases.matter import Matter

DECISION: dict[str, Any] = {
    "source_kind": "executive_meeting",
    "source_number": "第5次常务会议",
    "issuer": "市政府常务会议",
    "title": "推进城区雨污分流改造",
    "content": "年内完成雨污分流改造。",
}
PART: dict[str, Any] = {
    "title": "新建改建农村公路",
    "content": "全年新建改建农村公路200公里。",
    "lead_unit": "u13",
    "responsible_person": "局长",
    "deadline": "2026-12-31",
}


@pytest.mark.parametrize(
    ("dispatched", "last", "provisional"),
    [
        ("2028-02-14", "2028-02-29", True),
        # A Thursday that is worked in any year.
        ("2026-12-16", "2026-12-31", False),
        # 15 days end on Sunday, 3 January, of a year whose schedule nobody has published yet.
        ("2026-12-19", "2027-01-04", True),
    ],
    ids=["29 February", "New Year's Eve", "across a year without schedule"],
)
def test_case_38_a_deadline_at_the_edge_of_the_calendar(
    desk: Desk, dispatched: str, last: str, *, provisional: bool
) -> None:
    desk.down_until(f"{dispatched} 09:00")
    matter = desk.register().approve().dispatch().accept()

    assert matter.deadline() == last_day(last)
    assert matter.shown()["provisional"] is provisional
    assert matter.shown()["light"] == "green"
    # Its last minute is in time.
    desk.at(f"{last} 23:59")
    assert matter.shown()["light"] == "yellow"
    matter.feed_back()
    assert matter.shown()["feedback_late"] is False
    assert matter.is_proven()


def test_case_38_29_february_is_named_as_such_to_who_comes_a_minute_late(desk: Desk) -> None:
    desk.down_until("2028-02-14 09:00")
    matter = desk.register().approve().dispatch().accept()
    desk.down_until("2028-03-01 00:01")

    refusal = matter.refused_to_ask(
        "extend", "contact.11", until="2028-03-20", reason="管网改造需要更多时间，申请延期"
    )

    assert (refusal.status, refusal.slug) == (409, "deadline-passed")
    assert "2月29日24:00" in refusal.detail
    assert matter.is_proven()


@pytest.mark.parametrize(
    ("dispatched", "last"),
    [
        # A Saturday that is worked.
        ("2025-11-30", "2026-02-28"),
        ("2027-11-30", "2028-02-29"),
        # The last of February is a Sunday: the next working day.
        ("2026-11-30", "2027-03-01"),
    ],
)
def test_case_39_three_months_from_30_november_end_with_february(
    desk: Desk, dispatched: str, last: str
) -> None:
    desk.down_until(f"{dispatched} 09:00")

    for case_type in ("npc_suggestion", "cppcc_proposal"):
        matter = desk.register(case_type, source_date="2025-11-03").approve().dispatch(13)

        assert matter.deadline() == last_day(last)
        assert matter.payloads("deadline_set")[-1]["period"] == "3 months"
        assert matter.is_proven()


def test_case_40_a_decision_without_a_lead_unit_cannot_be_dispatched(desk: Desk) -> None:
    matter = desk.register("meeting_decision", **DECISION).approve()
    matter.do("confirm_decomposition", "mayor", decision="confirm")
    given: dict[str, Any] = {"responsible_person": "局长", "report_content": "进展"}
    desk.write("PATCH", "/units/u12", "admin", {"merged_into": "u13"})

    for unit, code in ((None, "required"), ("nowhere", "unknown_active_unit"),
                       ("u12", "unknown_active_unit"), ("", "too_short")):  # fmt: skip
        named = {} if unit is None else {"lead_unit": unit}
        refusal = matter.refused_to_do("dispatch", "registrar", **given, **named)
        assert (refusal.status, ("lead_unit", code) in refusal.fields) == (422, True), unit

    shown = matter.shown()
    assert (shown["lead_unit"], shown["dispatched_at"]) == (None, None)
    assert matter.open_elements() == ["dispatch"]
    assert matter.dispatch(13).shown()["lead_unit"] == "u13"
    assert matter.is_proven()


def test_case_40_nor_is_a_decision_of_minutes_proposed_without_one(desk: Desk) -> None:
    minutes = desk.register("meeting_decision", **DECISION, is_source=True).approve()
    without = {name: value for name, value in PART.items() if name != "lead_unit"}

    refusal = minutes.refused_to_ask("decompose", "registrar", parts=[PART, without])

    assert refusal.status == 422
    assert ("parts.1.lead_unit", "required") in refusal.fields
    assert desk.read("/cases", parent=minutes.id)["items"] == []
    assert minutes.is_proven()


def test_case_41_a_parent_cannot_close_before_its_children(desk: Desk) -> None:
    parent = desk.register().approve().dispatch()
    children = [desk.register(title=f"子事项{n}", parent=parent.id).approve() for n in (1, 2)]
    parent.at("03-03 09:00").accept().feed_back().review()
    parent.do("report_to_leader", "supervisor", summary="已办结")

    refusal = parent.refused_to_do("answer_report", "leader", decision="accept")

    assert (refusal.status, refusal.slug, refusal.facts["count"]) == (409, "children-open", 2)
    assert parent.shown()["status"] == "under_review"
    children[0].dispatch(13).accept(13).feed_back(13).close()
    assert parent.refused_to_do("answer_report", "leader", decision="accept").facts["count"] == 1
    # A child that ends without result doesn't hold its parent open either.
    children[1].ask("cancel", "office_director", reason="与另一件重复")
    parent.do("answer_report", "leader", decision="accept")
    assert parent.shown()["status"] == "closed"
    assert parent.is_proven() and all(child.is_proven() for child in children)


def test_case_41_minutes_are_summed_up_when_every_decision_is_closed(desk: Desk) -> None:
    minutes = desk.register("meeting_decision", **DECISION, is_source=True).approve()
    minutes.ask("decompose", "registrar", parts=[PART, {**PART, "lead_unit": "u11"}])
    minutes.do("confirm_decomposition", "mayor", decision="confirm")
    desk.sweep()
    children = [Matter(desk, one["id"]) for one in desk.read("/cases", parent=minutes.id)["items"]]
    # Dispatched as the leader confirmed them, though the date is later than the table's.
    assert {child.shown()["lead_unit"] for child in children} == {"u11", "u13"}
    assert {child.deadline() for child in children} == {last_day("12-31")}

    refusal = minutes.refused_to_do("summarise", "supervisor", summary="全部落实")

    assert (refusal.status, refusal.slug, refusal.facts["count"]) == (409, "children-open", 2)
    for child in children:
        child.ask("cancel", "office_director", reason="并入重点工作")
    minutes.do("summarise", "supervisor", summary="两项决定已并入重点工作")
    assert minutes.shown()["status"] == "closed"
    assert minutes.is_proven() and all(child.is_proven() for child in children)


def test_case_42_a_yellow_card_stays_when_the_case_is_cancelled(desk: Desk) -> None:
    matter = desk.register().approve().dispatch().at("03-03 09:00").accept()
    matter.at("03-18 09:00").issue_measure().at("03-31 09:00").issue_measure()
    desk.sweep()
    points = matter.points("u11")
    assert [rule for rule, _ in points] == ["overdue", "rectification_notice", "yellow_card"]
    (card,) = [one for one in matter.documents() if one["kind"] == "yellow_card"]

    matter.ask("cancel", "office_director", reason="来信人撤回诉求")
    matter.at("05-15 09:00")

    shown = matter.shown()
    assert (shown["status"], matter.open_elements()) == ("cancelled", [])
    assert ("yellow_card", "-2") in points
    # The further days of being overdue are entered with the end, and nothing is taken back.
    after = matter.points("u11")
    assert (after[: len(points)], [rule for rule, _ in after[len(points) :]]) == (
        points,
        ["overdue_day"],
    )
    (kept,) = [one for one in matter.documents() if one["kind"] == "yellow_card"]
    assert kept == card
    assert (kept["withdrawn_at"], bool(kept["number"])) == (None, True)
    paper = fetch(desk, f"/cases/{matter.id}/documents/{card['id']}/file?format=docx", "head.11")
    assert card["number"] in text_of(paper.data)
    issued = desk.read("/statistics/measures")["items"]
    assert [(one["measure"], one["cases"]) for one in issued] == [
        ("rectification_notice", [matter.id]),
        ("yellow_card", [matter.id]),
    ]
    assert [one["payload"]["measure"] for one in matter.events("measure_issued")] == [
        "rectification_notice",
        "yellow_card",
    ]
    assert matter.is_proven()
