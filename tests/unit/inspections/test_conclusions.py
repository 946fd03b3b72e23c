from typing import Any

import pytest

from engine import Actor, CaseId, CompleteTask, Invalid, TaskId
from engine.errors import SamePerson
from engine.records import Json, parse_instant
from services.cases.commands import RegisterCase
from services.people.admin import set_roles
from services.people.queries import Grant
from services.scenarios.passing import pass_time
from tests.helpers.offices import Place

CASE = CaseId("inspection-1")
PLAN: dict[str, Any] = {
    "title": "农民工工资支付专项督查",
    "source_kind": "other",
    "source_date": "2026-03-02",
    "content": "对重点项目开展督查。",
    "inspected_units": ["u11", "u13"],
    "scope": "工资专户",
    "methods": ["files"],
    "starts_on": "2026-03-09",
    "ends_on": "2026-05-29",
}
TEAM: dict[str, Any] = {"team_leader": "supervisor", "members": ["supervisor2", "registrar2"]}
PROBLEMS: dict[str, Any] = {
    "unit_conclusion": "problems",
    "text": "未按月拨付。",
    "items": [{"item": "专户未按月拨付"}],
    "rectify_by": "2026-04-10",
}


def registered(place: Place, **data: Json) -> CaseId:
    """Register a plan."""
    ask = RegisterCase(
        case=CASE,
        by=Actor("registrar"),
        at=place.clock.now(),
        definition="special_inspection",
        data={**PLAN, **data},
    )
    return place.execute(ask).case


def begun(place: Place, **team: Json) -> CaseId:
    """Bring an inspection as far as its findings."""
    registered(place)
    place.complete(CASE, "approve_registration", "office_director", decision="approve")
    place.complete(CASE, "approve_plan", "mayor", decision="approve")
    place.complete(CASE, "name_team", "registrar", **{**TEAM, **team})
    return CASE


def elements(place: Place) -> list[str]:
    return sorted(task.element for task in place.process(CASE).tasks.values())


def complete_for(place: Place, unit: str, element: str, by: str, **data: Json) -> None:
    """Complete the task that concerns one unit."""
    task = next(
        t
        for t in place.process(CASE).tasks.values()
        if t.element == element and unit in (t.unit, t.properties.get("unit"))
    )
    ask = CompleteTask(
        case=CASE, by=Actor(by), at=place.clock.now(), task=TaskId(task.task), data=data
    )
    place.execute(ask)


def find(place: Place, unit: str, by: str, *, in_order: bool) -> None:
    checked = {"item": "工资专户", "in_order": in_order}
    complete_for(place, unit, "findings", by, methods=["files"], findings=[checked])


def concluded(place: Place) -> CaseId:
    """Bring one unit as far as a conclusion that it can contest."""
    begun(place)
    find(place, "u13", "supervisor2", in_order=False)
    complete_for(place, "u13", "conclusion", "supervisor", **PROBLEMS)
    place.sweep()
    return CASE


def appealed(place: Place) -> CaseId:
    """Bring one unit as far as its request for a review."""
    concluded(place)
    complete_for(place, "u13", "appeal_conclusion", "head.13", reason="专户已于检查前依法注销完毕")
    return CASE


def result(place: Place, unit: str) -> dict[str, Any]:
    with place.office.store.transaction(write=False) as transaction:
        found = transaction.rows(CASE, "inspection_results")
    return next(row for row in found if row["unit"] == unit)


def test_without_an_approved_plan_there_is_no_inspection(place: Place) -> None:
    registered(place)
    place.complete(CASE, "approve_registration", "office_director", decision="approve")
    assert elements(place) == ["approve_plan"]

    place.complete(CASE, "approve_plan", "mayor", decision="reject", reason="总量已满")

    assert elements(place) == []


def test_who_approved_the_registration_cannot_approve_the_plan(place: Place) -> None:
    with place.office.store.transaction() as transaction:
        roles = [Grant("office_director"), Grant("leader")]
        set_roles(transaction.connection, "office_director", roles)
    place.office.people.forget()
    registered(place)
    place.complete(CASE, "approve_registration", "office_director", decision="approve")

    with pytest.raises(SamePerson):
        place.complete(CASE, "approve_plan", "office_director", decision="approve")


def test_days_given_the_wrong_way_round_mean_the_same_plan(place: Place) -> None:
    registered(place, starts_on="2026-05-29", ends_on="2026-03-09")
    place.complete(CASE, "approve_registration", "office_director", decision="approve")
    place.complete(CASE, "approve_plan", "mayor", decision="approve")

    place.complete(CASE, "name_team", "registrar", **TEAM)

    with place.office.store.transaction(write=False) as transaction:
        deadline = transaction.rows(CASE, "register")[0]["deadline"]
    assert deadline == parse_instant("2026-05-30T00:00+08:00")


def test_each_unit_gets_findings_and_a_conclusion_of_its_own(place: Place) -> None:
    begun(place)
    assert elements(place) == ["findings", "findings"]

    find(place, "u11", "supervisor", in_order=True)
    find(place, "u13", "supervisor2", in_order=False)

    assert elements(place) == ["conclusion", "conclusion"]
    assert (result(place, "u11")["faults"], result(place, "u13")["faults"]) == (0, 1)


def test_a_conclusion_cannot_contradict_its_findings(place: Place) -> None:
    begun(place)
    find(place, "u13", "supervisor2", in_order=False)

    with pytest.raises(Invalid) as refusal:
        complete_for(
            place, "u13", "conclusion", "supervisor", unit_conclusion="in_order", text="规范"
        )

    assert refusal.value.fields[0].code == "contradicts_checks"


def test_rectification_goes_on_while_the_unit_asks_for_a_review(place: Place) -> None:
    appealed(place)

    assert elements(place) == ["findings", "rectify", "review_conclusion"]


def test_the_unit_has_thirty_days_to_ask_for_a_review(place: Place) -> None:
    concluded(place)
    # Concluded on 2 March: the thirtieth day is 1 April.
    pass_time(place.office, place.clock, parse_instant("2026-03-31T23:59+08:00"))
    assert "appeal_conclusion" in elements(place)

    pass_time(place.office, place.clock, parse_instant("2026-04-02T00:00+08:00"))

    assert "appeal_conclusion" not in elements(place)


def test_the_review_is_due_thirty_days_after_it_was_asked_for(place: Place) -> None:
    appealed(place)

    due = place.task(CASE, "review_conclusion").due_at

    assert due == parse_instant("2026-04-02T00:00+08:00")


@pytest.mark.parametrize("took_part", ["supervisor", "supervisor2", "registrar2"])
def test_case_23_who_took_part_cannot_decide_on_the_conclusion(
    place: Place, took_part: str
) -> None:
    appealed(place)
    with place.office.store.transaction() as transaction:
        set_roles(transaction.connection, took_part, [Grant("office_director")])
    place.office.people.forget()
    before = place.office.engine.history.recorded(CASE)

    with pytest.raises(SamePerson):
        place.complete(CASE, "review_conclusion", took_part, decision="keep", reason="属实")

    assert place.office.engine.history.recorded(CASE) == before


def test_everybody_who_found_something_at_a_unit_took_part(place: Place) -> None:
    with place.office.store.transaction() as transaction:
        roles = [Grant("office_director"), Grant("supervisor")]
        set_roles(transaction.connection, "office_director", roles)
    place.office.people.forget()
    begun(place)
    find(place, "u13", "office_director", in_order=False)
    # The last findings are somebody else's, at another unit.
    find(place, "u11", "supervisor2", in_order=True)
    complete_for(place, "u13", "conclusion", "supervisor", **PROBLEMS)
    place.sweep()
    complete_for(place, "u13", "appeal_conclusion", "head.13", reason="专户已于检查前依法注销完毕")

    with pytest.raises(SamePerson):
        place.complete(CASE, "review_conclusion", "office_director", decision="keep", reason="是")
    place.complete(CASE, "review_conclusion", "leader", decision="keep", reason="属实")

    assert result(place, "u13")["review"] == "keep"


def test_a_withdrawn_conclusion_ends_the_rectification(place: Place) -> None:
    appealed(place)

    place.complete(CASE, "review_conclusion", "leader", decision="withdraw", reason="证据不足")

    assert elements(place) == ["findings"]


def test_a_changed_conclusion_moves_the_date_of_rectification(place: Place) -> None:
    appealed(place)

    place.complete(
        CASE,
        "review_conclusion",
        "leader",
        decision="change",
        reason="部分成立",
        text="仅一个项目",
        rectify_by="2026-04-30",
    )

    timers = {t.element: t.due_at for t in place.process(CASE).timers.values()}
    assert timers["rectify_late"] == parse_instant("2026-05-01T00:00+08:00")
    assert result(place, "u13")["rectify_by"] == parse_instant("2026-05-01T00:00+08:00")


def test_a_rectification_that_is_late_starts_the_rounds_of_that_unit(place: Place) -> None:
    concluded(place)

    pass_time(place.office, place.clock, parse_instant("2026-04-11T00:00+08:00"))

    assert "inspect" in elements(place)
    with place.office.store.transaction(write=False) as transaction:
        entries = transaction.rows(CASE, "score_entries")
    assert [(row["unit"], row["rule"]) for row in entries] == [("u13", "overdue")]
