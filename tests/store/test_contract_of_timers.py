"""Due timers are handed out once and fire once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from engine import Actor, Engine, FireTimer, SuspendCase, TimerId
from engine.commands import ResumeCase
from engine.events import TimerFired, TimerStuck
from engine.ids import CLOCK
from engine.store import (
    DueTimer,
    Store,
)
from engine.testing import NOW, Trial, diagram, engine_on, flows, task
from tests.store.contract import (
    CASE,
    LEASE_S,
    StoreContract,
    append,
    timer_row,
    together,
)

WAITING = diagram(
    '<startEvent id="start"/>'
    '<intermediateCatchEvent id="wait"><timerEventDefinition>'
    "<timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    + task("act")
    + '<endEvent id="end"/>'
    + flows("start wait act end")
)
UNDECIDED = diagram(
    '<startEvent id="start"/>'
    '<intermediateCatchEvent id="wait"><timerEventDefinition>'
    "<timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    '<exclusiveGateway id="which"/>'
    + task("act")
    + task("rest")
    + '<endEvent id="end"/>'
    + flows("start wait which")
    + '<sequenceFlow id="f1" sourceRef="which" targetRef="act">'
    '<conditionExpression xsi:type="tFormalExpression">${open}</conditionExpression>'
    '</sequenceFlow><sequenceFlow id="f2" sourceRef="which" targetRef="rest">'
    '<conditionExpression xsi:type="tFormalExpression">${closed}</conditionExpression>'
    "</sequenceFlow>" + flows("act end") + flows("rest end")
)


class Timers(StoreContract):
    """What holds of timers on every store."""

    def test_due_timers_are_handed_out_in_the_order_of_their_instants(self, store: Store) -> None:
        minute = timedelta(minutes=1)
        rows = (
            timer_row(CASE, "m1", NOW),
            timer_row(CASE, "m2", NOW - 2 * minute),
            timer_row(CASE, "m3", NOW + minute),
            timer_row(CASE, "m4", None),
            timer_row(CASE, "m5", NOW - minute),
        )
        with store.transaction() as transaction:
            append(transaction, changes=rows)

        first = store.claim_timers(NOW, 2, LEASE_S)
        rest = store.claim_timers(NOW, 10, LEASE_S)

        assert first == [
            DueTimer(CASE, TimerId("m2"), NOW - 2 * minute),
            DueTimer(CASE, TimerId("m5"), NOW - minute),
        ]
        assert rest == [DueTimer(CASE, TimerId("m1"), NOW)]

    def test_a_timer_is_handed_out_again_when_its_lease_is_over(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction, changes=(timer_row(CASE, "m1", NOW),))
        due = store.claim_timers(NOW, 10, LEASE_S)

        assert store.claim_timers(NOW + timedelta(seconds=LEASE_S), 10, LEASE_S) == []
        assert store.claim_timers(NOW + timedelta(seconds=LEASE_S + 1), 10, LEASE_S) == due

    def test_no_timer_is_handed_to_two_workers(self, store: Store) -> None:
        rows = tuple(timer_row(CASE, f"m{n:03}", NOW - timedelta(seconds=n)) for n in range(300))
        with store.transaction() as transaction:
            append(transaction, changes=rows)

        def work(own: Store) -> list[DueTimer]:
            taken = []
            while batch := own.claim_timers(NOW, 7, LEASE_S):
                taken.extend(batch)
            return taken

        hands = together(*(partial(work, self.again(store)) for _ in range(4)))

        taken = [timer.timer for hand in hands if isinstance(hand, list) for timer in hand]
        assert sorted(taken) == sorted(row.values["timer"] for row in rows)

    def test_two_workers_fire_every_due_timer_once(self, store: Store) -> None:
        trials = [
            Trial({"process.bpmn": WAITING}, store=store, case=f"case-{n:02}").done()
            for n in range(30)
        ]
        late = NOW + timedelta(days=3)
        engines = [engine_on(self.again(store), trials[0].clock) for _ in range(2)]

        def sweep(engine: Engine) -> None:
            for _ in range(12):
                engine.fire_due(late, limit=4)

        together(*(partial(sweep, engine) for engine in engines))

        for trial in trials:
            fired = [r for r in trial.history if isinstance(r.event, TimerFired)]
            assert [(r.at, r.by) for r in fired] == [(NOW + timedelta(hours=1), CLOCK)]
            assert trial.open == ["act"]
            assert trial.engine.history.verify(trial.case).ok

    def test_a_timer_due_while_the_service_was_down_fires_with_its_own_instant(
        self, store: Store
    ) -> None:
        trial = Trial({"process.bpmn": WAITING}, store=store).done()

        trial.wait_until(NOW + timedelta(days=9))

        (fired,) = [e for e in trial.happened if isinstance(e, TimerFired)]
        assert fired.due_at == NOW + timedelta(hours=1)
        assert fired.fired_at == NOW + timedelta(days=9)

    def test_a_worker_killed_after_claiming_loses_no_timer(self, store: Store) -> None:
        trial = Trial({"process.bpmn": WAITING}, store=store).done()
        due = NOW + timedelta(hours=1)

        assert len(store.claim_timers(due, 10, LEASE_S)) == 1

        trial.wait_until(due).then()
        assert trial.happened == []
        trial.wait_until(due + timedelta(seconds=LEASE_S + 1)).then(TimerFired)

    def test_firing_a_timer_twice_under_its_key_has_one_effect(self, store: Store) -> None:
        trial = Trial({"process.bpmn": WAITING}, store=store).done()
        (timer,) = trial.state.timers
        due = NOW + timedelta(hours=1)
        ask = FireTimer(case=trial.case, by=CLOCK, at=due, timer=TimerId(timer), fired_at=due)

        trial.engine.execute(ask, key="timer")
        again = trial.engine.execute(replace(ask, fired_at=due + timedelta(hours=1)), key="timer")

        assert again.repeated
        trial.when(ask).then_refused("timer-not-open")

    def test_no_timer_of_a_suspended_case_is_due(self, store: Store) -> None:
        trial = Trial({"process.bpmn": WAITING}, store=store).done()
        trial.given(SuspendCase(case=trial.case, by=Actor("ann"), at=NOW, reason="等批复"))

        trial.wait_until(NOW + timedelta(days=1)).then()

        assert trial.happened == []
        assert store.next_due() is None
        trial.given(ResumeCase(case=trial.case, by=Actor("ann"), at=trial.clock.now()))
        assert store.next_due() == NOW + timedelta(days=1, hours=1)

    def test_the_next_due_instant_is_that_of_the_earliest_open_timer(self, store: Store) -> None:
        assert store.next_due() is None
        for hours in (5, 2, 9):
            Trial(
                {"process.bpmn": WAITING},
                store=store,
                now=NOW + timedelta(hours=hours),
                case=f"case-{hours}",
            ).done()

        assert store.next_due() == NOW + timedelta(hours=3)

    def test_a_timer_that_cannot_move_its_case_becomes_an_incident_and_stops_no_other(
        self, store: Store
    ) -> None:
        stuck = Trial({"process.bpmn": UNDECIDED}, store=store, case="case-1")
        stuck.given(stuck.start(open=False, closed=False))
        later = NOW + timedelta(seconds=1)
        fine = Trial({"process.bpmn": WAITING}, store=store, now=later, case="case-2").done()

        stuck.wait_until(NOW + timedelta(hours=2)).then(TimerStuck)

        assert fine.open == ["act"]
        stuck.wait_until(NOW + timedelta(hours=4)).then()
        assert stuck.happened == []
