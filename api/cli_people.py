"""Commands about people: ``user``, ``token``."""

import secrets
import sys
from datetime import date, datetime
from typing import Any

import click

from api.console import AS_JSON, Day, Instant, opened, print_json
from engine.records import Json
from services.people import admin, queries
from services.people.queries import Grant, User
from services.people.signing_in import create_token

_PASSWORD_BYTES = 12

_password = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group()
def user() -> None:
    """Create and change users."""


@user.command("create")
@click.argument("login")
@click.argument("name")
@click.option("--unit")
@click.option("--role", "roles", multiple=True, help="ROLE or ROLE:UNIT; may be repeated.")
@click.option("--deputy", help="The B person.")
@_password
def create(login: str, name: str, *, roles: tuple[str, ...], **more: Any) -> None:  # noqa: ANN401 -- unit, deputy, password_stdin
    """Create a user; prints a one-time password unless one is given."""
    password = _password_of(more["password_stdin"])
    with opened() as office, office.store.transaction() as transaction:
        admin.create_user(
            transaction.connection,
            login,
            name,
            unit=more["unit"],
            grants=_grants(roles),
            deputy=more["deputy"],
            password=password,
            must_change_password=not more["password_stdin"],
        )
    if not more["password_stdin"]:
        click.echo(password)


@user.command("roles")
@click.argument("login")
@click.argument("roles", nargs=-1)
def set_roles(login: str, roles: tuple[str, ...]) -> None:
    """Replace a user's roles by these: ROLE or ROLE:UNIT."""
    with opened() as office, office.store.transaction() as transaction:
        admin.set_roles(transaction.connection, login, _grants(roles))


@user.command("password")
@click.argument("login")
@_password
def set_password(login: str, *, password_stdin: bool) -> None:
    """Give a user a new password; prints a one-time password unless one is given."""
    password = _password_of(password_stdin)
    with opened() as office, office.store.transaction() as transaction:
        admin.set_password(transaction.connection, login, password, must_change=not password_stdin)
    if not password_stdin:
        click.echo(password)


@user.command("list")
@AS_JSON
def list_users(*, as_json: bool) -> None:
    """List users with their roles."""
    with opened() as office, office.store.transaction(write=False) as transaction:
        found = queries.users(transaction.connection)
    if as_json:
        print_json([_shown(one) for one in found])
        return
    for one in found:
        click.echo("\t".join([one.id, one.name, one.unit or "-", ",".join(_roles(one))]))


@user.command("absent")
@click.argument("login")
@click.option("--from", "first", type=Day(), help="Without it, the user is present again.")
@click.option("--until", type=Day())
@click.option("--deputy", help="The B person from now on.")
def mark_absent(login: str, *, first: date | None, until: date | None, deputy: str | None) -> None:
    """Mark a user absent, so that the B person may act."""
    with opened() as office, office.store.transaction() as transaction:
        admin.mark_absent(transaction.connection, login, first, until, deputy=deputy)


@click.command()
@click.argument("login")
@click.option("--label", default="command line", show_default=True)
@click.option("--expires", type=Instant(), help="Without it, good until revoked.")
def token(login: str, *, label: str, expires: datetime | None) -> None:
    """Print a bearer token of a user; it can't be read again."""
    with opened() as office, office.store.transaction() as transaction:
        made = create_token(transaction.connection, login, label, office.clock.now(), expires)
    click.echo(made)


def _grants(roles: tuple[str, ...]) -> list[Grant]:
    parts = [role.partition(":") for role in roles]
    return [Grant(role, unit or None) for role, _, unit in parts]


def _roles(one: User) -> list[str]:
    return [f"{held.role}:{held.unit}" if held.unit else held.role for held in one.grants]


def _shown(one: User) -> dict[str, Json]:
    return {
        "id": one.id,
        "name": one.name,
        "unit": one.unit,
        "roles": _roles(one),
        "active": one.active,
        "deputy": one.deputy,
        "absent_from": one.absent_from.isoformat() if one.absent_from else None,
        "absent_until": one.absent_until.isoformat() if one.absent_until else None,
    }


def _password_of(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return secrets.token_urlsafe(_PASSWORD_BYTES)
