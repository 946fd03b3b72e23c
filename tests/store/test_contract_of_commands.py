"""Commands that race or come twice: one effect each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from engine import Actor, SuspendCase
from engine.errors import CaseExists, StaleVersion, TaskNotOpen
from engine.events import (
    ProcessEnded,
)
from engine.execute import Receipt
from engine.store import (
    Store,
)
from engine.testing import NOW, Trial, engine_on, linear
from tests.store.contract import (
    RACES,
    StoreContract,
    split,
    together,
    without_rejections,
)


class Commands(StoreContract):
    """What holds of commands on every store."""

    def test_of_two_completions_at_once_one_is_accepted(self, store: Store) -> None:
        for race in range(RACES):
            trial = Trial(linear("a", "b"), store=store, case=f"race-{race}").done()
            other = engine_on(self.again(store), trial.clock)
            by_ann, by_bob = trial.complete("a", by="ann"), trial.complete("a", by="bob")

            answers = together(
                partial(trial.engine.execute, by_ann), partial(other.execute, by_bob)
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
                partial(trial.engine.execute, a, expect=seen),
                partial(other.execute, b, expect=seen),
            )

            assert {type(one) for one in answers} == {Receipt, StaleVersion}

    def test_commands_of_one_case_in_many_threads_all_chain_up(self, store: Store) -> None:
        names = [f"t{n}" for n in range(8)]
        trial = Trial(split(*names), store=store).done()
        engines = [engine_on(self.again(store), trial.clock) for _ in names]
        asks = [trial.complete(name) for name in names]

        answers = together(*(partial(e.execute, a) for e, a in zip(engines, asks, strict=True)))

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
                partial(trial.engine.execute, ask, key="k1"),
                partial(other.execute, ask, key="k1"),
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
                partial(trial.engine.execute, ask, key="k1"),
                partial(other.execute, ask, key="k1"),
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
                partial(trial.engine.execute, ask, key="k1", expect=seen),
                partial(other.execute, ask, key="k1", expect=seen),
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
