"""What a picture shows over a diagram: tokens, visits with their times, flows taken, dues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from engine import ProcessState
from engine.state import OpenTask, OpenTimer
from services.cases.state import CaseState
from services.deadlines.queries import Light, light_of
from services.replay.moment import Moment
from services.replay.trail import Visit

YellowFrom = Callable[[datetime], datetime]


@dataclass(frozen=True, slots=True)
class Due:
    """Until when something waits, and how near that is."""

    at: datetime
    light: Light
    is_timer: bool


@dataclass(frozen=True, slots=True)
class Marks:
    """What to show over the elements of one process."""

    process: str
    visits: dict[str, tuple[Visit, ...]]
    tokens: Counter[str]
    instances: Counter[str]
    flows: Counter[str]
    dues: dict[str, Due]

    @property
    def waiting(self) -> list[str]:
        """The elements that tokens stand on, in the order they were reached."""
        return [element for element, count in self.tokens.items() if count]


def marks_of(
    moment: Moment,
    process: str,
    *,
    scope: str | None = None,
    yellow_from: YellowFrom | None = None,
    now: datetime | None = None,
) -> Marks:
    """Give what happened in a process until a moment.

    Parameters
    ----------
    scope : one call of the process only; `None` shows all of them together.
    yellow_from : gives from when a due instant is shown in yellow; `None` shows no yellow.
    now : the instant that lights are told for, `None` for the moment's own.
    """
    scopes = frozenset(_scopes(moment, process, scope))
    trail = moment.trail
    visits: dict[str, tuple[Visit, ...]] = {}
    tokens: Counter[str] = Counter()
    instances: Counter[str] = Counter()
    for visit in trail.visits:
        here = _home(moment, visit)
        if here not in scopes:
            continue
        if trail.is_instance(visit):
            instances[visit.element] += visit.left_at is None
            continue
        visits[visit.element] = (*visits.get(visit.element, ()), visit)
        tokens[visit.element] += visit.left_at is None
    flows: Counter[str] = Counter()
    for (where, flow), count in trail.flows.items():
        if where in scopes:
            flows[flow] += count
    dues = dict(_dues(moment, scopes, yellow_from, now or moment.at))
    return Marks(process, visits, +tokens, +_called(moment, scopes, instances), flows, dues)


def _scopes(moment: Moment, process: str, wanted: str | None) -> Iterator[str]:
    for scope in moment.trail.scopes_of(process):
        if wanted is None or scope == wanted or _is_within(moment, scope, wanted):
            yield scope


def _is_within(moment: Moment, scope: str, outer: str) -> bool:
    stay = moment.trail.stays.get(scope)
    while stay is not None and not stay.called:
        if stay.parent == outer:
            return True
        stay = moment.trail.stays.get(stay.parent)
    return False


def _home(moment: Moment, visit: Visit) -> str:
    stay = moment.trail.stays.get(visit.scope)
    inside = stay is not None and moment.trail.is_instance(visit)
    return stay.parent if stay is not None and inside else visit.scope


def _called(moment: Moment, scopes: frozenset[str], instances: Counter[str]) -> Counter[str]:
    """Count the calls under way of each repeated call activity."""
    calls: Counter[str] = Counter()
    for stay in moment.trail.stays.values():
        if stay.called and stay.parent in scopes and stay.left_at is None:
            calls[stay.element] += 1
    return Counter({e: max(instances[e], calls[e]) for e in {*instances, *calls}})


def _dues(
    moment: Moment, scopes: frozenset[str], yellow_from: YellowFrom | None, now: datetime
) -> Iterator[tuple[str, Due]]:
    state, status = moment[ProcessState], moment[CaseState].status
    waits: list[OpenTask | OpenTimer] = [*state.timers.values(), *state.tasks.values()]
    for wait in waits:
        due = wait.due_at
        if due is None or not _stands_in(moment, wait, scopes):
            continue
        if isinstance(wait, OpenTimer):
            yield wait.element, Due(due, "grey", True)
            continue
        yellow = None if yellow_from is None else yellow_from(due)
        yield wait.element, Due(due, light_of(status, due, yellow, None, now), False)


def _stands_in(moment: Moment, wait: OpenTask | OpenTimer, scopes: frozenset[str]) -> bool:
    stay = moment.trail.stays.get(wait.scope)
    if stay is not None and not stay.called and stay.element == wait.element:
        return stay.parent in scopes
    return wait.scope in scopes
