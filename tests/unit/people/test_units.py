from datetime import datetime

import pytest
from sqlalchemy import Connection

from services.people import queries
from services.people.admin import create_user, set_roles
from services.people.errors import InvalidUnit, UnitExists, UnitNotActive, UnitNotFound
from services.people.queries import Grant, Unit
from services.people.unit_admin import create_unit, merge_unit, rename_unit


def test_units_come_in_their_order(bureau: Connection) -> None:
    assert [unit.code for unit in queries.units(bureau)] == ["city", "office", "u1", "u2", "u1.1"]
    assert queries.unit(bureau, "u2") == Unit(
        code="u2",
        name="体育局",
        short_name="体育局",
        parent="city",
        active=True,
        merged_into=None,
        order=3,
    )


def test_a_tree_holds_the_unit_and_all_below(bureau: Connection) -> None:
    assert queries.units_of_tree(bureau, "city") == {"city", "office", "u1", "u2", "u1.1"}
    assert queries.units_of_tree(bureau, "u1") == {"u1", "u1.1"}
    assert queries.units_of_tree(bureau, "nowhere") == frozenset()


def test_a_code_is_given_once(bureau: Connection) -> None:
    with pytest.raises(UnitExists):
        create_unit(bureau, "u1", "另一局")


def test_what_is_wrong_with_a_unit_is_said_at_the_field(bureau: Connection) -> None:
    with pytest.raises(InvalidUnit) as refusal:
        create_unit(bureau, "no code", "", parent="nowhere")

    assert {(f.field, f.code) for f in refusal.value.fields} == {
        ("code", "not-an-identifier"),
        ("name", "required"),
        ("parent", "not-an-active-unit"),
    }


def test_a_unit_can_have_another_name_from_now_on(bureau: Connection) -> None:
    rename_unit(bureau, "u1", "教育和体育局", short_name="教体局")

    renamed = queries.unit(bureau, "u1")

    assert renamed is not None
    assert (renamed.name, renamed.short_name) == ("教育和体育局", "教体局")
    with pytest.raises(InvalidUnit):
        rename_unit(bureau, "u1", " ")
    with pytest.raises(UnitNotFound):
        rename_unit(bureau, "nowhere", "某局")


def test_a_merged_unit_gets_no_work_and_its_people_move(bureau: Connection, now: datetime) -> None:
    merge_unit(bureau, "u1", "u2")

    old, contact = queries.unit(bureau, "u1"), queries.person(bureau, "contact", now)

    assert old is not None
    assert (old.name, old.active, old.merged_into) == ("教育局", False, "u2")
    assert not queries.is_active_unit(bureau, "u1")
    assert queries.is_active_unit(bureau, "u2")
    assert queries.units_of_tree(bureau, "u2") == {"u2", "u1.1"}
    assert [unit.code for unit in queries.units(bureau, active_only=True)] == [
        "city",
        "office",
        "u2",
        "u1.1",
    ]
    assert contact is not None
    assert contact.unit == "u2"


def test_the_people_of_the_new_unit_answer_for_the_old_one_in_the_same_role(
    bureau: Connection, now: datetime
) -> None:
    merge_unit(bureau, "u1", "u2")
    merge_unit(bureau, "u2", "office")

    head = queries.person(bureau, "stranger", now)

    assert head is not None
    assert head.units_as("unit_head") == {"office", "u1", "u2"}
    assert head.units_as("unit_contact") == frozenset()


def test_roles_held_for_a_merged_unit_are_held_for_the_new_one(
    bureau: Connection, now: datetime
) -> None:
    set_roles(bureau, "stranger", [Grant("handler", "u1"), Grant("unit_head", "u1")])
    create_user(
        bureau,
        "both",
        "双职",
        unit="office",
        grants=[Grant("unit_contact", "u1"), Grant("unit_contact", "u2")],
    )
    merge_unit(bureau, "u1", "u2")

    stranger, both = queries.user(bureau, "stranger"), queries.user(bureau, "both")

    assert stranger is not None
    assert stranger.grants == (Grant("handler", "u2"), Grant("unit_head", "u2"))
    assert both is not None
    assert both.grants == (Grant("unit_contact", "u2"),)


@pytest.mark.parametrize("into", ["u1", "u1.1"])
def test_a_unit_is_not_merged_into_itself_or_below(bureau: Connection, into: str) -> None:
    with pytest.raises(InvalidUnit):
        merge_unit(bureau, "u1", into)


def test_a_unit_is_merged_once_into_one_that_is_there(bureau: Connection) -> None:
    merge_unit(bureau, "u1", "u2")

    with pytest.raises(UnitNotActive):
        merge_unit(bureau, "u1", "office")
    with pytest.raises(UnitNotActive):
        merge_unit(bureau, "office", "u1")
    with pytest.raises(UnitNotFound):
        merge_unit(bureau, "u2", "nowhere")
