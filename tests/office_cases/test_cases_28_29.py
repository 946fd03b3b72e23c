"""What became due while nobody was there, and a schedule that came late (§10, 28 and 29)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from engine.records import instant_text
from tests.crash.service import Service
from tests.office_cases.desk import Desk, last_day, moment
from tests.office_cases.matter import Matter
from tests.office_cases.served import asked, served

PATIENCE_S = 30.0

HOLIDAYS = [{"day": f"2027-02-{day:02}", "kind": "holiday"} for day in range(5, 13)]
MAKE_UP = [{"day": day, "kind": "make_up"} for day in ("2027-02-14", "2027-02-20")]
SCHEDULE = {"notice": "国办发明电〔2026〕9号", "days": [*HOLIDAYS, *MAKE_UP]}
"""Spring Festival 2027 as a schedule might have it; nobody knows these days without one."""


def quiet(service: Service) -> None:
    """Wait until nothing is due and nothing waits for delivery."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        worker = asked(service, "GET", "/health", "auditor")[1]["worker"]
        if worker["lag_s"] == 0 and worker["waiting_jobs"] == 0:
            return
        time.sleep(0.05)
    pytest.fail(service.said())


def test_case_28_a_timer_due_while_the_service_was_down_fires_once_after_the_restart(
    desk: Desk, tmp_path: Path
) -> None:
    matter = desk.register().approve().dispatch().at("03-03 09:00").accept()
    due = matter.deadline()
    assert due == last_day("03-17")
    before, after = instant_text(moment("03-13 09:00")), instant_text(moment("03-18 09:30"))
    clock = ("--workers", "1", "--test-clock")
    with served(desk, tmp_path, *clock, before) as server:
        quiet(server)
    seen = len(matter.events())
    assert "points_entered" not in {e["type"] for e in matter.events()}

    for _ in range(2):
        # Started, killed, and started again at the same instant.
        with served(desk, tmp_path, *clock, after) as server:
            quiet(server)
            status, shown = asked(server, "GET", f"/cases/{matter.id}", "supervisor")
            _, account = asked(server, "GET", "/scores/u11/entries", "supervisor")
            assert (status, shown["light"], shown["escalation"]["round"]) == (200, "red", 1)

    fired = [e for e in matter.events("timer_fired") if e["seq"] > seen]
    due_ones = [e["payload"] for e in fired if e["payload"]["due_at"] == instant_text(due)]
    assert due_ones, fired
    # The record shows when it was due and when the service saw it.
    assert {p["fired_at"] for p in due_ones} == {after}
    assert {e["at"] for e in fired if e["payload"] in due_ones} == {"2026-03-18T00:00:00+08:00"}
    once = [(e["payload"]["timer"], e["payload"]["due_at"]) for e in fired]
    assert len(once) == len(set(once))
    assert [(e["rule"], e["points"]) for e in account["items"]] == [("overdue", "-0.5")]
    assert matter.open_elements().count("inspect") == 1
    assert matter.is_proven()


def concern(desk: Desk) -> Matter:
    """Dispatch a citizen's concern early in a year whose schedule isn't loaded: 15 working days."""
    desk.at("2027-01-25 09:00")
    body: dict[str, Any] = {
        "type": "public_concern",
        "title": "供暖温度不足",
        "source_kind": "hotline",
        "source_date": "2027-01-25",
        "content": "反映供暖温度不足16度。",
        "citizen": {"name": "李䶮"},
    }
    matter = Matter(desk, desk.write("POST", "/cases", "registrar", body)["id"])
    matter.do("classify", "supervisor", decision="accept", concern_kind="hotline",
              category="complaint")  # fmt: skip
    return matter.dispatch(13)


def test_case_29_a_schedule_loaded_late_shows_first_what_moves_and_then_moves_it_on_the_record(
    desk: Desk,
) -> None:
    matter = concern(desk)
    assert matter.deadline() == last_day("2027-02-15")
    assert matter.shown()["provisional"] is True

    plan = desk.write("PUT", "/calendar/2027?plan=1", "admin", SCHEDULE)

    (move,) = plan["moves"]
    assert (plan["applied"], move["case"], move["verdict"]) == (False, matter.id, "later")
    assert (move["before"], move["after"]) == (
        "2027-02-16T00:00:00+08:00",
        "2027-02-21T00:00:00+08:00",
    )
    assert matter.deadline() == last_day("2027-02-15")
    assert desk.read("/calendar/2027")["revision"] == 0

    done = desk.write("PUT", "/calendar/2027", "admin", SCHEDULE)

    assert (done["applied"], done["moves"], done["failed"]) == (True, plan["moves"], [])
    shown = matter.shown()
    assert (matter.deadline(), shown["provisional"]) == (last_day("2027-02-20"), False)
    moved = matter.events("deadline_set")[-1]
    assert (moved["actor"], moved["payload"]["reason"]) == ("admin", "schedule_published")
    assert moved["payload"]["former"] == instant_text(last_day("2027-02-15"))
    # The timers went along: the old date passes, and nobody is late.
    matter.at("2027-02-18 09:00")
    assert (matter.shown()["light"], matter.points("u13")) == ("yellow", [])
    matter.at("2027-02-22 09:00")
    assert matter.shown()["light"] == "red"
    assert ("overdue", "-0.5") in matter.points("u13")
    assert matter.is_proven()


def test_case_29_no_deadline_comes_nearer_without_a_notice(desk: Desk) -> None:
    matter = concern(desk)
    nearer = {"notice": "国办发明电〔2026〕9号", "days": [{"day": "2027-01-30", "kind": "make_up"}]}

    done = desk.write("PUT", "/calendar/2027", "admin", nearer)
    kept = matter.deadline()
    noticed = desk.write("PUT", "/calendar/2027", "admin", {**nearer, "give_notice": True})

    assert [m["verdict"] for m in done["moves"]] == ["needs_notice"]
    assert kept == last_day("2027-02-15")
    assert [m["verdict"] for m in noticed["moves"]] == ["earlier"]
    assert matter.deadline() == last_day("2027-02-12")
    for user in ("contact.13", "head.13"):
        kinds = [n["kind"] for n in desk.read("/notices", user)["items"] if n["case"] == matter.id]
        assert kinds.count("deadline_earlier") == 1
    assert matter.is_proven()


def test_case_29_only_who_looks_after_the_calendar_loads_a_schedule(desk: Desk) -> None:
    for user in ("office_director", "registrar", "auditor"):
        refusal = desk.refused("PUT", "/calendar/2027", user, SCHEDULE)
        assert (refusal.status, refusal.slug) == (403, "not-permitted")
    assert desk.read("/calendar/2027")["revision"] == 0
