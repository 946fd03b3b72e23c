"""Open timers: when they are due, what they are computed from, how they move.

No clock is read and none is compared with: a timer fires when it is told to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.errors import EvaluationFailed
from engine.events import TimerCancelled, TimerRescheduled, TimerStarted
from engine.expressions import Setting, compile_template
from engine.ids import ScopeId, TimerId
from engine.plain_values import as_text
from engine.records import instant_text
from engine.spiff.periods import instant_of, next_in_cycle, parse_cycle

if TYPE_CHECKING:
    from engine.diagrams import Trigger
    from engine.spiff.machine import Machine
    from engine.spiff.seam import LiveTask


@dataclass(slots=True)
class Timer:
    """One open timer.

    `due` is when it counts as fired; `computed` is the (first) instant its text last gave, which
    differs from `due` after the clock of the case stood still and after the first firing of a
    cycle. `since` is when the event was reached.
    """

    id: str
    task: LiveTask
    since: datetime
    computed: datetime
    due: datetime
    remaining: int | None = 0
    interval: str | None = None


@dataclass(slots=True)
class Fired:
    """A timer that fired beside what goes on: it opens again when its text gives a later instant.

    A deadline that is moved after it was reminded of, or missed, is watched like any other.
    """

    task: LiveTask
    since: datetime
    computed: datetime


def start_timer(task: LiveTask, trigger: Trigger) -> None:
    """Open the timer of an event that was just reached."""
    machine = task.workflow.machine
    since = machine.run.at
    due, remaining, interval = _computed(trigger, since, machine.setting(task.scope))
    _open(task, Timer(machine.public_id("m"), task, since, due, due, remaining, interval))


def restart_timer(fired: Timer, seen_at: datetime) -> bool:
    """Open the next timer of a cycle after one has fired; tells whether there is one."""
    if fired.interval is None:
        return False
    task, machine = fired.task, fired.task.workflow.machine
    setting = machine.setting(task.scope)
    following = next_in_cycle(fired.due, fired.interval, fired.remaining, seen_at, setting)
    if following is None:
        return False
    due, remaining = following
    id, since, first = machine.public_id("m"), fired.since, fired.computed
    _open(task, Timer(id, task, since, first, due, remaining, fired.interval))
    return True


def keep_fired(timer: Timer) -> None:
    """Remember a timer that fired without interrupting, if its instant can move at all."""
    task = timer.task
    if not compile_template(task.task_spec.trigger.text).is_literal:
        fired = Fired(task, timer.since, timer.computed)
        task.workflow.machine.fired[task.id] = fired


def cancel_timer(task: LiveTask) -> None:
    """Close the timer of an event that isn't waited for any more."""
    machine = task.workflow.machine
    machine.fired.pop(task.id, None)
    timer = machine.timers.pop(task.internal_data.pop("timer", ""), None)
    if timer is not None:
        machine.run.emit(
            TimerCancelled(
                timer=TimerId(machine.full_id(timer.id)), element=task.task_spec.element.id
            )
        )


def recompute_timers(machine: Machine, written: set[str] | None) -> None:
    """Move the open timers whose text gives another instant than before, and open fired ones again.

    One that fired stays so when its new instant isn't ahead: what is past isn't told twice.

    Parameters
    ----------
    machine : the case.
    written : the variables that changed; `None` asks every timer.
    """
    for timer in _in_order(machine):
        found = _moved(timer, machine, written)
        if found is not None:
            timer.computed, timer.remaining, timer.interval = found
            _move(timer, timer.computed, machine)
    for fired in sorted(machine.fired.values(), key=lambda one: one.task.id):
        found = _moved(fired, machine, written)
        if found is not None:
            _open_again(fired, *found)


def _moved(
    timer: Timer | Fired, machine: Machine, written: set[str] | None
) -> tuple[datetime, int | None, str | None] | None:
    """Compute a timer that depends on what changed; `None` when its instant stays."""
    trigger = timer.task.task_spec.trigger
    template = compile_template(trigger.text)
    if template.is_literal:
        return None
    names = template.names
    if written is not None and names is not None and not names & written:
        return None
    found = _computed(trigger, timer.since, _as_of(timer, machine))
    return None if found[0] == timer.computed else found


def _open_again(fired: Fired, due: datetime, remaining: int | None, interval: str | None) -> None:
    task, machine = fired.task, fired.task.workflow.machine
    fired.computed = due
    if due > machine.run.at:
        del machine.fired[task.id]
        _open(task, Timer(machine.public_id("m"), task, fired.since, due, due, remaining, interval))


def shift_timers(machine: Machine, by: timedelta) -> None:
    """Let every open timer come later, because the clock of the case stood still."""
    for timer in _in_order(machine):
        _move(timer, timer.due + by, machine)


def _in_order(machine: Machine) -> list[Timer]:
    return sorted(machine.timers.values(), key=lambda timer: int(timer.id[1:]))


def _as_of(timer: Timer | Fired, machine: Machine) -> Setting:
    setting = machine.setting(timer.task.scope)
    return Setting(setting.names, setting.host, instant_text(timer.since))


def _move(timer: Timer, due: datetime, machine: Machine) -> None:
    if due == timer.due:
        return
    machine.run.emit(
        TimerRescheduled(
            timer=TimerId(machine.full_id(timer.id)),
            element=timer.task.task_spec.element.id,
            former=timer.due,
            due_at=due,
        )
    )
    timer.due = due


def _open(task: LiveTask, timer: Timer) -> None:
    machine = task.workflow.machine
    machine.timers[timer.id] = timer
    task.internal_data["timer"] = timer.id
    machine.run.emit(
        TimerStarted(
            timer=TimerId(machine.full_id(timer.id)),
            element=task.task_spec.element.id,
            scope=ScopeId(task.scope),
            due_at=timer.due,
            remaining=timer.remaining,
        )
    )


def _computed(
    trigger: Trigger, since: datetime, setting: Setting
) -> tuple[datetime, int | None, str | None]:
    value = compile_template(trigger.text).evaluate(setting)
    if trigger.name != "cycle":
        return instant_of(value, since, setting), 0, None
    cycle = parse_cycle(as_text(value))
    if cycle is None:
        raise EvaluationFailed(expression=trigger.text, reason="no repetition such as R3/PT1H")
    first = cycle.first or instant_of(cycle.interval, since, setting)
    return first, None if cycle.times is None else cycle.times - 1, cycle.interval
