"""Fills in forms at random, always as their schema wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from engine.records import Json, instant_text
from tests.helpers.offices import PHOTO_SHA256

Schema = Mapping[str, Any]
Draw = st.DrawFn

WORDS = (
    "已落实",
    "请核查并限期反馈有关情况",
    "𠮷䶮 reported",
    "=cmd|' /C calc'!A0",
    '"引号"\\与换行\n',
)
SHORT_WORDS = ("张三", "𠮷", "a")
PERIOD = "10 working days"
LEAST_TEXT = 10


@dataclass(frozen=True, slots=True)
class World:
    """What forms may refer to, and when it is."""

    now: datetime
    units: Sequence[str]
    users: Sequence[str]

    def references(self, kind: str) -> Sequence[str]:
        """Give what a form may refer to."""
        known = {"active_unit": self.units, "attachment": (PHOTO_SHA256,)}
        return known.get(kind, self.users)


def filled(schema: Schema, world: World) -> st.SearchStrategy[dict[str, Json]]:
    """Give data that a form accepts: required fields always, others now and then."""
    return _object(schema, world)


@st.composite
def _object(draw: Draw, schema: Schema, world: World) -> dict[str, Json]:
    required = set(schema.get("required", ()))
    fields = schema.get("properties", {})
    data = {
        name: draw(_value(field, world))
        for name, field in fields.items()
        if name in required or draw(st.integers(0, 3)) == 0
    }
    for rule in schema.get("allOf", ()):
        if _holds(rule["if"], data):
            _follow(draw, rule["then"], schema, data, world)
    return data


def _holds(condition: Schema, data: Mapping[str, Json]) -> bool:
    return all(name in data for name in condition.get("required", ())) and all(
        data.get(name) == wanted["const"] for name, wanted in condition["properties"].items()
    )


def _follow(
    draw: Draw, consequence: Schema, schema: Schema, data: dict[str, Json], world: World
) -> None:
    fields = schema["properties"]
    for name in consequence.get("required", ()):
        if name not in data:
            data[name] = draw(_value(fields[name], world))
    for name, wanted in consequence.get("properties", {}).items():
        if "const" in wanted:
            data[name] = wanted["const"]
        elif isinstance(data.get(name), dict):
            _follow(draw, wanted, fields[name], data[name], world)


def _value(field: Schema, world: World) -> st.SearchStrategy[Json]:
    if "x-refers-to" in field:
        return st.sampled_from(list(world.references(field["x-refers-to"])))
    if "enum" in field:
        # The first is the way on; cases should get somewhere.
        return st.sampled_from([*field["enum"], field["enum"][0], field["enum"][0]])
    return _OF_TYPE[field["type"]](field, world)


def _text(field: Schema, world: World) -> st.SearchStrategy[Json]:
    formats = {field.get("format"), *(one.get("format") for one in field.get("anyOf", ()))}
    days = st.sampled_from([-9, 0, 1, 5, 20, 70])
    dates = days.map(lambda n: _day(world.now, n).isoformat())
    instants = days.map(lambda n: instant_text(world.now + timedelta(days=n, hours=1)))
    if "date" in formats:
        return st.one_of(dates, instants) if "date-time" in formats else dates
    if "date-time" in formats:
        return instants
    if "{2}$" in field.get("pattern", ""):
        return st.just(f"{_day(world.now, 0):%Y-%m}")
    if "working days" in field.get("pattern", ""):
        return st.just(PERIOD)
    if field.get("maxLength", LEAST_TEXT) < max(map(len, WORDS)):
        return st.sampled_from(SHORT_WORDS)
    long_enough = field.get("minLength", 0) >= LEAST_TEXT
    return st.sampled_from(WORDS[1:4] if long_enough else WORDS)


def _day(now: datetime, days: int) -> date:
    return (now + timedelta(hours=8, days=days)).date()


@st.composite
def _array(draw: Draw, field: Schema, world: World) -> list[Json]:
    least = field.get("minItems", 0)
    items = draw(
        st.lists(
            _value(field["items"], world),
            min_size=least,
            max_size=least + 2,
            unique=field.get("uniqueItems", False),
        )
    )
    if "contains" in field and items:
        for name, wanted in field["contains"]["properties"].items():
            for place, item in enumerate(items):
                item[name] = wanted["const"] if place == 0 else not wanted["const"]
    return items


_OF_TYPE: Mapping[str, Callable[[Schema, World], st.SearchStrategy[Any]]] = {
    "string": _text,
    "integer": lambda field, _: st.integers(field.get("minimum", 0), field.get("maximum", 100)),
    "number": lambda *_: st.sampled_from([0, 1, 2.5, 1200]),
    "boolean": lambda *_: st.booleans(),
    "array": _array,
    "object": _object,
}
