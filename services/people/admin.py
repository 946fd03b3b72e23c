"""Change users: plain writes in the caller's transaction, each refused as a whole.

Who may call these is decided before, by the permission to manage users.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from argon2 import PasswordHasher
from sqlalchemy import Connection, delete, insert, select, update

from engine.errors import FieldError
from services.people import queries, tables
from services.people.checks import wrong_deputy, wrong_grants, wrong_login, wrong_name, wrong_unit
from services.people.errors import (
    InvalidPassword,
    InvalidUser,
    UserExists,
    UserNotFound,
)
from services.people.passwords import HASHER, check_password, is_password
from services.people.queries import Grant, User


def create_user(
    connection: Connection,
    user_id: str,
    name: str,
    *,
    unit: str | None = None,
    grants: Iterable[Grant] = (),
    deputy: str | None = None,
    password: str | None = None,
    must_change_password: bool = True,
    hasher: PasswordHasher = HASHER,
) -> None:
    """Create a user.

    Parameters
    ----------
    user_id : the login: small Latin letters, digits, dot, hyphen and underscore.
    unit : the own unit, an active one; None for people outside the tree of units.
    deputy : the login of the B person.
    password : None when the user signs in elsewhere or gets a password later.

    Raises
    ------
    UserExists
        When the login is taken.
    InvalidUser, InvalidPassword
        With what is wrong at which field.
    """
    if queries.user(connection, user_id) is not None:
        raise UserExists(user=user_id)
    wrong = wrong_login(user_id) + wrong_name(name)
    wrong += wrong_unit(connection, unit) + wrong_deputy(connection, user_id, deputy)
    held = tuple(grants)
    wrong += wrong_grants(connection, unit, held)
    if wrong:
        raise InvalidUser(wrong, user=user_id)
    if password is not None:
        check_password(user_id, password)
    connection.execute(
        insert(tables.users).values(
            id=user_id,
            name=name.strip(),
            unit=unit,
            password_hash=hasher.hash(password) if password is not None else None,
            active=True,
            deputy_user=deputy,
            must_change_password=must_change_password and password is not None,
        )
    )
    _write_grants(connection, user_id, held)


def set_roles(connection: Connection, user_id: str, grants: Iterable[Grant]) -> None:
    """Replace the roles of a user.

    Raises
    ------
    UserNotFound
        When there is no such user.
    InvalidUser
        When a role is unknown, is held for no unit, or an auditor would hold another role: who
        audits can change nothing (domain.md §2).
    """
    found = _user(connection, user_id)
    held = tuple(grants)
    wrong = wrong_grants(connection, found.unit, held)
    if wrong:
        raise InvalidUser(wrong, user=user_id)
    connection.execute(delete(tables.user_roles).where(tables.user_roles.c.user_id == user_id))
    _write_grants(connection, user_id, held)


def set_password(
    connection: Connection,
    user_id: str,
    password: str,
    *,
    must_change: bool = True,
    hasher: PasswordHasher = HASHER,
) -> None:
    """Give a user a new password and close their sessions.

    Parameters
    ----------
    must_change : whether the user has to choose another one at the next sign-in; true when
        somebody else sets it.

    Raises
    ------
    UserNotFound, InvalidPassword
    """
    _user(connection, user_id)
    check_password(user_id, password)
    _write_password(connection, user_id, hasher.hash(password), must_change=must_change)


def change_password(
    connection: Connection,
    user_id: str,
    old: str,
    new: str,
    *,
    hasher: PasswordHasher = HASHER,
) -> None:
    """Let a user choose a new password; all their sessions end.

    Raises
    ------
    UserNotFound
        When there is no such user.
    InvalidPassword
        When the old password is wrong or the new one too weak or the same, at the field.
    """
    _user(connection, user_id)
    stored = connection.execute(
        select(tables.users.c.password_hash).where(tables.users.c.id == user_id)
    ).scalar_one()
    if not is_password(stored, old, hasher):
        raise InvalidPassword([FieldError("old", "wrong")])
    if new == old:
        raise InvalidPassword([FieldError("new", "same-as-old")])
    check_password(user_id, new, "new")
    _write_password(connection, user_id, hasher.hash(new), must_change=False)


def mark_absent(
    connection: Connection,
    user_id: str,
    first_day: date | None,
    last_day: date | None = None,
    *,
    deputy: str | None = None,
) -> None:
    """Mark a user absent, so that the B person may act (domain.md §2).

    Parameters
    ----------
    first_day : None marks the user present again.
    last_day : the last day away; None while the return is open.
    deputy : another B person from now on; None keeps the one there is.

    Raises
    ------
    UserNotFound
        When there is no such user.
    InvalidUser
        When the last day lies before the first, or the B person can't be one.
    """
    _user(connection, user_id)
    wrong = wrong_deputy(connection, user_id, deputy)
    if last_day is not None and (first_day is None or last_day < first_day):
        wrong.append(FieldError("absent_until", "before-start"))
    if wrong:
        raise InvalidUser(wrong, user=user_id)
    values: dict[str, object] = {"absent_from": first_day, "absent_until": last_day}
    if deputy is not None:
        values["deputy_user"] = deputy
    connection.execute(update(tables.users).where(tables.users.c.id == user_id).values(values))


def set_deputy(connection: Connection, user_id: str, deputy: str | None) -> None:
    """Name the B person of a user; None for none."""
    _user(connection, user_id)
    wrong = wrong_deputy(connection, user_id, deputy)
    if wrong:
        raise InvalidUser(wrong, user=user_id)
    connection.execute(
        update(tables.users).where(tables.users.c.id == user_id).values(deputy_user=deputy)
    )


def move_user(connection: Connection, user_id: str, unit: str | None) -> None:
    """Move a user to another unit; the roles held in the own unit move along."""
    found = _user(connection, user_id)
    wrong = wrong_unit(connection, unit) + wrong_grants(connection, unit, found.grants)
    if wrong:
        raise InvalidUser(wrong, user=user_id)
    connection.execute(update(tables.users).where(tables.users.c.id == user_id).values(unit=unit))


def deactivate_user(connection: Connection, user_id: str, successor: str | None = None) -> None:
    """Take a user out of service: no sign-in, no tokens; history and roles stay on the record.

    Tasks assigned to the user wait for the successor, who then is the B person (domain.md §10
    case 45).
    """
    _user(connection, user_id)
    if successor is not None:
        set_deputy(connection, user_id, successor)
    connection.execute(
        update(tables.users).where(tables.users.c.id == user_id).values(active=False)
    )
    connection.execute(delete(tables.sessions).where(tables.sessions.c.user_id == user_id))
    connection.execute(delete(tables.tokens).where(tables.tokens.c.user_id == user_id))


def reactivate_user(connection: Connection, user_id: str) -> None:
    """Take a user back into service, with the roles held before."""
    _user(connection, user_id)
    connection.execute(update(tables.users).where(tables.users.c.id == user_id).values(active=True))


def _user(connection: Connection, user_id: str) -> User:
    found = queries.user(connection, user_id)
    if found is None:
        raise UserNotFound(user=user_id)
    return found


def _write_password(
    connection: Connection, user_id: str, password_hash: str, *, must_change: bool
) -> None:
    connection.execute(
        update(tables.users)
        .where(tables.users.c.id == user_id)
        .values(password_hash=password_hash, must_change_password=must_change)
    )
    connection.execute(delete(tables.sessions).where(tables.sessions.c.user_id == user_id))


def _write_grants(connection: Connection, user_id: str, grants: Iterable[Grant]) -> None:
    rows = [
        {"user_id": user_id, "role": str(grant.role), "unit": grant.unit or ""}
        for grant in dict.fromkeys(replace(grant, unit=grant.unit or None) for grant in grants)
    ]
    if rows:
        connection.execute(insert(tables.user_roles), rows)
