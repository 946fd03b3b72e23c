"""What stands for the words in a plan's data: a matter's title, its unit, people and days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.records import Json
from services.demo.errors import PlanFailed
from services.demo.moments import Here
from services.demo.plans import Plan
from services.demo.sample import units


@dataclass(frozen=True, slots=True)
class Words:
    """What stands for the words in a plan's data."""

    plan: Plan
    unit: str
    here: Here | None

    def value(self, word: str) -> str:
        """Give a person or a day for a word such as ``handler`` or ``today+10d``."""
        if word in ("handler", "head", "contact"):
            return person(word, self.unit)
        if self.here is None:
            message = f"{word} before the case is registered"
            raise PlanFailed(message)
        return self.here.day(word.replace("today", "reached")).isoformat()

    def text(self, said: str) -> str:
        """Fill in the matter, its source and the unit."""
        item = self.plan.item
        unit = units()[number(self.unit) - 1]
        told = said.replace("<title>", item.title).replace("<unit>", unit)
        return told.replace("<source>", item.source)


def filled(data: Mapping[str, Json], words: Words) -> dict[str, Json]:
    """Fill in a form's data."""
    return {name: _value(value, words) for name, value in data.items()}


def _value(value: Json, words: Words) -> Json:
    if isinstance(value, dict):
        return filled(value, words)
    if isinstance(value, list):
        return [_value(one, words) for one in value]
    if not isinstance(value, str):
        return value
    return words.value(value[1:]) if value.startswith("=") else words.text(value)


_OF_UNIT = {"unit_contact": "contact", "unit_head": "head", "handler": "handler"}


def by_role(roles: Sequence[str], plan: Plan) -> str:
    """Name who does a task for these roles, as a plan names people: ``handler``, ``mayor``."""
    role = roles[0]
    if role == "deputy":
        leading = next(p for p in plan.register["proposers"] if p["leading"])
        return str(leading["user"])
    return _OF_UNIT.get(role, role)


def person(who: str, unit: str | None) -> str:
    """Give the login of somebody a plan names; people of a unit are those of `unit`."""
    if who in _OF_UNIT.values():
        return f"{who}.{number(unit or '')}"
    return who


def number(unit: str) -> int:
    """Give which of the sample's units a code means, from 1."""
    return int(unit.removeprefix("u"))
