"""Definitions that change, histories that are altered, and clocks that go back (§10, 30–33)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from lxml import etree

from api.cli import main
from engine.definitions import load_folder
from tests.helpers.offices import BPMN
from tests.office_cases.desk import Desk, moment
from tests.office_cases.files import fetch, send_files
from tests.office_cases.matter import Matter

KEY = "leader_instruction"
RUNNING = 500

SHORTER = ("shared/deadlines.dmn", '"15 days"', '"10 days"')
RENAMED = ("process.bpmn", 'name="交办"', 'name="交付办理"')
REMARK = ("process.bpmn", "<bpmn:documentation>", "<bpmn:documentation>修订。")


def deploy(desk: Desk, *edits: tuple[str, str, str]) -> int:
    """Let a designer propose an edited definition and another one approve it; give its version."""
    files = load_folder(BPMN, KEY)
    for file, former, new in edits:
        text = files[file].decode()
        assert former in text
        files[file] = text.replace(former, new).encode()
    sent = {name: (content, name) for name, content in files.items()}
    proposed = send_files(desk, "/definitions", "designer", sent)
    assert proposed.status_code == 201, proposed.text
    version = int((proposed.json or {})["version"])
    path = f"/definitions/{KEY}/versions/{version}/approve"
    assert desk.refused("POST", path, "designer").status == 403
    desk.write("POST", path, "designer2")
    return version


def migrate(desk: Desk, version: int, *cases: Matter, plan: bool = False) -> Mapping[str, Any]:
    body: dict[str, Any] = {"to_version": version}
    if cases:
        body["cases"] = [one.id for one in cases]
    query = "?plan=1" if plan else ""
    done: Mapping[str, Any] = desk.write(
        "POST", f"/definitions/{KEY}/migrate{query}", "office_director", body
    )
    return done


def versions(desk: Desk) -> set[int]:
    """Give the versions that the cases of the register run on."""
    found, cursor = set(), None
    while True:
        query: dict[str, str | int] = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = desk.read("/cases", "auditor", **query)
        found |= {case["definition"]["version"] for case in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_case_30_running_cases_finish_on_their_version_and_new_ones_begin_on_the_next(
    desk: Desk,
) -> None:
    before = desk.register().approve()

    version = deploy(desk, SHORTER)
    after = desk.register().approve()
    before.dispatch()
    after.dispatch()

    assert (before.deadline(), after.deadline()) == (
        moment("03-18 00:00"),
        moment("03-13 00:00"),
    )
    before.at("03-03 09:00").accept().feed_back().close()
    shown = before.shown()
    assert (shown["status"], shown["definition"]["version"]) == ("closed", 1)
    assert after.shown()["definition"]["version"] == version == 2
    assert before.is_proven() and after.is_proven()


def test_case_30_500_running_cases_move_after_a_plan_was_shown(desk: Desk) -> None:
    running = [desk.register(title=f"第{n}件") for n in range(RUNNING)]
    heads = {one.id: one.shown()["head"] for one in running[::50]}
    version = deploy(desk, SHORTER)

    plan = migrate(desk, version, plan=True)

    assert (plan["applied"], plan["fitting"], len(plan["items"])) == (False, RUNNING, RUNNING)
    assert {one["from_version"] for one in plan["items"]} == {1}
    assert versions(desk) == {1}
    assert {one.id: one.shown()["head"] for one in running[::50]} == heads
    done = migrate(desk, version)
    assert (done["applied"], done["fitting"], done["items"]) == (True, RUNNING, plan["items"])
    assert versions(desk) == {2}
    for one in running[::100]:
        (moved,) = one.events("case_migrated")
        assert moved["actor"] == "office_director"
        assert one.approve().dispatch().deadline() == moment("03-13 00:00")
        assert one.is_proven()


def test_case_30_a_case_whose_recorded_input_does_not_fit_stays_and_the_plan_says_why(
    desk: Desk,
) -> None:
    given = desk.register().approve().dispatch()
    waiting = desk.register()
    required = (
        "shared/forms/dispatch.json",
        '"report_content"\n  ]',
        '"report_content",\n    "deadline_reason"\n  ]',
    )
    version = deploy(desk, required)

    plan = migrate(desk, version, plan=True)
    done = migrate(desk, version)

    verdicts = {one["case"]: one["reason"] for one in plan["items"]}
    assert verdicts[waiting.id] is None
    assert (verdicts[given.id]["element"], verdicts[given.id]["fields"]) == (
        "dispatch",
        [{"field": "deadline_reason", "code": "required"}],
    )
    assert done["fitting"] == 1
    assert [one.shown()["definition"]["version"] for one in (given, waiting)] == [1, 2]
    assert given.is_proven() and waiting.is_proven()


def test_case_31_the_auditor_replays_a_case_whose_definition_was_replaced_twice(
    desk: Desk,
) -> None:
    matter = desk.register()
    migrate(desk, deploy(desk, REMARK), matter)
    matter.approve()
    migrate(desk, deploy(desk, RENAMED), matter)
    matter.dispatch().at("03-03 09:00").accept()
    events = matter.events()
    moves = {e["seq"]: e["payload"]["definition_version"] for e in matter.events("case_migrated")}
    assert sorted(moves.values()) == [2, 3]

    drawn, standing = [], []
    for number in range(1, len(events) + 1):
        state = desk.read(f"/cases/{matter.id}/state", "auditor", seq=number)
        assert state["seq"] == number
        standing.append({task["element"] for task in state["tasks"]})
        svg = fetch(desk, f"/cases/{matter.id}/diagram.svg?seq={number}").data
        drawn.append("".join(map(str, etree.fromstring(svg).itertext())))

    # Each instant on the diagram that was valid then: the step was renamed by the third version.
    renamed = ["交付办理" in text.replace("\n", "") for text in drawn]
    third = next(seq for seq, version in moves.items() if version == 3)
    assert renamed == [number >= third for number in range(1, len(events) + 1)]
    assert standing[0] == set()
    assert standing[third - 1] == {"dispatch"}
    assert standing[-1] == {"handle"}
    again = desk.read(f"/cases/{matter.id}/re-execution")
    assert again["ok"], str(again)
    assert (again["events"], again["first_bad"]) == (len(events), None)
    assert matter.is_proven()


def alter(desk: Desk, case: str, seq: int, former: str, new: str) -> None:
    """Change a stored event by SQL, as somebody with access to the database could."""
    database = sa.create_engine(desk.place.office.settings.url)
    statement = sa.text(
        "UPDATE events SET body = replace(body, :former, :new) WHERE case_id = :case AND seq = :seq"
    )
    with database.begin() as connection:
        values = {"former": former, "new": new, "case": case, "seq": seq}
        assert connection.execute(statement, values).rowcount == 1
    database.dispose()


def test_case_32_verification_names_the_first_event_that_was_altered_in_the_database(
    desk: Desk,
) -> None:
    matter, other = desk.register(), desk.register()
    matter.approve().dispatch().at("03-03 09:00").accept()
    assert matter.is_proven()
    dispatched = matter.events("case_dispatched")[0]["seq"]
    signed = matter.events("handler_named")[0]["seq"]
    alter(desk, matter.id, signed, "section_handles", "leader_coordinates")
    alter(desk, matter.id, dispatched, '"u11"', '"u12"')

    proof = desk.read(f"/cases/{matter.id}/verify")
    report = desk.read(f"/cases/{matter.id}/re-execution")
    environment = {"DUBAN_DATA": str(desk.data), "DUBAN_DATABASE_URL": desk.database_url}
    told = CliRunner().invoke(main, ["verify", "--all", "--processes", "1", "--json"],
                              env=environment)  # fmt: skip

    assert (proof["ok"], proof["first_bad"], proof["fault"]) == (False, dispatched, "chain")
    assert (report["first_bad"], report["type"]) == (dispatched, "case_dispatched")
    assert told.exit_code == 1, told.output
    said = json.loads(told.output)
    assert (said["ok"], said["cases"], len(said["bad"])) == (False, 2, 1)
    assert (said["first_bad"]["case"], said["first_bad"]["seq"]) == (matter.id, dispatched)
    # Put back as it was, it proves again: nothing else had been touched.
    alter(desk, matter.id, dispatched, '"u12"', '"u11"')
    assert desk.read(f"/cases/{matter.id}/verify")["first_bad"] == signed
    alter(desk, matter.id, signed, "leader_coordinates", "section_handles")
    assert matter.is_proven() and other.is_proven()


@pytest.mark.parametrize("hours", [1, 30 * 24])
def test_case_33_after_the_clock_was_set_back_order_goes_by_number(desk: Desk, hours: int) -> None:
    desk.at("03-13 09:00")
    matter = desk.register(source_date="2026-01-02").approve().dispatch().accept()
    first = [event["seq"] for event in matter.events()]

    set_back(desk, hours)
    matter.ask("progress", "contact.11", percent=50, text="已制定方案")
    matter.feed_back()
    later = desk.register(source_date="2026-01-02")
    matter.close()

    events = matter.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    times = [event["at"] for event in events]
    assert times != sorted(times), "the clock wasn't set back"
    assert min(times) in times[len(first) :]
    assert all(event["prev"] == before["hash"] for before, event in pairwise(events))
    # The story is told, replayed and numbered in the order in which things happened.
    whole = desk.read(f"/cases/{matter.id}/state", "auditor", seq=len(events))
    assert whole == desk.read(f"/cases/{matter.id}/state")
    assert [later.shown()["number"], matter.shown()["number"]] == [
        "督〔2026〕批示-0002",
        "督〔2026〕批示-0001",
    ]
    assert matter.shown()["status"] == "closed"
    fired = [(e["payload"]["timer"], e["payload"]["due_at"]) for e in matter.events("timer_fired")]
    assert len(fired) == len(set(fired))
    assert matter.is_proven() and later.is_proven()
    assert desk.read("/access-log/verification", "auditor")["ok"] is True


def set_back(desk: Desk, hours: int) -> None:
    """Set the server's clock back."""
    then = desk.place.clock.now() - timedelta(hours=hours)
    client = desk.app.test_client(use_cookies=False)
    answer = client.put("/api/v1/test/clock", json={"now": then.isoformat()})
    assert answer.status_code == 200, answer.text
