"""Open timers: when they are due, what they are computed from, how they move.

No clock is read and none is compared with: a timer fires when it is told to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.errors import EvaluationFailed
from engine.events import ScopeId, TimerCancelled, TimerId, TimerRescheduled, TimerStarted
from engine.expressions import Setting, compile_template
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


def cancel_timer(task: LiveTask) -> None:
    """Close the timer of an event that isn't waited for any more."""
    machine = task.workflow.machine
    timer = machine.timers.pop(task.internal_data.pop("timer", ""), None)
    if timer is not None:
        machine.run.emit(
            TimerCancelled(
                timer=TimerId(machine.full_id(timer.id)), element=task.task_spec.element.id
            )
        )


def recompute_timers(machine: Machine, written: set[str] | None) -> None:
    """Move the open timers whose text gives another instant than before.

    Parameters
    ----------
    machine : the case.
    written : the variables that changed; `None` asks every timer.
    """
    for timer in _in_order(machine):
        trigger = timer.task.task_spec.trigger
        template = compile_template(trigger.text)
        if template.is_literal:
            continue
        names = template.names
        if written is not None and names is not None and not names & written:
            continue
        due, remaining, interval = _computed(trigger, timer.since, _as_of(timer, machine))
        if due != timer.computed:
            timer.computed, timer.remaining, timer.interval = due, remaining, interval
            _move(timer, due, machine)


def shift_timers(machine: Machine, by: timedelta) -> None:
    """Let every open timer come later, because the clock of the case stood still."""
    for timer in _in_order(machine):
        _move(timer, timer.due + by, machine)


def _in_order(machine: Machine) -> list[Timer]:
    return sorted(machine.timers.values(), key=lambda timer: int(timer.id[1:]))


def _as_of(timer: Timer, machine: Machine) -> Setting:
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
