"""Signing in, people and units, tokens, the calendar, definitions: what belongs to no case."""

import io
from datetime import timedelta
from io import BytesIO
from typing import Any

from docx import Document
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.definitions import load_folder
from services.settings import Settings
from tests.contract.conftest import PASSWORD, Service
from tests.contract.test_requests import assert_problem, errors_of


def signed_in(service: Service, login: str, password: str = PASSWORD) -> tuple[FlaskClient, str]:
    """Give a client with the cookie of a session, and its CSRF token."""
    client = service.app.test_client()
    answer = client.post("/api/v1/session", json={"login": login, "password": password})
    assert answer.status_code == 201, answer.text
    return client, (answer.json or {})["csrf_token"]


def test_a_session_reads_with_its_cookie_and_changes_with_its_csrf_token(
    service: Service,
) -> None:
    client, csrf = signed_in(service, "head.1")
    read: dict[str, list[str]] = {"ids": []}

    assert (client.get("/api/v1/me").json or {})["id"] == "head.1"
    assert_problem(client.post("/api/v1/notices/read", json=read), 403, "csrf-missing")
    wrong = client.post("/api/v1/notices/read", json=read, headers={"X-CSRF-Token": "x"})
    assert_problem(wrong, 403, "csrf-missing")
    right = client.post("/api/v1/notices/read", json=read, headers={"X-CSRF-Token": csrf})
    assert right.status_code == 200
    assert (client.get("/api/v1/session").json or {})["csrf_token"] == csrf


def test_the_cookie_is_for_the_browser_alone(service: Service) -> None:
    answer = service.call("POST", "/session", None, {"login": "head.1", "password": PASSWORD})

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Max-Age=43200" in cookie


def test_signing_out_ends_the_session_at_once(service: Service) -> None:
    client, csrf = signed_in(service, "head.1")
    cookie = client.get_cookie("duban_session")
    assert cookie is not None

    assert_problem(client.delete("/api/v1/session"), 403, "csrf-missing")
    out = client.delete("/api/v1/session", headers={"X-CSRF-Token": csrf})
    client.set_cookie("duban_session", cookie.value)

    assert out.status_code == 204
    assert_problem(client.get("/api/v1/me"), 401, "unauthenticated")


def test_a_session_ends_after_twelve_hours(service: Service) -> None:
    client, _ = signed_in(service, "head.1")

    service.clock.set(service.clock.now() + timedelta(hours=12))
    service.app.extensions["duban-identities"].forget()

    assert_problem(client.get("/api/v1/me"), 401, "unauthenticated")


def test_too_many_failed_attempts_close_a_login_for_a_while(service: Service) -> None:
    def attempt(password: str) -> TestResponse:
        return service.call("POST", "/session", None, {"login": "head.1", "password": password})

    for _ in range(5):
        answer = attempt("wrong password")
        assert_problem(answer, 401, "login-refused")
    closed = attempt(PASSWORD)
    problem = assert_problem(closed, 429, "too-many-attempts")
    assert "09:15" in problem["detail"]
    assert int(closed.headers["Retry-After"]) == 15 * 60 + 1
    service.clock.set(service.clock.now() + timedelta(minutes=16))
    assert attempt(PASSWORD).status_code == 201


def test_a_one_time_password_has_to_be_changed_first(service: Service) -> None:
    new = {"id": "newcomer", "name": "新人", "unit": "u1", "password": "first-day-2026"}
    assert service.call("POST", "/users", "admin", new).status_code == 201
    client, csrf = signed_in(service, "newcomer", "first-day-2026")

    assert_problem(client.get("/api/v1/cases"), 403, "password-change-required")
    assert client.get("/api/v1/me").status_code == 200
    changed = client.put(
        "/api/v1/me/password",
        json={"old": "first-day-2026", "new": "second-day-2026"},
        headers={"X-CSRF-Token": csrf},
    )

    assert changed.status_code == 204
    client, _ = signed_in(service, "newcomer", "second-day-2026")
    assert client.get("/api/v1/cases").status_code == 200


def test_a_weak_password_is_refused_at_its_field(service: Service) -> None:
    client, csrf = signed_in(service, "head.1")

    answer = client.put(
        "/api/v1/me/password",
        json={"old": PASSWORD, "new": "short"},
        headers={"X-CSRF-Token": csrf},
    )

    assert errors_of(answer) == {("new", "too_short")}


def test_me_names_roles_and_actions(service: Service) -> None:
    me = service.call("GET", "/me", "auditor").json or {}

    assert me["roles"] == ["auditor"]
    assert "read_history" in me["actions"]
    assert not {"register", "urge", "manage_users"} & set(me["actions"])


def test_the_administrator_creates_and_changes_users(service: Service) -> None:
    made = service.call(
        "POST",
        "/users",
        "admin",
        {"id": "wang", "name": "王永𠮷", "unit": "u1", "roles": [{"role": "handler"}]},
    )
    token = service.call("POST", "/users/wang/tokens", "admin", {"label": "手机"})
    bearer = {"Authorization": f"Bearer {(token.json or {})['token']}"}
    me = service.client.get("/api/v1/me", headers=bearer).json or {}
    moved = service.call(
        "PATCH", "/users/wang", "admin", {"roles": [{"role": "unit_contact"}], "deputy": "head.1"}
    )
    gone = service.call("PATCH", "/users/wang", "admin", {"active": False})

    assert made.status_code == 201, made.text
    assert (me["name"], me["roles"]) == ("王永𠮷", ["handler"])
    assert (moved.json or {})["roles"] == [{"role": "unit_contact", "unit": None}]
    assert (gone.json or {})["active"] is False
    refused = service.client.get("/api/v1/me", headers=bearer)
    assert_problem(refused, 401, "unauthenticated")


def test_a_changed_role_counts_at_once(service: Service) -> None:
    before = service.call("GET", "/me", "handler.2").json or {}
    service.call("PATCH", "/users/handler.2", "admin", {"roles": [{"role": "unit_head"}]})
    after = service.call("GET", "/me", "handler.2").json or {}

    assert (before["roles"], after["roles"]) == (["handler"], ["unit_head"])


def test_only_the_administrator_manages_people(service: Service) -> None:
    new = {"id": "x", "name": "x"}

    assert_problem(service.call("POST", "/users", "leader", new), 403, "not-permitted")
    patch = service.call("PATCH", "/users/head.1", "office_director", {"active": False})
    assert_problem(patch, 403, "not-permitted")
    token = service.call("POST", "/users/mayor/tokens", "leader", {"label": "x"})
    assert_problem(token, 403, "not-permitted")
    unit = service.call("POST", "/units", "designer", {"code": "u9", "name": "x"})
    assert_problem(unit, 403, "not-permitted")


def test_wrong_users(service: Service) -> None:
    taken = service.call("POST", "/users", "admin", {"id": "head.1", "name": "x"})
    wrong = service.call(
        "POST",
        "/users",
        "admin",
        {"id": "王", "name": "王", "unit": "nowhere", "roles": [{"role": "king"}]},
    )
    typed = service.call(
        "POST", "/users", "admin", {"id": 1, "name": "x", "roles": [{"role": "admin", "x": 1}]}
    )

    assert_problem(taken, 409, "user-exists")
    assert errors_of(wrong) == {
        ("id", "not_an_identifier"),
        ("unit", "not_an_active_unit"),
        ("roles.0.role", "unknown_role"),
    }
    assert errors_of(typed) == {("id", "wrong_type"), ("roles.0.x", "unknown_field")}


def test_units_are_listed_created_renamed_and_merged(service: Service) -> None:
    made = service.call("POST", "/units", "admin", {"code": "u9", "name": "市气象局"})
    named = service.call("PATCH", "/units/u9", "admin", {"name": "市气象台"})
    merged = service.call("PATCH", "/units/u9", "admin", {"merged_into": "u3"})
    listed = service.call("GET", "/units", "head.1").json or {}

    assert made.status_code == 201
    assert (named.json or {})["name"] == "市气象台"
    assert (merged.json or {})["merged_into"] == "u3"
    assert {one["code"] for one in listed["items"]} >= {"office", "u1", "u2", "u3", "u9"}


def test_users_are_listed_page_by_page(service: Service) -> None:
    first = service.call("GET", "/users?unit=u1&limit=2", "registrar").json or {}
    rest = service.call(
        "GET", f"/users?unit=u1&limit=2&cursor={first['next_cursor']}", "registrar"
    ).json

    ids = [one["id"] for one in first["items"] + (rest or {})["items"]]
    assert ids == ["contact.1", "handler.1", "head.1"]


def test_the_calendar_is_shown_and_loaded(service: Service) -> None:
    schedule = {
        "notice": "国务院办公厅关于2027年部分节假日安排的通知",
        "published_at": "2026-11-05",
        "days": [
            {"day": "2027-01-01", "kind": "holiday"},
            {"day": "2027-01-02", "kind": "make_up"},
        ],
    }
    before = service.call("GET", "/calendar/2027", "head.1").json or {}

    loaded = service.call("PUT", "/calendar/2027", "admin", schedule)
    refused = service.call("PUT", "/calendar/2027", "leader", schedule)
    days = [{"day": "2025-01-01", "kind": "off"}]
    outside = service.call("PUT", "/calendar/2027", "admin", {**schedule, "days": days})

    assert before["revision"] == 0
    assert (loaded.json or {})["revision"] == 1, loaded.text
    assert [one["kind"] for one in (loaded.json or {})["days"]] == ["holiday", "make_up"]
    assert_problem(refused, 403, "not-permitted")
    assert errors_of(outside) == {("days.2025-01-01", "outside_year")}


def upload(service: Service, user: str, path: str, files: dict[str, bytes]) -> TestResponse:
    """Upload files under their names."""
    return service.client.post(
        f"/api/v1{path}",
        data={"files": [(io.BytesIO(content), name) for name, content in files.items()]},
        headers={"Authorization": f"Bearer {service.tokens[user]}"},
        content_type="multipart/form-data",
    )


def changed_definition() -> dict[str, bytes]:
    """Give the own files of a type, its name changed."""
    files = load_folder(Settings().definitions, "leader_instruction")
    own = {name: content for name, content in files.items() if not name.startswith("shared/")}
    changed = own["process.bpmn"].replace("领导批示".encode(), "领导批示件".encode(), 1)
    return {**own, "process.bpmn": changed}


def test_a_designer_proposes_and_another_approves(service: Service) -> None:
    looked = upload(service, "designer", "/definitions?dry_run=1", changed_definition())
    proposed = upload(service, "designer", "/definitions", changed_definition())
    path = "/definitions/leader_instruction/versions/2"
    waiting = service.registered()
    own = service.call("POST", f"{path}/approve", "designer")
    approved = service.call("POST", f"{path}/approve", "designer2")
    started = service.registered(title="新版")

    assert (looked.json or {})["ok"] is True, looked.text
    assert proposed.status_code == 201, proposed.text
    assert ((proposed.json or {})["version"], (proposed.json or {})["active"]) == (2, False)
    assert waiting["definition"]["version"] == 1
    assert_problem(own, 403, "same-person")
    assert (approved.json or {})["approved_by"] == "designer2"
    assert started["definition"]["version"] == 2


def test_a_template_that_names_what_no_case_has_is_refused_at_its_file(service: Service) -> None:
    template = Document(str(Settings().definitions / "shared/documents/reminder.docx"))
    template.paragraphs[-1].insert_paragraph_before(
        "{% if case.overdue %}{{ unit.nickname }}{% endif %}"
    )
    changed = BytesIO()
    template.save(changed)
    files = {**changed_definition(), "documents/reminder.docx": changed.getvalue()}

    looked = upload(service, "designer", "/definitions?dry_run=1", files).json or {}
    proposed = upload(service, "designer", "/definitions", files)

    (found,) = looked["findings"]
    assert (looked["ok"], found["file"]) == (False, "documents/reminder.docx")
    assert (found["rule"], found["message"]) == (
        "template_unknown_fact",
        "模板引用了不存在的内容“nickname”。",
    )
    assert_problem(proposed, 422, "invalid-definition")
    assert [e["field"] for e in (proposed.json or {})["errors"]] == ["documents/reminder.docx"]
    versions = service.call("GET", "/definitions/leader_instruction/versions", "designer")
    assert [one["version"] for one in (versions.json or {})["items"]] == [1]


def test_a_template_that_is_no_docx_is_refused_at_its_file(service: Service) -> None:
    files = {**changed_definition(), "documents/reminder.docx": b"PK no docx"}

    looked = upload(service, "designer", "/definitions?dry_run=1", files).json or {}

    assert [(f["rule"], f["file"]) for f in looked["findings"]] == [
        ("template_unfillable", "documents/reminder.docx")
    ]


def test_who_may_not_touch_definitions(service: Service) -> None:
    files = changed_definition()

    assert_problem(upload(service, "registrar", "/definitions", files), 403, "not-permitted")
    assert_problem(upload(service, "auditor", "/definitions", files), 403, "not-permitted")
    read = service.call("GET", "/definitions/leader_instruction/versions/1", "auditor")
    assert read.status_code == 200
    hidden = service.call("GET", "/definitions/leader_instruction/versions/1", "head.1")
    assert_problem(hidden, 403, "not-permitted")


def test_uploads_that_are_no_definition(service: Service) -> None:
    missing = upload(service, "designer", "/definitions", {"forms/register.json": b"{}"})
    climbing = upload(
        service, "designer", "/definitions", {**changed_definition(), "../x.json": b"{}"}
    )
    broken = upload(
        service, "designer", "/definitions", {**changed_definition(), "process.bpmn": b"<x"}
    )
    as_json = service.call("POST", "/definitions", "designer", {})

    assert ("process.bpmn", "required") in errors_of(missing)
    assert climbing.status_code == 422
    assert broken.status_code == 422, broken.text
    assert_problem(as_json, 415, "unsupported-media-type")


def test_a_file_of_a_version_is_given_as_it_was_uploaded(service: Service) -> None:
    path = "/definitions/leader_instruction/versions/1"
    version = service.call("GET", path, "designer").json or {}
    assert "shared/unit_handling.bpmn" in version["files"]

    given = service.call("GET", f"{path}/files/forms/register.json", "designer")
    missing = service.call("GET", f"{path}/files/forms/nothing.json", "designer")

    files = load_folder(Settings().definitions, "leader_instruction")
    assert given.data == files["forms/register.json"]
    assert_problem(missing, 404, "definition-not-found")


def test_the_form_that_registers_a_case_is_shown(service: Service) -> None:
    shown = service.call("GET", "/definitions/leader_instruction", "registrar").json or {}

    assert "title" in shown["form"]["schema"]["properties"]
    assert shown["data"] == {"urgency": "normal", "secrecy": "internal"}
    missing = service.call("GET", "/definitions/nothing", "registrar")
    assert_problem(missing, 404, "definition-not-found")


def test_health_and_metrics_are_for_everybody(service: Service) -> None:
    health = service.call("GET", "/health")
    service.call("GET", "/me", "leader")
    metrics = service.call("GET", "/metrics")

    assert (health.json or {})["status"] == "ok"
    assert (health.json or {})["worker"]["lag_s"] == 0
    assert 'endpoint="people.me",method="GET",status="200"' in metrics.text


def test_pages_are_served_without_anything_from_elsewhere(service: Service) -> None:
    for path in ("/", "/api/v1/docs", "/problems/deadline-passed"):
        page = service.client.get(path)
        assert page.status_code == 200
        assert page.mimetype == "text/html"
        assert "width=device-width" in page.text
        assert 'src="http' not in page.text
        assert "<script>" not in page.text
    for path in ("swagger-ui.css", "swagger-ui-bundle.js"):
        assert service.client.get(f"/api/v1/docs/{path}").status_code == 200
    assert service.client.get("/api/v1/docs/index.css").status_code == 404
    assert service.client.get("/static/docs.js").status_code == 200
    assert service.client.get("/problems/nothing").status_code == 404


def test_a_problem_page_speaks_both_languages(service: Service) -> None:
    page = service.client.get("/problems/deadline-passed").text

    assert "已过办理期限" in page
    assert "Deadline has passed" in page
    assert "{" not in page


def test_incidents_are_for_the_administrator(service: Service, case: dict[str, Any]) -> None:
    assert (service.call("GET", "/incidents", "admin").json or {})["items"] == []
    assert_problem(service.call("GET", "/incidents", "head.1"), 403, "not-permitted")
    retry = service.call("POST", f"/incidents/{case['id']}.m99/retry", "admin")
    assert_problem(retry, 409, "timer-not-open")
    unknown = service.call("POST", "/incidents/no.m1/retry", "admin")
    assert_problem(unknown, 404, "incident-not-found")


def test_refused_commands_are_kept_for_who_looks_after_the_service(
    service: Service, case: dict[str, Any]
) -> None:
    service.complete(case["open_tasks"][0]["id"], "supervisor", {"decision": "approve"})

    kept = (service.call("GET", "/rejections", "admin").json or {})["items"]

    assert [(one["user"], one["problem"]) for one in kept] == [("supervisor", "not-permitted")]
    assert_problem(service.call("GET", "/rejections", "registrar"), 403, "not-permitted")


def test_the_clock_can_only_be_set_when_it_is_a_test_clock(service: Service) -> None:
    wrong = service.call("PUT", "/test/clock", None, {"now": "2026-03-03T09:00:00"})
    assert errors_of(wrong) == {("now", "bad_instant")}
    moved = service.call("PUT", "/test/clock", None, {"now": "2026-03-03T09:00:00+08:00"})
    assert (moved.json or {})["now"] == "2026-03-03T09:00:00+08:00"


def test_the_same_request_about_people_twice_has_one_effect(service: Service) -> None:
    new, key = {"id": "wang", "name": "王"}, {"Idempotency_Key": "k1"}

    first = service.call("POST", "/users", "admin", new, **key)
    again = service.call("POST", "/users", "admin", new, **key)
    other = service.call("POST", "/users", "admin", {**new, "id": "li"}, **key)
    tokens = [
        service.call("POST", "/users/wang/tokens", "admin", {"label": "x"}, Idempotency_Key="t1")
        for _ in range(2)
    ]

    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert_problem(other, 409, "key-reused")
    assert tokens[0].json == tokens[1].json
    bearer = {"Authorization": f"Bearer {(tokens[0].json or {})['token']}"}
    assert service.client.get("/api/v1/me", headers=bearer).status_code == 200


def test_a_malformed_key_is_refused(service: Service) -> None:
    answer = service.call("POST", "/notices/read", "head.1", {"ids": []}, Idempotency_Key="x" * 121)

    assert_problem(answer, 400, "malformed-header")
