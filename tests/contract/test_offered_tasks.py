"""Who is offered a task may see its case, and only while it is offered."""

from typing import Any

import pytest

from tests.contract.conftest import DISPATCH, Service
from tests.contract.test_requests import assert_problem

TARGETS = [{"by": "2026-12-20", "percent": 100}]


def listed(service: Service, path: str, user: str) -> list[dict[str, Any]]:
    """Give what a list shows to a user."""
    answer = service.call("GET", path, user)
    assert answer.status_code == 200, answer.text
    return list((answer.json or {})["items"])


@pytest.fixture
def task(service: Service) -> dict[str, Any]:
    """Give a unit's report that its contact, head or any of its handlers may write."""
    case = service.registered(
        type="work_report_task",
        source_kind="document",
        task_kind="report_task",
        targets=TARGETS,
        is_source=False,
    )
    approval = case["open_tasks"][0]["id"]
    service.complete(approval, "office_director", {"decision": "approve"})
    (dispatch,) = listed(service, f"/tasks?case={case['id']}", "registrar")
    answer = service.complete(
        dispatch["id"],
        "registrar",
        DISPATCH | {"deadline": "2026-12-31", "deadline_reason": "全年"},
    )
    assert answer.status_code == 200, answer.text
    waiting = listed(service, f"/tasks?case={case['id']}", "leader")
    return next(one for one in waiting if one["element"] == "progress_report")


def test_a_units_handler_finds_an_unassigned_task_of_the_unit_and_its_case(
    service: Service, task: dict[str, Any]
) -> None:
    offered = listed(service, "/tasks?candidate=true", "handler.1")

    assert [one["id"] for one in offered] == [task["id"]]
    assert service.call("GET", f"/tasks/{task['id']}", "handler.1").status_code == 200
    assert service.call("GET", f"/cases/{task['case']}", "handler.1").status_code == 200
    assert [one["id"] for one in listed(service, "/cases", "handler.1")] == [task["case"]]
    claimed = service.call("POST", f"/tasks/{task['id']}/claim", "handler.1")
    assert claimed.status_code == 200, claimed.text


def test_another_units_handler_knows_nothing_of_it(service: Service, task: dict[str, Any]) -> None:
    assert listed(service, "/tasks?candidate=true", "handler.2") == []
    assert_problem(
        service.call("GET", f"/cases/{task['case']}", "handler.2"), 404, "case-not-found"
    )
    refused = service.call("POST", f"/tasks/{task['id']}/claim", "handler.2")
    assert_problem(refused, 404, "task-not-found")


def test_once_a_colleague_took_the_task_the_handler_no_longer_sees_the_case(
    service: Service, task: dict[str, Any]
) -> None:
    service.call("POST", f"/tasks/{task['id']}/claim", "contact.1")

    assert listed(service, "/tasks", "handler.1") == []
    assert_problem(
        service.call("GET", f"/cases/{task['case']}", "handler.1"), 404, "case-not-found"
    )


def test_the_offer_alone_lets_nobody_ask_anything_of_the_case(
    service: Service, task: dict[str, Any]
) -> None:
    asked = {"name": "progress", "data": {"percent": 10, "text": "推进"}}

    commands = listed(service, f"/cases/{task['case']}/commands", "handler.1")
    refused = service.call("POST", f"/cases/{task['case']}/commands", "handler.1", asked)

    assert commands == []
    assert_problem(refused, 403, "not-permitted")
