from collections.abc import Callable
from pathlib import Path

import pytest

from services.scenarios.files import ScenarioFile, scenario_files
from services.scenarios.play import Report, play
from services.scenarios.script import ScenarioNotUnderstood, read_scenario

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
FILES = list(scenario_files([BPMN]))
ON_TIME = BPMN / "leader_instruction" / "scenarios" / "on_time.yaml"


def told(report: Report) -> str:
    return f"{report.name}: {report.failure}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.label)
def test_a_scenario_goes_as_it_is_told_on_sqlite(file: ScenarioFile) -> None:
    report = play(read_scenario(file.path.read_bytes()), file.definition)

    assert report.ok, told(report)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.label)
def test_a_scenario_goes_as_it_is_told_on_postgresql(
    file: ScenarioFile, postgres_url: Callable[[], str]
) -> None:
    report = play(
        read_scenario(file.path.read_bytes()), file.definition, database_url=postgres_url()
    )

    assert report.ok, told(report)


def test_every_case_type_has_scenarios() -> None:
    types = {path.parent.name for path in BPMN.glob("*/process.bpmn")}

    assert {file.path.parent.parent.name for file in FILES} == types


def played(text: str) -> Report:
    file = next(file for file in FILES if file.path == ON_TIME)
    return play(read_scenario(text.encode()), file.definition)


def test_a_wrong_expectation_ends_the_scenario_with_what_was_there() -> None:
    text = ON_TIME.read_text("utf-8").replace("status: dispatched", "status: closed", 1)

    report = played(text)

    assert not report.ok
    assert report.failure is not None
    assert report.failure.expected == {"status": "closed"}
    assert report.failure.actual == {"status": "dispatched"}


def test_a_refusal_nobody_expected_is_reported() -> None:
    text = ON_TIME.read_text("utf-8").replace("by: office_director", "by: registrar", 1)

    report = played(text)

    assert report.failure is not None
    assert report.failure.expected == "accepted"
    assert "not-permitted" in str(report.failure.actual)


def test_a_refusal_that_does_not_come_is_reported() -> None:
    text = ON_TIME.read_text("utf-8").replace(
        "data: {decision: approve}", "data: {decision: approve}\n    refused: not-permitted", 1
    )

    report = played(text)

    assert report.failure is not None
    assert report.failure.actual == "accepted"


def test_a_task_that_is_not_open_is_reported_with_those_that_are() -> None:
    text = ON_TIME.read_text("utf-8").replace("complete: dispatch", "complete: review", 1)

    report = played(text)

    assert report.failure is not None
    assert report.failure.actual == "open: dispatch"


def test_an_absent_head_is_represented_by_the_b_person() -> None:
    text = ON_TIME.read_text("utf-8")
    start = text.index("  - complete: sign_off")
    absent = '  - {absent: head.11, from: "2026-03-01", until: "2026-03-31"}\n'
    text = text[:start] + absent + text[start:].replace("by: head.11", "by: contact.11", 1)

    report = played(text)

    assert report.ok, told(report)


@pytest.mark.parametrize(
    "text",
    [
        "- just a list",
        "{name: x, start: {at: 2026-03-02T09:00+08:00, by: registrar, data: {}}}",
        "{name: x, start: {at: 2026-03-02T09:00, by: registrar, data: {}}, steps: []}",
        "{name: x, start: {at: 2026-03-02T09:00+08:00, by: a, data: {}}, steps: [{jump: 1}]}",
        "{name: x, start: {at: 2026-03-02T09:00+08:00, by: a, data: {}}, "
        "steps: [{advance: 2026-03-02T10:00+08:00, by: a}]}",
        "{name: &x a, start: *x, steps: []}",
        "{name: [",
        "x" * 600_000,
    ],
)
def test_a_file_that_is_no_scenario_is_refused(text: str) -> None:
    with pytest.raises(ScenarioNotUnderstood):
        read_scenario(text.encode())


def test_a_missing_file_and_one_beside_no_diagram_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(scenario_files([tmp_path / "nowhere.yaml"]))

    lonely = tmp_path / "scenarios" / "a.yaml"
    lonely.parent.mkdir()
    lonely.write_text("name: x", "utf-8")

    with pytest.raises(FileNotFoundError):
        list(scenario_files([tmp_path]))
