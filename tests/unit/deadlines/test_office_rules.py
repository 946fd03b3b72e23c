"""Rules of the office that a designer changes: when a case turns yellow, what a new round gets."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import Actor, CaseId, Invalid
from engine.definitions import load_folder
from engine.records import Json, instant_text, parse_instant
from services.cases.commands import InstructAgain
from services.deadlines.lights import task_yellow_from
from services.deadlines.state import DeadlineState
from services.escalation.events import HeadInterviewed
from services.scenarios.passing import pass_time
from tests.helpers.offices import BPMN, Place, dispatched_case, registered_case, sqlite_place

NAMED = parse_instant("2026-03-24T00:00+08:00")
"""24:00 of Monday 23 March 2026."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = sqlite_place(tmp_path / "data")
    yield found
    found.office.close()


def changed(place: Place, case_type: str, file: str, old: str, new: str) -> None:
    """Deploy a definition with one file changed, as a designer does."""
    files = dict(load_folder(BPMN, case_type))
    text = files[file].decode()
    assert old in text
    files[file] = text.replace(old, new).encode()
    place.office.engine.library.deploy(files, "designer", place.clock.now())


def dispatched_until_23_march(place: Place) -> CaseId:
    """Dispatch a case with a later deadline than the table's, as the director may."""
    case = registered_case(place)
    place.complete(case, "approve_registration", "office_director", decision="approve")
    place.complete(
        case,
        "dispatch",
        "office_director",
        lead_unit="u11",
        responsible_person="张三",
        report_content="情况报告",
        deadline="2026-03-23",
        deadline_reason="领导要求",
    )
    return case


def state(place: Place, case: CaseId) -> DeadlineState:
    found = place.office.engine.history.states(case)[2][DeadlineState]
    assert isinstance(found, DeadlineState)
    return found


def instruct(place: Place, case: CaseId, **data: Json) -> None:
    by, at = Actor("mayor"), place.clock.now()
    data = {"instruction": "请加快办理", **data}
    place.execute(InstructAgain(case=case, by=by, at=at, data=data))


def test_a_case_turns_yellow_with_its_early_reminder(place: Place) -> None:
    case = dispatched_until_23_march(place)

    assert state(place, case).due_at == NAMED
    # Two working days before the Monday: Thursday 19 March.
    assert state(place, case).yellow_from == parse_instant("2026-03-19T00:00+08:00")


def test_a_designer_says_how_early_a_case_turns_yellow(place: Place) -> None:
    changed(
        place,
        "leader_instruction",
        "shared/lights.dmn",
        'value("reminder_period", "2 working days")',
        '"5 working days"',
    )

    case = dispatched_until_23_march(place)

    assert state(place, case).yellow_from == parse_instant("2026-03-16T00:00+08:00")


def test_a_designer_says_how_early_a_task_turns_yellow(place: Place) -> None:
    office = place.office

    def yellow() -> str:
        with office.store.transaction(write=False) as transaction:
            calendar = office.calendar.get(transaction.connection)
            found = task_yellow_from(
                office.engine.library,
                transaction,
                lambda: calendar,
                place.clock.now(),
                office.settings.zone,
            )
        return instant_text(found(NAMED))

    assert yellow() == instant_text(parse_instant("2026-03-19T00:00+08:00"))

    changed(
        place, "office_rhythm", "shared/lights.dmn", '"2 working days"</text>', '"1 day"</text>'
    )
    assert yellow() == instant_text(parse_instant("2026-03-22T00:00+08:00"))


def test_a_second_instruction_never_takes_time_away_by_the_table(place: Place) -> None:
    case = dispatched_until_23_march(place)

    instruct(place, case)

    assert state(place, case).due_at == NAMED


def test_a_second_instruction_gives_the_tables_time_anew(place: Place) -> None:
    case = dispatched_case(place)
    pass_time(place.office, place.clock, parse_instant("2026-03-10T09:00+08:00"))

    instruct(place, case)

    assert state(place, case).due_at == parse_instant("2026-03-26T00:00+08:00")


def test_a_period_that_the_leader_names_counts_and_notice_is_given_of_the_nearer_date(
    place: Place,
) -> None:
    case = dispatched_until_23_march(place)

    instruct(place, case, period="3 days")

    assert state(place, case).due_at == parse_instant("2026-03-06T00:00+08:00")
    events = [r.event for r in place.office.engine.history.recorded(case)]
    (given,) = [e for e in events if getattr(e, "reason", "") == "instructed_again"]
    assert given.notice  # type: ignore[attr-defined]  # a DeadlineSet


def failed_round(place: Place, case: CaseId) -> None:
    checks: list[Json] = [{"item": "是否转办", "in_order": False, "finding": "未转办"}]
    failed: dict[str, Json] = {"conclusion": "not_in_order", "reason": "未办理"}
    place.complete(case, "inspect", "supervisor", checks=checks, **failed)
    place.complete(case, "unit_statement", "head.11")


def test_a_designer_says_which_measures_need_an_interview_first(place: Place) -> None:
    files = dict(load_folder(BPMN, "leader_instruction"))
    rounds, count = re.subn(
        r'(_out_6">\s*<text>)false', r"\1true", files["shared/rounds.dmn"].decode()
    )
    assert count
    files["shared/rounds.dmn"] = rounds.encode()
    place.office.engine.library.deploy(files, "designer", place.clock.now())
    case = dispatched_case(place)
    pass_time(place.office, place.clock, parse_instant("2026-03-19T09:00+08:00"))

    failed_round(place, case)

    held: dict[str, Json] = {"date": "2026-03-19", "person": "局长", "record": "已约谈"}
    place.complete(case, "interview", "office_director", **held)
    place.complete(case, "issue_measure", "office_director", decision="issue")
    assert place.task(case, "rectify").unit == "u11"


def test_an_interview_is_noted_with_its_date_its_person_and_what_was_said(place: Place) -> None:
    case = dispatched_case(place)
    pass_time(place.office, place.clock, parse_instant("2026-03-19T09:00+08:00"))
    failed_round(place, case)
    place.complete(case, "issue_measure", "office_director", decision="issue")
    pass_time(place.office, place.clock, parse_instant("2026-03-30T09:00+08:00"))
    failed_round(place, case)
    held: dict[str, Json] = {"date": "2026-03-31", "person": "局长", "record": "承诺整改"}

    with pytest.raises(Invalid) as early:
        place.complete(case, "interview", "office_director", **held)
    assert [(e.field, e.code) for e in early.value.fields] == [("date", "in_the_future")]
    with pytest.raises(Invalid) as empty:
        place.complete(case, "interview", "office_director")
    assert {e.field for e in empty.value.fields} == {"date", "person", "record"}

    place.complete(case, "interview", "office_director", **{**held, "date": "2026-03-30"})

    recorded = [r.event for r in place.office.engine.history.recorded(case)]
    (noted,) = [event for event in recorded if isinstance(event, HeadInterviewed)]
    assert (noted.round, noted.unit, noted.person) == (2, "u11", "局长")
    assert (noted.held_on.isoformat(), noted.record) == ("2026-03-30", "承诺整改")
    assert (noted.by, place.task(case, "issue_measure").unit) == ("office_director", None)
