# ruff: noqa: S105, S106, S107 -- these passwords open nothing

from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Connection, func, select

from services.people import passwords, queries, tables
from services.people.admin import change_password, deactivate_user, set_password
from services.people.errors import (
    InvalidPassword,
    InvalidToken,
    LoginRefused,
    TokenNotFound,
    TooManyAttempts,
    UserNotFound,
)
from services.people.signing_in import (
    LoginResult,
    authenticate,
    close_session,
    create_token,
    note_token_use,
    open_session,
    revoke_token,
)

PASSWORD = "correct horse"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def office(bureau: Connection, hasher: PasswordHasher) -> Connection:
    set_password(bureau, "head", PASSWORD, must_change=False, hasher=hasher)
    set_password(bureau, "contact", PASSWORD, must_change=False, hasher=hasher)
    return bureau


def attempt(
    office: Connection,
    hasher: PasswordHasher,
    at: datetime,
    *,
    login: str = "head",
    password: str = "wrong password",
    address: str = "10.0.0.1",
) -> LoginResult:
    return authenticate(office, login, password, at, address=address, hasher=hasher)


def test_login_and_password_together_name_the_user(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    result = attempt(office, hasher, now, password=PASSWORD)

    assert result.require() == "head"


@pytest.mark.parametrize(
    ("login", "password"),
    [("head", "wrong password"), ("nobody", PASSWORD), ("stranger", PASSWORD), ("head", "")],
)
def test_the_refusal_does_not_say_whether_login_or_password_is_wrong(
    office: Connection, hasher: PasswordHasher, now: datetime, login: str, password: str
) -> None:
    result = attempt(office, hasher, now, login=login, password=password)

    with pytest.raises(LoginRefused) as refusal:
        result.require()

    assert refusal.value.facts == {}


def test_an_unknown_login_costs_as_much_as_a_wrong_password(
    office: Connection, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # narrower result
            verified.append(str(hash))
            return bool(super().verify(hash, password))

    counting = Counting(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_nobodys", lambda hasher: hasher.hash("nobody's password"))

    attempt(office, counting, now, login="nobody")
    attempt(office, counting, now, login="head")

    assert len(verified) == 2


def test_nobody_signs_in_with_the_password_of_nobody(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    for login in ("nobody", "stranger"):
        assert (
            attempt(office, hasher, now, login=login, password="nobody's password") == LoginResult()
        )


def test_who_left_the_service_cannot_sign_in(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    deactivate_user(office, "head")

    assert attempt(office, hasher, now, password=PASSWORD) == LoginResult()


def test_five_failures_close_the_login_until_the_first_is_15_minutes_old(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    for n in range(5):
        assert attempt(office, hasher, now + n * MINUTE) == LoginResult()

    closed = attempt(office, hasher, now + 14 * MINUTE, password=PASSWORD)
    open_again = attempt(office, hasher, now + 15 * MINUTE, password=PASSWORD)

    assert closed == LoginResult(retry_at=now + 15 * MINUTE)
    with pytest.raises(TooManyAttempts) as refusal:
        closed.require()
    assert refusal.value.facts == {"retry_at": "2026-03-02T01:15:00+00:00"}
    assert open_again == LoginResult(user_id="head")


def test_failures_from_one_address_do_not_lock_the_user_out_elsewhere(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    for _ in range(5):
        attempt(office, hasher, now)

    assert attempt(office, hasher, now).retry_at is not None
    elsewhere = attempt(office, hasher, now, password=PASSWORD, address="10.0.0.2")
    assert elsewhere == LoginResult(user_id="head")


def test_one_login_tried_from_many_addresses_is_closed(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    for n in range(20):
        attempt(office, hasher, now, address=f"10.0.1.{n}")

    assert attempt(office, hasher, now, address="10.0.2.1").retry_at == now + 15 * MINUTE


def test_one_address_trying_many_logins_is_closed(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    for n in range(50):
        attempt(office, hasher, now, login=f"guess{n}")

    assert attempt(office, hasher, now, password=PASSWORD).retry_at == now + 15 * MINUTE
    assert attempt(office, hasher, now, password=PASSWORD, address="10.0.0.2") == LoginResult(
        user_id="head"
    )


def test_success_forgets_the_failures_before_it(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    for _ in range(4):
        attempt(office, hasher, now)
    attempt(office, hasher, now, password=PASSWORD)
    attempt(office, hasher, now)

    assert office.execute(select(func.count()).select_from(tables.login_attempts)).scalar() == 1
    assert attempt(office, hasher, now, password=PASSWORD) == LoginResult(user_id="head")


def test_a_session_belongs_to_a_person_until_it_expires(office: Connection, now: datetime) -> None:
    opened = open_session(office, "head", now, timedelta(hours=1))

    signed_in = queries.person_by_session(office, opened.session, now + 59 * MINUTE)

    assert signed_in is not None
    assert signed_in.person.id == "head"
    assert signed_in.csrf == opened.csrf
    assert signed_in.expires_at == opened.expires_at == now + timedelta(hours=1)
    assert queries.person_by_session(office, opened.session, now + timedelta(hours=1)) is None
    assert queries.person_by_session(office, "made up", now) is None


def test_a_closed_session_is_over(office: Connection, now: datetime) -> None:
    opened = open_session(office, "head", now)
    close_session(office, opened.session)
    close_session(office, opened.session)

    assert queries.person_by_session(office, opened.session, now) is None


def test_expired_sessions_are_cleared_away(office: Connection, now: datetime) -> None:
    open_session(office, "head", now, timedelta(hours=1))
    open_session(office, "head", now + timedelta(hours=2))

    assert office.execute(select(func.count()).select_from(tables.sessions)).scalar() == 1


def test_nobody_has_no_session(office: Connection, now: datetime) -> None:
    with pytest.raises(UserNotFound):
        open_session(office, "nobody", now)


def test_neither_session_nor_token_is_kept_in_the_clear(office: Connection, now: datetime) -> None:
    opened = open_session(office, "head", now)
    token = create_token(office, "head", "test", now)

    stored = [
        *office.execute(select(tables.sessions.c.session_hash)).scalars(),
        *office.execute(select(tables.tokens.c.token_hash)).scalars(),
    ]

    assert opened.session not in stored
    assert token not in stored
    assert stored == [queries.sha256(opened.session), queries.sha256(token)]


def test_a_token_belongs_to_a_person(office: Connection, now: datetime) -> None:
    token = create_token(office, "head", " 夜间导出 ", now)

    found = queries.person_by_token(office, token, now + timedelta(days=4000))

    assert token.startswith("dbn_")
    assert len(token) == len("dbn_") + 43
    assert found is not None
    assert found.id == "head"
    assert [t.label for t in queries.tokens_of(office, "head")] == ["夜间导出"]
    assert queries.person_by_token(office, "dbn_made-up", now) is None


def test_a_token_ends_when_it_expires(office: Connection, now: datetime) -> None:
    token = create_token(office, "head", "test", now, expires_at=now + MINUTE)

    assert queries.person_by_token(office, token, now) is not None
    assert queries.person_by_token(office, token, now + MINUTE) is None


def test_a_revoked_token_is_over_at_once(office: Connection, now: datetime) -> None:
    token = create_token(office, "head", "test", now)
    revoke_token(office, queries.sha256(token))

    assert queries.person_by_token(office, token, now) is None
    with pytest.raises(TokenNotFound):
        revoke_token(office, queries.sha256(token))


def test_what_is_wrong_with_a_token_is_said_at_the_field(office: Connection, now: datetime) -> None:
    with pytest.raises(InvalidToken) as refusal:
        create_token(office, "head", " ", now, expires_at=now)
    assert [(f.field, f.code) for f in refusal.value.fields] == [
        ("label", "required"),
        ("expires_at", "not-in-the-future"),
    ]

    with pytest.raises(InvalidToken):
        create_token(office, "head", "长" * 101, now)
    with pytest.raises(UserNotFound):
        create_token(office, "nobody", "test", now)


def test_the_use_of_a_token_is_noted_at_most_once_an_hour(
    office: Connection, now: datetime
) -> None:
    token = create_token(office, "head", "test", now)
    noted = []
    for minutes in (0, 59, 60):
        note_token_use(office, token, now + minutes * MINUTE)
        noted += [t.last_used_at for t in queries.tokens_of(office, "head")]

    assert noted == [now, now, now + 60 * MINUTE]


def test_a_user_chooses_another_password_and_signs_in_again(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    opened = open_session(office, "head", now)
    change_password(office, "head", PASSWORD, "battery staple", hasher=hasher)

    assert queries.person_by_session(office, opened.session, now) is None
    assert attempt(office, hasher, now, password="battery staple") == LoginResult(user_id="head")
    assert attempt(office, hasher, now, password=PASSWORD) == LoginResult()


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("wrong password", "battery staple", ("old", "wrong")),
        (PASSWORD, PASSWORD, ("new", "same-as-old")),
        (PASSWORD, "short", ("new", "too-short")),
    ],
)
def test_a_password_change_is_refused_at_the_field(
    office: Connection, hasher: PasswordHasher, old: str, new: str, wrong: tuple[str, str]
) -> None:
    with pytest.raises(InvalidPassword) as refusal:
        change_password(office, "head", old, new, hasher=hasher)

    assert [(f.field, f.code) for f in refusal.value.fields] == [wrong]


def test_a_damaged_hash_lets_nobody_in(
    office: Connection, hasher: PasswordHasher, now: datetime
) -> None:
    office.execute(tables.users.update().values(password_hash="damaged"))

    assert attempt(office, hasher, now, password=PASSWORD) == LoginResult()
