"""The OpenAPI document: valid, complete, and true — every answer conforms, none is a 5xx."""

import shutil
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.config import SchemathesisConfig

from api.app import create_app
from engine import SetClock
from services.office import build_office
from services.settings import Settings
from tests.contract.conftest import START, Service

USERS = ("registrar", "admin", "office_director", "supervisor", "designer", "auditor", "head.1")
EXAMPLES = 12
CHECKS = {
    # What is right may still be refused: 412 for a random If-Match, 404 for a random id, 403 for
    # who may not, 409 for what the case doesn't allow now, 422 for what only its form knows, 429.
    "positive_data_acceptance": {
        "expected-statuses": ["2xx", "3xx", 401, 403, 404, 406, 409, 412, 415, 422, 429]
    },
    # Some endpoints say no before they look at the input.
    "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 406, 409, 412, 415, 422]},
}

_known: dict[str, list[str]] = {}
_asking = cycle(USERS)


@pytest.fixture(scope="module")
def living(
    template: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Give one installation for all requests, with cases at several stages."""
    data, tokens = template
    place = tmp_path_factory.mktemp("living") / "data"
    shutil.copytree(data, place)
    office = build_office(Settings(data=place), SetClock(START))
    service = Service(office, create_app(office), SetClock(START), tokens)
    cases, tasks = [], []
    for element in ("approve_registration", "dispatch", "handle", "review", "answer_report"):
        case = service.registered(title=element)
        cases.append(case["id"])
        tasks.append(service.walked(case, element))
    _known.update(
        case=cases,
        task=tasks,
        user=["head.1", "handler.2"],
        unit=["u1", "u2"],
        key=["leader_instruction", "npc_suggestion"],
        incident=[f"{cases[0]}.m1", f"{cases[0]}.j1"],
        version=["1"],
        name=["process.bpmn"],
        year=["2026", "2027"],
    )
    yield service
    office.close()


@pytest.fixture(scope="module")
def document(living: Service) -> Any:  # noqa: ANN401 -- a schemathesis schema
    """Give the document that the application serves about itself."""
    config = SchemathesisConfig.from_dict({"checks": CHECKS})
    loaded = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", living.app, config=config)

    class Everybody:
        """Lets one user after the other ask."""

        def get(self, _case: schemathesis.Case[Any], _context: object) -> str:
            """Give the next user's token."""
            return living.tokens[next(_asking)]

        def set(self, case: schemathesis.Case[Any], data: str, _context: object) -> None:
            """Send it."""
            case.headers["Authorization"] = f"Bearer {data}"

    loaded.auth(refresh_interval=None)(Everybody)
    return loaded


@pytest.fixture(autouse=True)
def known_ids(document: Any) -> Iterator[None]:  # noqa: ANN401 -- a schemathesis schema
    """Put ids that exist where random ones would mostly get 404, when requests are right."""
    document.hooks.unregister_all()
    yield
    document.hooks.unregister_all()


def know_ids(_context: object, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put ids that exist where random ones would mostly get 404."""
    if not path_parameters:
        return path_parameters
    known = {
        name: _known[name][len(str(value)) % len(_known[name])]
        for name, value in path_parameters.items()
        if name in _known and len(str(value)) % 4
    }
    return {**path_parameters, **known}


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_every_answer_is_as_documented(
    document: Any,  # noqa: ANN401 -- a schemathesis schema
    living: Service,
    mode: schemathesis.GenerationMode,
) -> None:
    wrong = {}
    if mode is schemathesis.GenerationMode.POSITIVE:
        document.hook("map_path_parameters")(know_ids)
    for found in document.get_all_operations():
        operation = found.ok()
        try:
            _try(operation, mode)
        except Unsatisfiable:
            continue  # nothing wrong can be said to an operation without input
        except BaseExceptionGroup as several:
            wrong[operation.label] = "\n".join(map(str, several.exceptions))
        except AssertionError as failure:
            wrong[operation.label] = str(failure)

    assert wrong == {}, "\n\n".join(f"{label}: {said}" for label, said in wrong.items())


def _try(operation: Any, mode: Any) -> None:  # noqa: ANN401
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate()

    ask()


def test_the_document_is_valid_openapi(living: Service) -> None:
    document = living.call("GET", "/openapi.json").json

    OpenAPIV31SpecValidator(document).validate()  # type: ignore[arg-type]  # any JSON


def test_every_endpoint_is_documented(living: Service) -> None:
    document: dict[str, Any] = living.call("GET", "/openapi.json").json or {}
    documented = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (method, _as_documented(rule.rule))
        for rule in living.app.url_map.iter_rules()
        for method in (rule.methods or ())
        if rule.rule.startswith("/api/v1/") and method not in ("HEAD", "OPTIONS")
    }
    pages = {("GET", f"/api/v1/{path}") for path in ("openapi.json", "docs", "docs/{name}")}

    assert served - documented == pages


def test_every_operation_says_what_it_does(living: Service) -> None:
    document: dict[str, Any] = living.call("GET", "/openapi.json").json or {}

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                assert operation["summary"], (method, path)
                assert "application/problem+json" in str(operation) or "DEFAULT_ERROR" in str(
                    operation
                )


def _as_documented(rule: str) -> str:
    """Write a route as OpenAPI does: ``<ident:case>`` is ``{case}``."""
    parts = []
    for part in rule.split("/"):
        inner = part.strip("<>").rpartition(":")[2]
        parts.append(f"{{{inner}}}" if part.startswith("<") else part)
    return "/".join(parts)
