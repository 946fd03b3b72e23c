"""Who asks: a bearer token or a session cookie; changes by cookie need the CSRF token, too."""

import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from flask import Flask, current_app, g, request

from api.context import now, office
from api.problems import CsrfMissing, PasswordChangeRequired, Unauthenticated
from engine.store import Transaction
from services.people import queries as people
from services.people.queries import Person

SESSION_COOKIE = "duban_session"
CSRF_HEADER = "X-CSRF-Token"
PREFIX = "/api/v1/"

_KEPT_S = 2.0
_MOST_KEPT = 5000
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN = frozenset(
    {
        "service.health",
        "service.metrics",
        "service.set_clock",
        "sessions.sign_in",
        "sessions.sign_out",
        "api-docs.openapi_json",
        "pages.docs",
        "pages.docs_file",
    }
)
"""Addresses for everybody."""

_BEFORE_PASSWORD_CHANGE = frozenset(
    {"sessions.show_session", "people.me", "people.change_password"}
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person, how they came, and what their next step has to be.

    `csrf` is set when they came by cookie.
    """

    person: Person
    csrf: str | None = None
    must_change_password: bool = False


class Identities:
    """Who belongs to a secret; kept for a moment, forgotten when people were changed here."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Identity | None]] = {}
        self._lock = threading.Lock()

    def find(self, secret: str, look: Callable[[], Identity | None]) -> Identity | None:
        """Give who belongs to a secret, as looked up a moment ago at most."""
        place = people.sha256(secret)
        with self._lock:
            kept = self._kept.get(place)
        if kept is not None and monotonic() - kept[0] < _KEPT_S:
            return kept[1]
        found = look()
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[place] = (monotonic(), found)
        return found

    def forget(self) -> None:
        """Look everybody up again."""
        with self._lock:
            self._kept.clear()


def require_identity(app: Flask) -> None:
    """Refuse every request to the API without a known person, but for the open addresses."""
    app.extensions["duban-identities"] = Identities()
    app.before_request(_identify)


def _identify() -> None:
    if not request.path.startswith(PREFIX) or request.endpoint in _OPEN:
        return
    if request.endpoint is None:
        return
    identity = by_token() or by_session()
    if identity is None:
        raise Unauthenticated
    g.person, g.identity = identity.person, identity
    if identity.must_change_password and request.endpoint not in _BEFORE_PASSWORD_CHANGE:
        raise PasswordChangeRequired


def by_token() -> Identity | None:
    """Give who the bearer token belongs to; `None` without one.

    Raises
    ------
    Unauthenticated : the token is unknown, revoked or expired.
    """
    given = request.headers.get("Authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    identity = _identities().find(token.strip(), lambda: _look_up_token(token.strip()))
    if identity is None:
        raise Unauthenticated
    return identity


def by_session() -> Identity | None:
    """Give who the session cookie belongs to; `None` when nobody does.

    Raises
    ------
    CsrfMissing : the request is to change something and lacks the session's CSRF token.
    """
    session = request.cookies.get(SESSION_COOKIE)
    if not session:
        return None
    identity = _identities().find(session, lambda: _look_up_session(session))
    if identity is None:
        return None
    given = request.headers.get(CSRF_HEADER, "")
    if request.method not in _SAFE and not hmac.compare_digest(
        given.encode(), (identity.csrf or "").encode()
    ):
        raise CsrfMissing
    return identity


def _identities() -> Identities:
    found: Identities = current_app.extensions["duban-identities"]
    return found


def _look_up_token(token: str) -> Identity | None:
    with office().store.transaction(write=False) as transaction:
        person = people.person_by_token(transaction.connection, token, now())
        return None if person is None else Identity(person)


def _look_up_session(session: str) -> Identity | None:
    with office().store.transaction(write=False) as transaction:
        signed_in = people.person_by_session(transaction.connection, session, now())
        if signed_in is None:
            return None
        must_change = _must_change_password(transaction, signed_in.person.id)
        return Identity(signed_in.person, signed_in.csrf, must_change)


def _must_change_password(transaction: Transaction, user: str) -> bool:
    found = people.user(transaction.connection, user)
    return found is not None and found.must_change_password
