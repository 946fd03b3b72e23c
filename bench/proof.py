"""Proofs: chains and re-execution on one core, a bundle, tree heads, any point, what-if.

Run by itself, it prints its figures as JSON.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from bench.figures import MS, Figure
from bench.scene import Scene, scene
from engine import CaseId
from engine.journal import batches
from engine.records import parse_instant
from engine.store import StoredEvent
from engine.verification import chain_faults
from services.evidence.bundle import make_bundle
from services.evidence.checks import head_faults
from services.evidence.sealing import make_head
from services.evidence.verify_bundle import verify
from services.replay.moment import moment
from services.whatif.edited import edited
from services.whatif.trial import Trial, try_cases
from tests.helpers.offices import Place, dispatched_case, sqlite_place

CASES = 100
ROUNDS = 8
LONG_EVENTS = 500
POINTS = 25
"""Points of the long case at which its state is taken, evenly from its first event to its last."""

TRIED = 2_400
PROCESSES = 2
REPORTED = ("2026-03-11T10:00+08:00", "2026-03-15T10:00+08:00", "2026-03-22T10:00+08:00")


def proofs() -> list[Figure]:
    """Measure on 100 cases of some 60 events."""
    with scene() as stage:
        cases = [_case(stage) for _ in range(CASES)]
        histories = {case: _history(stage, case) for case in cases}
        events = sum(len(history) for history in histories.values())
        commands = sum(1 for history in histories.values() for _ in batches(history))
        chains = _core_seconds(lambda: [list(chain_faults(c, h)) for c, h in histories.items()])
        whole = _core_seconds(lambda: _verify_all(stage, cases))
        sealing = _seconds(lambda: make_head(stage.office))
        bundle: list[bytes] = []
        bundling = _seconds(lambda: bundle.append(make_bundle(stage.office, cases)))
        checking = _seconds(lambda: _checked(bundle[0]))
        heads = _seconds(lambda: _head_faults(stage))
    return [
        Figure(
            name="chain_events_a_second",
            value=events / chains,
            unit="1/s",
            target=20_000,
            at_least=True,
        ),
        Figure(
            name="verified_commands_a_second",
            value=commands / whole,
            unit="1/s",
            target=500,
            at_least=True,
        ),
        Figure(name="bundle_of_100_cases", value=bundling, unit="s", target=10),
        Figure(name="bundle_of_100_cases_size", value=len(bundle[0]) / 1e6, unit="MB"),
        Figure(name="bundle_of_100_cases_verified", value=checking, unit="s"),
        Figure(name="tree_head_over_100_cases", value=sealing, unit="s"),
        Figure(name="tree_head_over_100_cases_checked", value=heads, unit="s"),
        Figure(name="proof_events", value=events, unit="events"),
        Figure(name="proof_commands", value=commands, unit="commands"),
    ]


def any_point() -> list[Figure]:
    """Measure what it takes to give a case of 500 events as it stood at any point of it."""
    points = range(LONG_EVENTS // POINTS, LONG_EVENTS + 1, LONG_EVENTS // POINTS)
    with scene() as stage:
        case, engine = stage.loop_case(), stage.office.engine
        while len(_history(stage, case.id)) < LONG_EVENTS:
            stage.complete(case)
        states = [_core_seconds(partial(engine.history.states, case.id, seq=n)) for n in points]
        moments = [_core_seconds(partial(moment, engine, case.id, seq=n)) for n in points]
    return [
        Figure(name="state_in_500_events_worst", value=max(states) * MS, unit="ms", target=50),
        Figure(name="state_in_500_events_median", value=median(states) * MS, unit="ms"),
        Figure(name="moment_in_500_events_worst", value=max(moments) * MS, unit="ms"),
    ]


def what_if() -> list[Figure]:
    """Measure what a 10-day rule would have done to 2,400 leader instructions, on two cores."""
    with tempfile.TemporaryDirectory(prefix="duban-bench-") as folder:
        place = sqlite_place(Path(folder) / "var")
        cases = _instructions(place)
        office = place.office
        before = office.engine.library.current("leader_instruction")[1]
        table = before.files["shared/deadlines.dmn"]
        assert b"15 days" in table
        after = edited(
            before.files, {"shared/deadlines.dmn": table.replace(b"15 days", b"10 days")}
        )
        trials: list[Trial] = []
        seconds = _seconds(
            lambda: trials.append(
                try_cases(
                    office.settings, after, cases, until=place.clock.now(), processes=PROCESSES
                )
            )
        )
        office.close()
    (trial,) = trials
    assert len(trial.cases) == TRIED
    assert not any(case.error for case in trial.cases)
    other = sum(case.verdicts != ("same",) for case in trial.cases)
    assert other
    return [
        Figure(name="what_if_over_2400_cases", value=seconds, unit="s", target=120),
        Figure(name="what_if_cases_that_go_otherwise", value=other, unit="cases"),
    ]


def _instructions(place: Place) -> list[CaseId]:
    """Generate instructions: a third reported after 9 days, one after 13, one after 20."""
    cases = [dispatched_case(place, f"c{number}") for number in range(TRIED)]
    for case in cases:
        place.complete(case, "sign_for", "contact.11", decision="accept")
        place.complete(
            case, "unit_instruction", "head.11", form="section_handles", handler="handler.11"
        )
    for third, day in enumerate(REPORTED):
        place.clock.set(parse_instant(day))
        place.sweep()
        for case in cases[third :: len(REPORTED)]:
            place.complete(
                case, "handle", "handler.11", result_class="done", measures="已办", percent=100
            )
            place.complete(case, "sign_off", "head.11", decision="sign", seal=True)
    return cases


def _case(stage: Scene) -> CaseId:
    case = stage.loop_case()
    for _ in range(ROUNDS):
        stage.complete(case)
    return case.id


def _history(stage: Scene, case: CaseId) -> list[StoredEvent]:
    return stage.office.engine.history.stored(case)


def _verify_all(stage: Scene, cases: list[CaseId]) -> None:
    for case in cases:
        found = stage.office.engine.history.verify(case)
        assert found.ok, found


def _checked(bundle: bytes) -> None:
    holds, said = verify(io.BytesIO(bundle), [])
    assert holds, said


def _head_faults(stage: Scene) -> None:
    with stage.office.store.transaction(write=False) as transaction:
        assert head_faults(transaction) == []


def _core_seconds(work: Callable[[], object]) -> float:
    """Measure what the work costs one core, whatever else the machine does."""
    start = process_time()
    work()
    return process_time() - start


def _seconds(work: Callable[[], object]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


MEASURES: Mapping[str, Callable[[], list[Figure]]] = {
    "proof": proofs,
    "proof_any_point": any_point,
    "proof_what_if": what_if,
}


if __name__ == "__main__":
    print(json.dumps([f.as_json() for measure in MEASURES.values() for f in measure()]))
