"""What is refused, and with which answer."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.contract.conftest import DISPATCH, REGISTRATION, Service


def assert_problem(answer: TestResponse, status: int, slug: str) -> dict[str, Any]:
    """Check that an answer is this problem, whole and in its media type."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.text)
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert "…" not in problem["detail"]
    assert "{" not in problem["detail"]
    return problem


def errors_of(answer: TestResponse) -> set[tuple[str, str]]:
    """Give fields and codes of an answer about wrong input."""
    assert answer.status_code == 422, answer.text
    problem = json.loads(answer.text)
    assert all(error["message"] and "…" not in error["message"] for error in problem["errors"])
    return {(error["field"], error["code"]) for error in problem["errors"]}


def test_nothing_without_signing_in(service: Service) -> None:
    answer = service.call("GET", "/cases")

    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_wrong_token_is_refused(service: Service) -> None:
    answer = service.call("GET", "/me", None, None, Authorization="Bearer dbn_wrong")

    assert_problem(answer, 401, "unauthenticated")


def test_a_case_of_another_unit_is_not_found_and_the_attempt_is_kept(
    service: Service, case: dict[str, Any]
) -> None:
    task = service.walked(case, "sign_for")
    attempts = (
        ("GET", f"/cases/{case['id']}", None),
        ("GET", f"/cases/{case['id']}/events", None),
        ("GET", f"/cases/{case['id']}/state", None),
        ("GET", f"/cases/{case['id']}/verify", None),
        ("GET", f"/tasks/{task}", None),
        ("POST", f"/tasks/{task}/complete", {"data": {"decision": "accept"}}),
        ("POST", f"/cases/{case['id']}/commands", {"name": "progress", "data": {}}),
    )

    for method, path, body in attempts:
        answer = service.call(method, path, "contact.2", body)
        assert answer.status_code == 404, (method, path, answer.text)

    denials = (service.call("GET", "/access-log", "admin").json or {})["items"]
    assert len(denials) == len(attempts)
    assert {(one["user"], one["case"]) for one in denials} == {("contact.2", case["id"])}
    assert (service.call("GET", "/cases", "contact.2").json or {})["items"] == []
    assert (service.call("GET", "/tasks", "contact.2").json or {})["items"] == []


def test_what_never_was_is_not_found(service: Service, case: dict[str, Any]) -> None:
    assert_problem(service.call("GET", "/cases/nobody", "leader"), 404, "case-not-found")
    assert_problem(service.complete("nobody.t1", "leader", {}), 404, "task-not-found")
    assert_problem(service.complete("nodot", "leader", {}), 404, "task-not-found")
    never = service.complete(f"{case['id']}.t999", "office_director", {"decision": "approve"})
    assert_problem(never, 404, "task-not-found")
    assert_problem(service.call("GET", "/nothing", "leader"), 404, "not-found")


def test_of_two_completions_at_once_one_wins(service: Service, case: dict[str, Any]) -> None:
    task = service.walked(case, "dispatch")

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda user: service.complete(task, user, DISPATCH),
                ["registrar", "registrar2"] * 4,
            )
        )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    lost = next(answer for answer in answers if answer.status_code == 409)
    problem = assert_problem(lost, 409, "task-not-open")
    assert problem["facts"]["completed_by"] in ("registrar", "registrar2")
    assert problem["facts"]["completed_by"] in problem["detail"]


def test_the_same_request_twice_has_one_effect_and_one_answer(service: Service) -> None:
    asked = {"Idempotency_Key": "once"}

    first = service.call("POST", "/cases", "registrar", REGISTRATION, **asked)
    again = service.call("POST", "/cases", "registrar", REGISTRATION, **asked)
    task = (first.json or {})["open_tasks"][0]["id"]
    done = service.complete(task, "office_director", {"decision": "approve"}, **asked)
    later = service.complete(done_task(done), "registrar", DISPATCH)
    again_done = service.complete(task, "office_director", {"decision": "approve"}, **asked)
    third = service.call("POST", "/cases", "registrar", REGISTRATION, **asked)

    assert first.status_code == again.status_code == 201
    assert first.json == again.json == third.json
    assert first.headers["Location"] == f"/api/v1/cases/{(first.json or {})['id']}"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert later.status_code == 200
    assert done.json == again_done.json
    assert len((service.call("GET", "/cases", "registrar").json or {})["items"]) == 1


def done_task(answer: TestResponse) -> str:
    """Give the task that a completion opened."""
    return str((answer.json or {})["tasks"][0]["id"])


def test_parallel_repeats_of_a_registration_have_one_effect(service: Service) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda _: service.call(
                    "POST", "/cases", "registrar", REGISTRATION, Idempotency_Key="race"
                ),
                range(6),
            )
        )

    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.json or {})["number"] for answer in answers}) == 1


def test_a_key_with_another_body_is_refused(service: Service) -> None:
    service.call("POST", "/cases", "registrar", REGISTRATION, Idempotency_Key="k")

    other = {**REGISTRATION, "title": "另一件"}
    answer = service.call("POST", "/cases", "registrar", other, Idempotency_Key="k")

    assert_problem(answer, 409, "key-reused")


def test_keys_of_two_people_are_two_keys(service: Service) -> None:
    first = service.call("POST", "/cases", "registrar", REGISTRATION, Idempotency_Key="k")
    second = service.call("POST", "/cases", "registrar2", REGISTRATION, Idempotency_Key="k")

    assert (first.json or {})["id"] != (second.json or {})["id"]


def test_numbers_have_no_gaps_under_parallel_registrations(service: Service) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: service.registered(title=f"{n}")["number"], range(16)))

    assert sorted(numbers) == [f"督〔2026〕批示-{n:04d}" for n in range(1, 17)]


def test_a_stale_etag_is_refused(service: Service, case: dict[str, Any]) -> None:
    shown = service.call("GET", f"/cases/{case['id']}", "registrar")
    task = service.walked(case, "dispatch")

    stale = service.complete(task, "registrar", DISPATCH, If_Match=shown.headers["ETag"])
    fresh = service.call("GET", f"/cases/{case['id']}", "registrar").headers["ETag"]
    right = service.complete(task, "registrar", DISPATCH, If_Match=fresh)

    assert shown.headers["ETag"] == f'"{case["seq"]}"'
    assert_problem(stale, 412, "stale-version")
    assert right.status_code == 200
    assert right.headers["ETag"] == f'"{(right.json or {})["seq"]}"'


def test_a_malformed_etag_is_refused(service: Service, case: dict[str, Any]) -> None:
    task = case["open_tasks"][0]["id"]

    answer = service.complete(task, "office_director", {"decision": "approve"}, If_Match="abc")

    assert_problem(answer, 400, "malformed-header")


def test_the_same_person_may_not_register_and_approve(service: Service) -> None:
    made = service.call("POST", "/cases", "office_director", REGISTRATION).json or {}

    answer = service.complete(
        made["open_tasks"][0]["id"], "office_director", {"decision": "approve"}
    )

    assert_problem(answer, 403, "same-person")


def test_who_may_not_is_told_why(service: Service, case: dict[str, Any]) -> None:
    answer = service.complete(case["open_tasks"][0]["id"], "supervisor", {"decision": "approve"})

    assert_problem(answer, 403, "not-permitted")
    assert_problem(service.call("POST", "/cases", "auditor", REGISTRATION), 403, "not-permitted")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"colour": "red"}, ("colour", "unknown_field")),
        ({"title": 5}, ("title", "wrong_type")),
        ({"title": "长" * 201}, ("title", "too_long")),
        ({"title": ""}, ("title", "too_short")),
        ({"content": "x" * 20_001}, ("content", "too_long")),
        ({"source_date": "2026-03-03"}, ("source_date", "in_the_future")),
        ({"source_date": "2026-02-30"}, ("source_date", "bad_date")),
        ({"source_kind": "dream"}, ("source_kind", "not_in_list")),
        ({"secrecy": "secret"}, ("secrecy", "not_in_list")),
        ({"type": "nothing"}, ("type", "unknown_type")),
        ({"type": None}, ("type", "required")),
        ({"title": "a\u0000b"}, ("title", "bad_text")),
    ],
)
def test_wrong_registrations(
    service: Service, fields: dict[str, Any], error: tuple[str, str]
) -> None:
    answer = service.call("POST", "/cases", "registrar", {**REGISTRATION, **fields})

    assert error in errors_of(answer)
    assert (service.call("GET", "/cases", "registrar").json or {})["items"] == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"lead_unit": "nowhere"}, ("lead_unit", "unknown_active_unit")),
        ({"co_units": ["u1"]}, ("co_units.0", "is_lead_unit")),
        ({"co_units": ["u2", "u2"]}, ("co_units", "not_unique")),
        ({"deadline": "2026-03-01", "deadline_reason": "x"}, ("deadline", "in_the_past")),
        ({"deadline": "2026-03-10"}, ("deadline_reason", "required")),
        ({"deadline": "2026-05-10", "deadline_reason": "x"}, ("deadline", "later_needs_director")),
        ({"deadline": "soon"}, ("deadline", "no_alternative")),
        ({"report_format": {"copies": 0}}, ("report_format.copies", "out_of_range")),
    ],
)
def test_wrong_dispatches(
    service: Service, case: dict[str, Any], fields: dict[str, Any], error: tuple[str, str]
) -> None:
    task = service.walked(case, "dispatch")
    before = service.call("GET", f"/cases/{case['id']}/events", "auditor").json

    answer = service.complete(task, "registrar", {**DISPATCH, **fields})

    assert error in errors_of(answer)
    assert service.call("GET", f"/cases/{case['id']}/events", "auditor").json == before


def test_what_a_task_needs_is_named_field_by_field(service: Service, case: dict[str, Any]) -> None:
    task = service.walked(case, "dispatch")

    answer = service.complete(task, "registrar", {})

    assert errors_of(answer) == {(field, "required") for field in DISPATCH}


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff\xfe", b"[1,", b'{"type": NaN}', b"[" * 100_000, b"nonsense"]
)
def test_broken_json(service: Service, body: bytes) -> None:
    answer = service.client.post(
        "/api/v1/cases",
        data=body,
        headers={"Authorization": f"Bearer {service.tokens['registrar']}"},
        content_type="application/json",
    )

    assert_problem(answer, 400, "broken-json")


@pytest.mark.parametrize("body", ["text", 5, [], None, True])
def test_json_of_another_kind(service: Service, body: object) -> None:
    answer = service.client.post(
        "/api/v1/cases",
        data=json.dumps(body),
        headers={"Authorization": f"Bearer {service.tokens['registrar']}"},
        content_type="application/json",
    )

    assert answer.status_code == 422, answer.text


def test_json_nested_too_deeply(service: Service) -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]

    answer = service.call("POST", "/cases", "registrar", {**REGISTRATION, "attachments": deep})

    assert "too_deep" in {code for _, code in errors_of(answer)}


@pytest.mark.parametrize("number", [10**30, -(10**30), 1e999])
def test_numbers_that_cannot_be_kept(service: Service, number: float) -> None:
    body = json.dumps({**REGISTRATION, "parent": "@"}).replace('"@"', repr(number))

    answer = service.client.post(
        "/api/v1/cases",
        data=body.replace("inf", "1e999"),
        headers={"Authorization": f"Bearer {service.tokens['registrar']}"},
        content_type="application/json",
    )

    assert ("parent", "bad_number") in errors_of(answer)


def test_a_body_of_two_megabytes_is_too_large(service: Service) -> None:
    answer = service.call("POST", "/cases", "registrar", {**REGISTRATION, "content": "x" * 2**21})

    assert_problem(answer, 413, "body-too-large")


def test_a_body_of_another_media_type(service: Service) -> None:
    answer = service.client.post(
        "/api/v1/cases",
        data="title=x",
        headers={"Authorization": f"Bearer {service.tokens['registrar']}"},
        content_type="application/x-www-form-urlencoded",
    )

    assert_problem(answer, 415, "unsupported-media-type")


def test_a_client_that_accepts_no_json(service: Service) -> None:
    answer = service.call("GET", "/me", "registrar", None, Accept="image/png")

    assert_problem(answer, 406, "not-acceptable")


def test_a_method_that_isnt_taken(service: Service) -> None:
    answer = service.call("DELETE", "/cases", "registrar")

    assert_problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", ("limit", "out_of_range")),
        ("limit=201", ("limit", "out_of_range")),
        ("limit=many", ("limit", "wrong_type")),
        ("light=blue", ("light", "not_in_list")),
        ("status=lost", ("status", "not_in_list")),
        ("cursor=abc", ("cursor", "bad_cursor")),
        ("cursor=WyJhIiwiYiJd", ("cursor", "bad_cursor")),
        ("due_before=tomorrow", ("due_before", "bad_instant")),
        ("due_before=2026-03-01T00:00:00", ("due_before", "bad_instant")),
        ("q=%00", ("q", "bad_text")),
    ],
)
def test_wrong_queries(service: Service, query: str, error: tuple[str, str]) -> None:
    answer = service.call("GET", f"/cases?{query}", "registrar")

    assert errors_of(answer) == {error}


def test_rare_characters_survive(service: Service) -> None:
    title = "关于𠮷田䶮同志来信的批示 😀"

    case = service.registered(title=title)

    assert case["title"] == title
    found = service.call("GET", "/cases?q=𠮷", "registrar").json or {}
    assert [one["title"] for one in found["items"]] == [title]
    events = service.call("GET", f"/cases/{case['id']}/events", "auditor")
    assert title in events.get_data(as_text=True)


def test_answers_speak_the_readers_language(service: Service) -> None:
    chinese = service.call("GET", "/cases/nobody", "leader")
    english = service.call("GET", "/cases/nobody", "leader", None, Accept_Language="en-GB,en")
    french = service.call("GET", "/cases/nobody", "leader", None, Accept_Language="fr")

    assert (chinese.json or {})["title"] == (french.json or {})["title"] == "没有该事项"
    assert (english.json or {})["title"] == "No such case"


def test_an_unexpected_failure_says_nothing_but_a_number(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("api.people.count_unread", fail)

    answer = service.call("GET", "/me", "leader", None, X_Request_ID="request-0001")

    problem = assert_problem(answer, 500, "internal-error")
    assert problem["facts"]["id"] == "request-0001"
    assert "secret" not in answer.text
    assert answer.headers["X-Request-ID"] == "request-0001"


def test_every_answer_carries_its_headers(service: Service) -> None:
    for path in ("/", "/api/v1/docs", "/api/v1/health", "/api/v1/nothing"):
        answer = service.client.get(path)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Request-ID"]
