"""Records one case per type, as this release stores it: the scenario where most things happen."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from engine.state import save_states
from engine.store import StoredEvent
from services.scenarios.files import ScenarioFile, scenario_files
from services.scenarios.play import CASE, _outcomes
from services.scenarios.script import read_scenario
from services.scenarios.stage import stage
from tests.helpers.offices import BPMN, CASE_TYPES
from tests.histories.logs import FOLDER, Log, write_files, write_log


def main() -> None:
    """Record every case type anew, and scenarios until no type of event is missing."""
    logs = {(t, name): log for t in CASE_TYPES for name, log in recorded(t)}
    chosen: set[tuple[str, str]] = set()
    for case_type in CASE_TYPES:
        chosen.add(max((place for place in logs if place[0] == case_type), key=riches(logs)))
    while missing := types_of(logs, logs) - types_of(logs, chosen):
        chosen.add(max(logs, key=lambda place: len(types_of(logs, [place]) & missing)))
    for place in sorted(chosen):
        log = logs[place]
        write_files(log.files.values())
        write_log(FOLDER / f"{place[0]}-{place[1]}.jsonl", log)
        sys.stdout.write(f"{place}: {len(log.history)} events\n")


Logs = Mapping[tuple[str, str], Log]


def types_of(logs: Logs, places: Iterable[tuple[str, str]]) -> set[str]:
    """Give the types of all events of some logs."""
    return {stored.type for place in places for stored in logs[place].history}


def riches(logs: Logs) -> Callable[[tuple[str, str]], tuple[int, int]]:
    """Give how to tell which log has most types of events, and most events."""
    return lambda place: (len(types_of(logs, [place])), len(logs[place].history))


def recorded(case_type: str) -> Iterator[tuple[str, Log]]:
    """Play all scenarios of a type."""
    for file in scenario_files([BPMN / case_type]):
        yield file.path.stem, played(file)


def played(file: ScenarioFile) -> Log:
    """Play a scenario and keep what it stored."""
    scenario = read_scenario(Path(file.path).read_bytes())
    first = scenario.steps[0].at
    assert first is not None
    with stage(file.definition, first) as scene:
        outcomes = _outcomes(scenario, scene)
        assert all(outcome.ok for outcome in outcomes), outcomes[-1]
        store, engine = scene.office.store, scene.office.engine
        with store.transaction(write=False) as transaction:
            history: list[StoredEvent] = transaction.events(CASE)
            key = transaction.case_key(CASE)
        states = save_states(engine.history.states(CASE)[2])
        return Log(CASE, scene.case_type, file.definition, first, key, tuple(history), states)


if __name__ == "__main__":
    main()
