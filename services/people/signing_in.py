"""Prove who somebody is: passwords, sessions and bearer tokens, in the caller's transaction."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from engine.errors import FieldError
from services.people import queries, tables
from services.people.errors import (
    InvalidToken,
    LoginRefused,
    TokenNotFound,
    TooManyAttempts,
    UserNotFound,
)
from services.people.passwords import HASHER, LONGEST, is_password

TOKEN_PREFIX = "dbn_"  # noqa: S105 -- marks a token for people and scanners, isn't one
SESSION_LIFETIME = timedelta(hours=12)

_SECRET_BYTES = 32
_ADDRESS_LENGTH = 64
_USE_NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LoginLimits:
    """How many failed attempts within `window` close a login for a while.

    The limit of one login from one address comes first, so that a stranger elsewhere can't easily
    lock somebody out.
    """

    window: timedelta = timedelta(minutes=15)
    per_login_and_address: int = 5
    per_login: int = 20
    per_address: int = 50


DEFAULT_LIMITS = LoginLimits()


@dataclass(frozen=True, slots=True)
class LoginResult:
    """How an attempt to sign in ended; it is returned, not raised, so that it can be committed.

    Either `user_id` is set, or `retry_at` is (too many attempts), or neither (refused).
    """

    user_id: str | None = None
    retry_at: datetime | None = None

    def require(self) -> str:
        """Give the login, after the transaction is committed.

        Raises
        ------
        TooManyAttempts
            When nothing was checked because of earlier failures.
        LoginRefused
            When login and password don't belong together.
        """
        if self.retry_at is not None:
            raise TooManyAttempts(retry_at=self.retry_at.isoformat())
        if self.user_id is None:
            raise LoginRefused
        return self.user_id


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session: the secret for the cookie, and the CSRF token for the page."""

    session: str
    csrf: str
    expires_at: datetime


def authenticate(
    connection: Connection,
    login: str,
    password: str,
    at: datetime,
    *,
    address: str = "",
    limits: LoginLimits = DEFAULT_LIMITS,
    hasher: PasswordHasher = HASHER,
) -> LoginResult:
    """Check login and password, taking as long for a login that doesn't exist.

    A failure is written down in the caller's transaction: commit it, then call `require`.

    Parameters
    ----------
    address : where the attempt came from; failures are counted by login and by address.
    """
    login, address = login[: tables.LOGIN_LENGTH], address[:_ADDRESS_LENGTH]
    retry_at = _closed_until(connection, login, address, at, limits)
    if retry_at is not None:
        return LoginResult(retry_at=retry_at)
    found = connection.execute(
        select(tables.users.c.active, tables.users.c.password_hash).where(
            tables.users.c.id == login
        )
    ).first()
    right = is_password(found.password_hash if found else None, password[: LONGEST + 1], hasher)
    attempts = tables.login_attempts
    if found is None or not right or not found.active:
        connection.execute(insert(attempts).values(login=login, address=address, at=at))
        return LoginResult()
    connection.execute(
        delete(attempts).where(
            or_(
                and_(attempts.c.login == login, attempts.c.address == address),
                attempts.c.at <= at - limits.window,
            )
        )
    )
    return LoginResult(user_id=login)


def open_session(
    connection: Connection, user_id: str, at: datetime, lifetime: timedelta = SESSION_LIFETIME
) -> OpenedSession:
    """Open a session for a user who has proved who they are; expired sessions are cleared away."""
    if queries.user(connection, user_id) is None:
        raise UserNotFound(user=user_id)
    opened = OpenedSession(
        session=secrets.token_urlsafe(_SECRET_BYTES),
        csrf=secrets.token_urlsafe(_SECRET_BYTES),
        expires_at=at + lifetime,
    )
    connection.execute(delete(tables.sessions).where(tables.sessions.c.expires_at <= at))
    connection.execute(
        insert(tables.sessions).values(
            session_hash=queries.sha256(opened.session),
            user_id=user_id,
            csrf=opened.csrf,
            created_at=at,
            expires_at=opened.expires_at,
        )
    )
    return opened


def close_session(connection: Connection, session: str) -> None:
    """Close a session; one that is closed already stays closed."""
    connection.execute(
        delete(tables.sessions).where(tables.sessions.c.session_hash == queries.sha256(session))
    )


def create_token(
    connection: Connection,
    user_id: str,
    label: str,
    at: datetime,
    expires_at: datetime | None = None,
    *,
    secret: str | None = None,
) -> str:
    """Create a bearer token and give it back, the only time it can be read.

    Parameters
    ----------
    label : what the token is for.
    expires_at : None for a token that is good until revoked.
    secret : what the token is made of, nobody else may guess it; None for a random one.

    Raises
    ------
    UserNotFound
        When there is no such user.
    InvalidToken
        When the label is missing or too long, or the token would be expired already.
    """
    if not queries.is_active_user(connection, user_id):
        raise UserNotFound(user=user_id)
    wrong = []
    if not label.strip():
        wrong.append(FieldError("label", "required"))
    if len(label.strip()) > tables.NAME_LENGTH:
        wrong.append(FieldError("label", "too-long", {"maximum": tables.NAME_LENGTH}))
    if expires_at is not None and expires_at <= at:
        wrong.append(FieldError("expires_at", "not-in-the-future"))
    if wrong:
        raise InvalidToken(wrong)
    token = TOKEN_PREFIX + (secret or secrets.token_urlsafe(_SECRET_BYTES))
    connection.execute(
        insert(tables.tokens).values(
            token_hash=queries.sha256(token),
            user_id=user_id,
            label=label.strip(),
            created_at=at,
            expires_at=expires_at,
        )
    )
    return token


def revoke_token(connection: Connection, token_hash: str) -> None:
    """Revoke a token at once.

    Raises
    ------
    TokenNotFound
        When there is no such token.
    """
    gone = connection.execute(delete(tables.tokens).where(tables.tokens.c.token_hash == token_hash))
    if gone.rowcount == 0:
        raise TokenNotFound(token=token_hash)


def note_token_use(connection: Connection, token: str, at: datetime) -> None:
    """Write down that a token was used, at most once an hour."""
    table = tables.tokens
    connection.execute(
        update(table)
        .where(
            table.c.token_hash == queries.sha256(token),
            or_(table.c.last_used_at.is_(None), table.c.last_used_at <= at - _USE_NOTED_EVERY),
        )
        .values(last_used_at=at)
    )


def _closed_until(
    connection: Connection, login: str, address: str, at: datetime, limits: LoginLimits
) -> datetime | None:
    attempts = tables.login_attempts
    failed = connection.execute(
        select(attempts.c.login, attempts.c.address, attempts.c.at)
        .where(
            attempts.c.at > at - limits.window,
            or_(attempts.c.login == login, attempts.c.address == address),
        )
        .order_by(attempts.c.at.desc())
    ).all()
    counted = (
        (limits.per_login_and_address, [f.at for f in failed if f[:2] == (login, address)]),
        (limits.per_login, [f.at for f in failed if f.login == login]),
        (limits.per_address, [f.at for f in failed if f.address == address]),
    )
    # Newest first: once the limit-th newest failure leaves the window, the login is open again.
    closed = [times[limit - 1] + limits.window for limit, times in counted if len(times) >= limit]
    return max(closed, default=None)
