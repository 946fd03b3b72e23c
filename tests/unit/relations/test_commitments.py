from datetime import date

from engine import Actor, CaseId
from engine.records import Json, parse_instant
from services.cases.commands import CancelSupervision
from services.permissions import Visibility
from services.relations.queries import PromisedItem, promised
from services.scenarios.passing import pass_time
from tests.helpers.offices import Place, registration

CASE = CaseId("suggestion-1")
EVERYTHING = Visibility(everything=True)


def answered(place: Place, answer_class: str = "B", **data: Json) -> CaseId:
    """Bring a suggestion as far as its signed answer."""
    proposer = {"name": "王建国", "kind": "deputy", "leading": True, "user": "deputy.1"}
    ask = registration(
        place, CASE, "npc_suggestion", source_kind="congress_session", proposers=[proposer]
    )
    place.execute(ask)
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
        CASE,
        "contact_proposer",
        "handler.13",
        method="visit",
        date="2026-03-02",
        summary="当面听取意见",
    )
    answer(place, answer_class, **data)
    return CASE


def answer(place: Place, answer_class: str, **data: Json) -> None:
    place.complete(CASE, "answer", "handler.13", answer_class=answer_class, text="列入计划", **data)
    place.complete(CASE, "sign_off", "head.13", decision="sign", seal=True)


def ledger(
    place: Place, today: str = "2026-05-01", *, kept: bool | None = False
) -> list[PromisedItem]:
    with place.office.store.transaction(write=False) as transaction:
        found = promised(transaction.connection, EVERYTHING, date.fromisoformat(today), kept=kept)
    return list(found)


def test_a_class_b_answer_stays_on_the_ledger_until_answered_again(place: Place) -> None:
    answered(place, planned_date="2026-06-30")
    assert [(one.unit, one.planned_date) for one in ledger(place)] == [("u13", date(2026, 6, 30))]

    place.complete(CASE, "review", "supervisor", content_gate="pass", format_gate="pass")
    place.complete(CASE, "rate", "deputy.1", attitude="satisfied", result="satisfied")
    answer(place, "A")

    assert ledger(place) == []
    assert [one.unit for one in ledger(place, kept=True)] == ["u13"]


def test_other_answers_promise_nothing(place: Place) -> None:
    answered(place, "A")

    assert ledger(place, kept=None) == []


def test_a_promise_is_overdue_the_day_after_its_date(place: Place) -> None:
    answered(place, planned_date="2026-06-30")

    assert [one.overdue for one in ledger(place, "2026-06-30")] == [False]
    assert [one.overdue for one in ledger(place, "2026-07-01")] == [True]


def test_a_promise_given_again_counts_its_renewals(place: Place) -> None:
    answered(place, planned_date="2026-06-30")
    place.complete(CASE, "review", "supervisor", content_gate="pass", format_gate="pass")
    place.complete(CASE, "rate", "deputy.1", attitude="satisfied", result="satisfied")
    pass_time(place.office, place.clock, parse_instant("2026-06-29T09:00+08:00"))

    answer(place, "B", planned_date="2026-09-30")

    assert [(one.planned_date, one.renewals) for one in ledger(place)] == [(date(2026, 9, 30), 1)]


def test_a_cancelled_case_promises_nothing_any_more(place: Place) -> None:
    answered(place, planned_date="2026-06-30")

    place.execute(
        CancelSupervision(
            case=CASE,
            by=Actor("office_director"),
            at=place.clock.now(),
            data={"reason": "事项并入规划"},
        )
    )

    assert ledger(place) == []
