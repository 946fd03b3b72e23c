"""Many at once, the same figures twice, and a leader who leaves (§10, 43–45)."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.office_cases.desk import Desk
from tests.office_cases.files import fetch, send_files
from tests.office_cases.matter import Matter, Refusal

PROPOSALS = 289
HEADINGS = ("督查类型", "标题", "来源", "来源文号", "来源日期", "提案人", "内容")


def proposals(desk: Desk, count: int) -> list[Matter]:
    """Import a session's proposals and approve their registration, each in one call."""
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(HEADINGS)
    for n in range(1, count + 1):
        about = ("关于加装电梯的提案", "congress_session", f"第{n}号", "2026-03-01")
        rows.writerow(("cppcc_proposal", *about, "*王建国(deputy.1)", f"建议{n}"))
    sent = {"file": (table.getvalue().encode(), "提案.csv")}
    imported = send_files(desk, "/cases/import", "registrar", sent)
    assert imported.status_code == 200, imported.text
    approvals = [item(task, decision="approve") for task in waiting(desk, "approve_registration")]
    done = desk.write("POST", "/completions", "office_director", {"items": approvals})
    assert (done["done"], done["refused"]) == (count, 0)
    return [Matter(desk, one["case"]) for one in (imported.json or {})["registered"]]


def waiting(desk: Desk, element: str) -> list[str]:
    """Give the open tasks of an element, of all cases."""
    return [task["id"] for task in whole(desk, "/tasks") if task["element"] == element]


def every_case(desk: Desk) -> list[dict[str, Any]]:
    """Give the whole register."""
    return whole(desk, "/cases")


def whole(desk: Desk, path: str) -> list[dict[str, Any]]:
    """Read a list page by page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = desk.read(path, "office_director", limit=200, **cursor)
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def item(task: str, **data: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    return {"task": task, "data": data}


def dispatch(task: str, unit: str = "u13", **data: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    given = {"lead_unit": unit, "responsible_person": "局长", "report_content": "书面答复委员"}
    return item(task, **{**given, **data})


def test_case_43_289_proposals_are_dispatched_in_one_call(desk: Desk) -> None:
    matters = proposals(desk, PROPOSALS)
    tasks = waiting(desk, "dispatch")
    assert len(tasks) == PROPOSALS
    body = {"items": [dispatch(task, f"u{n % 40 + 1}") for n, task in enumerate(tasks)]}

    answer = desk.write("POST", "/completions", "registrar", body, Idempotency_Key="session-1")

    assert (answer["done"], answer["refused"]) == (PROPOSALS, 0)
    assert [one["task"] for one in answer["items"]] == tasks
    assert {one["case"] for one in answer["items"]} == {matter.id for matter in matters}
    assert waiting(desk, "dispatch") == []
    register = every_case(desk)
    assert sorted(case["number"] for case in register) == [
        f"督〔2026〕提案-{n:04}" for n in range(1, PROPOSALS + 1)
    ]
    assert {case["status"] for case in register} == {"dispatched"}
    assert {case["deadline"] for case in register} == {"2026-06-03T00:00:00+08:00"}
    # Sent again, as after a connection that broke: the same answer, nothing twice.
    again = desk.write("POST", "/completions", "registrar", body, Idempotency_Key="session-1")
    assert again == answer
    assert every_case(desk) == register
    assert all(matter.is_proven() for matter in matters[::48])


def test_case_43_those_that_cannot_be_dispatched_are_reported_and_the_others_are(
    desk: Desk,
) -> None:
    proposals(desk, 5)
    tasks = waiting(desk, "dispatch")
    done_before = desk.write("POST", f"/tasks/{tasks[4]}/complete", "registrar",
                             {"data": dispatch(tasks[4])["data"]})  # fmt: skip
    items = [
        dispatch(tasks[0]),
        dispatch(tasks[1], "nowhere"),
        item(tasks[2], responsible_person="局长", report_content="书面答复"),
        dispatch(tasks[3], co_units=["u13"]),
        dispatch(tasks[4]),
        dispatch("nothing.t3"),
        dispatch(tasks[0], "u9"),
    ]

    answer = desk.write("POST", "/completions", "registrar", {"items": items})

    assert (answer["done"], answer["refused"]) == (1, 6)
    told = [
        one["problem"]
        and (one["problem"]["type"], [(e["field"], e["code"]) for e in one["problem"]["errors"]])
        for one in answer["items"]
    ]
    invalid = "/problems/invalid"
    assert told == [
        None,
        (invalid, [("lead_unit", "unknown_active_unit")]),
        (invalid, [("lead_unit", "required")]),
        (invalid, [("co_units.0", "is_lead_unit")]),
        ("/problems/task-not-open", []),
        ("/problems/task-not-found", []),
        ("/problems/task-not-open", []),
    ]
    assert all(one["problem"]["detail"] for one in answer["items"] if one["problem"])
    # What was refused waits as before, what was done is done.
    assert sorted(waiting(desk, "dispatch")) == sorted(tasks[1:4])
    cases = [Matter(desk, task.partition(".")[0]) for task in tasks]
    assert [len(case.events("case_dispatched")) for case in cases] == [1, 0, 0, 0, 1]
    assert cases[4].shown()["seq"] == done_before["seq"]
    assert all(case.is_proven() for case in cases)


def test_case_43_a_call_dispatches_nothing_that_its_sender_may_not(desk: Desk) -> None:
    (matter,) = proposals(desk, 1)
    (task,) = waiting(desk, "dispatch")
    body = {"items": [dispatch(task)]}

    as_supervisor = desk.write("POST", "/completions", "supervisor", body)
    as_stranger = desk.write("POST", "/completions", "contact.12", body)

    assert [one["problem"]["status"] for one in as_supervisor["items"]] == [403]
    assert [one["problem"]["status"] for one in as_stranger["items"]] == [404]
    (tried,) = desk.read("/access-log", "auditor", kind="denied")["items"]
    assert (tried["user"], tried["case"]) == ("contact.12", matter.id)
    assert matter.open_elements() == ["dispatch"]
    empty = desk.refused("POST", "/completions", "registrar", {"items": []})
    assert empty.fields == (("items", "too_few"),)
    assert matter.is_proven()


def first_quarter(desk: Desk) -> list[Matter]:
    """Let a quarter pass: one case in time, one overdue with a notice, one returned, one open."""
    in_time, late, unwanted = (desk.register(title=f"第{n}件").approve() for n in (1, 2, 3))
    unwanted.ask("cancel", "office_director", reason="重复")
    in_time.dispatch().accept()
    late.dispatch(9).accept(9)
    in_time.at("03-10 09:00").feed_back().close()
    late.at("03-18 09:00").issue_measure(9)
    waits = desk.at("03-27 09:00").register(title="第4件").approve().dispatch(13)
    return [in_time, late, unwanted, waits]


def test_case_44_the_report_of_a_quarter_run_twice_gives_the_same_numbers(desk: Desk) -> None:
    matters = first_quarter(desk)
    desk.at("04-01 09:00")
    figures = "/statistics?measure=closing_rate&by=unit&to=2026-03-31&as_of=2026-03-31"
    draft = "/bulletins/drafts/2026-Q1"

    def computed() -> tuple[Any, ...]:
        return (
            desk.read(draft),
            fetch(desk, figures, "supervisor").json,
            *(fetch(desk, f"{draft}/file?format={f}", "supervisor").data for f in ("docx", "pdf")),
        )

    once, twice = computed(), computed()

    assert once == twice
    report = once[0]
    whole = report["whole"]
    assert (whole["new"], whole["closed"], whole["cancelled"], whole["open"]) == (4, 1, 1, 2)
    assert [(r["measure"], r["count"]) for r in report["rounds"]] == [("rectification_notice", 1)]
    issued = desk.write("POST", "/bulletins", "supervisor", {"period": "2026-Q1"})
    # Life goes on; what the quarter was stays what it was.
    matters[3].accept(13).feed_back(13).close()
    matters[1].at("04-10 09:00").feed_back(9).close()
    desk.at("07-01 09:00")
    assert desk.read(draft) == report
    assert fetch(desk, figures, "supervisor").json == once[1]
    assert desk.read(draft, as_of="2026-03-31") == report
    again = desk.write("POST", "/bulletins", "supervisor", {"period": "2026-Q1"})
    assert again == issued
    assert all(matter.is_proven() for matter in matters)


def test_case_45_open_approvals_of_a_leader_who_leaves_go_to_the_successor(desk: Desk) -> None:
    matter = desk.register().approve().dispatch().at("03-03 09:00").accept().feed_back().review()
    matter.do("report_to_leader", "supervisor", summary="已办结")
    task = matter.task("answer_report")["id"]
    desk.write("POST", f"/tasks/{task}/delegate", "leader", {"assignee": "mayor"})
    assert [one["id"] for one in desk.read("/tasks", "mayor", mine=1)["items"]] == [task]

    desk.write("PATCH", "/users/mayor", "admin", {"active": False, "successor": "leader"})

    # Who left is let in no more; the successor finds what waited, and the record says for whom.
    gone = Refusal.of(desk.call("GET", "/me", "mayor"))
    assert (gone.status, gone.slug) == (401, "unauthenticated")
    assert [one["id"] for one in desk.read("/me", "leader")["acting_for"]] == ["mayor"]
    assert [one["id"] for one in desk.read("/tasks", "leader", mine=1)["items"]] == [task]
    matter.do("answer_report", "leader", decision="accept")
    last = matter.events("task_completed")[-1]
    assert (last["actor"], last["acting_for"]) == ("leader", "mayor")
    assert matter.shown()["status"] == "closed"
    assert matter.is_proven()
