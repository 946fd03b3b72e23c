import pytest

from tests.unit.bulletins.conftest import Desk
from tests.unit.statistics.door import Door


@pytest.fixture
def door(first_quarter: Desk) -> Door:
    return Door(first_quarter.place, "supervisor", "leader", "registrar", "contact.11", "deputy.1")


def test_a_bulletin_is_data(door: Door) -> None:
    found = door.get("/bulletins/drafts/2026-Q1").json

    assert (found["title"], found["whole"]["new"], found["whole"]["open"]) == (
        "2026年第一季度督查工作通报",
        5,
        3,
    )
    assert found["whole"]["rates"][0] == {
        "key": "closing_rate",
        "count": 1,
        "of": 5,
        "percent": 20.0,
    }
    assert door.get("/bulletins/drafts/2026-Q1?as_of=2026-03-02").json["whole"]["closed"] == 0
    assert door.get("/bulletins/drafts/2026-Q9").status_code == 422


def test_a_bulletin_is_issued_once_and_kept(door: Door) -> None:
    issued = door.send("POST", "/bulletins", "supervisor", {"period": "2026-Q1"}, "k-1")
    again = door.send("POST", "/bulletins", "supervisor", {"period": "2026-Q1"}, "k-2")

    assert issued.status_code == 201, issued.text
    assert again.json == issued.json
    assert door.get("/bulletins").json["items"] == [issued.json]
    for form, beginning in (("pdf", b"%PDF"), ("docx", b"PK")):
        path = f"/bulletins/{issued.json['id']}/file?format={form}"
        assert door.get(path).data.startswith(beginning)
        assert door.get(f"/bulletins/drafts/2026-Q1/file?format={form}").data.startswith(beginning)
    assert door.get("/bulletins/nothing/file").status_code == 404


def test_a_year_that_isnt_over_has_no_report_yet(door: Door) -> None:
    assert door.send("POST", "/bulletins", "supervisor", {"period": "2026"}).status_code == 409


@pytest.mark.parametrize("user", ["contact.11", "deputy.1"])
def test_bulletins_of_the_whole_office_are_for_the_office(door: Door, user: str) -> None:
    for path in ("/bulletins", "/bulletins/drafts/2026", "/bulletins/drafts/2026/file"):
        assert door.get(path, user).status_code == 403


def test_only_who_reviews_issues_bulletins(door: Door) -> None:
    for user in ("registrar", "leader", "contact.11"):
        answer = door.send("POST", "/bulletins", user, {"period": "2026-Q1"})
        assert answer.status_code == 403
