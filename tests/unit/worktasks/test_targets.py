from datetime import date
from typing import Any

import pytest

from engine import Actor, CaseId, Invalid
from engine.records import Json, parse_instant
from services.cases.commands import RegisterCase
from services.scenarios.passing import pass_time
from services.worktasks.queries import goals_met_early, targets_due
from tests.helpers.offices import Place

CASE = CaseId("task-1")
QUARTERS: list[dict[str, Json]] = [
    {"by": "2026-03-31", "percent": 20},
    {"by": "2026-06-30", "percent": 50},
    {"by": "2026-12-20", "percent": 100},
]
REGISTRATION: dict[str, Any] = {
    "title": "新建改建农村公路200公里",
    "source_kind": "document",
    "source_date": "2026-02-10",
    "issuer": "市政府",
    "content": "全年新建改建农村公路200公里。",
    "task_kind": "report_task",
    "targets": QUARTERS,
    "is_source": False,
}


def dispatched(place: Place, deadline: str = "2026-12-31", **data: Json) -> CaseId:
    """Register and dispatch a task of the work report."""
    ask = RegisterCase(
        case=CASE,
        by=Actor("registrar"),
        at=place.clock.now(),
        definition="work_report_task",
        data={**REGISTRATION, **data},
    )
    place.execute(ask)
    place.complete(CASE, "approve_registration", "office_director", decision="approve")
    place.complete(
        CASE,
        "dispatch",
        "registrar",
        lead_unit="u13",
        responsible_person="局长",
        report_content="进度",
        deadline=deadline,
    )
    return CASE


def report(place: Place, at: str, percent: int, **data: Json) -> None:
    pass_time(place.office, place.clock, parse_instant(at))
    place.complete(CASE, "progress_report", "contact.13", percent=percent, text="推进", **data)


def points(place: Place) -> list[tuple[str, str]]:
    with place.office.store.transaction(write=False) as transaction:
        found = transaction.rows(CASE, "score_entries")
    return [(row["unit"], row["rule"]) for row in found]


def test_a_missed_target_of_a_quarter_is_named_in_the_bulletins_data(place: Place) -> None:
    dispatched(place)

    report(place, "2026-04-03T09:00+08:00", 15)
    report(place, "2026-07-03T09:00+08:00", 50)

    with place.office.store.transaction(write=False) as transaction:
        first = targets_due(transaction.connection, date(2026, 1, 1), date(2026, 3, 31), met=False)
        second = targets_due(transaction.connection, date(2026, 4, 1), date(2026, 6, 30))
    assert [(one.unit, one.planned, one.reached) for one in first] == [("u13", 20, 15)]
    assert [(one.planned, one.met) for one in second] == [(50, True)]


def test_a_target_is_compared_once(place: Place) -> None:
    dispatched(place)
    report(place, "2026-04-03T09:00+08:00", 15)

    report(place, "2026-07-01T09:00+08:00", 60)

    with place.office.store.transaction(write=False) as transaction:
        rows = transaction.rows(CASE, "target_results")
    assert [(row["planned"], row["reached"]) for row in rows] == [(20, 15), (50, 60)]


def test_a_goal_of_the_year_met_early_is_named_for_praise_once(place: Place) -> None:
    dispatched(place)
    report(place, "2026-04-03T09:00+08:00", 100)
    report(place, "2026-07-03T09:00+08:00", 100)

    with place.office.store.transaction(write=False) as transaction:
        praised = goals_met_early(
            transaction.connection,
            parse_instant("2026-01-01T00:00+08:00"),
            parse_instant("2027-01-01T00:00+08:00"),
        )

    assert [(one.unit, one.title) for one in praised] == [("u13", REGISTRATION["title"])]


def test_every_missed_weekly_report_of_a_listed_project_costs_points(place: Place) -> None:
    dispatched(place, task_kind="listed", targets=[{"by": "2026-12-20", "percent": 100}])

    pass_time(place.office, place.clock, parse_instant("2026-03-20T18:01+08:00"))

    assert points(place).count(("u13", "weekly_report_missed")) == 3


def test_a_missed_quarterly_report_is_urged_but_costs_no_points(place: Place) -> None:
    dispatched(place)

    pass_time(place.office, place.clock, parse_instant("2026-04-07T09:00+08:00"))

    assert points(place) == []
    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-04-06T00:00+08:00")


def test_a_weekly_report_of_a_listed_project_needs_photos(place: Place) -> None:
    dispatched(place, task_kind="listed", targets=[{"by": "2026-12-20", "percent": 100}])

    with pytest.raises(Invalid) as refusal:
        report(place, "2026-03-06T10:00+08:00", 10)
    assert [(error.field, error.code) for error in refusal.value.fields] == [("photos", "required")]

    report(place, "2026-03-06T10:00+08:00", 10, photos=["现场"])
    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-03-13T18:00+08:00")


def test_livelihood_items_report_monthly_by_the_fifth(place: Place) -> None:
    dispatched(place, task_kind="livelihood")

    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-04-06T00:00+08:00")

    report(place, "2026-04-05T23:59+08:00", 30)
    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-05-06T00:00+08:00")
