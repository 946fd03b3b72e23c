"""Plays one item of a city's year from registration to the day the year ends.

Every item has the clock to itself: what happens in one never waits for what happens in another, so
they are played one after the other, in the order of their numbers, each on a case that is warm.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from engine import Actor, CaseId, Command, CompleteTask, Problem, SetClock, TaskId
from engine.pump import deliver, fire
from engine.records import Json
from engine.store import DueTimer
from services.asks import ask
from services.cases.commands import RegisterCase
from services.deadlines.calendar import Calendar
from services.demo.caseload import Drawn
from services.demo.errors import PlanFailed
from services.demo.moments import Here
from services.demo.plans import Behaviour, Extra, Plan
from services.demo.queries import Standing, Waiting, standing_of
from services.demo.sample import units
from services.demo.words import Words, by_role, filled, number, person
from services.office import Office
from services.scenarios.pictures import with_references

_JITTER_MIN = 40
"""By up to so many minutes things happen later than planned to the hour."""
_WHILE_SUSPENDED = timedelta(days=1)
"""Nobody acts while the clock stands still; people look again a day later."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where items are played.

    Parameters
    ----------
    clock : the office's clock.
    taken : files that were attached: SHA-256 by name.
    until : when playing stops.
    """

    office: Office
    clock: SetClock
    calendar: Calendar
    taken: Mapping[str, str]
    until: datetime


@dataclass(order=True, slots=True)
class _Act:
    at: datetime
    order: int
    carry_out: Callable[[], None] = field(compare=False)


def play(desk: Desk, drawn: Drawn) -> int:
    """Play one item.

    Returns
    -------
    How many commands were carried out.

    Raises
    ------
    PlanFailed : somebody couldn't do what was planned.
    """
    desk.clock.set(drawn.at)
    run = _Run(desk, drawn.case, drawn.plan, drawn.luck)
    run.register()
    run.go_on()
    return run.commands


def go_on(desk: Desk, case: CaseId, plan: Plan, *, luck: str) -> int:
    """Play on a case that a rule has registered; see `play`."""
    run = _Run(desk, case, plan, luck)
    run.go_on()
    return run.commands


class _Run:
    """One item as it goes."""

    def __init__(self, desk: Desk, case: CaseId, plan: Plan, luck: str) -> None:
        self._desk = desk
        self._case = case
        self._plan = plan
        self._luck = Random(luck)  # noqa: S311 -- a demonstration, the same each time
        self._acts: list[_Act] = []
        self._orders = 0
        self._seen: set[str] = set()
        self._reached: Counter[str] = Counter()
        self._now = Standing()
        self.commands = 0

    def register(self) -> None:
        """Register the item."""
        item, now = self._plan.item, self._desk.clock.now()
        data = {
            "title": item.title,
            "source_kind": item.source_kind,
            "source_date": item.source_date.isoformat(),
            "urgency": item.urgency,
            **self._plan.register,
        }
        self._execute(
            "register",
            RegisterCase(
                case=self._case,
                by=Actor("registrar"),
                at=now,
                definition=item.case_type,
                data=self._filled(data, item.lead_unit, None),
            ),
        )

    def go_on(self) -> None:
        """Let everything happen up to the end, in the order of time; timers come first."""
        desk = self._desk
        while True:
            self._look()
            if self._now.jobs:
                for job in self._now.jobs:
                    deliver(desk.office.engine, desk.office.handlers, job, desk.clock.now())
                    self.commands += 1
                continue
            timer = self._now.timers[0] if self._now.timers else None
            act = self._acts[0] if self._acts else None
            if timer is not None and (act is None or timer.due_at <= act.at):
                if timer.due_at > desk.until:
                    return
                self._fire(timer)
            elif act is not None and act.at <= desk.until:
                desk.clock.set(max(act.at, desk.clock.now()))
                heapq.heappop(self._acts).carry_out()
            else:
                return

    def _fire(self, timer: DueTimer) -> None:
        desk = self._desk
        desk.clock.set(max(timer.due_at, desk.clock.now()))
        fire(desk.office.engine, timer, desk.clock.now())
        self.commands += 1

    def _look(self) -> None:
        """See what waits now; let people notice new tasks, and decide when to do them."""
        with self._desk.office.store.transaction(write=False) as transaction:
            self._now = standing_of(transaction.connection, self._case)
        for task in self._now.tasks:
            if task.task not in self._seen:
                self._seen.add(task.task)
                self._notice(task)

    def _notice(self, task: Waiting) -> None:
        occurrence = self._reached[task.element]
        self._reached[task.element] += 1
        behaviour = self._plan.behaviour(task.element, task.unit, occurrence)
        here = self._here(task.due_at)
        if not behaviour.is_never:
            self._at(self._moment(here, behaviour.when), lambda: self._complete(task, behaviour))
        if occurrence == 0:
            for extra in self._plan.extras:
                if extra.after == task.element:
                    self._at_extra(here, extra)

    def _at_extra(self, here: Here, extra: Extra) -> None:
        self._at(self._moment(here, extra.when), lambda: self._extra(extra))

    def _moment(self, here: Here, said: str) -> datetime:
        late = timedelta(minutes=self._luck.randrange(_JITTER_MIN) if ":" in said else 0)
        return here.moment(said) + late

    def _at(self, at: datetime, carry_out: Callable[[], None]) -> None:
        self._orders += 1
        heapq.heappush(self._acts, _Act(at, self._orders, carry_out))

    def _here(self, due: datetime | None) -> Here:
        desk = self._desk
        zone = desk.office.settings.zone
        return Here(desk.clock.now(), due, self._now.deadline, desk.calendar, zone)

    def _complete(self, task: Waiting, behaviour: Behaviour) -> None:
        still = next((one for one in self._now.tasks if one.task == task.task), None)
        if still is None:
            return
        if self._now.status == "suspended":
            later = self._desk.clock.now() + _WHILE_SUSPENDED
            self._at(later, lambda: self._complete(task, behaviour))
            return
        planned: dict[str, Json] = dict(behaviour.data)
        if task.element == "dispatch":
            planned = {**self._dispatch(), **planned}
        who = behaviour.by or still.assignee or by_role(task.roles, self._plan)
        unit = task.unit or self._now.lead_unit
        command = CompleteTask(
            case=self._case,
            by=Actor(person(who, unit)),
            at=self._desk.clock.now(),
            task=TaskId(task.task),
            data=self._filled(planned, unit, self._here(task.due_at)),
        )
        self._execute(task.element, command)

    def _dispatch(self) -> dict[str, Json]:
        item = self._plan.item
        data: dict[str, Json] = {
            "lead_unit": item.lead_unit,
            "co_units": list(item.co_units),
            "handling": "lead_and_co" if item.co_units else "single",
            "responsible_person": f"{units()[number(item.lead_unit) - 1]}分管负责人",
        }
        return data if self._plan.rhythm == "once" else {**data, "rhythm": self._plan.rhythm}

    def _extra(self, extra: Extra) -> None:
        if self._now.status in ("closed", "cancelled"):
            return
        now, unit = self._desk.clock.now(), self._now.lead_unit
        data = self._filled(extra.data, unit, self._here(None))
        name = extra.command or ""
        command = ask(name, self._case, person(extra.by or "", unit), now, data)
        self._execute(name, command, refused=extra.refused)

    def _filled(
        self, data: Mapping[str, Json], unit: str | None, here: Here | None
    ) -> dict[str, Json]:
        words = Words(self._plan, unit or self._plan.item.lead_unit, here)
        told: dict[str, Json] = with_references(filled(data, words), self._desk.taken)
        return told

    def _execute(self, what: str, command: Command, refused: str | None = None) -> None:
        slug = None
        try:
            self._desk.office.engine.execute(command)
        except Problem as problem:
            slug = problem.slug
            if slug != refused:
                message = f"{self._case} {self._plan.item.title}: {what} at {command.at}: {problem}"
                raise PlanFailed(message) from problem
        self.commands += 1
