from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Connection

from services.people.absence import Post, who_may_act
from services.people.admin import deactivate_user, mark_absent, set_deputy
from services.people.queries import person, stand_ins

MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)


def post(user: str, **more: object) -> Post:
    return Post(user=user, unit="u1", **more)  # type: ignore[arg-type]  # only tests pass these


def test_who_is_present_acts_alone() -> None:
    assert who_may_act(post("a", deputy="b"), [post("b")], MONDAY) == ("a",)


def test_while_a_is_away_b_acts() -> None:
    away = post("a", deputy="b", absent_from=MONDAY, absent_until=MONDAY)
    colleagues = [post("b"), post("head", is_head=True)]

    assert who_may_act(away, colleagues, MONDAY) == ("a", "b")
    assert who_may_act(away, colleagues, TUESDAY) == ("a",)


def test_while_a_and_b_are_away_the_head_of_the_unit_acts() -> None:
    away = post("a", deputy="b", absent_from=MONDAY)
    colleagues = [
        post("b", absent_from=MONDAY, absent_until=TUESDAY),
        post("head", is_head=True),
        Post(user="other", unit="u2", is_head=True),
    ]

    assert who_may_act(away, colleagues, TUESDAY) == ("a", "head")


def test_without_b_the_head_of_the_unit_acts() -> None:
    away = post("a", absent_from=MONDAY)

    assert who_may_act(away, [post("head", is_head=True)], MONDAY) == ("a", "head")


def test_nobody_is_head_of_people_outside_the_units() -> None:
    away = Post(user="a", absent_from=MONDAY)

    assert who_may_act(away, [Post(user="head", is_head=True)], MONDAY) == ("a",)


def test_a_head_who_is_away_is_not_their_own_stand_in() -> None:
    head = post("head", is_head=True, absent_from=MONDAY)

    assert who_may_act(head, [head], MONDAY) == ("head",)


def test_who_left_the_service_does_not_act_any_more() -> None:
    assert who_may_act(post("a", active=False, deputy="b"), [post("b")], MONDAY) == ("b",)


@pytest.mark.parametrize(
    ("instant", "acting_for"),
    [
        (datetime(2026, 3, 1, 15, 59, tzinfo=UTC), ()),
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), ("contact",)),
        (datetime(2026, 3, 3, 15, 59, tzinfo=UTC), ("contact",)),
        (datetime(2026, 3, 3, 16, 0, tzinfo=UTC), ()),
    ],
)
def test_an_absence_runs_from_00_00_to_24_00_office_time(
    bureau: Connection, instant: datetime, acting_for: tuple[str, ...]
) -> None:
    mark_absent(bureau, "contact", MONDAY, TUESDAY)

    head = person(bureau, "head", instant)

    assert head is not None
    assert head.acting_for == acting_for


def test_b_stands_in_with_the_roles_of_a(bureau: Connection, now: datetime) -> None:
    mark_absent(bureau, "contact", MONDAY)

    head = person(bureau, "head", now)

    assert head is not None
    assert [away.roles for away in head.stands_in_for] == [{"unit_contact"}]
    assert stand_ins(bureau, "contact", now) == ("contact", "head")


def test_the_head_stands_in_when_a_and_b_are_away(bureau: Connection, now: datetime) -> None:
    mark_absent(bureau, "handler", MONDAY)
    contact_before = person(bureau, "contact", now)
    mark_absent(bureau, "contact", MONDAY)

    head, contact = person(bureau, "head", now), person(bureau, "contact", now)

    assert contact_before is not None
    assert contact_before.acting_for == ("handler",)
    assert contact is not None
    assert contact.acting_for == ()
    assert head is not None
    assert head.acting_for == ("contact", "handler")
    assert stand_ins(bureau, "handler", now) == ("handler", "head")


def test_while_b_is_present_the_head_does_not_stand_in(bureau: Connection, now: datetime) -> None:
    mark_absent(bureau, "handler", MONDAY)

    head = person(bureau, "head", now)

    assert head is not None
    assert head.acting_for == ()


def test_the_head_of_another_unit_never_stands_in(bureau: Connection, now: datetime) -> None:
    mark_absent(bureau, "handler", MONDAY)
    mark_absent(bureau, "contact", MONDAY)

    stranger = person(bureau, "stranger", now)

    assert stranger is not None
    assert stranger.acting_for == ()


def test_another_b_can_be_named_with_the_absence(bureau: Connection, now: datetime) -> None:
    mark_absent(bureau, "contact", MONDAY, deputy="handler")

    assert stand_ins(bureau, "contact", now) == ("contact", "handler")


def test_who_is_back_acts_alone_again(bureau: Connection, now: datetime) -> None:
    mark_absent(bureau, "contact", MONDAY)
    mark_absent(bureau, "contact", None)

    assert stand_ins(bureau, "contact", now) == ("contact",)


def test_a_successor_stands_in_without_the_rights_of_who_left(
    bureau: Connection, now: datetime
) -> None:
    deactivate_user(bureau, "head", successor="stranger")

    successor = person(bureau, "stranger", now)

    assert successor is not None
    assert [(gone.id, gone.roles, gone.active) for gone in successor.stands_in_for] == [
        ("head", frozenset(), False)
    ]
    assert stand_ins(bureau, "head", now) == ("stranger",)


def test_nobody_stands_in_for_somebody_unknown(bureau: Connection, now: datetime) -> None:
    assert stand_ins(bureau, "nobody", now) == ()


def test_when_no_b_is_named_the_head_is_asked(bureau: Connection, now: datetime) -> None:
    set_deputy(bureau, "handler", None)
    mark_absent(bureau, "handler", MONDAY)

    assert stand_ins(bureau, "handler", now) == ("handler", "head")
