import re
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Actor, CaseId, Invalid
from engine.definitions import load_folder
from engine.records import Json, parse_instant
from services.attachments.queries import attachments_of
from services.audit.story import Names, Teller
from services.cases.commands import RegisterCase
from services.notices.tables import notices
from services.scenarios.passing import pass_time
from services.scenarios.pictures import picture
from services.worktasks.queries import goals_met_early, targets_due
from tests.helpers.offices import BPMN, Place

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


def attached(place: Place) -> str:
    """Attach a picture; give its SHA-256."""
    parts = [picture("现场.png")]
    return place.office.intake.take(parts, "现场.png", by="contact.13", at=place.clock.now()).sha256


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

    report(place, "2026-03-06T10:00+08:00", 10, photos=[attached(place)])
    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-03-13T18:00+08:00")


def test_photos_of_a_report_are_listed_with_the_case_and_told_in_its_story(place: Place) -> None:
    dispatched(place, task_kind="listed", targets=[{"by": "2026-12-20", "percent": 100}])

    report(place, "2026-03-06T10:00+08:00", 10, photos=[attached(place)])

    with place.office.store.transaction(write=False) as transaction:
        assert [a.name for a in attachments_of(transaction.connection, CASE)] == ["现场.png"]
    teller = Teller(Names(), "zh", place.office.settings.zone)
    told = [line.text for line in teller.tell(place.office.engine.history.recorded(CASE))]
    assert "contact.13报告进度10%：推进（照片1张）" in told


def test_a_photo_that_nobody_took_in_is_refused(place: Place) -> None:
    dispatched(place, task_kind="listed", targets=[{"by": "2026-12-20", "percent": 100}])
    before = place.office.store.count_events()

    with pytest.raises(Invalid) as refusal:
        report(place, "2026-03-02T10:00+08:00", 10, photos=["0" * 64])

    wrong = [(error.field, error.code) for error in refusal.value.fields]
    assert wrong == [("photos.0", "unknown_attachment")]
    assert place.office.store.count_events() == before


def test_a_designer_says_which_tasks_need_photos(place: Place) -> None:
    files = dict(load_folder(BPMN, "work_report_task"))
    photos = re.compile(r'(_out_4">\s*<text>)true')
    table, changed = photos.subn(r"\1false", files["progress_rules.dmn"].decode())
    assert changed
    files["progress_rules.dmn"] = table.encode()
    place.office.engine.library.deploy(files, "designer", place.clock.now())

    dispatched(place, task_kind="listed", targets=[{"by": "2026-12-20", "percent": 100}])
    report(place, "2026-03-06T10:00+08:00", 10)

    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-03-13T18:00+08:00")


def test_livelihood_items_report_monthly_by_the_fifth(place: Place) -> None:
    dispatched(place, task_kind="livelihood")

    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-04-06T00:00+08:00")

    report(place, "2026-04-05T23:59+08:00", 30)
    assert place.task(CASE, "progress_report").due_at == parse_instant("2026-05-06T00:00+08:00")


def test_a_monthly_check_that_finds_faults_urges_the_unit_by_a_numbered_document(
    place: Place,
) -> None:
    dispatched(place, task_kind="listed", targets=[{"by": "2026-12-20", "percent": 100}])
    pass_time(place.office, place.clock, parse_instant("2026-04-06T09:00+08:00"))

    place.complete(
        CASE, "monthly_check", "supervisor", check_result="not_in_order", finding="现场停工"
    )
    place.sweep()

    history = place.office.engine.history.recorded(CASE)
    told = [line.text for line in Teller(Names(), "zh", place.office.settings.zone).tell(history)]
    assert "supervisor催办u13，督〔2026〕催办-0001：现场停工" in told
    with place.office.store.transaction(write=False) as transaction:
        users = sa.select(notices.c.user).where(notices.c.kind == "notify_check_failed")
        assert set(transaction.connection.execute(users).scalars()) == {"contact.13", "head.13"}


def test_only_listed_projects_are_checked_monthly(place: Place) -> None:
    dispatched(place, task_kind="livelihood")

    pass_time(place.office, place.clock, parse_instant("2026-04-06T09:00+08:00"))

    assert "monthly_check" not in {task.element for task in place.process(CASE).tasks.values()}
