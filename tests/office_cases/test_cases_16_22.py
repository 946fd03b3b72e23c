"""Domain.md §10, cases 16 to 22: ratings, promises, the three rounds, appeals, absence."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from engine.records import parse_instant
from tests.office_cases.desk import ON_SQLITE, Desk, last_day, moment
from tests.office_cases.matter import Matter

REASON = "期限计算有误，请予更正"


@pytest.fixture
def handled(desk: Desk) -> Matter:
    """Give a case that unit 11 is handling, due at the end of Tuesday, 17 March."""
    return desk.register().approve().dispatch().at("03-03 09:00").accept()


def answered(desk: Desk, answer_class: str = "A", unit: int = 13, **data: str) -> Matter:
    """Bring a suggestion as far as its rating, in April."""
    matter = desk.register("npc_suggestion").approve().dispatch(unit).accept(unit)
    matter.hear("2026-03-02", unit).answer(unit, answer_class, **data)
    return matter.review()


def rate(desk: Desk, measure: str, **query: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = desk.read("/statistics", "leader", measure=measure, **query)
    return {name: found["total"][name] for name in ("count", "of", "percent")}


def test_case_16_a_rating_never_given_is_not_in_the_denominator(desk: Desk) -> None:
    satisfied, silent, unhappy = answered(desk), answered(desk), answered(desk)
    satisfied.do("rate", "deputy.1", attitude="satisfied", result="satisfied")
    comment = "没有具体时间表"
    unhappy.do("rate", "deputy.1", attitude="satisfied", result="not", comment=comment)

    # Reminded, and closed after 20 working days without a word.
    desk.at("04-01 09:00")

    assert (silent.shown()["status"], silent.shown()["rating"]) == ("closed", None)
    told = [one["kind"] for one in desk.read("/notices", "deputy.1", limit=200)["items"]]
    assert "notify_rate" in told
    assert rate(desk, "satisfaction_rate") == {"count": 1, "of": 2, "percent": 50.0}
    behind = desk.read("/statistics/cases", "leader", measure="satisfaction_rate")["items"]
    assert [one["id"] for one in behind] == [satisfied.id]
    rest = desk.read("/statistics/cases", "leader", measure="satisfaction_rate", rest="true")
    assert [one["id"] for one in rest["items"]] == [unhappy.id]
    assert all(matter.is_proven() for matter in (satisfied, silent, unhappy))


@pytest.fixture
def promised(desk: Desk) -> Matter:
    """Give a suggestion whose class B answer of unit 13 promises something by 30 June."""
    matter = answered(desk, "B", planned_date="2026-06-30")
    return matter.do("rate", "deputy.1", attitude="satisfied", result="basically")


def test_case_17_a_promise_whose_date_passes_is_urged_and_then_escalated(promised: Matter) -> None:
    desk = promised.desk
    promised.at("06-30 09:00")
    assert "notify_commitment" not in notices(desk, "head.13", promised)
    assert promised.shown()["escalation"] is None

    promised.at("07-01 09:00")
    assert "notify_commitment" in notices(desk, "head.13", promised)
    assert promised.shown()["escalation"] is None

    # Ten working days after 30 June end on 14 July.
    promised.at("07-14 23:59")
    assert promised.shown()["escalation"] is None
    promised.at("07-15 00:01")

    shown = promised.shown()["escalation"]
    assert (shown["round"], shown["status"]) == (1, "inspecting")
    assert promised.open_elements() == ["answer", "inspect"]
    assert promised.is_proven()


@ON_SQLITE
def test_case_17_a_promise_kept_in_time_is_answered_again_and_never_escalated(
    promised: Matter,
) -> None:
    promised.at("06-20 09:00").answer(13, "A").at("08-01 09:00")

    shown = promised.shown()
    assert (shown["status"], shown["escalation"]) == ("closed", None)
    assert "notify_commitment" not in notices(promised.desk, "head.13", promised)
    assert promised.is_proven()


@ON_SQLITE
def test_case_17_the_promise_of_a_key_suggestion_is_answered_again_by_the_head(desk: Desk) -> None:
    matter = desk.register("npc_suggestion", key=True).approve().dispatch(13)
    matter.at("03-04 09:00").accept(13)
    heard = {"method": "visit", "summary": "当面听取意见。"}
    early = matter.refused_to_do("contact_proposer", "head.13", date="2026-03-05", **heard)
    assert (early.status, dict(early.fields)) == (422, {"date": "in_the_future"})
    matter.do("contact_proposer", "head.13", date="2026-03-04", **heard)
    promise = {"answer_class": "B", "text": "列入计划。", "planned_date": "2026-06-30"}
    matter.do("answer", "head.13", **promise).sign(13).review()
    matter.do("rate", "deputy.1", attitude="satisfied", result="satisfied")

    kept = {"answer_class": "A", "text": "已办结。"}
    assert matter.task("answer")["assignee"] is None
    assert matter.refused_to_do("answer", "handler.13", **kept).status == 403
    matter.do("answer", "head.13", **kept).sign(13)

    assert matter.shown()["status"] == "closed"
    assert matter.is_proven()


def notices(desk: Desk, user: str, matter: Matter) -> list[str]:
    """Read what somebody was told about a case."""
    items = desk.read("/notices", user, limit=200)["items"]
    return [one["kind"] for one in items if one["case"] == matter.id]


@pytest.fixture
def rectified(handled: Matter) -> Matter:
    """Give a case that missed its deadline, got the notice of round 1, and was rectified."""
    handled.at("03-18 09:00").issue_measure().at("03-20 09:00").rectify()
    return handled


def rounds(matter: Matter) -> list[int]:
    """Read which round each inspection was."""
    return [one["round"] for one in matter.payloads("round_inspected")]


@ON_SQLITE
def test_case_18_a_unit_that_rectified_in_round_1_leaves_the_escalation(
    rectified: Matter,
) -> None:
    assert rectified.shown()["escalation"]["status"] == "ended"
    assert rectified.open_elements() == ["handle"]
    # The day by which to rectify passes without another round.
    rectified.at("04-10 09:00")
    assert rectified.open_elements() == ["handle"]
    assert ("yellow_card", "-2") not in rectified.points("u11")
    assert rectified.is_proven()


def test_case_18_at_fault_again_within_six_months_starts_at_round_2(rectified: Matter) -> None:
    rectified.feed_back().review().report_up("instruct_again", instruction="请进一步核实")

    # Fifteen days from 20 March are a Saturday and days off: until 7 April.
    rectified.at("04-09 09:00")

    shown = rectified.shown()["escalation"]
    assert (shown["round"], shown["status"]) == (2, "inspecting")
    rectified.issue_measure()
    assert rounds(rectified) == [1, 2]
    assert rectified.points("u11")[-1] == ("yellow_card", "-2")
    assert rectified.is_proven()


def reopened(matter: Matter, day: str) -> Matter:
    """Close a case, and have it found no longer good on a day."""
    matter.feed_back().close().at(f"{day} 09:00")
    finding = "问题反弹"
    return matter.do("follow_up", "supervisor", still_good="no", finding=finding, reopen=True)


@ON_SQLITE
@pytest.mark.parametrize(
    ("reopened_on", "missed_on", "round_"),
    [("09-03", "09-19 09:00", 2), ("09-07", "09-24 09:00", 1)],
    ids=["within six months of leaving on 20 March", "after six months"],
)
def test_case_18_six_months_after_the_finding_a_fault_starts_at_round_1_again(
    rectified: Matter, reopened_on: str, missed_on: str, round_: int
) -> None:
    reopened(rectified, reopened_on).at(missed_on)

    assert rectified.shown()["light"] == "red"
    assert rectified.shown()["escalation"]["round"] == round_
    rectified.inspect()
    assert rounds(rectified) == [1, round_]
    assert rectified.is_proven()


def test_case_19_good_feedback_ends_round_2_as_rectified_and_the_notice_stays(
    handled: Matter,
) -> None:
    # The notice's five working days pass; round 2 issues the yellow card.
    handled.at("03-18 09:00").issue_measure().at("03-26 09:00").issue_measure()
    assert handled.shown()["escalation"]["round"] == 2
    taken = handled.points("u11")

    handled.at("03-27 09:00").feed_back().review()

    assert handled.shown()["escalation"]["status"] == "ended"
    assert handled.open_elements() == ["report_to_leader"]
    ended = [one for one in handled.payloads("milestone_reached") if one["element"] == "rectified"]
    assert [one["properties"]["result"] for one in ended] == ["rectified"]
    assert handled.shown()["escalation"]["round"] == 2
    handled.report_up().at("03-30 09:00")
    assert handled.shown()["status"] == "closed"
    # Both notices stand, with their points.
    papers = {paper["kind"]: paper["withdrawn_at"] for paper in handled.documents()}
    assert papers["rectification_notice"] is None
    assert papers["yellow_card"] is None
    assert handled.desk.read("/statistics/measures", "leader")["total"] == 2
    assert set(taken) <= set(handled.points("u11"))
    assert handled.is_proven()


def test_case_20_a_referral_that_the_leader_rejects_is_recorded_and_takes_no_points(
    handled: Matter,
) -> None:
    handled.at("03-18 09:00").issue_measure().at("03-26 09:00").issue_measure()
    handled.at("04-03 09:00").issue_measure()
    assert handled.open_elements() == ["decide_referral", "handle"]
    before = handled.points("u11")
    director = handled.refused_to_do(
        "decide_referral", "office_director", decision="reject", reason="已在整改"
    )
    assert director.status == 403

    handled.do("decide_referral", "leader", decision="reject", reason="已在整改")

    (decided,) = handled.payloads("referral_decided")
    assert (decided["approved"], decided["reason"]) == (False, "已在整改")
    assert handled.points("u11") == before
    assert "accountability_referral" not in dict(before)
    assert handled.shown()["escalation"]["status"] == "ended"
    assert handled.open_elements() == ["handle"]
    assert handled.is_proven()


@ON_SQLITE
def test_case_20_an_approved_referral_takes_its_points(handled: Matter) -> None:
    handled.at("03-18 09:00").issue_measure().at("03-26 09:00").issue_measure()
    handled.at("04-03 09:00").issue_measure()

    handled.do("decide_referral", "leader", decision="approve", reason="情节严重")

    assert handled.points("u11")[-1] == ("accountability_referral", "-5")
    handled.do("record_outcome", "office_director", outcome="移送处理", date="2026-04-03")
    assert handled.shown()["escalation"]["status"] == "ended"
    assert handled.is_proven()


@pytest.fixture
def noticed(handled: Matter) -> Matter:
    """Give a case that missed its deadline and got the notice of round 1 on 18 March."""
    return handled.at("03-18 09:00").issue_measure().at("03-19 09:00")


def entry_of(matter: Matter, rule: str) -> int:
    """Read the number of the entry that a rule brought unit 11."""
    entries = matter.desk.score("u11", by="head.11")["items"]
    return int(next(one["entry"] for one in entries if one["rule"] == rule))


def appeal_won(matter: Matter) -> Matter:
    """Appeal against the notice on 19 March; a leader, who took no part, upholds it on the 25th."""
    entry = entry_of(matter, "rectification_notice")
    matter.ask("appeal", "head.11", entry=entry, reason=REASON).at("03-25 09:00")
    ruling: dict[str, Any] = {"entry": entry, "decision": "uphold", "reason": "理由成立"}
    return matter.ask("decide_appeal", "leader", **ruling)


def test_case_21_a_won_appeal_adds_a_reversing_entry_and_deletes_none(noticed: Matter) -> None:
    before = noticed.desk.score("u11")["items"]

    appeal_won(noticed)

    *kept, back = noticed.desk.score("u11")["items"]
    assert [(one["entry"], one["points"]) for one in kept] == [
        (one["entry"], one["points"]) for one in before
    ]
    notice = kept[-1]
    assert (notice["rule"], notice["points"], notice["appeal"]) == (
        "rectification_notice",
        "-1",
        "upheld",
    )
    assert (back["points"], back["reverses"]) == ("1", notice["entry"])
    # From the entry to the event that caused it, which is the decision on the appeal.
    cause = noticed.events()[back["cause"] - 1]
    assert (cause["seq"], cause["type"], cause["actor"]) == (
        back["cause"],
        "appeal_decided",
        "leader",
    )
    assert noticed.is_proven()


def test_case_21_the_document_of_a_won_appeal_is_marked_withdrawn(noticed: Matter) -> None:
    paper = notice_of(noticed)
    assert paper["withdrawn_at"] is None
    assert not noticed.says_on_every_page(paper, "已撤销")

    appeal_won(noticed).at("03-25 09:05")

    marked = notice_of(noticed)
    assert parse_instant(marked["withdrawn_at"]) == moment("03-25 09:00")
    assert marked["has_marked_copies"]
    # The original and its number stay what they were.
    for name in ("number", "docx_sha256", "pdf_sha256"):
        assert marked[name] == paper[name]
    assert noticed.says_on_every_page(marked, "已撤销")
    assert noticed.is_proven()


def notice_of(matter: Matter) -> Mapping[str, Any]:
    """Read the case's rectification notice."""
    (paper,) = [one for one in matter.documents() if one["kind"] == "rectification_notice"]
    return paper


def test_case_21_score_and_statistics_as_of_then_are_unchanged_and_as_of_now_changed(
    noticed: Matter,
) -> None:
    desk, then = noticed.desk, {"as_of": "2026-03-19T09:00:00+08:00"}
    score = desk.score("u11")
    measures = desk.read("/statistics/measures", "leader")
    assert measures["total"] == 1

    appeal_won(noticed)

    assert desk.score("u11", "03-19 09:00")["score"] == score["score"]
    assert desk.read("/statistics/measures", "leader", **then)["items"] == measures["items"]
    assert desk.read("/statistics/measures", "leader")["total"] == 0
    # The deadline is still missed: half a point, and a tenth a day since the 19th still running.
    now = desk.score("u11")["score"]
    assert Decimal(now["points"]) == 99
    assert Decimal(now["provisional"]) == Decimal("-0.5")
    ranking = desk.read("/scores", "leader", **then)["items"]
    assert next(one for one in ranking if one["unit"] == "u11")["points"] == "98.4"
    assert noticed.is_proven()


@ON_SQLITE
def test_case_21_a_lost_appeal_changes_neither_points_nor_document(noticed: Matter) -> None:
    entry = entry_of(noticed, "rectification_notice")
    noticed.ask("appeal", "head.11", entry=entry, reason=REASON)

    noticed.ask("decide_appeal", "leader", entry=entry, decision="dismiss", reason="维持")

    assert noticed.points("u11") == [("overdue", "-0.5"), ("rectification_notice", "-1")]
    assert notice_of(noticed)["withdrawn_at"] is None
    assert noticed.desk.read("/statistics/measures", "leader")["total"] == 1
    assert noticed.is_proven()


def test_case_22_when_a_is_absent_b_acts_and_the_record_says_b_for_a(desk: Desk) -> None:
    matter = desk.register().approve().dispatch()
    matter.do("sign_for", "contact.11", decision="accept")
    instruction: dict[str, Any] = {"form": "section_handles", "handler": "handler.11"}
    early = matter.refused_to_do("unit_instruction", "contact.11", **instruction)
    assert (early.status, early.slug) == (403, "not-permitted")

    desk.mark_absent("head.11")

    waiting = desk.read("/tasks", "contact.11", candidate="true")["items"]
    assert "unit_instruction" in [task["element"] for task in waiting]
    matter.do("unit_instruction", "contact.11", **instruction)
    (named,) = matter.events("handler_named")
    assert (named["actor"], named["acting_for"]) == ("contact.11", "head.11")
    assert matter.is_proven()


@ON_SQLITE
def test_case_22_when_a_and_b_are_absent_the_head_of_the_unit_acts(handled: Matter) -> None:
    desk = handled.desk
    draft: dict[str, Any] = {"result_class": "done", "measures": "已落实", "percent": 100}
    desk.mark_absent("handler.11")
    assert handled.refused_to_do("handle", "head.11", **draft).status == 403

    desk.mark_absent("contact.11")
    handled.do("handle", "head.11", **draft)

    done = [
        one for one in handled.events("task_completed") if one["payload"]["element"] == "handle"
    ]
    assert [(one["actor"], one["acting_for"]) for one in done] == [("head.11", "handler.11")]
    assert handled.is_proven()


@ON_SQLITE
def test_case_22_whoever_is_back_acts_again_and_b_may_not(handled: Matter) -> None:
    desk = handled.desk
    desk.mark_absent("head.11", "2026-03-01", "2026-03-03")
    handled.draft()

    handled.at("03-04 09:00")

    refusal = handled.refused_to_do("sign_off", "contact.11", decision="sign", seal=True)
    assert refusal.status == 403
    handled.sign()
    (signed,) = handled.events("feedback_submitted")
    assert (signed["actor"], signed["acting_for"]) == ("head.11", None)
    assert handled.deadline() == last_day("03-17")
    assert handled.is_proven()
