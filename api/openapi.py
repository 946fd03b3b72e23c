"""How requests are read and described: strict JSON, path ids, problem+json in OpenAPI 3.1."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

import flask_smorest
from flask import Request
from flask_smorest.utils import prepare_response
from webargs.core import missing
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter

from api.access import PURPOSE_PARAMETER, heeds_purpose
from api.problems import MEDIA_TYPE, BrokenJson
from api.schemas import Problem
from engine import FieldError, Invalid
from engine.records import Json

View = Callable[..., Any]

MAX_DEPTH = 24
MAX_INTEGER = 2**53 - 1
_UNSOUND = re.compile("[\ud800-\udfff\0]")
_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"

KEY_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same request again under the same key has one effect and one answer.",
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{1,120}$"},
}
MATCH_PARAMETER = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "description": "The case's `seq` as last seen; 412 when it has moved on since.",
    "schema": {"type": "string", "pattern": r'^"?[0-9]{1,9}"?$'},
}
SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "duban_session"},
}


class Ident(BaseConverter):
    """An id in a path: letters, digits and ``. _ -``."""

    regex = _ID


class StrictParser(FlaskParser):
    """Reads bodies as JSON that can be kept and hashed, nothing else."""

    def _raw_load_json(self, req: Request) -> Any:  # noqa: ANN401 -- any JSON
        raw = req.get_data(cache=True)
        return read_json(raw) if raw or req.is_json else missing


class Noun(flask_smorest.Blueprint):
    """The endpoints about one thing."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, module: str, description: str) -> None:
        super().__init__(name, module, url_prefix="/api/v1", description=description)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:  # noqa: ANN401 -- Flask's
        """Register a view; one whose reading goes on record says that it heeds a purpose."""
        register: Callable[[View], View] = super().route(rule, **options)

        def decorate(view: View) -> View:
            if "GET" in options["methods"] and heeds_purpose(f"{self.name}.{view.__name__}", rule):
                documented = getattr(view, "_apidoc", {}).get("manual_doc", {})
                own = documented.get("parameters", ())
                others = [one for one in own if one["name"] != PURPOSE_PARAMETER["name"]]
                parameters = [*others, PURPOSE_PARAMETER]
                return register(self.doc(parameters=parameters)(view))
            return register(view)

        return decorate


class Api(flask_smorest.Api):
    """Errors are documented as what they are: problem+json."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """Leave errors to `api.problems`."""

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            response: dict[str, Any] = {"description": status.phrase}
            if status >= HTTPStatus.BAD_REQUEST:
                response["schema"] = self.ERROR_SCHEMA
            prepare_response(response, self.spec, MEDIA_TYPE)
            self.spec.components.response(status.name, response, lazy=True)
        response = {"description": "A problem.", "schema": self.ERROR_SCHEMA}
        prepare_response(response, self.spec, MEDIA_TYPE)
        self.spec.components.response("DEFAULT_ERROR", response, lazy=True)


def read_json(raw: bytes) -> Json:
    """Read a body.

    Raises
    ------
    BrokenJson : it isn't JSON in UTF-8.
    Invalid : it is nested too deeply, or has numbers or text that can't be kept exactly.
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BrokenJson from None
    errors: list[FieldError] = []
    for path, depth, part in _parts(value):
        if depth > MAX_DEPTH:
            errors.append(FieldError(path, "too_deep"))
            break
        if isinstance(part, str) and _UNSOUND.search(part):
            errors.append(FieldError(path, "bad_text"))
        elif isinstance(part, (int, float)) and not _is_sound(part):
            errors.append(FieldError(path, "bad_number"))
    if errors:
        raise Invalid(errors)
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _parts(value: Json, path: str = "", depth: int = 1) -> Iterator[tuple[str, int, Json]]:
    """Walk through a value, its keys included."""
    yield path, depth, value
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for name, below in value.items():
            if _UNSOUND.search(name):
                yield path, depth, name
            else:
                yield from _parts(below, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from _parts(below, f"{path}.{place}" if path else str(place), depth + 1)


def _is_sound(number: float) -> bool:
    return abs(number) <= MAX_INTEGER if isinstance(number, int) else math.isfinite(number)
