import pytest

from engine import Actor, CaseId
from engine.errors import CaseNotFound
from engine.execute import Receipt
from services.permit import NotPermitted
from services.relations.commands import EndAsDuplicate
from services.relations.errors import NotMergeable
from services.relations.merging import merge
from services.relations.queries import recipients
from tests.helpers.offices import Place, dispatched_case, registered_case, registration

MAIN, DUPLICATE = CaseId("main"), CaseId("duplicate")


def merged(
    place: Place, by: str = "office_director", key: str | None = None
) -> tuple[Receipt, Receipt]:
    return merge(
        place.office.engine,
        MAIN,
        DUPLICATE,
        by=Actor(by),
        at=place.clock.now(),
        reason="同一来信",
        key=key,
    )


def status(place: Place, case: CaseId) -> str:
    with place.office.store.transaction(write=False) as transaction:
        return str(transaction.rows(case, "register")[0]["status"])


def test_case_13_a_letter_instructed_by_two_leaders_is_merged_and_both_get_a_report(
    place: Place,
) -> None:
    dispatched_case(place, MAIN)
    registered_case(place, DUPLICATE, issuer="常务副市长")

    merged(place)

    assert (status(place, MAIN), status(place, DUPLICATE)) == ("dispatched", "cancelled")
    with place.office.store.transaction(write=False) as transaction:
        answered = recipients(transaction.connection, MAIN)
    assert answered.issuers == ("市长", "常务副市长")


def test_every_proposer_of_a_merged_suggestion_is_answered_and_sees_the_main_case(
    place: Place,
) -> None:
    for case, user in ((MAIN, "deputy.1"), (DUPLICATE, "deputy.2")):
        proposer = {"name": "王建国", "kind": "deputy", "leading": True, "user": user}
        ask = registration(
            place,
            case,
            "npc_suggestion",
            source_kind="congress_session",
            proposers=[proposer],
        )
        place.execute(ask)

    merged(place)

    with place.office.store.transaction(write=False) as transaction:
        answered = recipients(transaction.connection, MAIN)
    assert answered.proposers == ("deputy.1", "deputy.2")


def test_the_duplicate_points_to_the_case_that_goes_on(place: Place) -> None:
    registered_case(place, MAIN)
    registered_case(place, DUPLICATE)

    merged(place)

    events = [recorded.event for recorded in place.office.engine.history.recorded(DUPLICATE)]
    pointer = next(event for event in events if event.name == "case_merged")
    assert getattr(pointer, "into", None) == MAIN
    assert getattr(pointer, "number", None) == "督〔2026〕批示-0001"


def test_merging_again_under_the_same_key_changes_nothing(place: Place) -> None:
    registered_case(place, MAIN)
    registered_case(place, DUPLICATE)
    merged(place, key="k")
    before = place.office.store.count_events()

    again = merged(place, key="k")

    assert [receipt.repeated for receipt in again] == [True, True]
    assert place.office.store.count_events() == before


def test_a_case_ends_as_a_duplicate_only_when_another_has_absorbed_it(place: Place) -> None:
    registered_case(place, MAIN)
    registered_case(place, DUPLICATE)
    ask = EndAsDuplicate(
        case=DUPLICATE,
        by=Actor("office_director"),
        at=place.clock.now(),
        into=MAIN,
        reason="同一来信",
    )

    with pytest.raises(NotMergeable):
        place.execute(ask)


def test_a_case_is_not_merged_with_itself_or_with_one_that_is_unknown(place: Place) -> None:
    registered_case(place, MAIN)
    for other, refusal in ((MAIN, NotMergeable), (CaseId("nowhere"), CaseNotFound)):
        with pytest.raises(refusal):
            merge(
                place.office.engine,
                MAIN,
                other,
                by=Actor("office_director"),
                at=place.clock.now(),
                reason="同一来信",
            )


def test_merging_is_for_the_director(place: Place) -> None:
    registered_case(place, MAIN)
    registered_case(place, DUPLICATE)

    with pytest.raises(NotPermitted):
        merged(place, "supervisor")
