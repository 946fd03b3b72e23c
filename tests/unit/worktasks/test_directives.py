from datetime import datetime
from typing import Any

import pytest

from engine import Actor, CaseId, Invalid
from engine.records import Json, parse_instant
from services.cases.commands import RegisterCase
from services.deadlines.state import DeadlineState
from tests.helpers.offices import Place

CASE = CaseId("directive-1")
REGISTRATION: dict[str, Any] = {
    "title": "落实省政府专项检查反馈问题整改",
    "source_kind": "superior",
    "source_date": "2026-03-02",
    "issuer": "省政府办公厅",
    "content": "请于3月27日前报送。",
    "superior_deadline": "2026-03-27",
}


def approved(place: Place) -> CaseId:
    """Register and approve a superior's directive."""
    ask = RegisterCase(
        case=CASE,
        by=Actor("registrar"),
        at=place.clock.now(),
        definition="superior_directive",
        data=REGISTRATION,
    )
    place.execute(ask)
    place.complete(CASE, "approve_registration", "office_director", decision="approve")
    return CASE


def dispatch(place: Place, by: str, deadline: str, **data: Json) -> None:
    place.complete(
        CASE,
        "dispatch",
        by,
        lead_unit="u11",
        responsible_person="局长",
        report_content="整改情况",
        deadline=deadline,
        **data,
    )


def due(place: Place) -> datetime | None:
    state = place.office.engine.history.states(CASE)[2][DeadlineState]
    assert isinstance(state, DeadlineState)
    return state.due_at


def test_the_internal_deadline_lies_three_working_days_ahead(place: Place) -> None:
    approved(place)

    dispatch(place, "registrar", "2026-03-24")

    assert due(place) == parse_instant("2026-03-25T00:00+08:00")


def test_a_later_internal_deadline_needs_the_director(place: Place) -> None:
    approved(place)
    before = place.office.engine.history.recorded(CASE)

    with pytest.raises(Invalid) as refusal:
        dispatch(place, "registrar", "2026-03-25")
    assert refusal.value.fields[0].code == "later_needs_director"
    assert place.office.engine.history.recorded(CASE) == before

    dispatch(place, "office_director", "2026-03-25")
    assert due(place) == parse_instant("2026-03-26T00:00+08:00")


def test_without_a_deadline_by_name_nothing_is_dispatched(place: Place) -> None:
    approved(place)

    with pytest.raises(Invalid):
        place.complete(
            CASE,
            "dispatch",
            "registrar",
            lead_unit="u11",
            responsible_person="局长",
            report_content="整改情况",
        )


def test_once_the_unit_has_reported_the_superiors_own_deadline_counts(place: Place) -> None:
    approved(place)
    dispatch(place, "registrar", "2026-03-24")
    place.complete(CASE, "sign_for", "contact.11", decision="accept")
    place.complete(
        CASE, "unit_instruction", "head.11", form="section_handles", handler="handler.11"
    )
    place.complete(
        CASE, "handle", "handler.11", result_class="done", measures="已整改", percent=100
    )
    place.complete(CASE, "sign_off", "head.11", decision="sign", seal=True)

    place.complete(CASE, "review", "supervisor", content_gate="pass", format_gate="pass")

    assert due(place) == parse_instant("2026-03-28T00:00+08:00")
