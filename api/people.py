"""People: who you are, units, users, tokens."""

from typing import Any

from flask import make_response

from api.context import (
    is_first,
    now,
    person,
    read_cursor,
    reading,
    secret_of_key,
    write_cursor,
    writing,
)
from api.openapi import KEY_PARAMETER, Noun
from api.people_schemas import (
    Me,
    NewPassword,
    TokenIn,
    TokenOut,
    UnitChange,
    UnitIn,
    UnitOut,
    UnitPage,
    UserChange,
    UserIn,
    UserOut,
    UserPage,
    UserQuery,
)
from engine.errors import FieldError
from engine.records import Json
from engine.store import Transaction
from services.notices.queries import count_unread
from services.people import admin, queries, signing_in, unit_admin
from services.people.errors import InvalidUser, UnitNotFound, UserNotFound
from services.people.queries import Grant, Unit, User
from services.people.signing_in import TOKEN_PREFIX
from services.permissions import Action, NotAllowed, is_open_to, may
from services.permit import NotPermitted

people = Noun("people", __name__, "Who may act: units, users, tokens.")


@people.route("/me", methods=["GET"])
@people.response(200, Me)
def me() -> dict[str, Json]:
    """Show who you are, for whom you act, and what you may do to some case at all."""
    who = person()
    with reading() as transaction:
        unread = count_unread(transaction.connection, who.id)
    return {
        "id": who.id,
        "name": who.name,
        "unit": who.unit,
        "roles": sorted(who.roles | {role for role, _ in who.further}),
        "acting_for": who.stands_in_for,
        "actions": [str(action) for action in Action if is_open_to(who, action)],
        "unread_notices": unread,
    }


@people.route("/me/password", methods=["PUT"])
@people.arguments(NewPassword)
@people.response(204)
def change_password(body: dict[str, str]) -> Any:  # noqa: ANN401 -- an empty answer
    """Choose a new password; all your sessions end."""
    with writing() as transaction:
        admin.change_password(transaction.connection, person().id, body["old"], body["new"])
    return make_response("", 204)


@people.route("/units", methods=["GET"])
@people.response(200, UnitPage)
def show_units() -> dict[str, Any]:
    """List the units in their order, those that were merged included."""
    with reading() as transaction:
        return {"items": queries.units(transaction.connection), "next_cursor": None}


@people.route("/units", methods=["POST"])
@people.doc(parameters=[KEY_PARAMETER])
@people.arguments(UnitIn)
@people.response(201, UnitOut)
def create_unit(body: dict[str, Json]) -> Unit:
    """Create a unit."""
    require(Action.MANAGE_UNITS)
    with writing() as transaction:
        if is_first(transaction):
            unit_admin.create_unit(
                transaction.connection,
                body["code"],
                body["name"],
                short_name=body["short_name"],
                parent=body["parent"],
            )
        return _unit(transaction, body["code"])


@people.route("/units/<ident:unit>", methods=["PATCH"])
@people.arguments(UnitChange)
@people.response(200, UnitOut)
def change_unit(body: dict[str, Json], unit: str) -> Unit:
    """Rename a unit, or merge it into another."""
    require(Action.MANAGE_UNITS)
    with writing() as transaction:
        connection, former = transaction.connection, _unit(transaction, unit)
        if "name" in body or "short_name" in body:
            unit_admin.rename_unit(
                connection,
                unit,
                body.get("name", former.name),
                short_name=body.get("short_name", former.short_name),
            )
        if "merged_into" in body:
            unit_admin.merge_unit(connection, unit, body["merged_into"])
        return _unit(transaction, unit)


@people.route("/users", methods=["GET"])
@people.arguments(UserQuery, location="query")
@people.response(200, UserPage)
def show_users(query: dict[str, Any]) -> dict[str, Any]:
    """List users in the order of their logins."""
    after = read_cursor(query["cursor"], 1)
    with reading() as transaction:
        found = queries.users(
            transaction.connection,
            unit=query["unit"],
            role=query["role"],
            active_only=query["active"],
        )
    rest = [user for user in found if after is None or user.id > after[0]]
    shown = rest[: query["limit"]]
    more = len(rest) > len(shown)
    return {"items": shown, "next_cursor": write_cursor((shown[-1].id,) if more else None)}


@people.route("/users/<ident:user>", methods=["GET"])
@people.response(200, UserOut)
def show_user(user: str) -> User:
    """Show a user."""
    with reading() as transaction:
        return _user(transaction, user)


@people.route("/users", methods=["POST"])
@people.doc(parameters=[KEY_PARAMETER])
@people.arguments(UserIn)
@people.response(201, UserOut)
def create_user(body: dict[str, Json]) -> User:
    """Create a user; a password given here is for one sign-in only."""
    require(Action.MANAGE_USERS)
    with writing() as transaction:
        if is_first(transaction):
            admin.create_user(
                transaction.connection,
                body["id"],
                body["name"],
                unit=body["unit"],
                grants=_grants(body["roles"]),
                deputy=body["deputy"],
                password=body["password"],
            )
        return _user(transaction, body["id"])


@people.route("/users/<ident:user>", methods=["PATCH"])
@people.arguments(UserChange)
@people.response(200, UserOut)
def change_user(body: dict[str, Json], user: str) -> User:
    """Change a user's unit, roles, deputy, absence or password, or take them out of service."""
    require(Action.MANAGE_USERS)
    with writing() as transaction:
        former = _user(transaction, user)
        _change_post(transaction, former, body)
        _change_presence(transaction, former, body)
        if "password" in body:
            admin.set_password(transaction.connection, user, body["password"])
        return _user(transaction, user)


@people.route("/users/<ident:user>/tokens", methods=["POST"])
@people.doc(parameters=[KEY_PARAMETER])
@people.arguments(TokenIn)
@people.response(201, TokenOut)
def create_token(body: dict[str, Json], user: str) -> dict[str, Json]:
    """Create a bearer token; this is the only time it can be read."""
    require(Action.MANAGE_TOKENS)
    with writing() as transaction:
        token = secret_of_key()
        if token is None or is_first(transaction):
            token = signing_in.create_token(
                transaction.connection,
                user,
                body["label"],
                now(),
                body["expires_at"],
                secret=token,
            ).removeprefix(TOKEN_PREFIX)
    return {"token": TOKEN_PREFIX + token, "user": user, **body}


def require(action: Action) -> None:
    """Refuse who may not do something that belongs to no case.

    Raises
    ------
    NotPermitted : with the reason.
    """
    verdict = may(person(), action)
    if isinstance(verdict, NotAllowed):
        raise NotPermitted(reason=verdict.reason)


def _change_post(transaction: Transaction, former: User, body: dict[str, Json]) -> None:
    connection, user = transaction.connection, former.id
    if "unit" in body:
        admin.move_user(connection, user, body["unit"])
    if "roles" in body:
        admin.set_roles(connection, user, _grants(body["roles"]))
    if "deputy" in body:
        admin.set_deputy(connection, user, body["deputy"])


def _change_presence(transaction: Transaction, former: User, body: dict[str, Json]) -> None:
    connection, user = transaction.connection, former.id
    if "absent_from" in body or "absent_until" in body:
        first = body.get("absent_from", former.absent_from)
        last = body.get("absent_until", former.absent_until) if first is not None else None
        admin.mark_absent(connection, user, first, last)
    if body.get("active") is False:
        if user == person().id:
            raise InvalidUser([FieldError("active", "the-same-person")], user=user)
        admin.deactivate_user(connection, user, body.get("successor"))
    elif body.get("active") is True:
        admin.reactivate_user(connection, user)


def _grants(roles: list[dict[str, Json]]) -> list[Grant]:
    return [Grant(role["role"], role["unit"]) for role in roles]


def _user(transaction: Transaction, user: str) -> User:
    found = queries.user(transaction.connection, user)
    if found is None:
        raise UserNotFound(user=user)
    return found


def _unit(transaction: Transaction, code: str) -> Unit:
    found = queries.unit(transaction.connection, code)
    if found is None:
        raise UnitNotFound(unit=code)
    return found
