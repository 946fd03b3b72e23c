"""Domain.md §10, cases 8 to 15: changes of unit, co-units, further instructions, proposers."""

from __future__ import annotations

import pytest

from engine.records import parse_instant
from tests.office_cases.desk import ON_SQLITE, Desk, last_day
from tests.office_cases.matter import Matter

UNIT_11 = "自然资源局"


@pytest.fixture
def handled(desk: Desk) -> Matter:
    """Give a case that unit 11 is handling, due at the end of Tuesday, 17 March."""
    return desk.register().approve().dispatch().at("03-03 09:00").accept()


@pytest.fixture
def suggestion(desk: Desk) -> Matter:
    """Give a suggestion of deputy 1, with deputy 2 as co-signer, that unit 13 is handling."""
    matter = desk.register("npc_suggestion").approve().dispatch(13)
    return matter.at("03-04 09:00").accept(13).at("03-24 09:00").hear("2026-03-24")


def reassign(matter: Matter) -> Matter:
    return matter.ask("reassign", "office_director", lead_unit="u45", reason="职责调整")


@ON_SQLITE
def test_case_08_the_former_units_tasks_end_and_its_record_stays(handled: Matter) -> None:
    former = handled.task("handle")["id"]

    reassign(handled.at("03-06 09:00"))

    shown = handled.shown()
    assert shown["lead_unit"] == "u45"
    assert {task["unit"] for task in shown["open_tasks"]} == {"u45"}
    data = {"data": {"result_class": "done", "measures": "已落实", "percent": 100}}
    late = handled.desk.refused("POST", f"/tasks/{former}/complete", "head.11", data)
    assert (late.status, late.slug) == (409, "task-not-open")
    # The former unit still sees the case, and the history what it did.
    assert handled.shown("contact.11")["number"] == shown["number"]
    assert [one["unit"] for one in handled.payloads("handler_named")] == ["u11"]
    assert handled.is_proven()


def test_case_08_points_go_to_whoever_held_the_case_when_the_fault_happened(
    handled: Matter,
) -> None:
    # Unit 11 misses the deadline and one further day; two more are unit 45's.
    reassign(handled.at("03-19 09:00"))

    handled.accept(45).at("03-23 09:00").feed_back(45)

    assert handled.points("u11") == [("overdue", "-0.5"), ("overdue_day", "-0.1")]
    assert handled.points("u45") == [("overdue_day", "-0.2")]
    scores = [handled.desk.score(unit)["score"]["points"] for unit in ("u11", "u45")]
    assert scores == ["99.4", "99.8"]
    assert handled.is_proven()


def test_case_09_open_tasks_of_a_merged_unit_move_to_the_people_of_the_other(desk: Desk) -> None:
    matter = desk.register().approve().dispatch(11)
    assert desk.refused("GET", f"/cases/{matter.id}", "contact.45").status == 404

    desk.write("PATCH", "/units/u11", "admin", {"merged_into": "u45"})

    waiting = desk.read("/tasks", "contact.45", candidate="true")["items"]
    assert [(task["case"], task["element"]) for task in waiting] == [(matter.id, "sign_for")]
    matter.accept(45).at("03-10 09:00").feed_back(45)
    shown = matter.shown("head.45")
    assert (shown["status"], shown["feedback_late"]) == ("under_review", False)
    assert matter.is_proven()


@ON_SQLITE
def test_case_09_people_of_a_merged_unit_go_on_with_what_is_assigned_to_them(
    handled: Matter,
) -> None:
    handled.desk.write("PATCH", "/units/u11", "admin", {"merged_into": "u45"})

    handled.draft(11).do("sign_off", "head.45", decision="sign", seal=True)

    (signed,) = handled.events("feedback_submitted")
    assert (signed["actor"], signed["payload"]["unit"]) == ("head.45", "u11")
    assert handled.is_proven()


@ON_SQLITE
def test_case_09_history_keeps_the_old_units_name_and_new_cases_go_to_the_new_one(
    handled: Matter,
) -> None:
    desk = handled.desk
    handled.at("03-04 09:00")
    desk.write("PATCH", "/units/u45", "admin", {"name": "自然资源和规划局"})
    desk.write("PATCH", "/units/u11", "admin", {"merged_into": "u45"})

    (dispatched,) = handled.payloads("case_dispatched")
    assert dispatched["lead_unit"] == "u11"
    units = {unit["code"]: unit for unit in desk.read("/units")["items"]}
    assert (units["u11"]["name"], units["u11"]["merged_into"]) == (UNIT_11, "u45")
    assert not units["u11"]["active"]
    (notice,) = [paper for paper in handled.documents() if paper["cause"] == "dispatched"]
    assert UNIT_11 in handled.text_of(notice)
    another = desk.register(title="另一件").approve()
    refusal = another.refused_to_do(
        "dispatch", "registrar", lead_unit="u11", responsible_person="局长", report_content="结果"
    )
    assert refusal.status == 422
    assert "lead_unit" in dict(refusal.fields)
    another.dispatch(45)
    assert handled.is_proven()


def test_case_10_when_one_co_unit_is_silent_the_lead_answers_without_it(desk: Desk) -> None:
    matter = desk.register().approve().dispatch(co_units=["u9", "u27"])
    matter.at("03-03 09:00").accept()
    matter.do("co_opinion", "contact.27", opinion="补偿资金已列入预算，可以随时拨付。")
    # Five working days for an opinion end on Monday, 9 March.
    matter.at("03-12 09:00").feed_back()

    assert matter.shown()["status"] == "under_review"
    assert matter.open_elements() == ["review"]
    assert matter.points("u9") == [("co_unit_silent", "-0.5")]
    assert matter.points("u27") == []
    assert matter.points("u11") == []
    matter.close()
    assert matter.shown()["status"] == "closed"
    assert matter.is_proven()


@ON_SQLITE
def test_case_10_a_co_unit_whose_time_isnt_over_gets_no_points(desk: Desk) -> None:
    matter = desk.register().approve().dispatch(co_units=["u9"]).accept()

    matter.at("03-09 23:59").feed_back()

    assert matter.points("u9") == []
    assert matter.is_proven()


@ON_SQLITE
@pytest.mark.parametrize("opinion", ["", " " * 12, "同意"])
def test_case_11_an_empty_opinion_is_returned_and_still_owed(desk: Desk, opinion: str) -> None:
    matter = desk.register().approve().dispatch(co_units=["u9"]).accept()
    owed = matter.task("co_opinion")

    refusal = matter.refused_to_do("co_opinion", "contact.9", opinion=opinion)

    assert (refusal.status, {field for field, _ in refusal.fields}) == (422, {"opinion"})
    assert matter.task("co_opinion") == owed
    matter.do("co_opinion", "contact.9", opinion="补偿资金已列入预算，可以随时拨付。")
    assert matter.open_elements() == ["check_co_opinion", "handle"]
    assert matter.is_proven()


EMPTY_WORDS = "高度重视，积极支持，认真配合，抓好落实。"


@pytest.fixture
def advised(desk: Desk) -> Matter:
    """Give a suggestion of which unit 13 has unit 9's opinion: many words that say nothing."""
    matter = desk.register("npc_suggestion").approve()
    matter.dispatch(13, co_units=["u9", "u27"], handling="lead_and_co")
    matter.at("03-04 09:00").accept(13).at("03-20 09:00")
    return matter.do("co_opinion", "contact.9", opinion=EMPTY_WORDS)


def return_opinion(matter: Matter, by: str = "handler.13") -> Matter:
    reason = "未说明补贴资金来源和数额"
    return matter.do("check_co_opinion", by, decision="return", reason=reason)


def test_case_11_the_lead_returns_an_opinion_that_says_nothing_with_its_reason(
    advised: Matter,
) -> None:
    refusal = advised.refused_to_do("check_co_opinion", "handler.13", decision="return")
    assert (refusal.status, dict(refusal.fields)) == (422, {"reason": "required"})

    return_opinion(advised)

    owed = advised.task("redo_co_opinion", "contact.9")
    # Five working days from Friday, 20 March.
    assert (owed["unit"], parse_instant(owed["due_at"])) == ("u9", last_day("03-27"))
    (returned,) = advised.payloads("co_opinion_returned")
    assert (returned["unit"], returned["reason"]) == ("u9", "未说明补贴资金来源和数额")
    opinion = "电梯补贴每部十万元，列入2027年度预算。"
    advised.at("03-27 23:59").do("redo_co_opinion", "contact.9", opinion=opinion)
    advised.do("check_co_opinion", "contact.13", decision="accept")
    assert "redo_co_opinion" not in advised.open_elements()
    advised.hear("2026-03-27").at("04-20 09:00").answer()
    # Unit 27 said nothing within its thirty days, unit 9 made good in time.
    assert (advised.points("u9"), advised.points("u27")) == ([], [("co_unit_silent", "-0.5")])
    assert advised.is_proven()


@ON_SQLITE
@pytest.mark.parametrize("by", ["contact.9", "contact.27", "supervisor"])
def test_case_11_only_the_lead_unit_returns_an_opinion(advised: Matter, by: str) -> None:
    refusal = advised.refused_to_do("check_co_opinion", by, decision="return", reason="空泛")

    assert (refusal.status, refusal.slug) == (403, "not-permitted")


@ON_SQLITE
def test_case_11_an_opinion_not_given_again_in_time_costs_like_silence(advised: Matter) -> None:
    return_opinion(advised).at("03-30 09:00")

    contact = advised.desk.read("/notices", "contact.9")["items"]
    assert [one["kind"] for one in contact].count("notify_co_opinion_late") == 1
    assert advised.points("u9") == []
    # The lead doesn't wait for it.
    advised.hear("2026-03-30").answer()

    assert advised.shown()["status"] == "under_review"
    assert advised.points("u9") == [("co_unit_silent", "-0.5")]
    assert advised.points("u13") == []
    assert advised.is_proven()


@ON_SQLITE
def test_case_11_the_lead_answers_without_an_opinion_that_is_still_being_redone(
    advised: Matter,
) -> None:
    return_opinion(advised).hear("2026-03-20").at("03-23 09:00").answer()

    assert advised.open_elements() == ["review"]
    assert advised.points("u9") == []
    assert advised.is_proven()


@ON_SQLITE
def test_case_11_how_long_a_unit_has_to_give_its_opinion_again_is_looked_up_in_the_table(
    advised: Matter,
) -> None:
    periods = {
        event["payload"]["outputs"]["co_opinion_redo_period"]
        for event in advised.events("decision_made")
        if event["payload"]["table"] == "deadlines"
    }

    assert periods == {"5 working days"}


def test_case_12_a_second_instruction_while_handling_continues_the_case(handled: Matter) -> None:
    task, number = handled.task("handle")["id"], handled.shown()["number"]

    handled.at("03-10 09:00").ask("instruct", "leader", instruction="请一并核查邻村情况")

    shown = handled.shown()
    assert (shown["number"], shown["status"]) == (number, "in_progress")
    assert handled.task("handle")["id"] == task
    # Fifteen days from 10 March.
    assert parse_instant(shown["deadline"]) == last_day("03-25")
    assert parse_instant(handled.task("handle")["due_at"]) == last_day("03-25")
    handled.at("03-20 09:00")
    assert handled.shown()["escalation"] is None
    assert handled.points("u11") == []
    handled.feed_back().close()
    assert (handled.shown()["status"], handled.shown()["feedback_late"]) == ("closed", False)
    assert handled.is_proven()


@ON_SQLITE
def test_case_12_a_deadline_set_by_a_second_instruction_can_be_missed_like_the_first(
    handled: Matter,
) -> None:
    handled.at("03-18 09:00").ask("instruct", "leader", instruction="请一并核查邻村情况")
    assert handled.shown()["light"] == "green"

    handled.at("04-03 09:00")

    assert handled.deadline() == last_day("04-02")
    assert handled.shown()["light"] == "red"
    assert handled.points("u11") == [("overdue", "-0.5"), ("overdue", "-0.5")]
    assert handled.is_proven()


def notices_of_nearer_dates(matter: Matter, user: str) -> int:
    told = matter.desk.read("/notices", user, limit=200)["items"]
    return [one["kind"] for one in told if one["case"] == matter.id].count("deadline_earlier")


def test_case_12_a_unit_gets_notice_of_a_date_that_a_second_instruction_brings_nearer(
    handled: Matter,
) -> None:
    instruction = "请一并核查邻村情况"
    handled.at("03-04 09:00").ask("instruct", "leader", instruction=instruction, period="5 days")
    handled.at("03-04 09:05")

    assert handled.deadline() == last_day("03-09")
    assert [notices_of_nearer_dates(handled, one) for one in ("contact.11", "head.11")] == [1, 1]
    assert notices_of_nearer_dates(handled, "contact.9") == 0
    # The next one gives more time: nothing to warn of.
    handled.at("03-05 09:00").ask("instruct", "leader", instruction=instruction)
    handled.at("03-05 09:05")
    assert notices_of_nearer_dates(handled, "head.11") == 1
    handled.feed_back().close()
    assert handled.shown()["status"] == "closed"
    assert handled.is_proven()


@ON_SQLITE
def test_case_12_a_unit_gets_notice_when_the_leader_answers_its_report_with_a_nearer_date(
    handled: Matter,
) -> None:
    handled.at("03-04 09:00").feed_back().review()
    handled.report_up("instruct_again", instruction="再核查一次", period="3 working days")
    handled.at("03-04 09:05")

    assert handled.deadline() == last_day("03-09")
    assert notices_of_nearer_dates(handled, "head.11") == 1
    assert handled.open_elements() == ["handle"]
    assert handled.is_proven()


def test_case_13_the_same_letter_of_two_leaders_is_merged_and_both_get_a_report(
    desk: Desk,
) -> None:
    main = desk.register(source_number="信〔2026〕18号").approve().dispatch().accept()
    other = desk.register(source_number="信〔2026〕18号", issuer="常务副市长")
    assert main.refused_to_ask("merge", "supervisor", duplicate=other.id, reason="同").status == 403

    main.ask("merge", "office_director", duplicate=other.id, reason="同一来信")

    assert other.shown()["status"] == "cancelled"
    (pointer,) = other.payloads("case_merged")
    assert (pointer["into"], pointer["number"]) == (main.id, main.shown()["number"])
    main.at("03-10 09:00").feed_back().close().at("03-11 09:00")
    assert main.shown()["status"] == "closed"
    (report,) = [paper for paper in main.documents() if paper["kind"] == "special_report"]
    assert "市长、常务副市长" in main.text_of(report)
    assert main.is_proven()
    assert other.is_proven()


def test_case_14_every_proposer_of_a_joint_proposal_is_answered(suggestion: Matter) -> None:
    suggestion.at("04-20 09:00").answer().review().at("04-21 09:00")

    (letter,) = [paper for paper in suggestion.documents("deputy.2")]
    assert letter["kind"] == "answer_letter"
    words = suggestion.text_of(letter, "deputy.2")
    assert "王建国代表" in words
    assert "䶮永𠮷代表" in words
    # The leading proposer rates it.
    assert suggestion.task("rate")["assignee"] == "deputy.1"
    assert suggestion.is_proven()


@ON_SQLITE
def test_case_14_when_the_leading_proposer_withdraws_a_joint_proposal_ends(
    suggestion: Matter,
) -> None:
    assert suggestion.refused_to_ask("withdraw", "deputy.2", reason="事项已解决").status == 403

    suggestion.ask("withdraw", "deputy.1", reason="事项已解决")

    assert (suggestion.shown()["status"], suggestion.open_elements()) == ("cancelled", [])
    assert suggestion.is_proven()


@ON_SQLITE
def test_case_14_it_goes_on_when_a_co_signer_takes_over(suggestion: Matter) -> None:
    suggestion.ask("take_over", "deputy.2", statement="愿意接续")

    suggestion.ask("withdraw", "deputy.1", reason="事项已解决")

    assert suggestion.shown()["status"] == "in_progress"
    suggestion.at("04-20 09:00").answer().review().at("04-21 09:00")
    (letter,) = [paper for paper in suggestion.documents("deputy.2")]
    words = suggestion.text_of(letter, "deputy.2")
    assert "䶮永𠮷代表" in words
    # Who withdrew isn't answered any more.
    assert "王建国" not in words
    assert suggestion.task("rate")["assignee"] == "deputy.2"
    suggestion.do("rate", "deputy.2", attitude="satisfied", result="satisfied")
    assert suggestion.shown()["status"] == "closed"
    assert suggestion.is_proven()


@ON_SQLITE
def test_case_15_not_satisfied_is_handled_again_within_a_month_after_hearing_the_proposer(
    suggestion: Matter,
) -> None:
    suggestion.at("04-20 09:00").answer().review().at("04-24 09:00")

    refusal = suggestion.refused_to_do("rate", "deputy.1", attitude="satisfied", result="not")
    assert (refusal.status, dict(refusal.fields)) == (422, {"comment": "required"})
    rate_not_satisfied(suggestion)

    shown = suggestion.shown()
    assert (shown["status"], shown["rating"]) == ("in_progress", "not")
    # First the proposer is heard; a month from 24 April is a Sunday, so Monday.
    assert suggestion.open_elements() == ["contact_proposer"]
    assert parse_instant(shown["deadline"]) == last_day("05-25")
    assert suggestion.points("u13") == [("not_satisfied", "-0.5")]
    # The three months would have ended later: the unit is told of the nearer date.
    suggestion.at("04-24 09:05")
    assert notices_of_nearer_dates(suggestion, "contact.13") == 1
    assert suggestion.is_proven()


def test_case_15_not_satisfied_twice_the_office_calls_both_together_and_decides(
    suggestion: Matter,
) -> None:
    suggestion.at("04-20 09:00").answer().review().at("04-24 09:00")
    rate_not_satisfied(suggestion)
    suggestion.at("05-06 09:00").hear("2026-05-06").at("05-12 09:00").answer().review()
    suggestion.at("05-14 09:00")

    rate_not_satisfied(suggestion)

    assert suggestion.open_elements() == ["mediate"]
    assert suggestion.points("u13") == [("not_satisfied", "-0.5"), ("not_satisfied_again", "-1")]
    record = "双方同意按年度计划实施。"
    supervisor = suggestion.refused_to_do(
        "mediate", "supervisor", outcome="accepted", record=record
    )
    assert supervisor.status == 403
    suggestion.do("mediate", "office_director", outcome="accepted", record=record)
    assert (suggestion.shown()["status"], suggestion.open_elements()) == ("closed", [])
    assert suggestion.is_proven()


def rate_not_satisfied(suggestion: Matter) -> None:
    comment = "没有具体时间表"
    suggestion.do("rate", "deputy.1", attitude="satisfied", result="not", comment=comment)
