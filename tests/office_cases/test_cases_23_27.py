"""Who may decide, and what happens when several people or requests come at once (§10, 23–27)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.helpers.offices import INSTRUCTION
from tests.office_cases.desk import Desk
from tests.office_cases.matter import Matter, Refusal
from tests.office_cases.served import asked, at_once, served

REGISTRATION = {"type": "leader_instruction", **INSTRUCTION}
TOTAL = 50


def returned_twice(desk: Desk) -> Matter:
    """Have a unit's feedback returned twice by the supervisor, which costs it points."""
    matter = desk.register().approve().dispatch().at("03-03 09:00").accept()
    return matter.feed_back().review(passed=False).feed_back().review(passed=False)


def entry_of(desk: Desk, unit: str, rule: str) -> int:
    entries = desk.score(unit)["items"]
    return int(next(entry["entry"] for entry in entries if entry["rule"] == rule))


def test_case_23_the_officer_who_reviewed_cannot_decide_the_appeal_in_the_directors_place(
    desk: Desk,
) -> None:
    matter = returned_twice(desk)
    entry = entry_of(desk, "u11", "feedback_returned")
    matter.ask("appeal", "head.11", entry=entry, reason="格式要求交办时未说明，请予更正")
    desk.mark_absent("office_director")
    ruling: dict[str, Any] = {"entry": entry, "decision": "dismiss", "reason": "维持"}

    refusal = matter.refused_to_ask("decide_appeal", "supervisor", **ruling)

    assert (refusal.status, refusal.slug) == (403, "took-part")
    assert [e["appeal"] for e in desk.score("u11")["items"]] == ["open"]
    # Whoever took no part decides.
    matter.ask("decide_appeal", "leader", **{**ruling, "decision": "uphold", "reason": "理由成立"})
    assert matter.points("u11") == [("feedback_returned", "-0.2"), ("feedback_returned", "0.2")]
    assert matter.is_proven()


def test_case_23_a_director_who_reviewed_leaves_the_appeal_to_a_leader(desk: Desk) -> None:
    matter = desk.register().approve().dispatch().at("03-03 09:00").accept()
    for _ in range(2):
        matter.feed_back().review("office_director", passed=False)
    entry = entry_of(desk, "u11", "feedback_returned")
    matter.ask("appeal", "head.11", entry=entry, reason="格式要求交办时未说明，请予更正")
    ruling: dict[str, Any] = {"entry": entry, "decision": "dismiss", "reason": "维持"}

    refusal = matter.refused_to_ask("decide_appeal", "office_director", **ruling)

    assert (refusal.status, refusal.slug) == (403, "took-part")
    matter.ask("decide_appeal", "leader", **ruling)
    assert [e["appeal"] for e in desk.score("u11")["items"]] == ["dismissed"]
    assert matter.is_proven()


def test_case_24_who_registered_cannot_approve_whatever_further_roles_they_hold(
    desk: Desk,
) -> None:
    both = {"roles": [{"role": "registrar"}, {"role": "office_director"}]}
    desk.write("PATCH", "/users/registrar", "admin", both)
    matter = desk.register(by="registrar")

    refusal = matter.refused_to_do("approve_registration", "registrar", decision="approve")

    assert (refusal.status, refusal.slug) == (403, "same-person")
    refused = desk.read("/rejections", "auditor")["items"]
    assert [(r["case"], r["user"], r["problem"]) for r in refused] == [
        (matter.id, "registrar", "same-person")
    ]
    assert matter.approve().open_elements() == ["dispatch"]
    assert matter.is_proven()


def test_case_24_who_registered_cannot_approve_as_deputy_of_the_director_either(
    desk: Desk,
) -> None:
    desk.write("PATCH", "/users/office_director", "admin", {"deputy": "registrar"})
    desk.mark_absent("office_director")
    matter, other = desk.register(by="registrar"), desk.register(by="registrar2")

    refusal = matter.refused_to_do("approve_registration", "registrar", decision="approve")

    assert (refusal.status, refusal.slug) == (403, "same-person")
    # The same person for the same director may approve what somebody else registered.
    other.do("approve_registration", "registrar", decision="approve")
    done = other.events("task_completed")[-1]
    assert (done["actor"], done["acting_for"]) == ("registrar", "office_director")
    assert matter.is_proven() and other.is_proven()


def test_case_25_50_parallel_registrations_number_1_to_50_without_a_gap(
    desk: Desk, tmp_path: Path
) -> None:
    # On PostgreSQL two server processes share the numbers, on SQLite the threads of one.
    words = () if desk.database_url is None else ("--workers", "2")
    body = {**REGISTRATION, "source_date": "2020-01-02"}

    with served(desk, tmp_path, *words) as server:
        answers = at_once(TOTAL, lambda _: asked(server, "POST", "/cases", "registrar", body))
        refused, _ = asked(server, "POST", "/cases", "registrar", {**body, "title": ""})
        status, after = asked(server, "POST", "/cases", "registrar", body)

    assert [status for status, _ in answers] == [201] * TOTAL
    numbers = sorted(case["number"] for _, case in answers)
    year = numbers[0][:6]
    assert re.fullmatch(r"督〔\d{4}", year)
    assert numbers == [f"{year}〕批示-{n:04}" for n in range(1, TOTAL + 1)]
    # One that was refused in between takes no number.
    assert (refused, status, after["number"]) == (422, 201, f"{year}〕批示-{TOTAL + 1:04}")
    assert all(Matter(desk, case["id"]).is_proven() for _, case in answers)


def test_case_26_of_two_who_complete_a_task_at_once_one_wins_and_the_other_is_told(
    desk: Desk,
) -> None:
    matter = desk.register().approve()
    task = matter.task("dispatch")["id"]
    people, units = ("registrar", "registrar2"), ("u11", "u9")

    def dispatch(place: int) -> Any:  # noqa: ANN401 -- an answer
        data = {"lead_unit": units[place], "responsible_person": "局长", "report_content": "结果"}
        return desk.call("POST", f"/tasks/{task}/complete", people[place], {"data": data})

    answers = at_once(2, dispatch)

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    first = [answer.status_code for answer in answers].index(200)
    refusal = Refusal.of(answers[1 - first])
    assert refusal.slug == "task-not-open"
    assert refusal.facts["completed_by"] == people[first]
    assert refusal.facts["completed_at"] == "2026-03-02T01:00:00Z"
    # It says in words who did it and when.
    assert people[first] in refusal.detail and "9:00" in refusal.detail
    assert matter.shown()["lead_unit"] == units[first]
    completed = [e for e in matter.events("task_completed") if e["payload"]["task"] == task]
    assert [e["actor"] for e in completed] == [people[first]]
    assert len(matter.events("case_dispatched")) == 1
    assert matter.is_proven()


def test_case_27_a_request_sent_twice_has_one_effect_and_the_same_answer(desk: Desk) -> None:
    def matter_moves_on() -> None:
        # A later answer must be the former one all the same.
        for case in desk.read("/cases", "auditor")["items"]:
            if case["status"] == "in_progress":
                Matter(desk, case["id"]).ask("urge", "supervisor", text="请抓紧")

    def twice(path: str, by: str, body: object, key: str) -> Any:  # noqa: ANN401 -- JSON
        first = desk.call("POST", path, by, body, Idempotency_Key=key)
        matter_moves_on()
        again = desk.call("POST", path, by, body, Idempotency_Key=key)
        assert first.status_code in (200, 201), first.text
        assert (again.status_code, again.json) == (first.status_code, first.json)
        assert again.headers["Idempotency-Replayed"] == "true"
        return first.json

    case = twice("/cases", "registrar", REGISTRATION, "r-1")
    matter = Matter(desk, case["id"])
    approval = matter.task("approve_registration")["id"]
    done = {"data": {"decision": "approve"}}
    twice(f"/tasks/{approval}/complete", "office_director", done, "a-1")
    matter.dispatch().accept()
    urge = {"name": "urge", "data": {"text": "请于本周反馈"}}
    twice(f"/cases/{matter.id}/commands", "supervisor", urge, "u-1")

    assert len(desk.read("/cases")["items"]) == 1
    assert [e["actor"] for e in matter.events("task_completed")].count("office_director") == 1
    assert [u["text"] for u in matter.payloads("urged")].count("请于本周反馈") == 1
    assert matter.is_proven()


def test_case_27_six_times_at_once_it_still_has_one_effect(desk: Desk) -> None:
    def register(_: int) -> Any:  # noqa: ANN401 -- an answer
        return desk.call("POST", "/cases", "registrar", REGISTRATION, Idempotency_Key="race")

    answers = at_once(6, register)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    (case,) = desk.read("/cases")["items"]
    assert case["number"] == "督〔2026〕批示-0001"
    assert Matter(desk, case["id"]).is_proven()


def test_case_27_another_request_under_the_same_key_is_refused(desk: Desk) -> None:
    first = desk.call("POST", "/cases", "registrar", REGISTRATION, Idempotency_Key="k")
    other = {**REGISTRATION, "title": "另一件"}

    refused = Refusal.of(desk.call("POST", "/cases", "registrar", other, Idempotency_Key="k"))
    colleague = desk.call("POST", "/cases", "registrar2", other, Idempotency_Key="k")

    assert (refused.status, refused.slug) == (409, "key-reused")
    # A key is its user's own.
    assert colleague.status_code == 201
    assert len(desk.read("/cases")["items"]) == 2
    assert first.status_code == 201
