"""A case stands below another one only if there is one, for the eyes of whoever registers it."""

import pytest

from engine import Invalid
from engine.errors import CaseNotFound
from tests.helpers.offices import INSTRUCTION, Place, registered_case, registration


def wrong_fields(refusal: pytest.ExceptionInfo[Invalid]) -> list[tuple[str, str]]:
    return [(error.field, error.code) for error in refusal.value.fields]


def test_a_case_is_registered_below_one_that_is_there(place: Place) -> None:
    parent = registered_case(place, "parent")

    child = registered_case(place, "child", parent=parent)

    with place.office.store.transaction(write=False) as transaction:
        assert [row["parent"] for row in transaction.rows(child, "register")] == [parent]


def test_a_parent_that_never_was_is_an_error_at_its_field(place: Place) -> None:
    with pytest.raises(Invalid) as refusal:
        place.execute(registration(place, "child", parent="nobody"))

    assert wrong_fields(refusal) == [("parent", "unknown_case")]
    assert refusal.value.fields[0].facts == {"value": "nobody"}
    with pytest.raises(CaseNotFound):
        place.office.engine.history.recorded(registration(place, "child").case)


def test_a_refused_parent_uses_up_no_number(place: Place) -> None:
    with pytest.raises(Invalid):
        place.execute(registration(place, "child", parent="nobody"))

    registered = registered_case(place, "next")

    with place.office.store.transaction(write=False) as transaction:
        (row,) = transaction.rows(registered, "register")
    assert row["number"].endswith("-0001")


def test_a_registration_filed_again_cant_put_a_case_below_itself_or_its_own_children(
    place: Place,
) -> None:
    top = registered_case(place, "top")
    middle = registered_case(place, "middle", parent=top)
    below = registered_case(place, "below", parent=middle)
    place.complete(top, "approve_registration", "office_director", decision="return", reason="补")

    for parent in (top, middle, below):
        with pytest.raises(Invalid) as refusal:
            place.complete(top, "register", "registrar", **INSTRUCTION, parent=parent)
        assert wrong_fields(refusal) == [("parent", "below_this_case")]
