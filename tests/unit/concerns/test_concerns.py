from typing import Any

import pytest

from engine import Actor, CaseId, Invalid
from engine.records import Json, parse_instant
from services.cases.commands import RegisterCase
from services.permit import NotPermitted
from services.relations.commands import TransferCase
from services.relations.errors import NotTransferable
from services.scenarios.passing import pass_time
from tests.helpers.offices import Place, dispatched_case

CASE = CaseId("concern-1")
REGISTRATION: dict[str, Any] = {
    "title": "小区供暖温度不达标",
    "source_kind": "hotline",
    "source_date": "2026-03-02",
    "content": "反映供暖温度不足。",
    "citizen": {"name": "李䶮", "contact": "13800000000"},
}
HAND_OVER: dict[str, Any] = {
    "lead_unit": "u45",
    "kind": "stabilisation",
    "reason": "户籍地在该区",
    "agreed_with": "区信访局",
}


def dispatched(place: Place, kind: str = "hotline", **data: Json) -> CaseId:
    """Register, classify and dispatch a concern."""
    ask = RegisterCase(
        case=CASE,
        by=Actor("registrar"),
        at=place.clock.now(),
        definition="public_concern",
        data={**REGISTRATION, **data},
    )
    place.execute(ask)
    place.complete(CASE, "classify", "supervisor", decision="accept", concern_kind=kind)
    place.complete(
        CASE,
        "dispatch",
        "registrar",
        lead_unit="u13",
        responsible_person="科长",
        report_content="结果",
    )
    return CASE


def row(place: Place, table: str = "concerns") -> dict[str, Any]:
    with place.office.store.transaction(write=False) as transaction:
        return transaction.rows(CASE, table)[0]


def transfer(place: Place, case: CaseId, by: str = "registrar", **data: Json) -> None:
    ask = TransferCase(case=case, by=Actor(by), at=place.clock.now(), data={**HAND_OVER, **data})
    place.execute(ask)


def elements(place: Place) -> list[str]:
    return sorted(task.element for task in place.process(CASE).tasks.values())


def test_an_urgent_concern_gets_a_first_response_within_24_hours(place: Place) -> None:
    dispatched(place, urgency="urgent")

    assert place.task(CASE, "first_response").due_at == parse_instant("2026-03-03T09:00+08:00")


def test_a_late_first_response_is_counted_as_late(place: Place) -> None:
    dispatched(place, urgency="urgent")
    pass_time(place.office, place.clock, parse_instant("2026-03-03T09:01+08:00"))

    place.complete(CASE, "first_response", "contact.13", method="phone", text="已联系")

    assert row(place)["first_response_late"] is True


def test_the_citizen_is_answered_within_15_working_days(place: Place) -> None:
    dispatched(place)

    assert row(place, "register")["deadline"] == parse_instant("2026-03-24T00:00+08:00")


def test_media_are_answered_the_same_day(place: Place) -> None:
    dispatched(place, "media", source_kind="media")

    assert row(place, "register")["deadline"] == parse_instant("2026-03-03T00:00+08:00")


def test_an_answer_cannot_be_dated_in_the_future(place: Place) -> None:
    dispatched(place)
    place.complete(CASE, "sign_for", "contact.13", decision="accept")
    place.complete(
        CASE, "unit_instruction", "head.13", form="section_handles", handler="handler.13"
    )

    with pytest.raises(Invalid) as refusal:
        place.complete(
            CASE,
            "handle",
            "handler.13",
            result_class="done",
            measures="更换管道",
            answer_text="已恢复",
            answered_on="2026-03-03",
            answer_method="phone",
        )

    assert refusal.value.fields[0].field == "answered_on"


def test_a_stabilisation_case_is_handed_to_another_district_and_its_clock_runs_on(
    place: Place,
) -> None:
    dispatched(place)
    place.complete(CASE, "sign_for", "contact.13", decision="accept")
    before = row(place, "register")["deadline"]

    transfer(place, CASE)

    assert row(place, "register")["lead_unit"] == "u45"
    assert row(place, "register")["deadline"] == before
    assert elements(place) == ["first_response", "sign_for"]
    assert {task.unit for task in place.process(CASE).tasks.values()} == {"u45"}


def test_a_stabilisation_case_is_handed_over_only_when_agreed(place: Place) -> None:
    dispatched(place)
    ask = {name: value for name, value in HAND_OVER.items() if name != "agreed_with"}

    with pytest.raises(Invalid):
        place.execute(
            TransferCase(case=CASE, by=Actor("registrar"), at=place.clock.now(), data=ask)
        )


def test_a_unit_cannot_pass_a_case_on_by_itself(place: Place) -> None:
    dispatched(place)

    with pytest.raises(NotPermitted):
        transfer(place, CASE, "contact.13")


def test_a_leaders_instruction_is_not_transferred_but_its_lead_unit_changed(place: Place) -> None:
    case = dispatched_case(place)

    with pytest.raises(NotTransferable):
        transfer(place, case)
