"""One contract of stores, kept by the one in memory and by the one on SQLite and PostgreSQL."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from engine import Actor, CaseId, FireTimer, JobId, RetryJob, SuspendCase, TimerId
from engine.commands import ResumeCase
from engine.errors import CaseExists, KeyReused, Problem, StaleVersion, TaskNotOpen
from engine.events import (
    CLOCK,
    JobFailed,
    JobFinished,
    JobRetried,
    ProcessEnded,
    TimerFired,
    TimerStuck,
)
from engine.execute import Receipt
from engine.pump import BACKOFF, MAX_ATTEMPTS, Handler
from engine.rows import RowChange
from engine.store import (
    CaseHead,
    Deployment,
    DueJob,
    DueTimer,
    Rejection,
    Store,
    StoredEvent,
    StoredReceipt,
    StoredSnapshot,
    Transaction,
)
from engine.store.memory import MemoryStore
from engine.store.schema import prepare_schema
from engine.store.sql import SqlStore
from engine.store.tables import metadata
from engine.testing import NOW, Trial, diagram, engine_on, flows, linear, task
from services import office
from tests import servers

_EVERY_TABLE = office
"""Importing it puts the tables of all rooms on the schema."""

CASE = CaseId("case-1")
HEAD = CaseHead(2, "sha256:bb", "case", 1, "f" * 64)
RECEIPT = StoredReceipt("sha256:dd", '{"seq":2}')
LEASE_S = 60.0
RACES = 12
Answer = TypeVar("Answer")


class Undone(Exception):
    """Raised in a transaction to undo it."""


def event(seq: int, body: str = "{}", at: datetime = NOW) -> StoredEvent:
    return StoredEvent(seq, "noted", at, body, None, f"sha256:{seq:064x}")


def timer_row(case: str, timer: str, due_at: datetime | None) -> RowChange:
    values = {"case_id": case, "timer": timer, "element": "wait", "due_at": due_at, "stuck": None}
    return RowChange("timers", "insert", ("case_id", "timer"), values)


def job_row(case: str, job: str, requested_at: datetime = NOW) -> RowChange:
    values = {
        "case_id": case,
        "job": job,
        "element": "send",
        "topic": "letter",
        "requested_at": requested_at,
        "failed": None,
    }
    return RowChange("jobs", "insert", ("case_id", "job"), values)


def append(
    transaction: Transaction,
    case: CaseId = CASE,
    *events: StoredEvent,
    changes: tuple[RowChange, ...] = (),
    key: str | None = None,
) -> None:
    added = events or (event(1), event(2))
    head = replace(HEAD, seq=added[-1].seq, head=added[-1].hash)
    transaction.append(case, head, added, changes, key=key, receipt=RECEIPT)


def together(*calls: Callable[[], Answer]) -> list[Answer | Exception]:
    """Run calls at once, each in its own thread; an exception is its answer."""
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer | Exception:
        ready.wait(30)
        try:
            return call()
        except Exception as failure:
            return failure

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


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
SENDING = diagram(
    '<startEvent id="start"/>'
    '<serviceTask id="send" name="send" camunda:type="external" camunda:topic="letter"/>'
    '<endEvent id="end"/>' + flows("start send end")
)


class StoreContract:
    """What every store keeps."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """Give an empty store."""
        raise NotImplementedError

    def again(self, store: Store) -> Store:
        """Give the same store over connections of its own, as another process has them."""
        raise NotImplementedError

    def content(self, store: Store) -> object:
        """Give everything that is kept, to compare."""
        raise NotImplementedError

    def rejections(self, store: Store) -> list[Rejection]:
        """Give the refused commands."""
        raise NotImplementedError

    # Histories

    def test_events_come_back_as_they_were_appended(self, store: Store) -> None:
        odd = '{"n":"𠮷䶮 \\"quoted\\" \\u0001 ‖","t":"' + "长" * 20_000 + '"}'
        fine = NOW + timedelta(microseconds=7)
        added = (event(1, odd), replace(event(2, at=fine), salts='{"/a":"00"}'))

        with store.transaction() as transaction:
            append(transaction, CASE, *added)

        with store.transaction(write=False) as transaction:
            found = transaction.events(CASE)
        assert found == list(added)
        assert found[1].at.utcoffset() == timedelta(0)

    def test_a_part_of_a_history_can_be_read(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction, CASE, *(event(seq) for seq in range(1, 10)))

        with store.transaction(write=False) as transaction:
            assert [e.seq for e in transaction.events(CASE, after=6)] == [7, 8, 9]
            assert [e.seq for e in transaction.events(CASE, after=2, until=4)] == [3, 4]
            assert [e.seq for e in transaction.events(CASE, after=1, limit=2)] == [2, 3]
            assert transaction.events(CaseId("another")) == []

    def test_a_second_append_goes_on_where_the_first_ended(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction)
        with store.transaction() as transaction:
            append(transaction, CASE, event(3))

        with store.transaction(write=False) as transaction:
            assert [e.seq for e in transaction.events(CASE)] == [1, 2, 3]
            assert transaction.head(CASE) == replace(HEAD, seq=3, head=event(3).hash)

    def test_an_unknown_case_has_no_head(self, store: Store) -> None:
        with store.transaction() as transaction:
            assert transaction.lock(CASE) is None
            assert transaction.head(CASE) is None

    def test_a_case_is_begun_only_once(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction)

        with pytest.raises(CaseExists), store.transaction() as transaction:
            append(transaction)

    def test_an_event_number_is_given_only_once(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction)
        before = self.content(store)

        with pytest.raises(Exception), store.transaction() as transaction:  # noqa: B017, PT011
            append(transaction, CASE, event(2), event(3))

        assert self.content(store) == before

    def test_a_receipt_is_found_under_its_key_alone(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction, key="k1")

        with store.transaction() as transaction:
            head = transaction.lock(CASE, "k1")
            assert head is not None
            assert head.receipt == RECEIPT
            other = transaction.lock(CASE, "k2")
            assert other is not None
            assert other.receipt is None

    def test_an_undone_transaction_leaves_nothing_anywhere(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction, CaseId("case-0"), changes=(timer_row("case-0", "m1", NOW),))
            assert transaction.next_number("numbers") == 1
        before = self.content(store)

        with pytest.raises(Undone), store.transaction() as transaction:
            rows = (timer_row(CASE, "m1", NOW), job_row(CASE, "j1"))
            append(transaction, changes=rows, key="k1")
            gone = {"case_id": "case-0", "timer": "m1"}
            transaction.replace_rows(
                CaseId("case-0"), [RowChange("timers", "delete", ("case_id", "timer"), gone)]
            )
            append(transaction, CaseId("case-0"), event(3))
            transaction.save_snapshot(CASE, StoredSnapshot(2, "{}"))
            transaction.next_number("numbers")
            transaction.next_number("others")
            transaction.deploy(deployment(), {"process.bpmn": b"x"})
            raise Undone

        assert self.content(store) == before

    def test_a_snapshot_takes_the_place_of_the_one_before(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction)
            transaction.save_snapshot(CASE, StoredSnapshot(1, '{"a":"督"}'))
        with store.transaction() as transaction:
            transaction.save_snapshot(CASE, StoredSnapshot(2, '{"b":1}'))

        with store.transaction(write=False) as transaction:
            assert transaction.snapshot(CASE) == StoredSnapshot(2, '{"b":1}')
            assert transaction.snapshot(CaseId("another")) is None

    def test_cases_are_listed_page_by_page(self, store: Store) -> None:
        for number in (3, 1, 2):
            with store.transaction() as transaction:
                append(transaction, CaseId(f"case-{number}"))

        assert store.case_ids(limit=2) == ["case-1", "case-2"]
        assert store.case_ids(after="case-2") == ["case-3"]

    def test_a_refused_command_is_kept(self, store: Store) -> None:
        trial = Trial(linear("a"), store=store).done("a")

        trial.when(trial.complete("a")).then_refused("task-not-open")

        (kept,) = self.rejections(store)
        assert (kept.case, kept.user, kept.command) == ("case-1", "clerk", "complete_task")
        assert kept.problem == "task-not-open"
        assert kept.at == NOW

    # Rows

    def test_rows_are_inserted_changed_and_deleted(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction, changes=(timer_row(CASE, "m1", NOW), timer_row(CASE, "m2", NOW)))
        later = timer_row(CASE, "m1", NOW + timedelta(days=1))
        with store.transaction() as transaction:
            transaction.replace_rows(
                CASE,
                [
                    replace(later, kind="update"),
                    replace(timer_row(CASE, "m2", None), kind="delete"),
                ],
            )

        with store.transaction(write=False) as transaction:
            assert transaction.rows(CASE, "timers") == [later.values]

    # Numbers

    def test_numbers_have_no_gaps_under_50_parallel_transactions_some_undone(
        self, store: Store
    ) -> None:
        def draw(undone: bool) -> int:
            with store.transaction() as transaction:
                number = transaction.next_number("督〔2026〕批示")
                if undone:
                    raise Undone
            return number

        answers = together(*(lambda n=n: draw(n % 5 == 0) for n in range(50)))

        drawn = sorted(n for n in answers if isinstance(n, int))
        assert drawn == list(range(1, 41))
        assert sum(isinstance(n, Undone) for n in answers) == 10

    def test_counters_count_for_themselves(self, store: Store) -> None:
        with store.transaction() as transaction:
            assert [transaction.next_number(name) for name in "aab"] == [1, 2, 1]

    # Commands that race

    def test_of_two_completions_at_once_one_is_accepted(self, store: Store) -> None:
        for race in range(RACES):
            trial = Trial(linear("a", "b"), store=store, case=f"race-{race}").done()
            other = engine_on(self.again(store), trial.clock)
            by_ann, by_bob = trial.complete("a", by="ann"), trial.complete("a", by="bob")

            answers = together(
                lambda: trial.engine.execute(by_ann), lambda: other.execute(by_bob)
            )

            assert {type(answer) for answer in answers} == {Receipt, TaskNotOpen}
            assert [e.event.name for e in trial.history].count("task_completed") == 1
            assert trial.engine.history.verify(trial.case).ok

    def test_of_two_that_saw_the_same_version_one_is_accepted(self, store: Store) -> None:
        for race in range(RACES):
            trial = Trial(split(), store=store, case=f"race-{race}").done()
            other = engine_on(self.again(store), trial.clock)
            seen = len(trial.history)
            a, b = trial.complete("a"), trial.complete("b")

            answers = together(
                lambda: trial.engine.execute(a, expect=seen),
                lambda: other.execute(b, expect=seen),
            )

            assert {type(one) for one in answers} == {Receipt, StaleVersion}

    def test_commands_of_one_case_in_many_threads_all_chain_up(self, store: Store) -> None:
        names = [f"t{n}" for n in range(8)]
        trial = Trial(split(*names), store=store).done()
        engines = [engine_on(self.again(store), trial.clock) for _ in names]
        asks = [trial.complete(name) for name in names]

        answers = together(
            *(lambda e=e, a=a: e.execute(a) for e, a in zip(engines, asks, strict=True))
        )

        assert all(isinstance(answer, Receipt) for answer in answers), answers
        assert isinstance(trial.history[-1].event, ProcessEnded)
        assert trial.engine.history.verify(trial.case).ok

    def test_the_same_key_twice_has_one_effect_and_the_same_answer(self, store: Store) -> None:
        trial = Trial(linear("a", "b"), store=store).done()
        ask = trial.complete("a")

        first = trial.engine.execute(ask, key="k1")
        trial.clock.set(NOW + timedelta(hours=1))
        again = trial.engine.execute(replace(ask, at=trial.clock.now()), key="k1")

        assert again == replace(first, repeated=True)
        assert [e.event.name for e in trial.history].count("task_completed") == 1

    def test_a_key_with_another_request_is_refused(self, store: Store) -> None:
        trial = Trial(split("a", "b"), store=store).done()
        trial.engine.execute(trial.complete("a"), key="k1")

        trial.when(trial.complete("b"), key="k1").then_refused("key-reused")
        trial.when(trial.complete("a", by="bob"), key="k1").then_refused("key-reused")

    def test_a_key_holds_for_one_case_only(self, store: Store) -> None:
        first = Trial(linear("a"), store=store, case="case-1").done()
        second = Trial(linear("a"), store=store, case="case-2").done()

        first.engine.execute(first.complete("a"), key="k1")
        second.engine.execute(second.complete("a"), key="k1")

        assert isinstance(second.history[-1].event, ProcessEnded)

    def test_two_racing_starts_with_one_key_make_one_case(self, store: Store) -> None:
        for race in range(RACES):
            trial = Trial(linear("a"), store=store, case=f"race-{race}")
            other = engine_on(self.again(store), trial.clock)
            ask = trial.start()

            answers = together(
                lambda: trial.engine.execute(ask, key="k1"),
                lambda: other.execute(ask, key="k1"),
            )

            one, two = answers
            assert isinstance(one, Receipt), answers
            assert isinstance(two, Receipt), answers
            assert one.repeated != two.repeated
            assert replace(one, repeated=False) == replace(two, repeated=False)
            assert trial.engine.history.verify(trial.case).ok

    def test_two_racing_requests_with_one_key_have_one_effect_and_one_answer(
        self, store: Store
    ) -> None:
        for race in range(RACES):
            trial = Trial(linear("a", "b"), store=store, case=f"race-{race}").done()
            other = engine_on(self.again(store), trial.clock)
            ask = trial.complete("a")

            answers = together(
                lambda: trial.engine.execute(ask, key="k1"),
                lambda: other.execute(ask, key="k1"),
            )

            one, two = answers
            assert isinstance(one, Receipt), answers
            assert isinstance(two, Receipt), answers
            assert one.repeated != two.repeated
            assert replace(one, repeated=False) == replace(two, repeated=False)

    def test_racing_requests_that_may_repeat_have_one_effect_under_one_key(
        self, store: Store
    ) -> None:
        for race in range(RACES):
            trial = Trial(linear("a"), store=store, case=f"race-{race}").done()
            other = engine_on(self.again(store), trial.clock)
            ask = SuspendCase(case=trial.case, by=Actor("ann"), at=NOW, reason="等批复")
            seen = len(trial.history)

            answers = together(
                lambda: trial.engine.execute(ask, key="k1", expect=seen),
                lambda: other.execute(ask, key="k1", expect=seen),
            )

            assert [type(one) for one in answers] == [Receipt, Receipt], answers
            assert [e.event.name for e in trial.history].count("case_suspended") == 1

    def test_a_case_id_is_taken_by_one_of_two_different_starts(self, store: Store) -> None:
        trial = Trial(linear("a"), store=store).done()
        before = self.content(store)

        with pytest.raises(CaseExists):
            trial.engine.execute(trial.start(by="bob"), key="k2")

        assert [e.event.name for e in trial.history].count("case_started") == 1
        assert without_rejections(self.content(store)) == without_rejections(before)

    def test_an_unexpected_failure_in_a_command_leaves_everything_as_it_was(
        self, store: Store
    ) -> None:
        trial = Trial(linear("a", "b"), store=store).done()
        before = self.content(store)
        with store.transaction(write=False) as transaction:
            transaction_type = type(transaction)

        class Broken(Exception):
            pass

        original = transaction_type.append

        def failing(self: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401
            original(self, *args, **more)
            raise Broken

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transaction_type, "append", failing)
            with pytest.raises(Broken):
                trial.engine.execute(trial.complete("a"), key="k1")

        assert self.content(store) == before
        trial.done("a", "b")
        assert trial.engine.history.verify(trial.case).ok

    # Timers

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

        hands = together(*(lambda s=self.again(store): work(s) for _ in range(4)))

        taken = [timer.timer for hand in hands if isinstance(hand, list) for timer in hand]
        assert sorted(taken) == sorted(row.values["timer"] for row in rows)

    def test_two_workers_fire_every_due_timer_once(self, store: Store) -> None:
        trials = [
            Trial({"process.bpmn": WAITING}, store=store, case=f"case-{n:02}").done()
            for n in range(30)
        ]
        late = NOW + timedelta(days=3)
        engines = [engine_on(self.again(store), trials[0].clock) for _ in range(2)]

        together(*(lambda e=e: [e.fire_due(late, limit=4) for _ in range(12)] for e in engines))

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
        ask = FireTimer(
            case=trial.case, by=CLOCK, at=due, timer=TimerId(timer), fired_at=due
        )

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

    # Jobs

    def test_waiting_jobs_are_handed_out_in_the_order_they_were_asked_for(
        self, store: Store
    ) -> None:
        rows = tuple(job_row(CASE, f"j{n}", NOW - timedelta(minutes=n)) for n in (1, 3, 2))
        with store.transaction() as transaction:
            append(transaction, changes=rows)

        first = store.claim_jobs(NOW, 2, LEASE_S)

        assert {job.job for job in first} == {"j3", "j2"}
        assert [job.job for job in store.claim_jobs(NOW, 2, LEASE_S)] == ["j1"]
        assert store.claim_jobs(NOW, 2, LEASE_S) == []

    def test_no_job_is_handed_to_two_workers(self, store: Store) -> None:
        rows = tuple(job_row(CASE, f"j{n:03}") for n in range(120))
        with store.transaction() as transaction:
            append(transaction, changes=rows)

        def work(own: Store) -> list[DueJob]:
            taken = []
            while batch := own.claim_jobs(NOW, 7, LEASE_S):
                taken.extend(batch)
            return taken

        hands = together(*(lambda s=self.again(store): work(s) for _ in range(4)))

        taken = [job.job for hand in hands if isinstance(hand, list) for job in hand]
        assert sorted(taken) == sorted(row.values["job"] for row in rows)

    def test_a_postponed_job_waits_and_counts_its_attempts(self, store: Store) -> None:
        with store.transaction() as transaction:
            append(transaction, changes=(job_row(CASE, "j1"),))
        (job,) = store.claim_jobs(NOW, 10, LEASE_S)

        store.postpone_job(job, NOW + timedelta(seconds=20), "no answer")

        assert store.claim_jobs(NOW + timedelta(seconds=19), 10, LEASE_S) == []
        assert store.claim_jobs(NOW + timedelta(seconds=20), 10, LEASE_S) == [
            replace(job, attempts=1)
        ]

    def test_postponing_a_job_that_is_gone_does_nothing(self, store: Store) -> None:
        before = self.content(store)

        store.postpone_job(DueJob(CASE, JobId("j9"), "letter", 0), NOW, "too late")

        assert self.content(store) == before

    def test_a_job_is_delivered_once_and_answers(self, store: Store) -> None:
        trial = Trial({"process.bpmn": SENDING}, store=store).done()
        seen: list[str] = []

        def send(_case: CaseId, job: JobId, _facts: Mapping[str, Any]) -> dict[str, Any]:
            seen.append(job)
            return {"sent": True}

        assert trial.engine.deliver_jobs({"letter": send}) == 1
        assert trial.engine.deliver_jobs({"letter": send}) == 0

        assert len(seen) == 1
        (finished,) = [r.event for r in trial.history if isinstance(r.event, JobFinished)]
        assert finished.result == {"sent": True}
        assert trial.engine.history.verify(trial.case).ok

    def test_a_failing_job_is_tried_again_later_and_later_then_an_incident_stands_open(
        self, store: Store
    ) -> None:
        trial = Trial({"process.bpmn": SENDING}, store=store).done()
        tried = failures(trial)

        waits = [timedelta(0), *(BACKOFF * 2**n for n in range(MAX_ATTEMPTS - 1))]
        expected = [NOW + sum(waits[: n + 1], timedelta(0)) for n in range(MAX_ATTEMPTS)]
        assert tried == expected
        (failed,) = [r.event for r in trial.history if isinstance(r.event, JobFailed)]
        assert failed.attempts == MAX_ATTEMPTS
        assert "no answer" in failed.reason

    def test_a_job_retried_by_a_person_can_fail_and_be_retried_again(self, store: Store) -> None:
        trial = Trial({"process.bpmn": SENDING}, store=store).done()
        failures(trial)
        (job,) = trial.state.jobs

        for _ in range(2):
            retry = RetryJob(
                case=trial.case, by=Actor("admin"), at=trial.clock.now(), job=JobId(job)
            )
            trial.when(retry).then(JobRetried)
            assert failures(trial) != []
            assert trial.state.jobs[job].failed is not None
        trial.given(replace(retry, at=trial.clock.now()))
        deliver_in_time(trial, {"letter": lambda *_: {}})

        assert trial.state.jobs == {}
        assert trial.engine.history.verify(trial.case).ok

    def test_a_job_delivered_by_two_workers_answers_once(self, store: Store) -> None:
        trial = Trial({"process.bpmn": SENDING}, store=store).done()
        numbers = count(1)

        def slow(_case: CaseId, _job: JobId, _facts: Mapping[str, Any]) -> dict[str, Any]:
            number = next(numbers)
            if number == 1:
                # The lease runs out while this worker is still at it.
                trial.clock.set(NOW + timedelta(seconds=LEASE_S + 1))
                other = engine_on(self.again(store), trial.clock)
                other.deliver_jobs({"letter": slow})
            return {"by": number}

        trial.engine.deliver_jobs({"letter": slow})

        (finished,) = [r.event for r in trial.history if isinstance(r.event, JobFinished)]
        assert finished.result == {"by": 2}
        assert trial.engine.history.verify(trial.case).ok

    def test_a_job_nobody_knows_how_to_do_becomes_an_incident(self, store: Store) -> None:
        trial = Trial({"process.bpmn": SENDING}, store=store).done()

        deliver_in_time(trial, {})

        assert [type(r.event) for r in trial.history][-1] is JobFailed

    # Definitions

    def test_versions_are_listed_newest_first_and_the_newest_active_one_is_current(
        self, store: Store
    ) -> None:
        versions = [
            deployment(1),
            deployment(2, sha256="b" * 64),
            replace(deployment(3, sha256="c" * 64), active=False),
        ]
        for one in versions:
            with store.transaction() as transaction:
                transaction.deploy(one, {"process.bpmn": one.sha256.encode(), "a/b.json": b"\x00"})

        with store.transaction(write=False) as transaction:
            assert transaction.deployments("case") == versions[::-1]
            assert transaction.deployments("other") == []
            assert transaction.deployment("case") == versions[1]
            assert transaction.deployment("case", 1) == versions[0]
            assert transaction.deployment("case", 3) == versions[2]
            assert transaction.deployment("case", 4) is None
            assert transaction.files("b" * 64)["process.bpmn"] == b"b" * 64
            assert transaction.files("d" * 64) == {}

    def test_an_approved_version_is_current(self, store: Store) -> None:
        proposed = replace(deployment(1), active=False)
        with store.transaction() as transaction:
            transaction.deploy(proposed, {"process.bpmn": b"x"})
            assert transaction.deployment("case") is None
        approved = replace(proposed, active=True, approved_at=NOW, approved_by="designer2")

        with store.transaction() as transaction:
            transaction.activate(approved)

        with store.transaction(write=False) as transaction:
            assert transaction.deployment("case") == approved

    def test_a_version_may_come_back_with_the_files_of_an_older_one(self, store: Store) -> None:
        trial = Trial(linear("a"), store=store)
        Trial(linear("b"), store=store)
        Trial(linear("a"), store=store)

        with store.transaction(write=False) as transaction:
            versions = transaction.deployments("case")

        assert [one.version for one in versions] == [3, 2, 1]
        assert versions[0].sha256 == versions[2].sha256
        assert trial.done("a").engine.history.verify(trial.case).ok

    def test_the_same_files_again_are_no_new_version(self, store: Store) -> None:
        Trial(linear("a"), store=store)
        before = self.content(store)

        Trial(linear("a"), store=store)

        assert self.content(store) == before

    def test_two_that_deploy_at_once_make_one_version_each(self, store: Store) -> None:
        definitions = [linear("a", f"b{n}") for n in range(6)]
        clock = Trial(linear("a"), store=store).clock
        engines = [engine_on(self.again(store), clock) for _ in definitions]

        answers = together(
            *(
                lambda e=e, d=d: e.library.deploy(d, "designer", NOW)
                for e, d in zip(engines, definitions, strict=True)
            )
        )

        made = [one for one in answers if isinstance(one, Deployment)]
        assert sorted(one.version for one in made) == [2, 3, 4, 5, 6, 7], answers

    def test_a_running_case_stays_on_its_version(self, store: Store) -> None:
        trial = Trial(linear("a", "b"), store=store).done()
        Trial(linear("a", "c"), store=store)
        trial.engine.forget_live_cases()

        trial.done("a")

        assert trial.open == ["b"]
        assert trial.engine.history.verify(trial.case).ok


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        yield MemoryStore()

    def again(self, store: Store) -> Store:
        return store

    def content(self, store: Store) -> object:
        assert isinstance(store, MemoryStore)
        tables = store._tables
        kept = {field.name: getattr(tables, field.name) for field in fields(tables)}
        kept["rows"] = {table: rows for table, rows in kept["rows"].items() if rows}
        return copy.deepcopy({**kept, "rejections": store.rejections})

    def rejections(self, store: Store) -> list[Rejection]:
        assert isinstance(store, MemoryStore)
        return store.rejections

    def test_a_copy_goes_its_own_way(self) -> None:
        trial = Trial(linear("a"), store=MemoryStore()).done()
        before = trial.history
        store = trial.engine.store
        assert isinstance(store, MemoryStore)

        twin = engine_on(store.copy(), trial.clock)
        twin.execute(trial.complete("a"))

        assert trial.history == before
        assert len(twin.history.recorded(trial.case)) > len(before)


class SqlContract(StoreContract):
    """What holds of every database."""

    @pytest.fixture
    def url(self) -> str:
        """Give the address of an empty database with all tables."""
        raise NotImplementedError

    @pytest.fixture
    def opened(self) -> Iterator[list[SqlStore]]:
        stores: list[SqlStore] = []
        yield stores
        for store in stores:
            store.close()

    @pytest.fixture
    def store(self, url: str, opened: list[SqlStore]) -> SqlStore:
        self.opened = opened
        opened.append(SqlStore(url))
        return opened[0]

    def again(self, store: Store) -> Store:
        assert isinstance(store, SqlStore)
        if len(self.opened) < 5:
            url = store.engine.url.render_as_string(hide_password=False)
            self.opened.append(SqlStore(url))
            return self.opened[-1]
        self.opened.append(self.opened.pop(1))
        return self.opened[-1]

    def content(self, store: Store) -> dict[str, list[tuple[Any, ...]]]:
        assert isinstance(store, SqlStore)
        with store.engine.connect() as connection:
            return {
                name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
                for name, table in metadata.tables.items()
            }

    def rejections(self, store: Store) -> list[Rejection]:
        return [Rejection(*row) for row in self.content(store)["rejections"]]

    def test_10000_due_timers_are_claimed_with_one_statement_per_batch(
        self, store: SqlStore
    ) -> None:
        total, batch = 10_000, 200
        rows = [
            timer_row(f"case-{n // 4}", f"m{n}", NOW - timedelta(seconds=n)).values
            for n in range(total)
        ]
        with store.transaction() as transaction:
            transaction.connection.execute(metadata.tables["timers"].insert(), rows)
        statements: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            if not statement.startswith("BEGIN"):
                statements.append(statement)

        sa.event.listen(store.engine, "before_cursor_execute", note)
        taken: list[DueTimer] = []
        batches = 0
        while found := store.claim_timers(NOW, batch, LEASE_S):
            taken.extend(found)
            batches += 1

        assert len({(t.case, t.timer) for t in taken}) == total
        assert taken == sorted(taken, key=lambda t: t.due_at)
        assert batches == total // batch
        assert len(statements) == batches + 1

    def test_a_reader_waits_for_no_writer(self, store: SqlStore) -> None:
        with store.transaction() as transaction:
            append(transaction)

        with store.transaction() as writer:
            assert writer.lock(CASE) is not None
            append(writer, CASE, event(3))
            with ThreadPoolExecutor(1) as pool:
                seen = pool.submit(lambda: self._numbers(store)).result(5)

        assert seen == [1, 2]
        assert self._numbers(store) == [1, 2, 3]

    @staticmethod
    def _numbers(store: SqlStore) -> list[int]:
        with store.transaction(write=False) as transaction:
            return [one.seq for one in transaction.events(CASE)]

    def test_a_second_writer_of_a_case_waits_for_the_first(self, store: SqlStore) -> None:
        with store.transaction() as transaction:
            append(transaction)
        other = self.again(store)
        locked, order = threading.Event(), []

        def second() -> CaseHead | None:
            locked.wait(5)
            with other.transaction() as transaction:
                head = transaction.lock(CASE)
                order.append("second")
                return head

        with ThreadPoolExecutor(1) as pool:
            with store.transaction() as first:
                waiting = pool.submit(second)
                first.lock(CASE)
                locked.set()
                append(first, CASE, event(3))
                order.append("first")
            head = waiting.result(5)

        assert order == ["first", "second"]
        assert head is not None
        assert head.seq == 3

    def test_commands_of_different_cases_of_a_full_pool_all_come_through(
        self, store: SqlStore
    ) -> None:
        trials = [Trial(linear("a", "b"), store=store, case=f"case-{n}") for n in range(24)]

        answers = together(*(lambda t=t: t.done("a") for t in trials))

        assert [type(answer) for answer in answers] == [Trial] * len(trials), answers


class TestSqlStoreOnSqlite(SqlContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        url = f"sqlite:///{tmp_path / 'duban.sqlite'}"
        prepare(url)
        return url

    def test_a_committed_transaction_is_on_disk(self, store: SqlStore) -> None:
        with store.engine.connect() as connection:
            synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()

        assert (synchronous, journal) == (2, "wal")


class TestSqlStoreOnPostgresql(SqlContract):
    @pytest.fixture
    def url(self, postgres: servers.Postgres) -> Iterator[str]:
        url = postgres.create_database(prepare)
        yield url
        postgres.drop_database(url)

    def test_a_case_that_is_busy_holds_up_no_other(self, store: SqlStore) -> None:
        for case in ("case-1", "case-2"):
            with store.transaction() as transaction:
                append(transaction, CaseId(case))

        with store.transaction() as first:
            first.lock(CASE)
            with store.transaction() as second:
                second.connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
                assert second.lock(CaseId("case-2")) is not None


def prepare(url: str) -> None:
    store = SqlStore(url)
    prepare_schema(store.engine)
    store.close()


def deployment(version: int = 1, sha256: str = "a" * 64) -> Deployment:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Deployment("case", version, sha256, "督查", at, "designer")


def split(*names: str) -> dict[str, bytes]:
    """Make a definition of tasks that all stand open at once."""
    elements = names or ("a", "b")
    body = (
        '<startEvent id="start"/><parallelGateway id="fork"/><parallelGateway id="join"/>'
        '<endEvent id="end"/>'
    )
    body += "".join(task(name) for name in elements)
    paths = ["start fork", *(f"fork {name} join" for name in elements), "join end"]
    return {"process.bpmn": diagram(body + "".join(flows(path) for path in paths))}


def without_rejections(content: object) -> object:
    assert isinstance(content, dict)
    return {name: rows for name, rows in content.items() if name != "rejections"}


def failures(trial: Trial) -> list[datetime]:
    """Let every delivery fail until nothing waits any more; give when each was tried."""
    tried: list[datetime] = []

    def fail(_case: CaseId, _job: JobId, facts: Mapping[str, Any]) -> dict[str, Any]:
        tried.append(facts["now"])
        message = "no answer"
        raise ConnectionError(message)

    deliver_in_time(trial, {"letter": fail})
    return tried


def deliver_in_time(trial: Trial, handlers: Mapping[str, Handler]) -> None:
    """Deliver jobs for an hour, every time that some may wait; every wait is a whole number."""
    for _ in range(180):
        trial.engine.deliver_jobs(handlers)
        trial.clock.set(trial.clock.now() + BACKOFF)
