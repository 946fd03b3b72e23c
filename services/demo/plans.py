"""Plans: what each person of the demonstration does with each task, as data.

``data/defaults.yaml`` says what is done with a task when nobody planned otherwise;
``data/year.yaml`` and ``data/standing.yaml`` name the matters and what goes differently there, and
``data/caseload.yaml`` what a whole city's matters are drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from engine.records import Json
from services.demo.moments import NEVER
from services.demo.sample import Item, items
from services.scenarios.script import read_yaml

_DATA = resources.files("services.demo") / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What somebody does with a task: when, with which data; `by` if not who it waits for."""

    when: str
    by: str | None = None
    data: Mapping[str, Json] = field(default_factory=dict)

    @property
    def is_never(self) -> bool:
        """Whether the task is left lying."""
        return self.when == NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """Something done beside the tasks, once the first task of an element is reached."""

    after: str
    when: str
    command: str | None = None
    absent: str | None = None
    until: str | None = None
    by: str | None = None
    data: Mapping[str, Json] = field(default_factory=dict)
    refused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One matter and how it goes. `shows` names what a reader finds there."""

    item: Item
    shows: tuple[str, ...]
    ago: str | None
    rhythm: str
    register: Mapping[str, Json]
    steps: Mapping[str, tuple[Behaviour, ...]]
    extras: tuple[Extra, ...]

    def behaviour(self, element: str, unit: str | None, occurrence: int) -> Behaviour:
        """Give what is done with the n-th task of an element, n from 0.

        A plan for one unit's task (``co_opinion@u9``) wins over the one for all.
        """
        usual = _default(element, self.item.case_type)
        planned = self.steps.get(f"{element}@{unit}") or self.steps.get(element) or ()
        return planned[occurrence] if occurrence < len(planned) else usual


@cache
def year() -> tuple[Plan, ...]:
    """Give the plans of the whole year, in the order of the sample."""
    return _plans("year.yaml")


@cache
def standing() -> tuple[Plan, ...]:
    """Give the plans of cases that stand in every stage."""
    return _plans("standing.yaml")


@cache
def defaults() -> Mapping[str, Json]:
    """Give what is done when a plan says nothing: by element, and for registering by type."""
    told: Mapping[str, Json] = read_yaml((_DATA / "defaults.yaml").read_bytes())
    return told


def _default(element: str, case_type: str) -> Behaviour:
    told = defaults()["tasks"]
    found = told.get(f"{case_type}/{element}") or told[element]
    return Behaviour(when=found["when"], by=found.get("by"), data=found.get("data") or {})


def _plans(name: str) -> tuple[Plan, ...]:
    by_title = {item.title: item for item in items()}
    told = read_yaml((_DATA / name).read_bytes())
    return tuple(plan_of(entry, by_title[entry["item"]]) for entry in told)


def plan_of(entry: Mapping[str, Any], item: Item) -> Plan:
    """Read how a matter goes from what a data file says."""
    steps = {
        place: tuple(_behaviours(place.partition("@")[0], planned, item.case_type))
        for place, planned in (entry.get("steps") or {}).items()
    }
    for element in entry.get("left_lying") or ():
        steps[element] = (Behaviour(when=NEVER),) * len(defaults()["tasks"])
    return Plan(
        item=item,
        shows=tuple(entry.get("shows") or ()),
        ago=entry.get("ago"),
        rhythm=entry.get("rhythm") or "once",
        register=entry.get("register") or {},
        steps=steps,
        extras=tuple(Extra(**extra) for extra in entry.get("extras") or ()),
    )


def _behaviours(element: str, planned: Any, case_type: str) -> list[Behaviour]:  # noqa: ANN401
    listed = planned if isinstance(planned, list) else [planned]
    usual = _default(element, case_type)
    found: list[Behaviour] = []
    for one in listed:
        told: Mapping[str, Any] = {"when": NEVER} if one == NEVER else one or {}
        behaviour = Behaviour(
            when=told.get("when", usual.when),
            by=told.get("by", usual.by),
            data={**usual.data, **(told.get("data") or {})},
        )
        found.extend([behaviour] * int(told.get("times", 1)))
    return found
