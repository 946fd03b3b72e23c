"""Nothing is read unseen: every address that gives something is classified, and says so."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

import api.app
from api.access import READS, UNRECORDED
from services.audit.access import KINDS, Access
from services.audit.tables import access_log
from services.people.signing_in import create_token
from tests.helpers.offices import Place, dispatched_case

V1 = "/api/v1"


@pytest.fixture
def app(place: Place) -> Iterator[Flask]:
    found = api.app.create_app(place.office)
    yield found
    found.extensions["duban-access"].flush()


def reading(app: Flask) -> dict[str, str]:
    """Give the rules of the API's reading endpoints by endpoint."""
    nouns = {noun.name for noun in api.app.NOUNS}
    return {
        rule.endpoint: rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in nouns
    }


def test_every_address_that_is_read_is_on_record_or_known_to_tell_nothing(app: Flask) -> None:
    for endpoint, rule in reading(app).items():
        is_recorded = endpoint in READS or "<ident:case>" in rule or "<ident:task>" in rule

        assert is_recorded != (endpoint in UNRECORDED), f"classify {endpoint} in api.access"


def test_nothing_is_classified_that_isnt_there(app: Flask) -> None:
    assert {*READS, *UNRECORDED} <= set(reading(app))
    assert {*READS.values()} <= {*KINDS}


def test_every_address_that_heeds_a_purpose_says_so(app: Flask) -> None:
    spec = app.test_client().get(f"{V1}/openapi.json").json or {}
    documented = {
        path
        for path, item in spec["paths"].items()
        if "X-Purpose" in [one.get("name") for one in item.get("get", {}).get("parameters", ())]
    }
    recorded = {
        rule.replace("<ident:", "{").replace("<int:", "{").replace("<path:", "{").replace(">", "}")
        for endpoint, rule in reading(app).items()
        if endpoint not in UNRECORDED
    }

    assert documented == recorded


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/bulletins", "bulletin"),
        ("/bulletins/drafts/2026-02", "bulletin"),
        ("/bulletins/drafts/2026-02/file", "bulletin"),
        ("/cases/export", "export"),
        ("/statistics/cases?measure=registered", "statistics"),
        ("/statistics/steps", "statistics"),
        ("/mining/figures", "statistics"),
        ("/scores?year=2026", "scores"),
        ("/rejections", "rejections"),
        ("/users", "person"),
        ("/users/registrar", "person"),
        ("/erasures", "erasures"),
        ("/cases/case-1/evidence", "evidence"),
        ("/cases/case-1/attachments", "documents"),
        ("/cases/case-1/documents", "documents"),
    ],
)
def test_bulletins_exports_scores_and_people_are_on_record(
    place: Place, app: Flask, path: str, kind: str
) -> None:
    dispatched_case(place)
    with place.office.store.transaction() as transaction:
        token = create_token(transaction.connection, "auditor", "test", place.clock.now())

    headers = {"Authorization": f"Bearer {token}", "X-Purpose": "%E5%B7%A1%E8%A7%86"}
    answer = app.test_client().get(V1 + path, headers=headers)
    app.extensions["duban-access"].flush()

    assert answer.status_code == 200, answer.text
    with place.office.store.transaction(write=False) as transaction:
        (row,) = transaction.connection.execute(access_log.select()).all()
    assert (row.user, row.kind, row.purpose) == ("auditor", kind, "巡视")
    assert row.request == f"GET {V1}{path.partition('?')[0]}"


def test_an_installation_of_the_national_algorithms_chains_its_access_log_with_sm3(
    place: Place,
) -> None:
    dispatched_case(place)
    office = replace(place.office, settings=replace(place.office.settings, proof_suite="sm3+sm2"))
    app = api.app.create_app(office)
    with place.office.store.transaction() as transaction:
        now = place.clock.now()
        tokens = {
            user: create_token(transaction.connection, user, "test", now)
            for user in ("auditor", "contact.2")
        }

    def ask(user: str) -> int:
        headers = {"Authorization": f"Bearer {tokens[user]}"}
        return app.test_client().get(f"{V1}/cases/case-1", headers=headers).status_code

    assert ask("contact.2") == 404
    assert ask("auditor") == 200
    app.extensions["duban-access"].flush()

    with place.office.store.transaction(write=False) as transaction:
        rows = transaction.connection.execute(access_log.select().order_by(access_log.c.id)).all()
    assert [row.kind for row in rows] == ["denied", "case"]
    assert all(row.hash.startswith("sm3:") for row in rows)


def test_what_waits_when_a_server_stops_in_order_is_written(place: Place) -> None:
    from api.server import Server  # noqa: PLC0415 -- gunicorn reads the process's own settings

    server = Server(place.office.settings, host="127.0.0.1", port=0, workers=1, now=None)
    log = server.load().extensions["duban-access"]
    at = place.clock.now()
    log.note(Access(at=at, user="auditor", kind="case", request="GET /last", case="case-1"))

    server._on_exit(None, None)

    with place.office.store.transaction(write=False) as transaction:
        (row,) = transaction.connection.execute(access_log.select()).all()
    assert row.request == "GET /last"
