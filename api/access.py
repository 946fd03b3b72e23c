"""Put on record who reads what, and ask auditors and administrators why they look at some cases.

Every ``GET`` that names a case or a task goes on record, whichever endpoint it is; others do when
`READS` has them. A case needs a purpose when its type is one of the settings' or an accountability
referral of it is open; the purpose comes in the header ``X-Purpose``, percent-encoded as UTF-8
where it isn't ASCII, and stands in the access log.
"""

import re
from http import HTTPStatus
from urllib.parse import unquote

from flask import Flask, Response, current_app, g, request

from api.context import malformed, now, person, reading
from api.problems import HttpProblem
from services.audit.access import LONGEST, Access, AccessLog
from services.audit.queries import needs_purpose
from services.cases.queries import is_visible
from services.office import Office
from services.people.roles import Role
from services.permissions import visible_cases
from services.tasks.queries import case_of

PURPOSE_HEADER = "X-Purpose"
_PLAIN = r"^[\x21-\x7e]{1,600}$"
PURPOSE_PARAMETER = {
    "in": "header",
    "name": PURPOSE_HEADER,
    "required": False,
    "description": "Why you look, percent-encoded; some cases need it of auditors (403).",
    "schema": {"type": "string", "pattern": _PLAIN},
}

READS = {
    "audit.show_accesses": "access_log",
    "audit.show_incidents": "incidents",
    "audit.show_rejections": "rejections",
    "audit.verify_office": "verification",
    "audit.verify_accesses": "access_log",
    "audit.show_events": "history",
    "audit.show_state": "state",
    "audit.verify": "verification",
    "attachments.show": "documents",
    "attachments.show_of_case": "documents",
    "bulletins.show": "bulletin",
    "bulletins.show_draft": "bulletin",
    "bulletins.show_file": "bulletin",
    "bulletins.show_issued": "bulletin",
    "cases.show_register": "search",
    "documents.preview": "documents",
    "documents.show_documents": "documents",
    "documents.show_file": "documents",
    "erasures.show_erasures": "erasures",
    "evidence.show_evidence": "evidence",
    "figures.show_behind": "statistics",
    "figures.show_rounds": "statistics",
    "figures.show_steps": "statistics",
    "ledger.give_out": "export",
    "mining.export_ocel": "export",
    "mining.export_xes": "export",
    "mining.show_conformance": "statistics",
    "mining.show_figures": "statistics",
    "notifications.show_all": "notices",
    "people.show_user": "person",
    "people.show_users": "person",
    "relations.show_commitments": "register",
    "relations.suggest_duplicates": "search",
    "replay.show_diagram": "state",
    "replay.show_differences": "history",
    "replay.show_looks": "access_log",
    "replay.show_pages": "state",
    "replay.show_register_then": "register",
    "replay.show_report": "verification",
    "scores.show_entries": "scores",
    "scores.show_ranking": "scores",
    "statistics.show_figures": "statistics",
    "tasks.show": "task",
}
"""What kind of look an endpoint is; one about a case that isn't here is of kind ``case``."""

UNRECORDED = frozenset(
    {
        # What one is told oneself, and what is open to one.
        "audit.show_notices",
        "notifications.show",
        "notifications.show_digest",
        "notifications.show_own",
        "people.me",
        "sessions.show_session",
        "tasks.show_tasks",
        # Nothing of any case or person.
        "calendar.show_calendar",
        "definitions.show_definition",
        "definitions.show_definitions",
        "definitions.show_file",
        "definitions.show_version",
        "definitions.show_versions",
        "evidence.show_heads",
        "people.show_units",
        "service.health",
        "service.metrics",
    }
)
"""Endpoints whose reading isn't put on record; other ``GET``s are in `READS` or name a case."""

_SEARCHED_FOR = {"cases.show_register": "q", "relations.suggest_duplicates": "title"}
"""In which parameter the words of a search stand; a list that isn't searched is no look at it."""

_NAMES_A_CASE = ("<ident:case>", "<ident:task>")

_ASKED_WHY = (Role.AUDITOR, Role.ADMIN)
_READS_THE_LOG = frozenset({"access_log"})


def heeds_purpose(endpoint: str, rule: str) -> bool:
    """Tell whether reading an endpoint goes on record, with the purpose that was said."""
    return endpoint in READS or any(part in rule for part in _NAMES_A_CASE)


class PurposeRequired(HttpProblem):
    """Raised when an auditor or administrator looks at a sensitive case and doesn't say why."""

    slug = "purpose-required"
    status = 403


def record_access(app: Flask, purpose_types: frozenset[str] = frozenset()) -> None:
    """Let an application put on record who reads what.

    Parameters
    ----------
    purpose_types : the types of cases that auditors and administrators must say a purpose for.
    """
    installation: Office = app.extensions["duban"]
    app.extensions["duban-access"] = AccessLog(
        installation.store, algorithm=installation.hash_algorithm
    )
    app.extensions["duban-purpose-types"] = purpose_types
    app.before_request(_before)
    app.after_request(_after)


def access_log() -> AccessLog:
    """Give the access log of this application."""
    found: AccessLog = current_app.extensions["duban-access"]
    return found


def _before() -> None:
    if request.method != "GET" or "person" not in g:
        return
    case, purpose = _case(), _purpose()
    if READS.get(request.endpoint or "") in _READS_THE_LOG:
        access_log().flush()
    if case is None or purpose or not any(person().holds(role) for role in _ASKED_WHY):
        return
    types: frozenset[str] = current_app.extensions["duban-purpose-types"]
    with reading() as transaction:
        connection = transaction.connection
        # Whoever may not know of the case is told so, and nothing about it.
        is_asked = needs_purpose(connection, case, types) and is_visible(
            connection, visible_cases(person()), case
        )
    if is_asked:
        raise PurposeRequired(case=case, header=PURPOSE_HEADER)


def _after(response: Response) -> Response:
    kind = _kind()
    if kind is None or response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        return response
    access_log().note(
        Access(
            at=now(),
            user=person().id,
            kind=kind,
            request=f"{request.method} {request.path}",
            case=_case(),
            subject=_subject(kind),
            purpose=_purpose(),
        )
    )
    return response


def _kind() -> str | None:
    if request.method != "GET" or "person" not in g or request.endpoint is None:
        return None
    kind = READS.get(request.endpoint)
    if kind == "search" and not _words():
        return None
    return kind if kind is not None or _case() is None else "case"


def _subject(kind: str) -> str | None:
    """Give what was searched for, or what a list or an export was narrowed to."""
    if kind == "search":
        return _words()
    if _case() is None and request.query_string:
        return unquote(request.query_string.decode("latin-1"))
    return None


def _words() -> str | None:
    return request.args.get(_SEARCHED_FOR[request.endpoint or ""])


def _case() -> str | None:
    """Give the case that the address names, itself or by one of its tasks."""
    named = request.view_args or {}
    task = named.get("task")
    found: str | None = named.get("case") or (case_of(task) if task else None)
    return found or None


def _purpose() -> str | None:
    given = request.headers.get(PURPOSE_HEADER)
    if given is None:
        return None
    said = unquote(given).strip()
    is_plain = re.fullmatch(_PLAIN, given) is not None
    if not is_plain or len(said) > LONGEST or not said.isprintable():
        raise malformed(PURPOSE_HEADER)
    return said or None
