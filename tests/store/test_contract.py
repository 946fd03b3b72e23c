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
from engine.pump import BACKOFF, MAX_ATTEMPTS, Handler, JobError
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

            assert sorted(type(a) for a in answers) == sorted([Receipt, TaskNotOpen], key=str)
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

            answers = together(
                lambda: trial.engine.execute(ask, key="k1", expect=3),
                lambda: other.execute(ask, key="k1", expect=3),
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
        transaction_type = type(store.transaction().__enter__())  # noqa: PLC2801

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
        trial.given(trial.complete("a"), trial.complete("b"))
        assert trial.engine.history.verify(trial.case).ok
