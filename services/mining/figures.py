"""Frequencies, durations, waits, repetitions and paths of many cases: data for the heat map."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean, quantiles

from engine import ProcessState
from engine.records import Json
from services.mining.log import CaseLog
from services.replay.trail import Visit

Place = tuple[str, str]
"""A process and the id of an element or flow in it."""

SHOWN_PATHS = 50
_FEW = 2


@dataclass(slots=True)
class Stays:
    """What is known of the visits of one element."""

    kind: str
    name: str
    visits: int = 0
    cases: set[str] = field(default_factory=set)
    repeats: int = 0
    """Visits after the first in one call of the process: work done again."""
    repeated_in: set[str] = field(default_factory=set)
    withdrawn: int = 0
    standing: int = 0
    late: int = 0
    seconds: list[float] = field(default_factory=list)
    """How long each finished visit took."""


@dataclass(slots=True)
class Figures:
    """The figures of a set of cases. `add` each log, made with detail ``all``.

    Parameters
    ----------
    now : what still waits is late when its due is before this instant.
    """

    now: datetime
    cases: int = 0
    elements: dict[Place, Stays] = field(default_factory=dict)
    flows: Counter[Place] = field(default_factory=Counter)
    follows: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often one activity directly followed another, by name."""
    follow_seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    paths: dict[tuple[str, ...], list[float]] = field(default_factory=dict)
    """The seconds from first to last activity of the cases that took each path."""

    def add(self, log: CaseLog) -> None:
        """Take one case into account."""
        self.cases += 1
        self._add_visits(log)
        trail = log.moment.trail
        for (scope, flow), count in trail.flows.items():
            self.flows[trail.process_of(scope), flow] += count
        self._add_late(log)
        self._add_path(log)

    def _add_visits(self, log: CaseLog) -> None:
        trail, definition = log.moment.trail, log.moment.definition
        case = log.moment.case
        seen: Counter[tuple[str, str]] = Counter()
        for visit in trail.visits:
            if trail.is_instance(visit):
                continue
            place = (trail.process_of(visit.scope), visit.element)
            known = definition.elements.get(place)
            if known is None:
                continue
            stays = self.elements.setdefault(place, Stays(known.kind, known.title))
            seen[visit.scope, visit.element] += 1
            _count(stays, visit, case, again=seen[visit.scope, visit.element] > 1)

    def _add_late(self, log: CaseLog) -> None:
        for activity in log.activities:
            stays = self.elements.get((activity.process, activity.element))
            due = activity.due_at
            if stays is not None and due is not None and activity.ended_at > due:
                stays.late += 1
        for task in log.moment[ProcessState].tasks.values():
            process = log.moment.trail.process_of(task.scope)
            stays = self.elements.get((process, task.element))
            if stays is not None and task.due_at is not None and self.now > task.due_at:
                stays.late += 1

    def _add_path(self, log: CaseLog) -> None:
        steps = [(a.name, a.ended_at) for a in log.activities if _is_work(a.kind, a.withdrawn)]
        for pair, seconds in _pairs(steps):
            self.follows[pair] += 1
            self.follow_seconds[pair] = self.follow_seconds.get(pair, 0.0) + seconds
        if steps:
            took = (steps[-1][1] - steps[0][1]).total_seconds()
            self.paths.setdefault(tuple(name for name, _ in steps), []).append(took)


def directly_follows(logs: Iterable[CaseLog]) -> Counter[tuple[str, str]]:
    """Count how often one activity directly followed another in the same case."""
    found: Counter[tuple[str, str]] = Counter()
    for log in logs:
        names = [activity.name for activity in log.activities]
        found.update(itertools.pairwise(names))
    return found


def figures_of(logs: Iterable[CaseLog], now: datetime) -> Figures:
    """Gather the figures of logs made with detail ``all``; for `now` see `Figures`."""
    figures = Figures(now)
    for log in logs:
        figures.add(log)
    return figures


def merged(parts: Iterable[Figures], now: datetime) -> Figures:
    """Put figures of different cases together."""
    whole = Figures(now)
    for part in parts:
        whole.cases += part.cases
        whole.flows.update(part.flows)
        whole.follows.update(part.follows)
        for pair, seconds in part.follow_seconds.items():
            whole.follow_seconds[pair] = whole.follow_seconds.get(pair, 0.0) + seconds
        for path, took in part.paths.items():
            whole.paths.setdefault(path, []).extend(took)
        for place, stays in part.elements.items():
            _join(whole.elements.setdefault(place, Stays(stays.kind, stays.name)), stays)
    return whole


def _join(whole: Stays, part: Stays) -> None:
    whole.visits += part.visits
    whole.cases |= part.cases
    whole.repeats += part.repeats
    whole.repeated_in |= part.repeated_in
    whole.withdrawn += part.withdrawn
    whole.standing += part.standing
    whole.late += part.late
    whole.seconds += part.seconds


def _count(stays: Stays, visit: Visit, case: str, *, again: bool) -> None:
    stays.visits += 1
    stays.cases.add(case)
    if again:
        stays.repeats += 1
        stays.repeated_in.add(case)
    if visit.left_at is None:
        stays.standing += 1
    elif visit.withdrawn:
        stays.withdrawn += 1
    else:
        stays.seconds.append((visit.left_at - visit.arrived_at).total_seconds())


def _is_work(kind: str, withdrawn: bool) -> bool:
    return kind in ("userTask", "serviceTask") and not withdrawn


def _pairs(
    steps: Sequence[tuple[str, datetime]],
) -> Iterator[tuple[tuple[str, str], float]]:
    for (name, at), (following, later) in itertools.pairwise(steps):
        yield (name, following), (later - at) / timedelta(seconds=1)


def figures_json(figures: Figures) -> dict[str, Json]:
    """Give figures as JSON-plain values; durations in seconds.

    ``bottlenecks`` are the tasks on which the cases waited longest in all, with their share of the
    whole wait; ``rework`` the elements done again in the same call.
    """
    elements = [_element_json(place, stays) for place, stays in sorted(figures.elements.items())]
    return {
        "cases": figures.cases,
        "elements": elements,
        "flows": [
            {"process": process, "flow": flow, "count": count}
            for (process, flow), count in sorted(figures.flows.items())
        ],
        "directly_follows": [
            {
                "from": first,
                "to": second,
                "count": count,
                "mean_s": round(figures.follow_seconds[first, second] / count, 3),
            }
            for (first, second), count in figures.follows.most_common()
        ],
        "paths": _paths_json(figures),
        "bottlenecks": _bottlenecks(figures.elements),
        "rework": [
            {
                "process": process,
                "element": element,
                "name": stays.name,
                "repeats": stays.repeats,
                "cases": len(stays.repeated_in),
            }
            for (process, element), stays in _most(figures.elements, lambda s: s.repeats)
            if stays.kind == "userTask"
        ],
    }


def _element_json(place: Place, stays: Stays) -> dict[str, Json]:
    return {
        "process": place[0],
        "element": place[1],
        "name": stays.name,
        "kind": stays.kind,
        "visits": stays.visits,
        "cases": len(stays.cases),
        "repeats": stays.repeats,
        "withdrawn": stays.withdrawn,
        "standing": stays.standing,
        "late": stays.late,
        "duration_s": _spread(stays.seconds),
    }


def _spread(seconds: list[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    tenths = quantiles(seconds, n=10, method="inclusive") if len(seconds) >= _FEW else seconds * 9
    return {
        "min": min(seconds),
        "median": tenths[4],
        "mean": round(fmean(seconds), 3),
        "p90": tenths[8],
        "max": max(seconds),
        "total": sum(seconds),
    }


def _bottlenecks(elements: Mapping[Place, Stays]) -> list[dict[str, Json]]:
    tasks = {place: stays for place, stays in elements.items() if stays.kind == "userTask"}
    whole = sum(sum(stays.seconds) for stays in tasks.values()) or 1.0
    return [
        {
            "process": process,
            "element": element,
            "name": stays.name,
            "total_s": sum(stays.seconds),
            "share": round(sum(stays.seconds) / whole, 4),
            "late": stays.late,
        }
        for (process, element), stays in _most(tasks, lambda s: sum(s.seconds))
    ]


def _most(
    elements: Mapping[Place, Stays], by: Callable[[Stays], float]
) -> list[tuple[Place, Stays]]:
    found = [(place, stays) for place, stays in elements.items() if by(stays)]
    return sorted(found, key=lambda pair: (-by(pair[1]), pair[0]))


def _paths_json(figures: Figures) -> list[dict[str, Json]]:
    ordered = sorted(figures.paths.items(), key=lambda path: (-len(path[1]), path[0]))
    return [
        {"steps": list(path), "cases": len(took), "duration_s": _spread(took)}
        for path, took in ordered[:SHOWN_PATHS]
    ]
