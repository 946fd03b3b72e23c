from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.contract.conftest import DISPATCH, WALK, Service


def test_a_case_goes_from_registration_to_closing_over_http(service: Service) -> None:
    case = service.registered()
    assert case["number"] == "督〔2026〕批示-0001"
    task = case["open_tasks"][0]

    for user, element, data in WALK:
        assert task["element"] == element
        answer = service.complete(task["id"], user, data)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        task = next(iter(answer.json["tasks"]), None)

    closed = service.call("GET", f"/cases/{case['id']}", "registrar").json or {}
    assert (closed["status"], closed["light"], closed["open_tasks"]) == ("closed", "green", [])


def test_every_step_is_in_the_history_and_linked(service: Service, case: dict[str, Any]) -> None:
    service.walked(case, "sign_for")

    events = (service.call("GET", f"/cases/{case['id']}/events", "auditor").json or {})["items"]

    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert all(b["prev"] == a["hash"] for a, b in pairwise(events))
    assert [e["actor"] for e in events if e["type"] == "task_completed"] == [
        "registrar",
        "office_director",
        "registrar",
    ]


def test_the_history_is_read_in_parts(service: Service, case: dict[str, Any]) -> None:
    path = f"/cases/{case['id']}/events"
    whole = (service.call("GET", path, "auditor").json or {})["items"]

    first = service.call("GET", f"{path}?limit=3", "auditor").json or {}
    rest = service.call("GET", f"{path}?after={first['next_cursor']}", "auditor").json or {}

    assert first["items"] + rest["items"] == whole
    assert rest["next_cursor"] is None


def test_the_state_of_the_past_is_what_it_was(service: Service, case: dict[str, Any]) -> None:
    service.clock.set(service.clock.now() + timedelta(hours=1))
    service.walked(case, "sign_for")

    then = service.call("GET", f"/cases/{case['id']}/state?seq={case['seq']}", "auditor").json
    at = service.call(
        "GET", f"/cases/{case['id']}/state?at=2026-03-02T09:30:00%2B08:00", "auditor"
    ).json

    assert then == at
    assert [task["element"] for task in (then or {})["tasks"]] == ["approve_registration"]


def test_a_history_is_proved(service: Service, case: dict[str, Any]) -> None:
    service.walked(case, "review")

    proof = service.call("GET", f"/cases/{case['id']}/verify", "auditor").json or {}

    assert (proof["ok"], proof["first_bad"]) == (True, None), proof


def test_a_task_comes_with_its_form_and_first_values(
    service: Service, case: dict[str, Any]
) -> None:
    task = service.walked(case, "dispatch")

    shown = service.call("GET", f"/tasks/{task}", "registrar").json or {}

    assert shown["form"]["schema"]["required"] == list(DISPATCH)
    assert shown["form"]["ui"]["widgets"]["lead_unit"] == "unit"
    assert shown["data"]["deadline"] == "2026-03-17T16:00:00Z"
    assert (shown["element"], shown["assignee"]) == ("dispatch", None)


def test_a_task_is_claimed_released_and_delegated(service: Service, case: dict[str, Any]) -> None:
    task = service.walked(case, "dispatch")

    claimed = service.call("POST", f"/tasks/{task}/claim", "registrar").json or {}
    taken = service.call("POST", f"/tasks/{task}/claim", "registrar2")
    released = service.call("POST", f"/tasks/{task}/release", "registrar").json or {}
    delegated = service.call(
        "POST", f"/tasks/{task}/delegate", "registrar", {"assignee": "registrar2"}
    )

    assert claimed["open_tasks"][0]["assignee"] == "registrar"
    assert taken.status_code in (403, 409)
    assert released["open_tasks"][0]["assignee"] is None
    assert (delegated.json or {})["open_tasks"][0]["assignee"] == "registrar2"


def test_each_sees_what_waits_for_them(service: Service, case: dict[str, Any]) -> None:
    service.walked(case, "handle")

    mine = service.call("GET", "/tasks?mine=1", "handler.1").json or {}
    nobody = service.call("GET", "/tasks?mine=1&candidate=1", "handler.2").json or {}

    assert [task["element"] for task in mine["items"]] == ["handle"]
    assert nobody["items"] == []


def test_a_deputy_sees_the_tasks_of_whom_they_stand_in_for(
    service: Service, case: dict[str, Any]
) -> None:
    service.walked(case, "handle")
    absent = service.call("PATCH", "/users/handler.1", "admin", {"absent_from": "2026-03-01"})
    assert absent.status_code == 200

    me = service.call("GET", "/me", "contact.1").json or {}
    tasks = service.call("GET", "/tasks?mine=1", "contact.1").json or {}

    assert [one["id"] for one in me["acting_for"]] == ["handler.1"]
    assert [task["element"] for task in tasks["items"]] == ["handle"]


def test_the_light_turns_yellow_and_red_with_the_clock(
    service: Service, case: dict[str, Any]
) -> None:
    service.walked(case, "sign_for")

    def light() -> tuple[Any, list[str]]:
        shown = service.call("GET", f"/cases/{case['id']}", "supervisor").json or {}
        listed = [
            name
            for name in ("green", "yellow", "red", "grey")
            if (service.call("GET", f"/cases?light={name}", "supervisor").json or {})["items"]
        ]
        return shown["light"], listed

    assert light() == ("green", ["green"])
    service.clock.set(datetime(2026, 3, 16, 1, tzinfo=UTC))
    assert light() == ("yellow", ["yellow"])
    service.clock.set(datetime(2026, 3, 17, 16, tzinfo=UTC))
    assert light() == ("yellow", ["yellow"])
    service.clock.set(datetime(2026, 3, 17, 16, 0, 1, tzinfo=UTC))
    assert light() == ("red", ["red"])


def test_the_test_clock_lets_happen_what_is_due(service: Service, case: dict[str, Any]) -> None:
    service.walked(case, "handle")

    answer = service.call("PUT", "/test/clock", None, {"now": "2026-03-19T09:00:00+08:00"})

    assert answer.status_code == 200, answer.text
    assert (answer.json or {})["timers_fired"] > 0
    shown = service.call("GET", f"/cases/{case['id']}", "supervisor").json or {}
    assert shown["escalation"]["round"] == 1
    notices = service.call("GET", "/notices", "head.1").json or {}
    assert notices["items"]
    assert (service.call("GET", "/me", "head.1").json or {})["unread_notices"] > 0
    ids = [one["id"] for one in notices["items"]]
    read = service.call("POST", "/notices/read", "head.1", {"ids": ids})
    assert (read.json or {})["count"] == len(ids)


def test_urging_suspending_and_resuming(service: Service, case: dict[str, Any]) -> None:
    service.walked(case, "handle")
    path = f"/cases/{case['id']}/commands"

    urged = service.call("POST", path, "supervisor", {"name": "urge", "data": {"text": "请抓紧"}})
    stopped = service.call(
        "POST", path, "office_director", {"name": "suspend", "data": {"reason": "等待上级批复"}}
    )
    light = (service.call("GET", f"/cases/{case['id']}", "supervisor").json or {})["light"]
    resumed = service.call("POST", path, "office_director", {"name": "resume"})

    assert urged.status_code == 200, urged.text
    assert (stopped.json or {})["status"] == "suspended", stopped.text
    assert light == "grey"
    assert (resumed.json or {})["status"] == "in_progress", resumed.text


def test_an_extension_asked_too_late_is_refused_in_office_time(
    service: Service, case: dict[str, Any]
) -> None:
    service.walked(case, "handle")
    service.clock.set(datetime(2026, 3, 17, 16, 1, tzinfo=UTC))
    ask = {
        "name": "extend",
        "data": {"until": "2026-04-01", "reason": "管网改造需要更多时间，申请延期"},
    }

    refused = service.call("POST", f"/cases/{case['id']}/commands", "contact.1", ask)
    english = service.call(
        "POST", f"/cases/{case['id']}/commands", "contact.1", ask, Accept_Language="en"
    )

    assert refused.status_code == 409
    assert (refused.json or {})["type"] == "/problems/deadline-passed"
    assert "3月17日24:00" in (refused.json or {})["detail"]
    assert "17 March, 24:00" in (english.json or {})["detail"]


def test_commands_open_to_a_person_come_with_their_forms(
    service: Service, case: dict[str, Any]
) -> None:
    service.walked(case, "handle")
    path = f"/cases/{case['id']}/commands"

    def names(user: str) -> list[str]:
        return [one["name"] for one in (service.call("GET", path, user).json or {})["items"]]

    assert "extend" in names("contact.1")
    assert "urge" in names("supervisor")
    assert names("auditor") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=积水", True),
        ("q=积水 批示", True),
        ("q=100%25", False),
        ("type=leader_instruction&status=registered", True),
        ("status=closed", False),
        ("due_before=2026-12-31", False),
        ("parent=nobody", False),
    ],
)
def test_the_register_is_narrowed(
    service: Service, case: dict[str, Any], query: str, *, found: bool
) -> None:
    items = (service.call("GET", f"/cases?{query}", "registrar").json or {})["items"]

    assert [one["id"] for one in items] == ([case["id"]] if found else [])


def test_the_register_is_read_page_by_page(service: Service) -> None:
    ids = {service.registered(title=f"第{n}件")["id"] for n in range(5)}

    seen: list[str] = []
    cursor = ""
    while True:
        page = service.call("GET", f"/cases?limit=2{cursor}", "registrar").json or {}
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert set(seen) == ids
    assert len(seen) == len(ids)


def test_figures_add_up(service: Service, case: dict[str, Any]) -> None:
    service.walked(case, "review")
    service.registered(title="另一件")

    by_status = service.call("GET", "/statistics?measure=registered&by=status", "leader").json
    rate = service.call("GET", "/statistics?measure=closing_rate&by=unit", "leader").json

    figures = (by_status or {})["items"]
    assert sum(one["count"] for one in figures) == (by_status or {})["total"]["count"] == 2
    assert (rate or {})["total"] == {"key": None, "count": 0, "of": 2, "percent": 0.0}
