import pytest

from engine import Actor, CaseId
from services.cases.commands import WithdrawProposal
from services.permit import NotPermitted
from services.relations.commands import TakeOver
from services.relations.errors import NotACoSigner
from tests.helpers.offices import Place, registration

CASE = CaseId("joint-1")


def filed(place: Place) -> CaseId:
    """Register a suggestion of three deputies, the first of them leading."""
    proposers = [
        {"name": f"代表{n}", "kind": "deputy", "leading": n == 1, "user": f"deputy.{n}"}
        for n in (2, 1, 3)
    ]
    ask = registration(
        place, CASE, "npc_suggestion", source_kind="congress_session", proposers=proposers
    )
    return place.execute(ask).case


def withdraw(place: Place, by: str) -> None:
    place.execute(
        WithdrawProposal(
            case=CASE, by=Actor(by), at=place.clock.now(), data={"reason": "事项已经解决"}
        )
    )


def take_over(place: Place, by: str) -> None:
    place.execute(
        TakeOver(case=CASE, by=Actor(by), at=place.clock.now(), data={"statement": "愿意接续"})
    )


def is_over(place: Place) -> bool:
    return place.process(CASE).is_over


def test_case_14_a_joint_proposal_ends_when_its_leading_proposer_withdraws(place: Place) -> None:
    filed(place)

    withdraw(place, "deputy.1")

    assert is_over(place)


def test_case_14_a_co_signer_who_takes_over_keeps_it_going(place: Place) -> None:
    filed(place)
    take_over(place, "deputy.3")

    withdraw(place, "deputy.1")

    assert not is_over(place)
    with place.office.store.transaction(write=False) as transaction:
        proposers = {
            row["user"]
            for row in transaction.rows(CASE, "case_people")
            if row["part"] == "proposer"
        }
    assert proposers == {"deputy.2", "deputy.3"}


def test_case_14_the_new_leading_proposer_may_withdraw_and_the_former_may_not(
    place: Place,
) -> None:
    filed(place)
    take_over(place, "deputy.3")
    withdraw(place, "deputy.1")

    with pytest.raises(Exception, match=r"not-permitted|case-not-found"):
        withdraw(place, "deputy.1")
    withdraw(place, "deputy.3")

    assert is_over(place)


def test_case_14_an_open_rating_passes_to_who_takes_over(place: Place) -> None:
    filed(place)
    place.complete(CASE, "approve_registration", "office_director", decision="approve")
    place.complete(
        CASE,
        "dispatch",
        "registrar",
        lead_unit="u13",
        responsible_person="局长",
        report_content="答复",
    )
    place.complete(CASE, "sign_for", "contact.13", decision="accept")
    place.complete(
        CASE, "unit_instruction", "head.13", form="section_handles", handler="handler.13"
    )
    place.complete(
        CASE, "contact_proposer", "handler.13", method="phone", date="2026-03-02", summary="已沟通"
    )
    place.complete(CASE, "answer", "handler.13", answer_class="A", text="已解决")
    place.complete(CASE, "sign_off", "head.13", decision="sign", seal=True)
    place.complete(CASE, "review", "supervisor", content_gate="pass", format_gate="pass")
    take_over(place, "deputy.2")

    withdraw(place, "deputy.1")

    assert place.task(CASE, "rate").assignee == "deputy.2"


def test_only_a_co_signer_can_take_over(place: Place) -> None:
    filed(place)

    with pytest.raises(NotACoSigner):
        take_over(place, "deputy.1")
    with pytest.raises(Exception, match=r"not-permitted|case-not-found"):
        take_over(place, "deputy.9")


def test_a_co_signer_cannot_withdraw(place: Place) -> None:
    filed(place)

    with pytest.raises(NotPermitted):
        withdraw(place, "deputy.2")
