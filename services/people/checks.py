"""What is wrong with a user or unit as somebody wants it, field by field."""

import re

from sqlalchemy import Connection

from engine.errors import FieldError
from services.people import queries, tables
from services.people.queries import Grant
from services.people.roles import UNIT_ROLES, Role

_LOGIN = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{tables.LOGIN_LENGTH - 1}}}")
_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{tables.CODE_LENGTH - 1}}}")


def wrong_login(login: str) -> list[FieldError]:
    """Find what is wrong with a login: small Latin letters, digits and ``.-_``."""
    return [] if _LOGIN.fullmatch(login) else [FieldError("id", "not-an-identifier")]


def wrong_code(code: str) -> list[FieldError]:
    """Find what is wrong with the code of a unit: Latin letters, digits and ``.-_``."""
    return [] if _CODE.fullmatch(code) else [FieldError("code", "not-an-identifier")]


def wrong_name(name: str) -> list[FieldError]:
    """Find what is wrong with a name: it's there, and not longer than its column."""
    if not name.strip():
        return [FieldError("name", "required")]
    if len(name.strip()) > tables.NAME_LENGTH:
        return [FieldError("name", "too-long", {"maximum": tables.NAME_LENGTH})]
    return []


def wrong_unit(connection: Connection, unit: str | None) -> list[FieldError]:
    """Find what is wrong with the unit of a user: none, or one that is active."""
    if unit is None or queries.is_active_unit(connection, unit):
        return []
    return [FieldError("unit", "not-an-active-unit")]


def wrong_deputy(connection: Connection, user_id: str, deputy: str | None) -> list[FieldError]:
    """Find what is wrong with a B person: another active user, and no auditor."""
    if deputy is None:
        return []
    if deputy == user_id:
        return [FieldError("deputy", "the-same-person")]
    found = queries.user(connection, deputy)
    if found is None or not found.active:
        return [FieldError("deputy", "not-an-active-user")]
    if any(grant.role == Role.AUDITOR for grant in found.grants):
        return [FieldError("deputy", "auditor")]
    return []


def wrong_grants(
    connection: Connection, own_unit: str | None, grants: tuple[Grant, ...]
) -> list[FieldError]:
    """Find what is wrong with the roles of a user; an auditor holds no other (domain.md §2)."""
    wrong = []
    known = {role.value for role in Role}
    for n, grant in enumerate(grants):
        if grant.role not in known:
            wrong.append(FieldError(f"roles.{n}.role", "unknown-role"))
        elif grant.unit is not None and not queries.is_active_unit(connection, grant.unit):
            wrong.append(FieldError(f"roles.{n}.unit", "not-an-active-unit"))
        elif grant.role in UNIT_ROLES and grant.unit is None and own_unit is None:
            wrong.append(FieldError(f"roles.{n}.unit", "required"))
    roles = {grant.role for grant in grants}
    if Role.AUDITOR in roles and len(roles) > 1:
        wrong.append(FieldError("roles", "auditor-alone"))
    return wrong
