"""Refusals as HTTP answers: family to status, slug to problem+json (RFC 9457), in words.

Nothing but this module knows the numbers. Anything raised that is no `Problem` is a bug: 500, a
number to tell the administrator, no details.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar
from urllib.parse import parse_qs

import structlog
from flask import Flask, Response, g, request
from flask.json import dumps
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    MethodNotAllowed,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.exceptions import NotFound as NoSuchPage

from api.context import now, office, reader
from engine import Conflict, FieldError, Forbidden, Invalid, NotFound, Problem, Refused
from engine.errors import CaseExists, CaseNotFound, KeyReused, TaskNotFound
from engine.records import Json
from engine.store import StoreUnavailable
from services.audit.access import note_denied
from services.cases import queries as cases
from services.people.errors import LoginRefused, TooManyAttempts, UnitExists, UserExists
from services.tasks.queries import case_of

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger("duban")


class HttpProblem(Problem):
    """Raised when a request is wrong before anybody looks at what it asks."""

    slug = "bad-request"
    status: ClassVar[int] = 400


class BrokenJson(HttpProblem):
    """Raised when a body that should be JSON isn't."""

    slug = "broken-json"


class MalformedHeader(HttpProblem):
    """Raised when a header can't be read."""

    slug = "malformed-header"


class Unauthenticated(HttpProblem):
    """Raised when nobody is signed in, or a token isn't good (any more)."""

    slug = "unauthenticated"
    status = 401


class CsrfMissing(HttpProblem):
    """Raised when a change comes with the session cookie alone."""

    slug = "csrf-missing"
    status = 403


class PasswordChangeRequired(HttpProblem):
    """Raised when somebody who signed in with a one-time password asks for anything else first."""

    slug = "password-change-required"
    status = 403


class UnsupportedMethod(HttpProblem):
    """Raised when an address doesn't take this method."""

    slug = "method-not-allowed"
    status = 405


class NotAcceptable(HttpProblem):
    """Raised when the client accepts nothing that this address can answer with."""

    slug = "not-acceptable"
    status = 406


class BodyTooLarge(HttpProblem):
    """Raised when a body is larger than the limit."""

    slug = "body-too-large"
    status = 413


class WrongMediaType(HttpProblem):
    """Raised when a body has another media type than this address takes."""

    slug = "unsupported-media-type"
    status = 415


class InternalError(HttpProblem):
    """Raised when something unexpected happened; the log has it under `id`."""

    slug = "internal-error"
    status = 500


class Unavailable(HttpProblem):
    """Raised when the database is busy or away; a retry may do."""

    slug = "unavailable"
    status = 503


class TestClockOff(Refused):
    """Raised when the clock is to be set and runs by itself."""

    __test__ = False
    slug = "test-clock-off"


_FAMILIES: tuple[tuple[type[Problem], int], ...] = (
    (LoginRefused, 401),
    (TooManyAttempts, 429),
    # Conflicts that reading again can't mend.
    (KeyReused, 409),
    (CaseExists, 409),
    (UserExists, 409),
    (UnitExists, 409),
    (Refused, 409),
    (Invalid, 422),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 412),
)

_SPELLINGS = {"maximum": "max", "minimum": "min"}
"""Facts of field errors that say the same under another name."""

RETRY_AFTER_S = 1
UNPROCESSABLE = 422


def status_of(kind: type[Problem]) -> int | None:
    """Give the HTTP status of a problem; `None` for one that nobody should ever see."""
    if issubclass(kind, HttpProblem):
        return kind.status
    return next((status for family, status in _FAMILIES if issubclass(kind, family)), None)


def document(problem: Problem, status: int) -> dict[str, Json]:
    """Give a problem as the reader sees it."""
    words = reader().problem(problem.slug, problem.facts)
    shown: dict[str, Json] = {
        "type": f"/problems/{problem.slug}",
        "title": words.title,
        "status": status,
        "detail": words.detail,
        "errors": [_field(error) for error in problem.fields]
        if isinstance(problem, Invalid)
        else [],
        "request_id": g.get("request_id"),
    }
    if problem.facts:
        shown["facts"] = problem.facts
    return shown


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Give a problem as an HTTP answer."""
    status = status_of(type(problem))
    if status is None:
        return answer(_internal(problem))
    response = Response(
        dumps(document(problem, status)), status, dict(headers or {}), mimetype=MEDIA_TYPE
    )
    response.content_language = reader().language
    response.vary.add("Accept-Language")
    match problem:
        case Unauthenticated() | LoginRefused():
            response.headers["WWW-Authenticate"] = 'Bearer realm="duban"'
        case Unavailable():
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        case TooManyAttempts():
            response.headers["Retry-After"] = str(_seconds_until(problem.facts["retry_at"]))
        case _:
            pass
    return response


def within(problem: Problem) -> dict[str, Json]:
    """Give a problem of one among many, as a part of the answer to all of them.

    Raises
    ------
    Problem : it is one that nobody should ever see, so all of them failed.
    """
    status = status_of(type(problem))
    if status is None:
        raise problem
    if isinstance(problem, (CaseNotFound, TaskNotFound)):
        _note_denied(problem)
    return document(problem, status)


def handle_problems(app: Flask) -> None:
    """Answer everything that a request can raise with a problem."""
    app.register_error_handler(Problem, _on_problem)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(Exception, _on_bug)


def field_errors(messages: Json, path: str = "") -> list[FieldError]:
    """Turn marshmallow's messages, which are codes such as ``too_long?max=200``, into errors."""
    if isinstance(messages, dict):
        return [
            error
            for name, below in messages.items()
            for error in field_errors(below, _join(path, name))
        ]
    errors = []
    for message in messages if isinstance(messages, list) else [messages]:
        code, _, facts = str(message).partition("?")
        given: dict[str, Json] = {name: values[0] for name, values in parse_qs(facts).items()}
        errors.append(FieldError(path, code, given))
    return errors


def _join(path: str, name: object) -> str:
    if name == "_schema":
        return path
    return f"{path}.{name}" if path else str(name)


def _field(error: FieldError) -> dict[str, Json]:
    facts = {_SPELLINGS.get(name, name): value for name, value in error.facts.items()}
    plain = FieldError(error.field, error.code.replace("-", "_"), facts)
    message = facts.get("said") or reader().field(plain)
    return {"field": plain.field, "code": plain.code, "message": message}


def _on_problem(problem: Problem) -> Response:
    if isinstance(problem, (CaseNotFound, TaskNotFound)):
        _note_denied(problem)
    if status_of(type(problem)) is None:
        return _on_bug(problem)
    return answer(problem)


def _note_denied(problem: CaseNotFound | TaskNotFound) -> None:
    person = g.get("person")
    case = problem.facts.get("case") or case_of(str(problem.facts.get("task", "")))
    if person is None or not case:
        return
    with office().store.transaction(write=False) as transaction:
        if not cases.exists(transaction.connection, case):
            return
    with office().store.transaction() as transaction:
        asked, algorithm = f"{request.method} {request.path}", office().hash_algorithm
        note_denied(transaction, case, person.id, asked, now(), algorithm=algorithm)


def _on_http(error: HTTPException) -> Response:
    problem, headers = _of_http(error)
    return answer(problem, headers)


def _of_http(error: HTTPException) -> tuple[Problem, dict[str, str]]:
    headers: dict[str, str] = {}
    problem: Problem
    match error:
        case MethodNotAllowed():
            allowed = sorted(error.valid_methods or ())
            problem = UnsupportedMethod(method=request.method, allowed=allowed)
            headers["Allow"] = ", ".join(allowed)
        case RequestEntityTooLarge():
            problem = BodyTooLarge(limit_bytes=request.max_content_length or 0)
        case UnsupportedMediaType():
            problem = WrongMediaType(expected="application/json")
        case NoSuchPage():
            problem = NotFound()
        case BadRequest():
            problem = BrokenJson()
        case _ if error.code == UNPROCESSABLE:
            messages = getattr(error, "data", {}).get("messages", {})
            wrong = [found for below in messages.values() for found in field_errors(below)]
            problem = Invalid(wrong)
        case _:
            problem = _internal(error)
    return problem, headers


def _on_bug(error: Exception) -> Response:
    if isinstance(error, StoreUnavailable):
        log.warning("unavailable", error=repr(error))
        return answer(Unavailable())
    return answer(_internal(error))


def _internal(error: Exception) -> InternalError:
    log.error("internal_error", request_id=g.get("request_id"), exc_info=error)
    return InternalError(id=g.get("request_id"))


def _seconds_until(instant: Json) -> int:
    left = datetime.fromisoformat(str(instant)) - now()
    return max(1, int(left.total_seconds()) + 1)
