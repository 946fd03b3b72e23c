from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from engine import Case, Command, CompleteTask, Event
from engine.commands import ELEMENT_RULES
from engine.events import TaskCompleted
from engine.records import parse_instant
from services.audit.access import note_denied
from services.cases.events import HandlerNamed
from services.replay.again import report_of, report_text, verify_all
from services.replay.differences import between, differences, differences_json, differences_text
from services.replay.moment import moment
from services.replay.queries import looks_at
from tests.unit.replay.past import IN_TIME, OVERDUE, Past

ZONE = ZoneInfo("Asia/Shanghai")


def test_what_changed_between_two_instants_is_named(past: Past) -> None:
    engine = past.office.engine
    before = moment(engine, OVERDUE, at=parse_instant("2026-03-03T08:00+08:00"))

    found = between(engine, before, at=parse_instant("2026-03-03T09:30+08:00"))

    changed = {change.place: (change.before, change.after) for change in found.changes}
    assert changed["CaseState", "status"] == ("dispatched", "in_progress")
    tasks = {
        place: both for place, both in changed.items() if place[:2] == ("ProcessState", "tasks")
    }
    assert [both[0]["element"] for both in tasks.values() if both[0]] == ["sign_for"]
    assert [both[1]["element"] for both in tasks.values() if both[1]] == ["unit_instruction"]
    assert found.events[0].by.user == "contact.3"


def test_a_moment_doesnt_differ_from_itself(past: Past) -> None:
    then = moment(past.office.engine, IN_TIME)

    found = differences(past.office.engine, then, then)

    assert found.changes == ()
    assert found.events == ()


def test_differences_are_the_same_in_either_order(past: Past) -> None:
    engine = past.office.engine
    first, last = moment(engine, IN_TIME, seq=20), moment(engine, IN_TIME)

    assert differences(engine, last, first) == differences(engine, first, last)


def test_differences_can_be_read_and_are_plain_data(past: Past) -> None:
    found = between(past.office.engine, moment(past.office.engine, OVERDUE, seq=30), seq=45)

    text = differences_text(found, ZONE)
    assert text.startswith(f"{OVERDUE}  #30 ")
    assert len(text.splitlines()) == len(found.changes) + 1
    assert differences_json(found)["to"]["seq"] == 45


def test_a_whole_history_is_reported_whole(past: Past) -> None:
    report = report_of(past.office, IN_TIME)

    assert report.ok
    assert report_text(report) == f"{IN_TIME}: ok, {report.events} events"


def test_the_first_difference_is_named_with_both_values(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule: tuple[type[Command], str] = (CompleteTask, "unit_instruction")
    known = ELEMENT_RULES[rule]

    def other(done: TaskCompleted, case: Case) -> Iterator[Event]:
        for event in known(done, case):
            if isinstance(event, HandlerNamed):
                yield replace(event, handler="somebody.else")
            else:
                yield event

    monkeypatch.setitem(ELEMENT_RULES, rule, other)

    report = report_of(past.office, IN_TIME)

    assert not report.ok
    assert report.fault == "re-execution"
    assert report.type == "handler_named"
    assert (report.command, report.element) == ("complete_task", "unit_instruction")
    assert report.recorded is not None and '"handler":"handler.1"' in report.recorded
    assert report.again is not None and '"handler":"somebody.else"' in report.again
    assert report.fields == ("payload.handler",)
    assert "payload.handler" in report_text(report)


def test_many_cases_are_verified_and_progress_is_told(past: Past) -> None:
    told: list[tuple[int, int]] = []

    found = verify_all(
        past.office.settings,
        past.cases,
        processes=1,
        progress=lambda done, every: told.append((done, every)),
    )

    assert [report.case for report in found] == list(past.cases)
    assert all(report.ok for report in found)
    assert told[-1] == (4, 4)


def test_who_looked_at_a_case_is_listed_up_to_an_instant(past: Past) -> None:
    early, late = parse_instant("2026-03-10T09:00+08:00"), parse_instant("2026-03-20T09:00+08:00")
    with past.office.store.transaction() as transaction:
        note_denied(transaction, OVERDUE, "contact.7", "GET /cases/overdue", early)
        note_denied(transaction, OVERDUE, "contact.8", "GET /cases/overdue", late)

    with past.office.store.transaction(write=False) as transaction:
        every = looks_at(transaction.connection, OVERDUE)
        then = looks_at(transaction.connection, OVERDUE, until=early)

    assert [look.user for look in every] == ["contact.8", "contact.7"]
    assert [look.user for look in then] == ["contact.7"]
