"""Sign in and out with login and password; the session is a cookie."""

from datetime import datetime
from typing import Any

from flask import Response, g, make_response, request

from api.context import now, office, reading, writing
from api.identity import SESSION_COOKIE, by_session
from api.openapi import Noun
from api.people_schemas import Session, SignIn
from api.problems import Unauthenticated
from engine.records import Json
from services.people import queries as people
from services.people import signing_in
from services.people.signing_in import OpenedSession

sessions = Noun("sessions", __name__, "Sign in, sign out.")


@sessions.route("/session", methods=["POST"])
@sessions.doc(security=[])
@sessions.arguments(SignIn)
@sessions.response(201, Session)
def sign_in(body: dict[str, str]) -> Any:  # noqa: ANN401 -- what the decorator takes
    """Sign in; gives a cookie, and the CSRF token that changes need beside it."""
    address = request.remote_addr or ""
    with office().store.transaction() as transaction:
        attempt = signing_in.authenticate(
            transaction.connection, body["login"], body["password"], now(), address=address
        )
    user = attempt.require()
    with office().store.transaction() as transaction:
        opened = signing_in.open_session(transaction.connection, user, now())
    g.new_session = opened
    return _shown(user, opened.csrf, opened.expires_at)


@sessions.after_request
def set_cookie(response: Response) -> Response:
    """Send the cookie of a session that was just opened."""
    opened: OpenedSession | None = g.pop("new_session", None)
    if opened is not None:
        response.set_cookie(
            SESSION_COOKIE,
            opened.session,
            max_age=opened.expires_at - now(),
            httponly=True,
            samesite="Strict",
            secure=request.is_secure,
        )
    return response


@sessions.route("/session", methods=["GET"])
@sessions.response(200, Session)
def show_session() -> dict[str, Json]:
    """Show the open session, with its CSRF token."""
    csrf: str | None = g.identity.csrf
    session = request.cookies.get(SESSION_COOKIE, "")
    with reading() as transaction:
        found = people.person_by_session(transaction.connection, session, now())
    if found is None or csrf is None:
        raise Unauthenticated
    return _shown(found.person.id, found.csrf, found.expires_at)


@sessions.route("/session", methods=["DELETE"])
@sessions.doc(security=[])
@sessions.response(204)
def sign_out() -> Response:
    """Sign out; without a session this does nothing."""
    session = request.cookies.get(SESSION_COOKIE)
    if session and by_session() is not None:
        with writing() as transaction:
            signing_in.close_session(transaction.connection, session)
    response = make_response("", 204)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Strict")
    return response


def _shown(user: str, csrf: str, expires_at: datetime) -> dict[str, Json]:
    with reading() as transaction:
        found = people.user(transaction.connection, user)
    return {
        "user": {"id": user, "name": found.name if found else user},
        "csrf_token": csrf,
        "expires_at": expires_at,
        "must_change_password": bool(found and found.must_change_password),
    }
