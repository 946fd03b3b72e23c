"""Loads cases that stand in every stage: what ``serve --demo`` shows."""

from __future__ import annotations

from datetime import timedelta

from engine import CaseId, SetClock
from services.demo.drive import Driver, Told
from services.demo.plans import Plan, standing
from services.demo.year import populate
from services.office import Office, build_office

_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_STEP = timedelta(minutes=1)


def load_demo(office: Office, told: Told | None = None) -> int:
    """Fill an empty installation with people and with cases standing in every stage right now.

    The cases' past is played by a clock of its own up to the office's present instant, so timers
    have fired when they were due; the office's own clock isn't touched.

    Returns
    -------
    How many cases there are.

    Raises
    ------
    PlanFailed : the installation isn't empty.
    """
    now = office.clock.now()
    plans = standing()
    clock = SetClock(now - max(_ago(plan) for plan in plans) - timedelta(days=1))
    past = build_office(office.settings, clock)
    try:
        populate(past)
        driver = Driver(past, clock, told)
        for number, plan in enumerate(plans, start=1):
            driver.plan(CaseId(f"demo-{number:02}"), plan, now - _ago(plan) - number * _STEP)
        driver.run(now)
    finally:
        past.close()
    office.people.forget()
    return len(plans)


def _ago(plan: Plan) -> timedelta:
    said = plan.ago or "0d"
    return int(said[:-1]) * _LENGTHS[said[-1]]
