"""Wrong input at every address: an answer in the reader's language that names what to mend."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.contract.conftest import Service

CHINESE = re.compile("[\u4e00-\u9fff]")
QUOTED = re.compile('[\u201c"].*?[\u201d"]')
WRONG_VALUES = (None, -1, "x" * 30_000, ["x"], {"a": 1}, "2026-13-45", "2026-03-01T00:00:00", "\0")
WRONG_QUERIES = ("", "x", "-1", "2026-13-45", "2026-03-01T00:00:00", "%00", "9" * 30)
BROKEN = ((b"{", "application/json"), (b"[1]", "application/json"), (b"a=b", "text/plain"))
SAYS_ITSELF = frozenset({"sheet-unreadable", "invalid-definition"})
"""Problems of a whole file: no field of it is to blame."""


def operations(service: Service) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Give method, path, fields of the body and names of query parameters of every address."""
    described = json.loads(service.client.get("/api/v1/openapi.json").text)
    schemas = described["components"]["schemas"]
    for path, item in described["paths"].items():
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
            said = item[method]
            content = said.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
            asked = [*item.get("parameters", []), *said.get("parameters", [])]
            queries = [one["name"] for one in asked if one.get("in") == "query"]
            yield method, path.removeprefix("/api/v1"), list(schema.get("properties", {})), queries


def complaints(answer: TestResponse, language: str) -> Iterator[str]:
    """Name what a person would miss in an answer."""
    if answer.status_code < 400:
        return
    if answer.status_code >= 500 or answer.mimetype != "application/problem+json":
        yield f"{answer.status_code} {answer.mimetype}"
        return
    problem: dict[str, Any] = json.loads(answer.text)
    names_a_field = problem["errors"] or problem["type"].rpartition("/")[2] in SAYS_ITSELF
    if problem["status"] == 422 and not names_a_field:
        yield "no field is named"
    said = [problem["title"], problem["detail"], *(one["message"] for one in problem["errors"])]
    for sentence in said:
        own_words = QUOTED.sub("", sentence)
        if bool(CHINESE.search(own_words)) is not (language == "zh"):
            yield f"not in the reader's language: {sentence}"
        if not sentence or "…" in sentence or "{" in sentence:
            yield f"a gap: {sentence}"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("user", ["registrar", "admin"])
def test_wrong_input_is_answered_in_the_readers_words_everywhere(
    service: Service, case: dict[str, Any], user: str, language: str
) -> None:
    known = {"case": case["id"], "task": case["open_tasks"][0]["id"]}
    headers = {"Authorization": f"Bearer {service.tokens[user]}", "Accept-Language": language}
    wrong = []
    for method, path, fields, queries in operations(service):
        address = "/api/v1" + re.sub(r"{(\w+)}", lambda m: known.get(m[1], "nobody"), path)
        asked: list[dict[str, Any]] = [
            {"path": f"{address}?{name}={value}"} for name in queries for value in WRONG_QUERIES
        ]
        if method != "get":
            asked += [{"json": dict.fromkeys(fields, value)} for value in WRONG_VALUES]
            asked += [{"data": data, "content_type": kind} for data, kind in BROKEN]
            asked += [{"json": {}}, {"json": {"nope": 1}}]
        for one in asked:
            answer = service.client.open(**{"path": address, **one}, method=method, headers=headers)
            wrong += [(method, path, str(one)[:80], what) for what in complaints(answer, language)]
    assert wrong == []


@pytest.mark.parametrize(
    ("headers", "status", "slug"),
    [
        ({"If_Match": '"99"'}, 412, "stale-version"),
        ({"If_Match": "yesterday"}, 400, "malformed-header"),
        ({"Idempotency_Key": "x" * 121}, 400, "malformed-header"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_wrong_headers_are_answered_in_the_readers_words(
    *,
    service: Service,
    case: dict[str, Any],
    headers: dict[str, str],
    status: int,
    slug: str,
    language: str,
) -> None:
    task = case["open_tasks"][0]["id"]

    answer = service.complete(
        task, "office_director", {"decision": "approve"}, Accept_Language=language, **headers
    )

    assert answer.status_code == status, answer.text
    assert json.loads(answer.text)["type"] == f"/problems/{slug}"
    assert list(complaints(answer, language)) == []
