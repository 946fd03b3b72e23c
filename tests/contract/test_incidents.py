"""What failed is seen by who looks after the service, asked for again, and told in the story."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from api.app import create_app
from api.cli import main
from engine import CaseId
from engine.definitions import load_folder
from services.people.signing_in import create_token
from tests.contract.conftest import Service
from tests.contract.test_requests import assert_problem
from tests.helpers.offices import BPMN, Place, dispatched_case, sqlite_place

HOUR = timedelta(hours=1)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Give a furnished office of its own."""
    found = sqlite_place(tmp_path / "data")
    yield found
    found.office.close()


@pytest.fixture
def service(place: Place) -> Service:
    """Give the API of that office."""
    with place.office.store.transaction() as transaction:
        tokens = {
            user: create_token(transaction.connection, user, "test", place.clock.now())
            for user in ("admin", "auditor", "registrar", "leader")
        }
    return Service(place.office, create_app(place.office), place.clock, tokens)


def incidents(service: Service) -> list[dict[str, Any]]:
    """List incidents as the administrator sees them."""
    return list((service.call("GET", "/incidents", "admin").json or {})["items"])


def told(place: Place, case: str, language: str) -> list[str]:
    """Give the sentences of the case's story."""
    return command_line(place, "replay", case, "--lang", language).splitlines()


def ask_again(service: Service, incident: str) -> None:
    """Ask for it once more, as the administrator."""
    answer = service.call("POST", f"/incidents/{incident}/retry", "admin")
    assert answer.status_code == 200, answer.text


def command_line(place: Place, *words: str) -> str:
    """Run the command line on the same installation."""
    data = {"DUBAN_DATA": str(place.office.settings.data)}
    done = CliRunner().invoke(main, words, env=data)
    assert done.exit_code == 0, done.output
    return done.output


def with_a_period_nobody_can_read(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Let the first thing that an early reminder leads to ask for nonsense."""
    name = "process.bpmn"
    text = files[name].decode()
    before, found, after = text.partition('<bpmn:serviceTask id="notify_early"')
    assert found
    broken = after.replace("${lead_unit}", "${within(now, 'one fine day')}", 1)
    return {**files, name: (before + found + broken).encode()}


def test_a_look_up_that_fails_stops_its_timer_until_somebody_asks_for_it_again(
    place: Place, service: Service
) -> None:
    files = with_a_period_nobody_can_read(load_folder(BPMN, "leader_instruction"))
    place.office.engine.library.deploy(files, "designer", place.clock.now())
    case = dispatched_case(place)
    due = next(
        timer.due_at
        for timer in place.process(case).timers.values()
        if timer.element == "early_reminder"
    )
    place.clock.set(due)
    place.sweep()

    (incident,) = incidents(service)
    assert (incident["kind"], incident["element"]) == ("timer", "early_reminder")
    assert "one fine day" in incident["reason"]
    assert incident["id"] in command_line(place, "incidents")
    assert any("one fine day" in line for line in told(place, case, "en"))

    ask_again(service, incident["id"])
    assert incidents(service) == []
    place.sweep()
    assert [one["id"] for one in incidents(service)] == [incident["id"]]
    for language, words in (("zh", "要求重新执行"), ("en", "run again")):
        assert any(words in line for line in told(place, case, language))


def fail_every_notice(place: Place, case: CaseId, *, is_broken: bool) -> None:
    """Take the table of notices away, or give it back."""
    former, now = ("notices", "gone") if is_broken else ("gone", "notices")
    with place.office.store.transaction() as transaction:
        transaction.connection.exec_driver_sql(f"ALTER TABLE {former} RENAME TO {now}")


def test_a_connector_that_fails_again_and_again_waits_for_somebody_and_then_goes_on(
    place: Place, service: Service
) -> None:
    case = dispatched_case(place)
    place.clock.set(place.office.store.next_due() or place.clock.now())
    place.office.engine.fire_due()
    waiting = len(place.process(case).jobs)
    assert waiting
    fail_every_notice(place, case, is_broken=True)
    for _ in range(8):
        place.sweep()
        place.clock.set(place.clock.now() + HOUR / 4)

    found = incidents(service)
    assert len(found) >= waiting
    assert {(one["kind"], one["attempts"]) for one in found} == {("job", 6)}
    assert all("no such table" in one["reason"] for one in found)
    listed = json.loads(command_line(place, "incidents", "--json"))
    assert [one["id"] for one in listed] == [one["id"] for one in found]

    fail_every_notice(place, case, is_broken=False)
    again = [word for one in found for word in ("--retry", one["id"])]
    command_line(place, "incidents", *again, "--by", "admin")
    place.sweep()

    assert incidents(service) == []
    assert place.process(case).jobs == {}
    story = told(place, case, "zh")
    assert any("失败6次" in line for line in story)
    assert any("要求系统重办" in line for line in story)


def test_a_document_that_cant_be_kept_is_seen_and_made_once_it_can(
    place: Place, service: Service
) -> None:
    case = dispatched_case(place)
    folder = place.office.settings.data / "files"
    folder.mkdir(exist_ok=True)
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("in the way", "ascii")
    place.office.documents.sweep(place.clock.now())

    found = incidents(service)
    assert found
    assert {one["kind"] for one in found} == {"document"}
    assert all(one["case"] == case and one["attempts"] == 1 for one in found)
    assert found[0]["id"] in command_line(place, "incidents")

    folder.unlink()
    aside.rename(folder)
    assert place.office.documents.sweep(place.clock.now()) == 0
    for one in found:
        ask_again(service, one["id"])
    assert place.office.documents.sweep(place.clock.now()) == len(found)
    assert incidents(service) == []


def test_who_may_only_read_incidents_asks_for_none_again(place: Place, service: Service) -> None:
    assert service.call("GET", "/incidents", "auditor").status_code == 200
    assert_problem(service.call("GET", "/incidents", "registrar"), 403, "not-permitted")
    assert_problem(service.call("POST", "/incidents/x.m1/retry", "auditor"), 403, "not-permitted")


@pytest.mark.parametrize("incident", ["nobody.m1", "nobody.j1", "nobody.d1", "nobody"])
def test_an_incident_that_never_was_is_not_found(service: Service, incident: str) -> None:
    answer = service.call("POST", f"/incidents/{incident}/retry", "admin")

    assert_problem(answer, 404, "incident-not-found")


def test_a_timer_that_isnt_stuck_is_no_incident(place: Place, service: Service) -> None:
    case = dispatched_case(place)
    timer = next(iter(place.process(case).timers))

    answer = service.call("POST", f"/incidents/{timer}/retry", "admin")

    assert_problem(answer, 409, "timer-not-open")
