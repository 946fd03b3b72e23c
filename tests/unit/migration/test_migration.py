"""Running cases moved to a newer version of their definition (domain.md §10, cases 30 and 31)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import Actor, CaseId, ClaimTask
from engine.commands import MigrateCase
from engine.errors import CaseNotFound, DefinitionNotFound, StaleVersion
from engine.events import CaseMigrated
from engine.records import parse_instant
from engine.store import Deployment
from services.asks import ask
from services.deadlines.state import DeadlineState
from services.escalation.state import EscalationState
from services.migration.errors import DefinitionNotApproved
from services.migration.migrating import Migration, migrate, plan_migration
from services.replay.moment import moment_of
from services.scenarios.passing import pass_time
from tests.helpers.offices import (
    Place,
    dispatched_case,
    registered_case,
    registration,
    reported_case,
)
from tests.helpers.properties import check_process

KEY = "leader_instruction"
DIRECTOR = Actor("office_director")
Deploy = Callable[..., Deployment]

REMARK = ("process.bpmn", "<bpmn:documentation>", "<bpmn:documentation>修订。")
SHORTER = ("shared/deadlines.dmn", '"15 days"', '"10 days"')


def handled_case(place: Place, case: str = "case-1") -> CaseId:
    """Bring a case to where the handler works on it."""
    found = dispatched_case(place, case, co_units=["u9"])
    place.complete(found, "sign_for", "contact.11", decision="accept")
    given: dict[str, Any] = {"form": "section_handles", "handler": "handler.11"}
    place.complete(found, "unit_instruction", "head.11", **given)
    return found


def finished(place: Place, case: CaseId) -> None:
    """Bring a handled case to its end."""
    given: dict[str, Any] = {"result_class": "done", "measures": "已补偿", "percent": 100}
    place.complete(case, "handle", "handler.11", **given)
    place.complete(case, "sign_off", "head.11", decision="sign", seal=True)
    place.complete(case, "review", "supervisor", content_gate="pass", format_gate="pass")
    place.complete(case, "report_to_leader", "supervisor", summary="已办结")
    place.complete(case, "answer_report", "leader", decision="accept")


def migrated(place: Place, version: int, *cases: CaseId) -> Migration:
    return migrate(place.office, KEY, version, DIRECTOR, cases or None)


def check(place: Place, case: CaseId) -> None:
    """Check that the record proves the case, and that the live process is what it says."""
    engine = place.office.engine
    proof = engine.history.verify(case)
    assert proof.ok, proof
    engine.forget_live_cases()
    with place.office.store.transaction() as transaction:
        head = transaction.lock(case, None)
        assert head is not None
        held = engine._executor.shelf.take(case, head, transaction)
        states = engine.history.states(case)[2]
        assert held.case.states == states
        assert held.case.definition.sha256 == head.definition_sha256
        check_process(held.case.process, states)


def test_case_30_cases_finish_on_their_version_unless_migrated(
    place: Place, deploy: Deploy
) -> None:
    case = handled_case(place)
    deploy(REMARK)

    finished(place, case)

    assert place.process(case).definition_version == 1
    assert registered_case(place, "next") and place.process(CaseId("next")).definition_version == 2


def test_case_30_a_plan_comes_first_and_changes_nothing(place: Place, deploy: Deploy) -> None:
    case = handled_case(place)
    before = place.office.engine.history.stored(case)
    deploy(REMARK)

    plan = plan_migration(place.office, KEY, 2)

    assert [(c.case, c.fits, c.open) for c in plan.cases] == [
        (case, True, ("co_opinion", "handle"))
    ]
    assert not plan.applied
    assert place.office.engine.history.stored(case) == before


def test_on_a_version_that_differs_in_nothing_that_matters_all_ids_stay(
    place: Place, deploy: Deploy
) -> None:
    case = handled_case(place)
    before = place.process(case)
    deploy(REMARK)

    migrated(place, 2)

    after = place.process(case)
    assert (after.tasks, after.timers, after.jobs) == (before.tasks, before.timers, before.jobs)
    assert after.scopes == before.scopes
    assert sorted(map(str, after.tokens)) == sorted(map(str, before.tokens))
    assert after.definition_version == 2
    check(place, case)


def test_a_migrated_case_goes_on_to_its_end_and_verifies(place: Place, deploy: Deploy) -> None:
    case = handled_case(place)
    deploy(REMARK)
    migrated(place, 2)

    finished(place, case)

    assert place.office.engine.history.verify(case).ok
    assert place.process(case).tasks == {} or "follow_up" in {
        t.element for t in place.process(case).tasks.values()
    }


def test_it_is_on_the_record_who_moved_it(place: Place, deploy: Deploy) -> None:
    case = handled_case(place)
    deploy(REMARK)
    migrated(place, 2)

    (moved,) = [
        e for e in place.office.engine.history.recorded(case) if isinstance(e.event, CaseMigrated)
    ]

    assert isinstance(moved.event, CaseMigrated)
    assert (moved.by, moved.event.former_version, moved.event.definition_version) == (
        DIRECTOR,
        1,
        2,
    )


def test_a_deadline_that_was_given_holds_though_the_new_table_gives_another(
    place: Place, deploy: Deploy
) -> None:
    case = handled_case(place)
    timers = place.process(case).timers
    deploy(SHORTER)

    pass_time(place.office, place.clock, parse_instant("2026-03-14T09:00+08:00"))
    assert migrated(place, 2).fitting == 1

    states = place.office.engine.history.states(case)[2]
    deadline = states[DeadlineState]
    assert isinstance(deadline, DeadlineState)
    assert deadline.due_at == parse_instant("2026-03-18T00:00+08:00")
    assert place.process(case).variables()["deadline"] == "2026-03-17T16:00:00Z"
    assert place.task(case, "handle").due_at == deadline.due_at
    rounds = states.get(EscalationState, EscalationState())
    assert isinstance(rounds, EscalationState)
    assert rounds.started == 0
    assert deadline.due_at in {timer.due_at for timer in timers.values()}
    check(place, case)


def test_a_task_that_looks_otherwise_there_keeps_its_id_and_who_has_it(
    place: Place, deploy: Deploy
) -> None:
    case = handled_case(place)
    before = place.task(case, "handle")
    deploy(("shared/unit_handling.bpmn", 'id="handle" name="承办"', 'id="handle" name="办理落实"'))

    migrated(place, 2)

    after = place.task(case, "handle")
    assert (after.task, after.assignee, after.title) == (
        before.task,
        "handler.11",
        "办理落实",
    )
    check(place, case)
    finished(place, case)
    assert place.office.engine.history.verify(case).ok


def test_a_task_that_isnt_there_any_more_gives_way_to_the_one_in_its_place(
    place: Place, deploy: Deploy
) -> None:
    case = reported_case(place)
    former = place.task(case, "review")
    deploy(
        ("process.bpmn", '"review"', '"check_feedback"'),
        ("process.bpmn", 'formKey="check_feedback"', 'formKey="review"'),
    )

    (plan,) = plan_migration(place.office, KEY, 2).cases
    migrated(place, 2)

    assert (plan.begun, plan.withdrawn) == (("check_feedback",), ("review",))
    now = place.process(case).tasks
    assert former.task not in now
    ids = {int(task.rpartition(".t")[2]) for task in now}
    assert max(ids) > int(former.task.rpartition(".t")[2])
    check(place, case)


def test_a_case_that_doesnt_fit_stays_with_the_reason(place: Place, deploy: Deploy) -> None:
    fitting = registered_case(place, "new")
    staying = handled_case(place, "old")
    before = place.office.engine.history.stored(staying)
    # Whoever approves has to give a reason from now on.
    deploy(
        (
            "shared/forms/dispatch.json",
            '"report_content"\n  ]',
            '"report_content",\n    "deadline_reason"\n  ]',
        )
    )

    done = {plan.case: plan for plan in migrated(place, 2).cases}

    reason = done[staying].reason
    assert reason is not None
    assert (reason.code, reason.element) == ("invalid", "dispatch")
    assert reason.fields == (("deadline_reason", "required"),)
    assert place.office.engine.history.stored(staying) == before
    assert place.process(staying).definition_version == 1
    assert done[fitting].fits
    assert place.process(fitting).definition_version == 2


def test_a_suspended_case_stays_suspended(place: Place, deploy: Deploy) -> None:
    case = handled_case(place)
    at = place.clock.now()
    place.execute(ask("suspend", case, "office_director", at, {"reason": "等待司法鉴定"}))
    deploy(REMARK)

    migrated(place, 2)

    assert place.process(case).status == "suspended"
    check(place, case)
    place.execute(ask("resume", case, "office_director", at, {}))
    finished(place, case)
    assert place.office.engine.history.verify(case).ok


def test_a_case_in_its_rounds_stays_in_them(place: Place, deploy: Deploy) -> None:
    case = handled_case(place)
    pass_time(place.office, place.clock, parse_instant("2026-03-18T09:00+08:00"))
    checks = [{"item": "措施", "in_order": False, "finding": "无"}]
    place.complete(
        case,
        "inspect",
        "supervisor",
        checks=checks,
        conclusion="not_in_order",
        reason="没有落实",
    )
    before = place.office.engine.history.states(case)[2]
    deploy(REMARK)

    migrated(place, 2)

    after = place.office.engine.history.states(case)[2]
    assert after[EscalationState] == before[EscalationState]
    assert place.task(case, "unit_statement").unit == "u11"
    check(place, case)


def test_a_claimed_task_stays_claimed(place: Place, deploy: Deploy) -> None:
    case = registered_case(place)
    task = place.task(case, "approve_registration").task
    place.execute(ClaimTask(case=case, by=DIRECTOR, at=place.clock.now(), task=task))
    deploy(REMARK)

    migrated(place, 2)

    after = place.task(case, "approve_registration")
    assert (after.task, after.assignee, after.claimed) == (task, "office_director", True)
    check(place, case)


def test_case_31_a_case_whose_definition_was_replaced_twice_is_replayed_at_every_event(
    place: Place, deploy: Deploy
) -> None:
    case = registered_case(place)
    deploy(REMARK)
    migrated(place, 2)
    place.complete(case, "approve_registration", "office_director", decision="approve")
    deploy(("process.bpmn", 'name="交办"', 'name="交付办理"'))
    migrated(place, 3)
    given: dict[str, Any] = {"lead_unit": "u11", "responsible_person": "张三"}
    place.complete(case, "dispatch", "registrar", report_content="情况", **given)
    engine = place.office.engine

    seen = []
    recorded = engine.history.recorded(case)
    for number in range(1, len(recorded) + 1):
        seq, _, states = engine.history.states(case, seq=number)
        assert seq == number
        state = states[type(place.process(case))]
        seen.append(state.definition_version)  # type: ignore[attr-defined]  # a ProcessState
        sha256 = state.definition_sha256  # type: ignore[attr-defined]  # a ProcessState
        with place.office.store.transaction(write=False) as transaction:
            definition = engine.library.get(sha256, transaction)
        moment = moment_of(case, recorded[:number], definition)
        assert moment.definition.sha256 == sha256

    assert sorted(set(seen)) == [1, 2, 3]
    assert seen == sorted(seen)
    check(place, case)


def test_a_case_is_rebuilt_from_a_snapshot_of_either_version(place: Place, deploy: Deploy) -> None:
    case = handled_case(place)
    deploy(("process.bpmn", 'name="审核"', 'name="复核"'))
    migrated(place, 2)
    given: dict[str, Any] = {"percent": 10, "text": "进行中"}
    for _ in range(9):
        at = place.clock.now()
        place.execute(ask("progress", case, "contact.11", at, given))
        place.office.engine.forget_live_cases()

    finished(place, case)

    assert place.office.engine.history.verify(case).ok


def test_a_case_that_moved_on_since_its_plan_is_planned_again(place: Place, deploy: Deploy) -> None:
    case = handled_case(place)
    deploy(REMARK)
    (plan,) = plan_migration(place.office, KEY, 2).cases
    given: dict[str, Any] = {"result_class": "done", "measures": "已补偿", "percent": 100}
    place.complete(case, "handle", "handler.11", **given)
    standing: dict[str, Any] = dict(plan.standing or {})

    with pytest.raises(StaleVersion):
        place.execute(
            MigrateCase(
                case=case,
                by=DIRECTOR,
                at=place.clock.now(),
                definition_version=2,
                definition_sha256=place.office.engine.library.current(KEY)[0].sha256,
                after_seq=plan.seq,
                **standing,
            )
        )

    assert place.process(case).definition_version == 1
    assert migrated(place, 2).fitting == 1
    check(place, case)


def test_a_case_that_is_over_or_there_already_stays(place: Place, deploy: Deploy) -> None:
    over, there = registered_case(place, "over"), registered_case(place, "there")
    at = place.clock.now()
    place.execute(ask("cancel", over, "office_director", at, {"reason": "重复"}))
    deploy(REMARK)
    migrated(place, 2, there)

    done = migrated(place, 2, over, there)

    reasons = [plan.reason.code if plan.reason else None for plan in done.cases]
    assert reasons == ["over", "there-already"]
    assert plan_migration(place.office, KEY, 2).cases == ()


def test_it_goes_to_approved_versions_only(place: Place, deploy: Deploy) -> None:
    registered_case(place)
    _, definition = place.office.engine.library.current(KEY)
    files = {**definition.files, "scenarios/none.yaml": b"name: none\n"}
    place.office.engine.library.deploy(files, "designer", place.clock.now(), active=False)

    with pytest.raises(DefinitionNotApproved):
        plan_migration(place.office, KEY, 2)
    with pytest.raises(DefinitionNotFound):
        plan_migration(place.office, KEY, 3)
    with pytest.raises(CaseNotFound):
        plan_migration(place.office, KEY, 1, [CaseId("nobody")])


def test_case_30_500_running_cases_are_planned_and_moved(place: Place, deploy: Deploy) -> None:
    for number in range(500):
        place.execute(registration(place, f"case-{number:03}"))
    deploy(REMARK)

    plan = plan_migration(place.office, KEY, 2)
    done = migrated(place, 2)

    assert (plan.fitting, done.fitting, len(done.cases)) == (500, 500, 500)
    check(place, CaseId("case-499"))
