"""Histories, rows and numbers come back as they were kept, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from engine import CaseId
from engine.errors import CaseExists
from engine.rows import RowChange
from engine.store import (
    Store,
    StoredSnapshot,
)
from engine.testing import NOW, Trial, linear
from tests.store.contract import (
    CASE,
    HEAD,
    RECEIPT,
    StoreContract,
    Undone,
    append,
    deployment,
    event,
    job_row,
    timer_row,
    together,
)


class Histories(StoreContract):
    """What every store keeps of what is appended."""

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

        with pytest.raises(Exception), store.transaction() as transaction:  # noqa: B017
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

        answers = together(*(partial(draw, n % 5 == 0) for n in range(50)))

        drawn = sorted(n for n in answers if isinstance(n, int))
        assert drawn == list(range(1, 41))
        assert sum(isinstance(n, Undone) for n in answers) == 10

    def test_counters_count_for_themselves(self, store: Store) -> None:
        with store.transaction() as transaction:
            assert [transaction.next_number(name) for name in "aab"] == [1, 2, 1]
