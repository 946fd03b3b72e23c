"""The HTTP application: blueprints, OpenAPI, limits, request ids, access log, headers."""

import re
import secrets
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from flask.json.provider import DefaultJSONProvider

from api.attachments import attachments
from api.audit import audit
from api.bulletins import bulletins
from api.calendar import calendar
from api.cases import cases
from api.context import idempotency_key, now, office
from api.definitions import MAX_UPLOAD_BYTES, definitions
from api.disputes import disputes
from api.documents import documents
from api.erasures import erasures
from api.evidence import evidence
from api.figures import figures
from api.identity import PREFIX, require_identity
from api.ledger import ledger
from api.migration import migration
from api.mining import mining
from api.notifications import notifications
from api.openapi import SECURITY_SCHEMES, Api, Ident
from api.pages import pages
from api.people import people
from api.problems import BodyTooLarge, NotAcceptable, WrongMediaType, handle_problems
from api.relations import relations
from api.replay import replay
from api.scores import scores
from api.service import Metrics, service
from api.sessions import sessions
from api.statistics import statistics
from api.tasks import tasks
from api.whatif import whatif
from api.worker import Sweeper
from services.office import Office

MAX_JSON_BYTES = 1_000_000
REQUEST_ID_HEADER = "X-Request-ID"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

NOUNS = (
    sessions,
    people,
    cases,
    ledger,
    relations,
    tasks,
    attachments,
    documents,
    audit,
    replay,
    evidence,
    erasures,
    definitions,
    whatif,
    statistics,
    figures,
    bulletins,
    scores,
    disputes,
    calendar,
    migration,
    mining,
    notifications,
    service,
)

_BODIES = frozenset({"POST", "PUT", "PATCH"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

access = structlog.get_logger("duban.access")


class Json(DefaultJSONProvider):
    """Answers are UTF-8, compact, in the order of their schemas."""

    ensure_ascii = False
    sort_keys = False
    compact = True


def create_app(installation: Office, sweeper: Sweeper | None = None) -> Flask:
    """Make the application of an installation.

    Parameters
    ----------
    sweeper : what sweeps for due timers in this process; `None` makes one that only sweeps when
        the test clock is set.
    """
    app = Flask("api", static_folder="static", static_url_path="/static")
    app.json = Json(app)
    app.url_map.converters["ident"] = Ident
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_JSON_BYTES,
        API_TITLE="督办 duban",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        API_SPEC_OPTIONS={
            "security": [{"token": []}, {"session": []}],
            "components": {"securitySchemes": SECURITY_SCHEMES},
        },
    )
    app.extensions["duban"] = installation
    app.extensions["duban-sweeper"] = sweeper or Sweeper(installation)
    app.extensions["duban-metrics"] = Metrics()
    app.before_request(_begin)
    require_identity(app)
    app.before_request(_check_headers)
    app.after_request(_end)
    handle_problems(app)
    api = Api(app)
    api.register_converter(Ident, _describe_ident)
    for noun in NOUNS:
        api.register_blueprint(noun)
    app.register_blueprint(pages)
    return app


def _describe_ident(_converter: Any) -> dict[str, str]:  # noqa: ANN401 -- werkzeug's
    return {"type": "string", "pattern": f"^{Ident.regex}$"}


def _begin() -> None:
    g.began = perf_counter()
    given = request.headers.get(REQUEST_ID_HEADER, "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    now()
    limit = request.max_content_length = _limit_bytes()
    if (request.content_length or 0) > limit:
        raise BodyTooLarge(limit_bytes=limit)


def _limit_bytes() -> int:
    if request.endpoint == "attachments.take":
        return office().intake.limit_bytes + MAX_JSON_BYTES
    return MAX_JSON_BYTES if _takes_json() else MAX_UPLOAD_BYTES


def _takes_json() -> bool:
    body = _documented().get("manual_doc", {}).get("requestBody", {})
    return "application/json" in body.get("content", ["application/json"])


def _answers_json() -> bool:
    answers = _documented().get("response", {}).get("responses", {})
    return all(one["content_type"] is None for some in answers.values() for one in some)


def _documented() -> dict[str, Any]:
    """Give what the endpoint says about itself."""
    view = current_app.view_functions.get(request.endpoint or "")
    found: dict[str, Any] = getattr(view, "_apidoc", {})
    return found


def _check_headers() -> None:
    if not request.path.startswith(PREFIX) or request.endpoint is None:
        return
    if "person" in g:
        idempotency_key()
    has_body = request.method in _BODIES and bool(request.content_length)
    if has_body and _takes_json() and not request.is_json:
        raise WrongMediaType(expected="application/json")
    is_json = _answers_json() and not request.endpoint.startswith("pages.")
    accepted = request.accept_mimetypes
    if is_json and accepted and not accepted.best_match(["application/json"]):
        raise NotAcceptable(offered="application/json")


def _end(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers[REQUEST_ID_HEADER] = g.get("request_id", "")
    if request.path.startswith(PREFIX):
        response.headers.setdefault("Cache-Control", "no-store")
    _note(response)
    return response


def _note(response: Response) -> None:
    seconds = perf_counter() - g.get("began", perf_counter())
    person = g.get("person")
    _metrics().answered(request.method, request.endpoint or "none", response.status_code, seconds)
    access.info(
        "request",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        user=None if person is None else person.id,
        address=request.remote_addr,
        request_id=g.get("request_id"),
    )


def _metrics() -> Metrics:
    found: Metrics = current_app.extensions["duban-metrics"]
    return found
