"""Lets the people of the demonstration act by their plans while the clock runs."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from engine import Actor, CaseId, Command, CompleteTask, Problem, SetClock, TaskId
from engine.records import Json
from services.asks import ask
from services.cases.commands import RegisterCase
from services.demo.errors import PlanFailed
from services.demo.moments import Here
from services.demo.plans import Behaviour, Extra, Plan, defaults
from services.demo.queries import Waiting, waiting
from services.demo.sample import units
from services.demo.words import Words, by_role, filled, number, person
from services.office import Office
from services.people.admin import mark_absent
from services.scenarios.passing import sweep

Told = Callable[[datetime], None]
"""Hears where the clock stands."""


@dataclass(slots=True)
class Run:
    """One planned case as it goes."""

    id: CaseId
    plan: Plan
    seen: set[str] = field(default_factory=set)
    reached: Counter[str] = field(default_factory=Counter)
    registered_at: datetime | None = None


@dataclass(order=True, slots=True)
class _Act:
    at: datetime
    order: int
    carry_out: Callable[[], None] = field(compare=False)


class Driver:
    """Runs planned cases on an office whose clock it moves.

    Parameters
    ----------
    clock : the office's clock.
    told : hears of progress.
    """

    def __init__(self, office: Office, clock: SetClock, told: Told | None = None) -> None:
        self._office = office
        self._clock = clock
        self._told = told or (lambda _now: None)
        self._acts: list[_Act] = []
        self._orders = 0
        self.runs: dict[str, Run] = {}

    def plan(self, case: CaseId, plan: Plan, at: datetime) -> None:
        """Note that a case will be registered at an instant and then go by its plan."""
        run = self.runs[case] = Run(case, plan)
        self._at(at, lambda: self._register(run))

    def run(self, until: datetime) -> None:
        """Let everything happen up to an instant, in the order of time; timers come first.

        Raises
        ------
        PlanFailed : somebody couldn't do what was planned.
        """
        while (following := self._next(until)) is not None:
            self._clock.set(max(following, self._clock.now()))
            if sweep(self._office) == 0 and self._acts and self._acts[0].at <= following:
                heapq.heappop(self._acts).carry_out()
            self._look_around()
            self._told(self._clock.now())
        self._clock.set(max(until, self._clock.now()))

    def _next(self, until: datetime) -> datetime | None:
        due = self._office.store.next_due()
        instants = [at for at in (due, self._acts[0].at if self._acts else None) if at is not None]
        following = min(instants, default=None)
        return following if following is not None and following <= until else None

    def _at(self, at: datetime, carry_out: Callable[[], None]) -> None:
        self._orders += 1
        heapq.heappush(self._acts, _Act(at, self._orders, carry_out))

    def _look_around(self) -> None:
        """Let people notice tasks they haven't seen, and decide when to do them."""
        with self._office.store.transaction(write=False) as transaction:
            found = waiting(transaction.connection)
        for task in found:
            run = self.runs.get(task.case)
            if run is not None and task.task not in run.seen:
                run.seen.add(task.task)
                self._noticed(run, task)

    def _noticed(self, run: Run, task: Waiting) -> None:
        place = f"{task.element}@{task.unit}"
        with_own_plan = place in run.plan.steps
        occurrence = run.reached[place if with_own_plan else task.element]
        run.reached[place if with_own_plan else task.element] += 1
        behaviour = run.plan.behaviour(task.element, task.unit, occurrence)
        here = self._here(run, task.due_at)
        if not behaviour.is_never:
            at = here.moment(behaviour.when)
            self._at(at, lambda: self._complete(run, task, behaviour))
        if occurrence == 0:
            for extra in run.plan.extras:
                if extra.after == task.element:
                    self._plan_extra(run, extra, here)

    def _plan_extra(self, run: Run, extra: Extra, here: Here) -> None:
        self._at(here.moment(extra.when), lambda: self._extra(run, extra))

    def _here(self, run: Run, due: datetime | None) -> Here:
        with self._office.store.transaction(write=False) as transaction:
            rows = transaction.rows(run.id, "register")
            calendar = self._office.calendar.get(transaction.connection)
        deadline = rows[0]["deadline"] if rows else None
        zone = self._office.settings.zone
        return Here(self._clock.now(), due, deadline, calendar, zone)

    def _register(self, run: Run) -> None:
        item = run.plan.item
        now = self._clock.now()
        data = {
            "title": item.title,
            "source_kind": item.source_kind,
            "source_date": self._day(now).isoformat(),
            "urgency": item.urgency,
            **defaults()["register"].get(item.case_type, {}),
            **run.plan.register,
        }
        command = RegisterCase(
            case=run.id,
            by=Actor("registrar"),
            at=now,
            definition=item.case_type,
            data=filled(data, self._words(run, None, None)),
        )
        self._execute(run, "register", command)
        run.registered_at = now

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._office.settings.zone).date()

    def _complete(self, run: Run, task: Waiting, behaviour: Behaviour) -> None:
        with self._office.store.transaction(write=False) as transaction:
            still = {row["task"]: row["assignee"] for row in transaction.rows(run.id, "tasks")}
        if task.task not in still:
            return
        here = self._here(run, task.due_at)
        planned = dict(behaviour.data)
        if task.element == "dispatch":
            planned = {**self._dispatch(run, here), **planned}
        who = behaviour.by or still[task.task] or by_role(task.roles, run.plan)
        user = person(who, task.unit or self._lead_unit(run))
        command = CompleteTask(
            case=run.id,
            by=Actor(user),
            at=self._clock.now(),
            task=TaskId(task.task),
            data=filled(planned, self._words(run, task.unit, here)),
        )
        self._execute(run, task.element, command)

    def _dispatch(self, run: Run, here: Here) -> dict[str, Json]:
        item = run.plan.item
        data: dict[str, Json] = {
            "lead_unit": item.lead_unit,
            "co_units": list(item.co_units),
            "handling": "lead_and_co" if item.co_units else "single",
            "responsible_person": f"{units()[number(item.lead_unit) - 1]}分管负责人",
            "rhythm": run.plan.rhythm,
        }
        if item.deadline is not None:
            length = item.deadline - item.source_date
            start = run.registered_at or here.reached
            day = self._day(start) + length
            data |= {"deadline": day.isoformat(), "deadline_reason": "会议议定的时限"}
        return data

    def _extra(self, run: Run, extra: Extra) -> None:
        now = self._clock.now()
        unit = self._lead_unit(run)
        here = self._here(run, None)
        if extra.absent is not None:
            user = person(extra.absent, unit)
            last = here.day(extra.until) if extra.until else None
            with self._office.store.transaction() as transaction:
                mark_absent(transaction.connection, user, self._day(now), last)
            self._office.people.forget()
            return
        if self._is_over(run):
            return
        data = filled(extra.data, self._words(run, unit, here))
        command = ask(extra.command or "", run.id, person(extra.by or "", unit), now, data)
        self._execute(run, extra.command or "", command, refused=extra.refused)

    def _is_over(self, run: Run) -> bool:
        with self._office.store.transaction(write=False) as transaction:
            return transaction.rows(run.id, "register")[0]["status"] in ("closed", "cancelled")

    def _lead_unit(self, run: Run) -> str | None:
        with self._office.store.transaction(write=False) as transaction:
            rows = transaction.rows(run.id, "register")
        unit: str | None = rows[0]["lead_unit"] if rows else None
        return unit

    def _words(self, run: Run, unit: str | None, here: Here | None) -> Words:
        return Words(run.plan, unit or run.plan.item.lead_unit, here)

    def _execute(
        self,
        run: Run,
        what: str,
        command: Command,
        refused: str | None = None,
    ) -> None:
        slug = None
        try:
            self._office.engine.execute(command)
        except Problem as problem:
            slug = problem.slug
            if slug != refused:
                message = f"{run.id} {run.plan.item.title}: {what} at {command.at}: {problem}"
                raise PlanFailed(message) from problem
        if slug is None and refused is not None:
            message = f"{run.id}: {what} at {command.at} wasn't refused with {refused}"
            raise PlanFailed(message)
