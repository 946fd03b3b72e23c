"""The targets of a task, and how progress compares with them."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from engine import State, applies
from engine.events import TaskCompleted
from services.worktasks.events import GoalMet, TargetChecked


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What should be reached by a date, in percent of the whole."""

    by_date: date
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedTarget:
    """A target that came due, and what was reached by then."""

    unit: str
    by_date: date
    planned: int
    reached: int
    met: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTaskState(State):
    """Targets in the order of their dates; each is compared once."""

    kind: str | None = None
    targets: tuple[Target, ...] = ()
    checked: tuple[CheckedTarget, ...] = ()
    goal_met_at: datetime | None = None
    goal_met_by: str | None = None

    def due_by(self, day: date) -> tuple[Target, ...]:
        """Give the targets that are to be compared with a report for this day."""
        done = {target.by_date for target in self.checked}
        return tuple(t for t in self.targets if t.by_date <= day and t.by_date not in done)


@applies(TaskCompleted, to=WorkTaskState)
def registered(state: WorkTaskState, event: TaskCompleted) -> WorkTaskState:
    if event.element != "register" or "task_kind" not in event.data:
        return state
    given = event.data.get("targets") or ()
    targets = (
        Target(by_date=date.fromisoformat(one["by"]), percent=one["percent"]) for one in given
    )
    return replace(
        state,
        kind=event.data["task_kind"],
        targets=tuple(sorted(targets, key=lambda target: target.by_date)),
    )


@applies(TargetChecked, to=WorkTaskState)
def target_checked(state: WorkTaskState, event: TargetChecked) -> WorkTaskState:
    checked = CheckedTarget(
        unit=event.unit,
        by_date=event.by_date,
        planned=event.planned,
        reached=event.reached,
        met=event.met,
        at=event.at,
    )
    return replace(state, checked=(*state.checked, checked))


@applies(GoalMet, to=WorkTaskState)
def goal_met(state: WorkTaskState, event: GoalMet) -> WorkTaskState:
    return replace(state, goal_met_at=event.at, goal_met_by=event.unit)
