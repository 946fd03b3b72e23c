from datetime import date

import pytest

from engine import Actor, CaseId, DelegateTask, TaskId
from engine.errors import TaskNotFound
from engine.records import parse_instant
from services.cases.commands import ChangeLeadUnit
from services.people.admin import deactivate_user, mark_absent
from services.people.unit_admin import merge_unit, rename_unit
from services.permit import NotPermitted
from services.scenarios.passing import pass_time
from tests.helpers.offices import Place, dispatched_case, registration


def handled(place: Place) -> CaseId:
    """Bring a case as far as its handler in unit 11."""
    case = dispatched_case(place)
    place.complete(case, "sign_for", "contact.11", decision="accept")
    place.complete(
        case, "unit_instruction", "head.11", form="section_handles", handler="handler.11"
    )
    return case


def change_lead(place: Place, case: CaseId) -> None:
    place.execute(
        ChangeLeadUnit(
            case=case,
            by=Actor("office_director"),
            at=place.clock.now(),
            data={"lead_unit": "u45", "reason": "职责调整"},
        )
    )


def scored(place: Place, case: CaseId) -> list[tuple[str, str]]:
    with place.office.store.transaction(write=False) as transaction:
        return [(row["unit"], row["rule"]) for row in transaction.rows(case, "score_entries")]


def test_case_8_the_former_units_tasks_end_and_its_record_stays(place: Place) -> None:
    case = handled(place)

    change_lead(place, case)

    assert {task.unit for task in place.process(case).tasks.values()} == {"u45"}
    done = [r.event for r in place.office.engine.history.recorded(case)]
    assert [e for e in done if e.name == "handler_named" and getattr(e, "unit", "") == "u11"]
    with place.office.store.transaction(write=False) as transaction:
        units = {row["unit"]: row["part"] for row in transaction.rows(case, "case_units")}
    assert units == {"u11": "former", "u45": "lead"}


def test_case_8_points_go_to_who_held_the_case_when_the_fault_happened(place: Place) -> None:
    case = handled(place)
    pass_time(place.office, place.clock, parse_instant("2026-03-18T09:00+08:00"))

    change_lead(place, case)

    assert scored(place, case) == [("u11", "overdue")]


def test_case_8_the_former_unit_can_do_nothing_more(place: Place) -> None:
    case = handled(place)
    change_lead(place, case)

    with pytest.raises(NotPermitted):
        place.complete(case, "sign_for", "contact.11", decision="accept")


def test_case_9_open_tasks_of_a_merged_unit_go_to_the_people_of_the_other(place: Place) -> None:
    case = dispatched_case(place)
    with place.office.store.transaction() as transaction:
        merge_unit(transaction.connection, "u11", "u45")
    place.office.people.forget()

    place.complete(case, "sign_for", "contact.45", decision="accept")
    place.complete(
        case, "unit_instruction", "head.45", form="section_handles", handler="handler.45"
    )
    place.complete(
        case, "handle", "handler.45", result_class="done", measures="已补偿", percent=100
    )
    place.complete(case, "sign_off", "head.45", decision="sign", seal=True)

    assert place.task(case, "review").unit == "u11"


def test_case_9_history_keeps_the_old_unit_and_the_old_people_go_on(place: Place) -> None:
    case = handled(place)
    with place.office.store.transaction() as transaction:
        rename_unit(transaction.connection, "u45", "自然资源和规划局")
        merge_unit(transaction.connection, "u11", "u45")
    place.office.people.forget()

    place.complete(
        case, "handle", "handler.11", result_class="done", measures="已补偿", percent=100
    )

    events = [recorded.event for recorded in place.office.engine.history.recorded(case)]
    dispatch = next(event for event in events if event.name == "case_dispatched")
    assert getattr(dispatch, "lead_unit", None) == "u11"
    assert place.office.engine.history.verify(case).ok


def test_case_9_a_merged_unit_gets_no_new_case(place: Place) -> None:
    with place.office.store.transaction() as transaction:
        merge_unit(transaction.connection, "u11", "u45")
    place.office.people.forget()

    with pytest.raises(Exception, match="unknown_active_unit"):
        dispatched_case(place)


def test_case_22_b_acts_for_a_and_the_record_says_so(place: Place) -> None:
    case = dispatched_case(place)
    place.complete(case, "sign_for", "contact.11", decision="accept")
    with place.office.store.transaction() as transaction:
        mark_absent(transaction.connection, "head.11", date(2026, 3, 1), date(2026, 3, 31))
    place.office.people.forget()

    place.complete(
        case, "unit_instruction", "contact.11", form="section_handles", handler="handler.11"
    )

    last = [r for r in place.office.engine.history.recorded(case) if r.command is not None][-1]
    assert last.by == Actor("contact.11", "head.11")


def test_case_22_when_b_is_absent_too_the_head_of_the_unit_acts(place: Place) -> None:
    case = handled(place)
    with place.office.store.transaction() as transaction:
        for user in ("handler.11", "contact.11"):
            mark_absent(transaction.connection, user, date(2026, 3, 1), date(2026, 3, 31))
    place.office.people.forget()

    place.complete(case, "handle", "head.11", result_class="done", measures="已补偿", percent=100)

    last = [r for r in place.office.engine.history.recorded(case) if r.command is not None][-1]
    assert last.by == Actor("head.11", "handler.11")


def test_case_24_the_registrar_of_a_case_cannot_approve_it_for_the_director(place: Place) -> None:
    with place.office.store.transaction() as transaction:
        mark_absent(
            transaction.connection,
            "office_director",
            date(2026, 3, 1),
            date(2026, 3, 31),
            deputy="registrar",
        )
    place.office.people.forget()
    case = place.execute(registration(place)).case

    with pytest.raises(Exception, match="same-person"):
        place.complete(case, "approve_registration", "registrar", decision="approve")


def test_case_45_open_approvals_of_a_leader_who_leaves_go_to_the_successor(place: Place) -> None:
    case = handled(place)
    place.complete(
        case, "handle", "handler.11", result_class="done", measures="已补偿", percent=100
    )
    place.complete(case, "sign_off", "head.11", decision="sign", seal=True)
    place.complete(case, "review", "supervisor", content_gate="pass", format_gate="pass")
    place.complete(case, "report_to_leader", "supervisor", summary="已办结")
    waiting = TaskId(place.task(case, "answer_report").task)
    place.execute(
        DelegateTask(
            case=case, by=Actor("mayor"), at=place.clock.now(), task=waiting, assignee="mayor"
        )
    )

    with place.office.store.transaction() as transaction:
        deactivate_user(transaction.connection, "mayor", successor="leader")
    place.office.people.forget()
    with pytest.raises((NotPermitted, TaskNotFound)):
        place.complete(case, "answer_report", "mayor", decision="accept")
    place.complete(case, "answer_report", "leader", decision="accept")

    last = [r for r in place.office.engine.history.recorded(case) if r.command is not None][-1]
    assert last.by == Actor("leader", "mayor")
