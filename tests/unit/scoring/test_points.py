"""Each row of the table of points (domain.md §7), on a case that earns it."""

import json
from decimal import Decimal
from typing import Any

import pytest

from engine.definitions import load_folder
from engine.events import MilestoneReached
from services.cases.events import FeedbackReturned, FeedbackSubmitted
from services.escalation.events import MeasureIssued, ReferralDecided
from tests.helpers.offices import BPMN, Place
from tests.unit.scoring.stories import Story

D = Decimal
PROPOSAL: dict[str, Any] = {
    "title": "关于老旧小区加装电梯的建议",
    "source_kind": "congress_session",
    "proposers": [{"name": "王建国", "kind": "deputy", "leading": True, "user": "deputy.1"}],
}


def test_a_missed_deadline_costs_half_a_point_at_once(handled: Story) -> None:
    handled.at("03-18 00:00")

    assert handled.points() == [("u11", "overdue", D("-0.5"))]
    assert handled.verified()


def test_feedback_in_the_last_minute_costs_nothing(handled: Story) -> None:
    handled.at("03-17 23:59").report()

    handled.at("03-25 09:00")

    assert handled.points() == []


@pytest.mark.parametrize(
    ("handed_in", "days"),
    [("03-18 09:00", 0), ("03-19 09:00", 1), ("03-20 23:59", 2), ("03-23 09:00", 3)],
)
def test_each_further_working_day_late_costs_a_tenth(
    handled: Story, handed_in: str, days: int
) -> None:
    handled.at(handed_in).report()

    expected = [("u11", "overdue", D("-0.5"))]
    if days:
        expected.append(("u11", "overdue_day", D("-0.1") * days))
    assert handled.points() == expected
    assert handled.verified()


def test_after_a_deadline_on_a_friday_monday_is_the_first_day_late(place: Place) -> None:
    story = Story(place).at("03-02 09:00").register()
    story.dispatch(deadline="2026-03-13", deadline_reason="会议确定").accept()

    story.at("03-16 09:00").report()

    assert story.points() == [("u11", "overdue", D("-0.5"))]


def test_a_case_never_costs_more_than_two_points_for_being_overdue(handled: Story) -> None:
    handled.at("05-15 09:00").report()

    assert handled.points() == [("u11", "overdue", D("-0.5")), ("u11", "overdue_day", D("-1.5"))]


def test_late_feedback_is_scored_though_the_service_was_down_at_the_deadline(
    handled: Story,
) -> None:
    handled.place.clock.set(handled.place.clock.now().replace(day=19))

    handled.report()

    assert handled.points() == [("u11", "overdue", D("-0.5")), ("u11", "overdue_day", D("-0.1"))]
    handled.place.sweep()
    assert len(handled.points()) == 2


def test_points_of_late_feedback_stay_when_it_is_accepted(handled: Story) -> None:
    handled.at("03-19 09:00").report().close()

    assert [p for _, _, p in handled.points()] == [D("-0.5"), D("-0.1")]


def test_returned_feedback_costs_from_the_second_time_on(handled: Story) -> None:
    handled.at("03-09 09:00").report().review(passed=False)
    assert handled.points() == []

    handled.report().review(passed=False)

    assert handled.points() == [("u11", "feedback_returned", D("-0.2"))]
    assert isinstance(handled.event(handled.entries()[0].cause).event, FeedbackReturned)


def test_each_measure_costs_and_the_referral_only_when_the_leader_approves(
    handled: Story,
) -> None:
    handled.at("03-18 09:00").issue()
    handled.at("03-30 09:00").issue()
    handled.at("04-10 09:00").issue()
    assert [r for _, r, _ in handled.points()] == ["overdue", "rectification_notice", "yellow_card"]

    handled.complete("decide_referral", "leader", decision="approve", reason="情节严重")

    assert handled.points()[1:] == [
        ("u11", "rectification_notice", D(-1)),
        ("u11", "yellow_card", D(-2)),
        ("u11", "accountability_referral", D(-5)),
    ]
    kinds = [type(handled.event(entry.cause).event) for entry in handled.entries()]
    assert kinds == [MilestoneReached, MeasureIssued, MeasureIssued, ReferralDecided]
    assert handled.verified()


def test_case_20_a_rejected_referral_is_recorded_and_takes_no_points(handled: Story) -> None:
    handled.at("03-18 09:00").issue()
    handled.at("03-30 09:00").issue()
    handled.at("04-10 09:00").issue()
    before = handled.points()

    handled.complete("decide_referral", "leader", decision="reject", reason="已在整改")

    assert handled.points() == before
    recorded = handled.place.office.engine.history.recorded(handled.case)
    assert [e.event.approved for e in recorded if isinstance(e.event, ReferralDecided)] == [False]


def test_a_proposer_not_satisfied_costs_and_again_more(place: Place) -> None:
    story = Story(place).at("03-02 09:00").register("npc_suggestion", **PROPOSAL).dispatch(13)
    story.accept(13)

    for day in ("03-24", "04-24"):
        story.at(f"{day} 09:00")
        contact: dict[str, Any] = {"method": "visit", "date": f"2026-{day}", "summary": "听取意见"}
        story.complete("contact_proposer", "handler.13", **contact)
        story.complete("answer", "handler.13", answer_class="A", text="已出台办法。")
        story.complete("sign_off", "head.13", decision="sign", seal=True).review()
        rating: dict[str, Any] = {"attitude": "satisfied", "result": "not", "comment": "没有时间表"}
        story.complete("rate", "deputy.1", **rating)

    assert story.points() == [
        ("u13", "not_satisfied", D("-0.5")),
        ("u13", "not_satisfied_again", D(-1)),
    ]


def test_a_refusal_without_ground_costs(place: Place) -> None:
    story = Story(place).at("03-02 09:00").register().dispatch()
    story.complete("sign_for", "contact.11", decision="refuse", reason="认为不属于本单位职责范围")

    story.complete("decide_refusal", "office_director", decision="insist", reason="三定方案明确")

    assert story.points() == [("u11", "refused_without_ground", D("-0.3"))]


def test_closing_five_working_days_early_brings_a_tenth(handled: Story) -> None:
    handled.at("03-10 09:00").report().close()

    assert handled.points() == [("u11", "closed_early", D("0.1"))]


def test_closing_four_working_days_early_brings_nothing(handled: Story) -> None:
    handled.at("03-11 09:00").report().close()

    assert handled.points() == []


def test_early_closings_bring_no_more_than_the_limit_of_a_year(place: Place) -> None:
    files = load_folder(BPMN, "leader_instruction")
    table = files["shared/scoring.dmn"].decode()
    early = table.index('"closed_early"')
    # A designer lowers the limit from 3 points to 0.2.
    table = table[:early] + table[early:].replace("<text>3</text>", "<text>0.2</text>", 1)
    place.office.engine.library.deploy(
        {**files, "shared/scoring.dmn": table.encode()}, "designer", place.clock.now()
    )
    stories = [Story(place, f"case-{n}") for n in range(3)]  # type: ignore[arg-type]  # an id

    for story in stories:
        story.at("03-02 09:00").register().dispatch().accept().report().close()

    assert [len(story.points()) for story in stories] == [1, 1, 0]
    assert stories[0].score("03-03 09:00").points == D("100.2")


def test_a_leaders_praise_brings_a_point(place: Place) -> None:
    files = load_folder(BPMN, "leader_instruction")
    form = json.loads(files["shared/forms/answer_report.json"])
    form["properties"]["praise"] = {"type": "boolean", "title": "表扬"}
    answer = json.dumps(form).encode()
    place.office.engine.library.deploy(
        {**files, "shared/forms/answer_report.json": answer}, "designer", place.clock.now()
    )
    story = Story(place).at("03-02 09:00").register().dispatch().accept()

    story.at("03-16 09:00").report().close(praise=True)

    assert story.points() == [("u11", "praised", D(1))]


def test_a_weekly_report_of_a_listed_item_that_is_missed_costs(place: Place) -> None:
    listed: dict[str, Any] = {
        "source_kind": "document",
        "task_kind": "listed",
        "indicator": "农村公路里程",
        "year_target": "200公里",
        "targets": [{"by": "2026-06-30", "percent": 100}],
        "is_source": False,
    }
    story = Story(place).at("03-02 09:00").register("work_report_task", **listed)
    story.dispatch(13, deadline="2026-06-30").accept(13)

    story.at("03-06 18:05")

    assert story.points() == [("u13", "weekly_report_missed", D("-0.2"))]


def test_case_8_points_go_to_whoever_held_the_case_when_the_fault_happened(
    handled: Story,
) -> None:
    handled.at("03-19 09:00").ask("reassign", "office_director", lead_unit="u45", reason="职责调整")
    handled.accept(45)

    handled.at("03-24 09:00").report(45)

    assert handled.points() == [
        ("u11", "overdue", D("-0.5")),
        ("u11", "overdue_day", D("-0.1")),
        ("u45", "overdue_day", D("-0.3")),
    ]
    assert handled.verified()


def test_case_10_a_silent_co_unit_gets_the_points(place: Place) -> None:
    story = Story(place).at("03-02 09:00").register().dispatch(co_units=["u9"])
    story.at("03-03 09:00").accept()

    story.at("03-17 09:00").report()

    assert story.points() == [("u9", "co_unit_silent", D("-0.5"))]


def test_days_on_which_the_clock_stands_still_cost_nothing(handled: Story) -> None:
    handled.at("03-19 09:00").ask("suspend", "office_director", reason="等待司法鉴定")
    handled.at("04-01 09:00").ask("resume", "office_director")

    handled.at("04-02 09:00").report()

    assert [p for _, _, p in handled.points()] == [D("-0.5"), D("-0.1"), D("-0.1")]


def test_cancelling_takes_no_points_back(handled: Story) -> None:
    handled.at("03-19 09:00").ask("cancel", "office_director", reason="事项撤销")

    assert [p for _, _, p in handled.points()] == [D("-0.5"), D("-0.1")]


def test_every_entry_points_to_the_event_that_caused_it(handled: Story) -> None:
    handled.at("03-19 09:00").report()

    overdue, days = handled.entries()

    missed = handled.event(overdue.cause).event
    assert isinstance(missed, MilestoneReached)
    assert missed.element == "deadline_missed"
    assert isinstance(handled.event(days.cause).event, FeedbackSubmitted)
    assert (overdue.cause_type, overdue.number) == ("milestone_reached", "督〔2026〕批示-0001")
