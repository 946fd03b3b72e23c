"""Versions of definitions, and what runs on them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from engine.library import DefinitionAltered
from engine.store import (
    Deployment,
    Store,
)
from engine.testing import NOW, Trial, engine_on, linear
from tests.store.contract import (
    StoreContract,
    deployment,
    together,
)


class Definitions(StoreContract):
    """What holds of definitions on every store."""

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
                partial(e.library.deploy, d, "designer", NOW)
                for e, d in zip(engines, definitions, strict=True)
            )
        )

        made = [one for one in answers if isinstance(one, Deployment)]
        assert sorted(one.version for one in made) == [2, 3, 4, 5, 6, 7], answers

    def test_two_that_deploy_the_same_at_once_make_one_version(self, store: Store) -> None:
        clock = Trial(linear("a"), store=store).clock
        engines = [engine_on(self.again(store), clock) for _ in range(4)]

        answers = together(
            *(partial(e.library.deploy, linear("b"), "designer", NOW) for e in engines)
        )

        made = [one for one in answers if isinstance(one, Deployment)]
        assert [one.version for one in made] == [2, 2, 2, 2], answers

    def test_altered_files_of_a_definition_run_no_case(self, store: Store) -> None:
        trial = Trial(linear("a", "b"), store=store).done()
        ask = trial.complete("a")
        other = engine_on(self.again(store), trial.clock)
        with store.transaction(write=False) as transaction:
            transaction_type = type(transaction)
        original = transaction_type.files

        def altered(self: Any, sha256: str) -> dict[str, bytes]:  # noqa: ANN401
            files = original(self, sha256)
            return {name: content.replace(b"clerk", b"guest") for name, content in files.items()}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transaction_type, "files", altered)
            with pytest.raises(DefinitionAltered):
                other.execute(ask)

    def test_a_running_case_stays_on_its_version(self, store: Store) -> None:
        trial = Trial(linear("a", "b"), store=store).done()
        Trial(linear("a", "c"), store=store)
        trial.engine.forget_live_cases()

        trial.done("a")

        assert trial.open == ["b"]
        assert trial.engine.history.verify(trial.case).ok
