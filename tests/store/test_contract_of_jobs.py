"""Jobs are delivered at least once, later and later, and answer once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from engine import Actor, CaseId, JobId, RetryJob
from engine.events import (
    JobFailed,
    JobFinished,
    JobRetried,
)
from engine.pump import BACKOFF, MAX_ATTEMPTS, Handler
from engine.store import (
    DueJob,
    Store,
)
from engine.testing import NOW, Trial, diagram, engine_on, flows
from tests.store.contract import (
    CASE,
    LEASE_S,
    StoreContract,
    append,
    job_row,
    together,
)

SENDING = diagram(
    '<startEvent id="start"/>'
    '<serviceTask id="send" name="send" camunda:type="external" camunda:topic="letter"/>'
    '<endEvent id="end"/>' + flows("start send end")
)


class Jobs(StoreContract):
    """What holds of jobs on every store."""

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

        hands = together(*(partial(work, self.again(store)) for _ in range(4)))

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
