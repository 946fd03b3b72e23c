# ruff: noqa: S105 -- this password opens nothing

from datetime import date, datetime

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection

from services.people import queries
from services.people.admin import mark_absent
from services.people.demo import create_demo_people
from services.people.roles import Role
from services.people.signing_in import LoginResult, authenticate

UNITS = [f"第{n}局" for n in range(1, 51)]
PASSWORD = "demonstration"


@pytest.fixture
def demo(connection: Connection, hasher: PasswordHasher) -> Connection:
    create_demo_people(connection, UNITS, PASSWORD, hasher=hasher)
    return connection


def test_the_units_are_numbered_in_the_order_of_their_names(demo: Connection) -> None:
    names = {unit.code: unit.name for unit in queries.units(demo)}

    assert [names[f"u{n}"] for n in range(1, 51)] == UNITS


def test_the_demonstration_has_its_people_named_by_role(demo: Connection) -> None:
    expected = {
        "registrar": ["registrar", "registrar2"],
        "supervisor": ["supervisor", "supervisor2"],
        "office_director": ["office_director"],
        "leader": ["leader", "mayor"],
        "designer": ["designer", "designer2"],
        "auditor": ["auditor"],
        "admin": ["admin"],
        "unit_contact": [f"contact.{n}" for n in range(1, 51)],
        "unit_head": [f"head.{n}" for n in range(1, 51)],
        "handler": [f"handler.{n}" for n in range(1, 51)],
        "deputy": [f"deputy.{n}" for n in range(1, 21)],
    }

    found = {role: queries.holders(demo, role) for role in Role}

    assert found == {Role(role): tuple(sorted(logins)) for role, logins in expected.items()}


def test_no_two_people_of_the_demonstration_share_a_name(demo: Connection) -> None:
    names = [user.name for user in queries.users(demo)]

    assert len(set(names)) == len(names) == 181


def test_everybody_of_the_demonstration_can_sign_in(
    demo: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    for login in ("mayor", "handler.50", "deputy.20"):
        assert authenticate(demo, login, PASSWORD, now, hasher=hasher) == LoginResult(user_id=login)


@pytest.mark.parametrize(
    ("away", "acting"),
    [
        ("registrar", "registrar2"),
        ("supervisor2", "supervisor"),
        ("leader", "mayor"),
        ("office_director", "supervisor"),
        ("contact.7", "head.7"),
        ("head.7", "contact.7"),
        ("handler.7", "contact.7"),
    ],
)
def test_each_post_of_the_demonstration_has_its_b_person(
    demo: Connection, now: datetime, away: str, acting: str
) -> None:
    mark_absent(demo, away, date(2026, 3, 2))

    assert queries.stand_ins(demo, away, now) == (away, acting)
