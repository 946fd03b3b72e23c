"""How events and the command they came of stand in a store."""

from __future__ import annotations

import json

from engine import Actor, ClaimTask, CompleteTask, SuspendCase, journal
from engine.commands import ResumeCase
from engine.engine import Engine
from engine.testing import NOW, Trial, engine_on, linear, with_forms


def batches(trial: Trial) -> list[journal.Batch]:
    return list(journal.batches(trial.engine.history.stored(trial.case)))


def test_events_are_grouped_by_the_command_they_came_of() -> None:
    trial = Trial(linear("a", "b")).done("a")

    found = batches(trial)

    assert [batch.envelopes[0]["command"]["name"] for batch in found] == [
        "start_case",
        "complete_task",
    ]
    assert sum(len(batch.events) for batch in found) == len(trial.history)
    assert all(e["command"] is None for batch in found for e in batch.envelopes[1:])


def test_a_recorded_command_is_built_again_as_it_was() -> None:
    trial = Trial(with_forms(linear("a"), a={"x": {"type": "integer"}})).done()
    ask = trial.complete("a", x=1)
    suspend = SuspendCase(case=trial.case, by=Actor("ann", "bob"), at=NOW, reason="等批复")
    resume = ResumeCase(case=trial.case, by=Actor("ann"), at=NOW)
    claim = ClaimTask(case=trial.case, by=Actor("clerk"), at=NOW, task=trial.task("a"))

    trial.given(suspend, resume, claim, ask)

    assert [batch.command() for batch in batches(trial)[1:]] == [suspend, resume, claim, ask]


def test_what_stands_in_an_event_is_not_written_twice() -> None:
    trial = Trial(with_forms(linear("a"), a={"x": {"type": "string", "maxLength": 20}})).done()
    trial.given(trial.complete("a", x="only once here"))

    record = batches(trial)[-1].envelopes[0]["command"]

    assert record["fields"] == {}
    assert record["same"] == {"task": 0, "data": 0}
    text = "".join(one.body for one in trial.engine.history.stored(trial.case))
    assert text.count("only once here") == 1


def test_what_stands_in_no_event_is_written_with_the_command() -> None:
    trial = Trial(linear("a")).done()
    trial.given(trial.complete("a"))

    record = batches(trial)[-1].envelopes[0]["command"]

    assert record["fields"] == {"data": {}}
    assert isinstance(batches(trial)[-1].command(), CompleteTask)


def test_key_and_lookups_stand_with_the_command() -> None:
    engine = _asking()
    assert engine.history.verify(engine.store.case_ids()[0]).ok

    (batch,) = journal.batches(engine.history.stored(engine.store.case_ids()[0]))

    assert batch.key == "k1"
    assert batch.lookups == [["until", ["2026-03-02T01:00:00Z"], "2026-03-05T00:00:00Z"]]


def _asking() -> Engine:
    files = linear("a")
    due = b'camunda:candidateGroups="clerk" camunda:dueDate="${until(now)}"'
    files["process.bpmn"] = files["process.bpmn"].replace(b'camunda:candidateGroups="clerk"', due)
    trial = Trial(files, lookups={"until": lambda _start: "2026-03-05T00:00:00Z"})
    trial.engine.execute(trial.start(), key="k1")
    return trial.engine


def test_an_envelope_says_who_acted_for_whom_and_when() -> None:
    trial = Trial(linear("a")).done()
    trial.given(SuspendCase(case=trial.case, by=Actor("ann", "bob"), at=NOW, reason="x"))

    recorded = trial.history[-1]
    envelope = json.loads(trial.engine.history.stored(trial.case)[-1].body)

    assert (recorded.by, recorded.at, recorded.seq) == (Actor("ann", "bob"), NOW, 4)
    assert set(envelope) == {
        *("at", "by", "case", "command", "for", "payload", "seq", "type", "version"),
    }


def test_the_same_commands_give_the_same_bytes_in_another_engine() -> None:
    one, two = (Trial(linear("a", "b")).done("a", "b") for _ in range(2))

    assert one.engine.history.stored(one.case) == two.engine.history.stored(two.case)
    assert engine_on(one.engine.store, one.clock).history.verify(one.case).ok
