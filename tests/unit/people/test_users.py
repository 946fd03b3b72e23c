# ruff: noqa: S106 -- these passwords open nothing

from collections.abc import Callable
from datetime import date, datetime

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection

from engine.errors import Invalid
from services.people import queries
from services.people.admin import (
    create_user,
    deactivate_user,
    mark_absent,
    move_user,
    reactivate_user,
    set_deputy,
    set_password,
    set_roles,
)
from services.people.errors import InvalidPassword, InvalidUser, UserExists, UserNotFound
from services.people.queries import Grant, User
from services.people.signing_in import create_token, open_session


def wrong_fields(change: Callable[[], None]) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        change()
    return {(field.field, field.code) for field in refusal.value.fields}


def test_a_user_has_name_unit_roles_and_b_person(bureau: Connection) -> None:
    assert queries.user(bureau, "contact") == User(
        id="contact",
        name="李联",
        unit="u1",
        grants=(Grant("unit_contact"),),
        active=True,
        deputy="head",
        absent_from=None,
        absent_until=None,
        must_change_password=False,
    )


def test_names_with_rare_characters_survive(bureau: Connection) -> None:
    create_user(bureau, "rare", " 𠮷䶮 ", unit="u1")

    found = queries.user(bureau, "rare")

    assert found is not None
    assert found.name == "𠮷䶮"


def test_a_login_is_given_once(bureau: Connection) -> None:
    with pytest.raises(UserExists):
        create_user(bureau, "head", "另一人")


def test_what_is_wrong_with_a_user_is_said_at_the_field(bureau: Connection) -> None:
    wrong = wrong_fields(
        lambda: create_user(
            bureau,
            "No Login",
            " ",
            unit="nowhere",
            deputy="nobody",
            grants=[Grant("king"), Grant("unit_head", "nowhere"), Grant("auditor")],
        )
    )

    assert wrong == {
        ("id", "not-an-identifier"),
        ("name", "required"),
        ("unit", "not-an-active-unit"),
        ("deputy", "not-an-active-user"),
        ("roles.0.role", "unknown-role"),
        ("roles.1.unit", "not-an-active-unit"),
        ("roles", "auditor-alone"),
    }
    assert queries.user(bureau, "No Login") is None


def test_a_name_has_a_length(bureau: Connection) -> None:
    assert wrong_fields(lambda: create_user(bureau, "long", "长" * 101)) == {("name", "too-long")}


def test_a_role_of_a_unit_wants_a_unit(bureau: Connection) -> None:
    assert wrong_fields(lambda: set_roles(bureau, "auditor", [Grant("unit_head")])) == {
        ("roles.0.unit", "required")
    }


def test_roles_are_replaced_as_a_whole(bureau: Connection, now: datetime) -> None:
    set_roles(bureau, "contact", [Grant("handler"), Grant("unit_contact", "u2"), Grant("handler")])

    contact = queries.person(bureau, "contact", now)

    assert contact is not None
    assert contact.roles == {"handler"}
    assert contact.further == {("unit_contact", "u2")}
    assert contact.units_as("unit_contact") == {"u2"}
    assert contact.units_as("handler") == {"u1"}
    assert contact.units_as("unit_head") == frozenset()
    assert contact.holds("unit_contact")
    assert not contact.holds("unit_head")


def test_a_user_may_be_left_without_roles(bureau: Connection, now: datetime) -> None:
    set_roles(bureau, "contact", [])

    contact = queries.person(bureau, "contact", now)

    assert contact is not None
    assert contact.roles == frozenset()


@pytest.mark.parametrize(
    ("deputy", "code"),
    [
        ("contact", "the-same-person"),
        ("nobody", "not-an-active-user"),
        ("auditor", "auditor"),
    ],
)
def test_not_everybody_can_be_the_b_person(bureau: Connection, deputy: str, code: str) -> None:
    assert wrong_fields(lambda: set_deputy(bureau, "contact", deputy)) == {("deputy", code)}


def test_an_absence_does_not_end_before_it_starts(bureau: Connection) -> None:
    monday, sunday = date(2026, 3, 2), date(2026, 3, 1)

    assert wrong_fields(lambda: mark_absent(bureau, "contact", monday, sunday)) == {
        ("absent_until", "before-start")
    }
    assert wrong_fields(lambda: mark_absent(bureau, "contact", None, sunday)) == {
        ("absent_until", "before-start")
    }


def test_who_moves_takes_the_own_roles_along(bureau: Connection, now: datetime) -> None:
    move_user(bureau, "contact", "u2")

    contact = queries.person(bureau, "contact", now)

    assert contact is not None
    assert contact.units_as("unit_contact") == {"u2"}
    assert wrong_fields(lambda: move_user(bureau, "contact", None)) == {
        ("roles.0.unit", "required")
    }


def test_who_leaves_the_service_loses_sessions_and_tokens_but_not_the_record(
    bureau: Connection, now: datetime
) -> None:
    token = create_token(bureau, "contact", "test", now)
    session = open_session(bureau, "contact", now)
    deactivate_user(bureau, "contact")

    assert queries.person_by_token(bureau, token, now) is None
    assert queries.person_by_session(bureau, session.session, now) is None
    assert queries.tokens_of(bureau, "contact") == ()
    assert not queries.is_active_user(bureau, "contact")
    assert not queries.is_unit_member(bureau, "contact", "u1")
    gone = queries.user(bureau, "contact")
    assert gone is not None
    assert gone.grants == (Grant("unit_contact"),)


def test_who_comes_back_has_the_roles_held_before(bureau: Connection, now: datetime) -> None:
    deactivate_user(bureau, "contact")
    reactivate_user(bureau, "contact")

    contact = queries.person(bureau, "contact", now)

    assert contact is not None
    assert contact.active
    assert contact.roles == {"unit_contact"}


@pytest.mark.parametrize(
    "change",
    [
        lambda c: set_roles(c, "nobody", []),
        lambda c: set_deputy(c, "nobody", None),
        lambda c: mark_absent(c, "nobody", None),
        lambda c: set_password(c, "nobody", "long enough"),
        lambda c: deactivate_user(c, "nobody"),
        lambda c: reactivate_user(c, "nobody"),
    ],
)
def test_somebody_unknown_cannot_be_changed(
    bureau: Connection, change: Callable[[Connection], None]
) -> None:
    with pytest.raises(UserNotFound):
        change(bureau)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("ninesigns", "too-short"),
        ("九个字的密码不够长", "too-short"),
        ("x" * 201, "too-long"),
        ("my Newcomer password", "contains-login"),
    ],
)
def test_a_weak_password_is_refused_at_its_field(
    bureau: Connection, hasher: PasswordHasher, password: str, code: str
) -> None:
    with pytest.raises(InvalidPassword) as refusal:
        create_user(bureau, "newcomer", "新人", password=password, hasher=hasher)

    assert [(f.field, f.code) for f in refusal.value.fields] == [("password", code)]
    assert queries.user(bureau, "newcomer") is None


def test_a_password_set_by_somebody_else_has_to_be_changed(
    bureau: Connection, hasher: PasswordHasher
) -> None:
    create_user(bureau, "newcomer", "新人", password="long enough", hasher=hasher)
    set_password(bureau, "head", "long enough", hasher=hasher)

    assert [
        user.must_change_password for user in queries.users(bureau, ids=["newcomer", "head"])
    ] == [True, True]


def test_users_are_found_by_unit_role_and_state(bureau: Connection) -> None:
    deactivate_user(bureau, "handler")

    def logins(**wanted: object) -> list[str]:
        return [user.id for user in queries.users(bureau, **wanted)]  # type: ignore[arg-type]  # the filters vary

    assert logins() == ["auditor", "contact", "handler", "head", "stranger"]
    assert logins(unit="u1", active_only=True) == ["contact", "head"]
    assert logins(role="unit_head") == ["head", "stranger"]
    assert logins(ids=[]) == []


def test_holders_of_a_role_are_found_by_unit(bureau: Connection) -> None:
    set_roles(bureau, "stranger", [Grant("unit_head"), Grant("unit_contact", "u1")])

    assert queries.holders(bureau, "unit_head") == ("head", "stranger")
    assert queries.holders(bureau, "unit_head", "u1") == ("head",)
    assert queries.holders(bureau, "unit_contact", "u1") == ("contact", "stranger")


def test_members_of_a_unit_belong_to_it_or_hold_a_role_for_it(bureau: Connection) -> None:
    set_roles(bureau, "stranger", [Grant("unit_head"), Grant("handler", "u1")])

    assert queries.is_unit_member(bureau, "contact", "u1")
    assert queries.is_unit_member(bureau, "stranger", "u1")
    assert not queries.is_unit_member(bureau, "contact", "u2")
    assert not queries.is_unit_member(bureau, "nobody", "u1")


def test_somebody_unknown_is_nobody(bureau: Connection, now: datetime) -> None:
    assert queries.person(bureau, "nobody", now) is None
    assert queries.user(bureau, "nobody") is None
    assert not queries.is_active_user(bureau, "nobody")


def test_an_invalid_user_is_named_in_the_refusal(bureau: Connection) -> None:
    with pytest.raises(InvalidUser) as refusal:
        set_deputy(bureau, "contact", "contact")

    assert refusal.value.facts == {"user": "contact"}
