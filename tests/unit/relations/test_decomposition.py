from typing import Any

import pytest

from engine import Actor, CaseId, Command
from engine.records import Json, parse_instant
from services.cases.commands import RegisterCase
from services.permissions import Visibility
from services.permit import NotPermitted
from services.relations.commands import Decompose, RegisterPart
from services.relations.errors import ChildrenOpen, DecompositionOpen, PartNotConfirmed
from services.relations.queries import family
from tests.helpers.offices import Place, dispatched_case, registration

SOURCE = CaseId("source-1")
EVERYTHING = Visibility(everything=True)
REPORT: dict[str, Any] = {
    "title": "2026年政府工作报告",
    "source_kind": "document",
    "source_date": "2026-02-10",
    "issuer": "市人民政府",
    "content": "全年任务。",
    "task_kind": "report_task",
    "is_source": True,
}


def part(number: int, **data: Json) -> dict[str, Json]:
    """Give one part of the source."""
    return {
        "title": f"第{number}项任务",
        "content": f"任务{number}的内容",
        "lead_unit": f"u{number}",
        "responsible_person": "局长",
        "deadline": "2026-12-31",
        **data,
    }


def source(place: Place) -> CaseId:
    """Register and approve a source of tasks."""
    ask = RegisterCase(
        case=SOURCE,
        by=Actor("registrar"),
        at=place.clock.now(),
        definition="work_report_task",
        data=REPORT,
    )
    place.execute(ask)
    place.complete(SOURCE, "approve_registration", "office_director", decision="approve")
    return SOURCE


def decompose(*parts: dict[str, Json], by: str = "registrar") -> Command:
    return Decompose(
        case=SOURCE,
        by=Actor(by),
        at=parse_instant("2026-03-02T09:00+08:00"),
        data={"parts": list(parts)},
    )


def register_of(place: Place, case: str) -> dict[str, Any]:
    with place.office.store.transaction(write=False) as transaction:
        found: list[dict[str, Any]] = transaction.rows(CaseId(case), "register")
    return found[0] if found else {}


def decomposed(place: Place, count: int = 3) -> CaseId:
    """Bring a source as far as its registered and dispatched parts."""
    source(place)
    place.execute(decompose(*(part(n) for n in range(1, count + 1))))
    place.complete(SOURCE, "confirm_decomposition", "mayor", decision="confirm")
    place.sweep()
    return SOURCE


def elements(place: Place, case: CaseId) -> list[str]:
    return sorted(task.element for task in place.process(case).tasks.values())


def test_one_confirmation_registers_and_dispatches_every_part(place: Place) -> None:
    decomposed(place)

    children = [register_of(place, f"{SOURCE}-{n}") for n in (1, 2, 3)]

    assert [(c["lead_unit"], c["parent"], c["status"]) for c in children] == [
        (f"u{n}", SOURCE, "dispatched") for n in (1, 2, 3)
    ]
    assert [c["number"] for c in children] == [f"督〔2026〕任务-000{n}" for n in (2, 3, 4)]
    assert {c["registered_by"] for c in children} == {"registrar"}


def test_the_confirmation_delivered_twice_registers_nothing_twice(place: Place) -> None:
    decomposed(place)
    before = place.office.store.count_events()
    job = place.office.handlers["register_parts"]

    job(SOURCE, "source-1.j9", {"now": place.clock.now()})  # type: ignore[arg-type]

    assert place.office.store.count_events() == before


def test_a_part_changed_while_confirming_goes_to_the_other_unit(place: Place) -> None:
    source(place)
    place.execute(decompose(part(1), part(2)))

    place.complete(
        SOURCE,
        "confirm_decomposition",
        "mayor",
        decision="confirm",
        changes=[
            {"part": 1, "lead_unit": "u40", "deadline": "2026-09-30"},
            {"part": 2, "drop": True},
        ],
    )
    place.sweep()

    assert register_of(place, f"{SOURCE}-1")["lead_unit"] == "u40"
    assert register_of(place, f"{SOURCE}-1")["deadline"] == parse_instant("2026-10-01T00:00+08:00")
    assert register_of(place, f"{SOURCE}-2") == {}


def test_parts_that_were_returned_are_not_registered_and_can_be_proposed_again(
    place: Place,
) -> None:
    source(place)
    place.execute(decompose(part(1)))
    with pytest.raises(DecompositionOpen):
        place.execute(decompose(part(2)))

    place.complete(
        SOURCE, "confirm_decomposition", "mayor", decision="return", reason="牵头单位不当"
    )
    place.sweep()
    place.execute(decompose(part(2)))
    place.complete(SOURCE, "confirm_decomposition", "mayor", decision="confirm")
    place.sweep()

    assert register_of(place, f"{SOURCE}-1") == {}
    assert register_of(place, f"{SOURCE}-2")["lead_unit"] == "u2"


def test_case_40_a_part_without_a_lead_unit_cannot_be_proposed(place: Place) -> None:
    source(place)
    without = {name: value for name, value in part(1).items() if name != "lead_unit"}

    with pytest.raises(Exception, match="lead_unit"):
        place.execute(decompose(without))


def test_a_supervisor_does_not_decompose(place: Place) -> None:
    source(place)

    with pytest.raises(NotPermitted):
        place.execute(decompose(part(1), by="supervisor"))


def test_what_no_leader_confirmed_needs_its_own_approval(place: Place) -> None:
    source(place)
    place.execute(decompose(part(1)))
    sneaked = RegisterPart(
        case=CaseId("sneaked"),
        by=Actor("registrar"),
        at=place.clock.now(),
        definition="work_report_task",
        parent=SOURCE,
        part=1,
        deadline="2026-12-31",
        data={**REPORT, "is_source": False, "targets": [{"by": "2026-12-31", "percent": 100}]},
    )

    with pytest.raises(PartNotConfirmed):
        place.execute(sneaked)


def test_case_41_a_parent_cannot_close_before_its_children(place: Place) -> None:
    decomposed(place, 1)
    before = place.office.engine.history.recorded(SOURCE)

    with pytest.raises(ChildrenOpen) as refusal:
        place.complete(SOURCE, "summarise", "supervisor", summary="全部完成")
    assert refusal.value.facts["count"] == 1
    assert place.office.engine.history.recorded(SOURCE) == before

    close(place, CaseId(f"{SOURCE}-1"))
    place.complete(SOURCE, "summarise", "supervisor", summary="全部完成")
    assert register_of(place, SOURCE)["status"] == "closed"


def close(place: Place, case: CaseId) -> None:
    place.complete(case, "sign_for", "contact.1", decision="accept")
    place.complete(case, "unit_instruction", "head.1", form="section_handles", handler="handler.1")
    place.complete(case, "handle", "handler.1", result_class="done", measures="完成", percent=100)
    place.complete(case, "sign_off", "head.1", decision="sign", seal=True)
    place.complete(case, "review", "supervisor", content_gate="pass", format_gate="pass")


def test_a_child_of_any_type_holds_its_parent_open(place: Place) -> None:
    parent = dispatched_case(place, "parent")
    place.execute(registration(place, "child", parent="parent"))
    for element, by, data in (
        ("sign_for", "contact.11", {"decision": "accept"}),
        ("unit_instruction", "head.11", {"form": "section_handles", "handler": "handler.11"}),
        ("handle", "handler.11", {"result_class": "done", "measures": "已办", "percent": 100}),
        ("sign_off", "head.11", {"decision": "sign", "seal": True}),
        ("review", "supervisor", {"content_gate": "pass", "format_gate": "pass"}),
        ("report_to_leader", "supervisor", {"summary": "已办结"}),
    ):
        place.complete(parent, element, by, **data)

    with pytest.raises(ChildrenOpen):
        place.complete(parent, "answer_report", "leader", decision="accept")


def test_the_family_of_a_source_is_counted(place: Place) -> None:
    decomposed(place)
    close(place, CaseId(f"{SOURCE}-1"))

    with place.office.store.transaction(write=False) as transaction:
        counted = family(transaction.connection, SOURCE)

    assert (counted.children, counted.open, counted.closed) == (3, 2, 1)


def test_contents_of_parts_are_sealed_like_other_personal_fields(place: Place) -> None:
    source(place)

    place.execute(decompose(part(1)))

    stored = place.office.engine.history.stored(SOURCE)
    proposal = next(event for event in stored if event.type == "decomposition_proposed")
    assert "任务1的内容" not in proposal.body
    assert "任务1的内容" not in "".join(event.body for event in stored)
    assert place.office.engine.history.verify(SOURCE).ok
