"""The record: history, states of the past, proof; refusals, access, incidents, notices."""

from typing import Any

from api.access import record_access
from api.answers import listed, states_of
from api.audit_schemas import (
    AccessPage,
    AccessProof,
    AccessQuery,
    Count,
    EventPage,
    EventQuery,
    IncidentPage,
    NoticePage,
    NoticeQuery,
    NoticesRead,
    OfficeProof,
    RejectionPage,
    StateOut,
    VerificationOut,
)
from api.cases import visible_case
from api.context import (
    actor,
    idempotency_key,
    now,
    office,
    person,
    read_cursor,
    reading,
    writing,
)
from api.openapi import KEY_PARAMETER, Noun
from api.people import require
from api.schemas import PageQuery, StateQuery
from api.statistics import first_instant
from engine import CaseId
from services.audit import queries
from services.audit.incidents import retry as retry_incident
from services.audit.queries import StateView, may_read, read_events, state_view
from services.audit.trail import AccessFilter, access_faults, accesses
from services.cases.queries import facts
from services.evidence.whole import office_faults
from services.notices import queries as notices
from services.people.queries import Person
from services.permissions import Action, Allowed, NotAllowed, Reach
from services.permit import NotPermitted
from services.replay.again import Report, report_of

audit = Noun("audit", __name__, "The record of cases, and what waits for whoever runs this.")
audit.record_once(
    lambda state: record_access(
        state.app, frozenset(state.app.extensions["duban"].settings.purpose_types)
    )
)


@audit.route("/cases/<ident:case>/events", methods=["GET"])
@audit.arguments(EventQuery, location="query")
@audit.response(200, EventPage)
def show_events(query: dict[str, int], case: str) -> dict[str, Any]:
    """Show a case's history, event by event."""
    allowed = _require_record(case, Action.READ_HISTORY)
    after, limit = query["after"], query["limit"]
    summary = visible_case(case)
    found = read_events(
        office().engine.history, CaseId(case), after=after, limit=limit, reach=allowed.reach
    )
    last = after + limit
    return {"items": found, "next_cursor": str(last) if last < summary.seq else None}


@audit.route("/cases/<ident:case>/state", methods=["GET"])
@audit.arguments(StateQuery, location="query")
@audit.response(200, StateOut)
def show_state(query: dict[str, Any], case: str) -> StateView:
    """Show where a case stood after an event, at an instant, or stands now."""
    allowed = _require_record(case, Action.REPLAY)
    if allowed.reach is Reach.OWN_ANSWERS:
        raise NotPermitted(reason="relation")
    seq, at, states = office().engine.history.states(CaseId(case), seq=query["seq"], at=query["at"])
    return state_view(seq, at, states)


@audit.route("/cases/<ident:case>/verify", methods=["GET"])
@audit.response(200, VerificationOut)
def verify(case: str) -> Report:
    """Prove all of a case: hashes, by running its commands again, tables, documents, files."""
    _require_record(case, Action.VERIFY)
    return report_of(office(), CaseId(case))


@audit.route("/verification", methods=["GET"])
@audit.response(200, OfficeProof)
def verify_office() -> dict[str, Any]:
    """Prove what belongs to no case: definitions, keys, tree heads, access log, bulletins."""
    require(Action.READ_ADMIN)
    faults = office_faults(office())
    return {"ok": not faults, "faults": faults}


@audit.route("/rejections", methods=["GET"])
@audit.arguments(PageQuery, location="query")
@audit.response(200, RejectionPage)
def show_rejections(query: dict[str, Any]) -> dict[str, Any]:
    """List commands that were refused, the newest first."""
    require(Action.READ_ADMIN)
    after = read_cursor(query["cursor"], 2)
    with reading() as transaction:
        page = queries.refused_commands(transaction.connection, after=after, limit=query["limit"])
    return listed(page)


@audit.route("/access-log", methods=["GET"])
@audit.arguments(AccessQuery, location="query")
@audit.response(200, AccessPage)
def show_accesses(query: dict[str, Any]) -> dict[str, Any]:
    """List who read, searched, exported or tried to see what, the newest first."""
    require(Action.READ_ADMIN)
    after = read_cursor(query["cursor"], 1)
    wanted = AccessFilter(
        person=query["person"],
        case=query["case"],
        kind=query["kind"],
        since=first_instant(query["since"]),
        until=query["until"],
    )
    with reading() as transaction:
        page = accesses(transaction.connection, wanted, after=after, limit=query["limit"])
    return listed(page)


@audit.route("/access-log/verification", methods=["GET"])
@audit.response(200, AccessProof)
def verify_accesses() -> dict[str, Any]:
    """Prove that nothing in the access log was altered or removed."""
    require(Action.READ_ADMIN)
    with reading() as transaction:
        faults = list(access_faults(transaction.connection))
    return {"ok": not faults, "faults": faults}


@audit.route("/incidents", methods=["GET"])
@audit.arguments(PageQuery, location="query")
@audit.response(200, IncidentPage)
def show_incidents(query: dict[str, Any]) -> dict[str, Any]:
    """List stuck timers, failed jobs and documents that couldn't be made."""
    require(Action.READ_ADMIN)
    after = read_cursor(query["cursor"], 1)
    with reading() as transaction:
        page = queries.incidents(transaction.connection, after=after, limit=query["limit"])
    return listed(page)


@audit.route("/incidents/<ident:incident>/retry", methods=["POST"])
@audit.doc(parameters=[KEY_PARAMETER])
@audit.response(200, Count)
def retry(incident: str) -> dict[str, int]:
    """Try a stuck timer, a failed job, or a document that couldn't be made, once more."""
    require(Action.MANAGE_INCIDENTS)
    retry_incident(office().engine, incident, actor(), now(), idempotency_key())
    return {"count": 1}


@audit.route("/notices", methods=["GET"])
@audit.arguments(NoticeQuery, location="query")
@audit.response(200, NoticePage)
def show_notices(query: dict[str, Any]) -> dict[str, Any]:
    """List what you were told, the newest first."""
    after = read_cursor(query["cursor"], 2)
    with reading() as transaction:
        page = notices.notices_of(
            transaction.connection,
            person().id,
            unread=query["unread"],
            after=after,
            limit=query["limit"],
        )
    return listed(page)


@audit.route("/notices/read", methods=["POST"])
@audit.doc(parameters=[KEY_PARAMETER])
@audit.arguments(NoticesRead)
@audit.response(200, Count)
def mark_read(body: dict[str, list[str]]) -> dict[str, int]:
    """Note that you read notices; gives how many were unread."""
    with writing() as transaction:
        count = notices.mark_read(transaction.connection, person().id, body["ids"], now())
    return {"count": count}


def _require_record(case: str, action: Action) -> Allowed:
    visible_case(case)
    who: Person = person()
    with reading() as transaction:
        known = facts(transaction.connection, case)
    verdict = may_read(who, action, known)
    if isinstance(verdict, NotAllowed):
        verdict = may_read(who, action, known, states_of(case))
    if isinstance(verdict, NotAllowed):
        raise NotPermitted(reason=verdict.reason)
    return verdict
