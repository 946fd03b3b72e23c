"""Duplicates are suggested, families and promises are shown, to who may see them."""

from typing import Any

import pytest

from tests.contract.conftest import REGISTRATION, Service
from tests.contract.test_requests import assert_problem

LETTER = {"source_kind": "letter", "source_number": "信〔2026〕18号"}


def register(service: Service, title: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 -- a form
    answer = service.call("POST", "/cases", "registrar", REGISTRATION | {"title": title} | more)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json or {}
    return found


def read(service: Service, path: str, user: str = "registrar") -> dict[str, Any]:
    answer = service.call("GET", path, user)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json or {}
    return found


@pytest.fixture
def first(service: Service) -> dict[str, Any]:
    return register(service, "赵家村耕地被占补偿问题", **LETTER)


def test_a_duplicate_is_found_before_it_is_registered(
    service: Service, first: dict[str, Any]
) -> None:
    source = "source_kind=letter&source_number=信(2026)18号"
    (found,) = read(service, f"/duplicates?title=关于赵家村耕地被占补偿的问题&{source}")["items"]

    assert (found["id"], found["number"], found["same_source"]) == (
        first["id"],
        first["number"],
        True,
    )
    assert found["score"] > found["title_likeness"] > 0.5


def test_a_case_is_never_its_own_duplicate(service: Service, first: dict[str, Any]) -> None:
    second = register(service, "赵家村耕地被占补偿问题", **LETTER)

    def suggested(case: dict[str, Any], user: str) -> list[str]:
        return [
            one["id"] for one in read(service, f"/cases/{case['id']}/duplicates", user)["items"]
        ]

    assert suggested(first, "registrar") == [second["id"]]
    assert suggested(second, "registrar") == [first["id"]]


def test_a_unit_is_told_of_no_case_it_may_not_see(service: Service, first: dict[str, Any]) -> None:
    asked = read(service, "/duplicates?title=赵家村耕地被占补偿问题", "contact.1")
    refused = service.call("GET", f"/cases/{first['id']}/duplicates", "contact.1")

    assert asked["items"] == []
    assert_problem(refused, 404, "case-not-found")


def test_a_family_counts_the_cases_below(service: Service, first: dict[str, Any]) -> None:
    child = register(service, "赵家村道路硬化", parent=first["id"])

    above = read(service, f"/cases/{first['id']}/family")
    below = read(service, f"/cases/{child['id']}/family")

    assert (above["children"], above["open"], above["parent"]) == (1, 1, None)
    assert below["parent"] == first["id"]
    assert above["issuers"] == [first["issuer"]]


def test_nothing_is_promised_yet(service: Service) -> None:
    for kept in ("no", "yes", "all"):
        assert read(service, f"/commitments?kept={kept}", "supervisor") == {"items": []}
    wrong = service.call("GET", "/commitments?kept=maybe", "supervisor")
    assert_problem(wrong, 422, "invalid")


def test_looking_for_duplicates_is_a_search_on_record(service: Service) -> None:
    read(service, "/duplicates?title=赵家村耕地被占补偿问题", "contact.1")

    (look,) = read(service, "/access-log?kind=search", "auditor")["items"]

    assert (look["user"], look["subject"]) == ("contact.1", "赵家村耕地被占补偿问题")
