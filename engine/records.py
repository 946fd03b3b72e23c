"""Frozen dataclasses as JSON-plain values and back: commands, events and states share it."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar, Union, get_args, get_origin

Json = Any
"""A JSON-plain value: dict with text keys, list, str, int, float, bool or None."""

RecordT = TypeVar("RecordT")

_Convert = Callable[[Any], Any]
_Fields = tuple[tuple[str, _Convert, _Convert], ...]

_KNOWN: dict[type, _Fields] = {}


def encode(record: object) -> dict[str, Json]:
    """Turn a frozen dataclass into JSON-plain values, field by field in the order declared.

    Instants become UTC text such as ``2026-03-02T01:00:00Z``, dates ISO text, decimals text.

    Raises
    ------
    TypeError : a field's declared type has no JSON form.
    """
    return {name: to(getattr(record, name)) for name, to, _ in _fields(type(record))}


def decode(kind: type[RecordT], values: Mapping[str, Json]) -> RecordT:
    """Build a frozen dataclass from what `encode` made of it; absent fields take their default."""
    return kind(**{name: back(values[name]) for name, _, back in _fields(kind) if name in values})


def shape(kind: type) -> Json:
    """Describe what records of a dataclass hold: its fields with their types, all the way down."""
    return _shape(kind, ())


def _shape(kind: Any, above: tuple[Any, ...]) -> Json:  # noqa: ANN401 -- any annotation
    if dataclasses.is_dataclass(kind) and kind not in above:
        hints = typing.get_type_hints(kind)
        return [
            kind.__name__,  # type: ignore[union-attr]  # a class
            {f.name: _shape(hints[f.name], (*above, kind)) for f in dataclasses.fields(kind)},
        ]
    name = getattr(kind, "__name__", None) or str(kind)
    return [name, *(_shape(part, above) for part in get_args(kind))]


def whole_numbers(value: Json) -> Json:
    """Write 1.0 as 1, as RFC 8785 does, so that a value has one form in the chain."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: whole_numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole_numbers(inner) for inner in value]
    return value


def instant_text(instant: datetime) -> str:
    """Write an aware instant as UTC RFC 3339 text, microseconds only when not zero."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_instant(text: str) -> datetime:
    """Read RFC 3339 text with an offset as an aware UTC instant.

    Raises
    ------
    ValueError : the text is no instant or has no offset.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        message = f"instant without offset: {text!r}"
        raise ValueError(message)
    return instant.astimezone(UTC)


def _fields(kind: type) -> _Fields:
    found = _KNOWN.get(kind)
    if found is None:
        hints = typing.get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind)]
        found = _KNOWN[kind] = tuple((name, *_converters(hints[name])) for name in names)
    return found


def _same(value: Any) -> Any:  # noqa: ANN401 -- any JSON-plain value passes as it is
    return value


_SCALARS: dict[Any, tuple[_Convert, _Convert]] = {
    datetime: (instant_text, parse_instant),
    date: (date.isoformat, date.fromisoformat),
    Decimal: (str, Decimal),
}


def _converters(hint: Any) -> tuple[_Convert, _Convert]:  # noqa: ANN401 -- a type hint
    if hasattr(hint, "__supertype__"):
        return _converters(hint.__supertype__)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return encode, lambda value: decode(hint, value)
    return _generic(get_origin(hint), get_args(hint))


def _generic(origin: object, arguments: tuple[Any, ...]) -> tuple[_Convert, _Convert]:
    if origin in (Union, types.UnionType):
        return _optional([a for a in arguments if a is not type(None)])
    if origin is tuple:
        return _sequence(_converters(arguments[0]))
    if origin in (dict, Mapping):
        return _mapping(_converters(arguments[1]))
    return _same, _same


def _optional(kinds: list[Any]) -> tuple[_Convert, _Convert]:
    if len(kinds) != 1:
        return _same, _same
    to, back = _converters(kinds[0])
    if to is _same:
        return _same, _same
    return (
        lambda value: None if value is None else to(value),
        lambda value: None if value is None else back(value),
    )


def _sequence(item: tuple[_Convert, _Convert]) -> tuple[_Convert, _Convert]:
    to, back = item
    if to is _same:
        return list, tuple
    return lambda value: [to(v) for v in value], lambda value: tuple(back(v) for v in value)


def _mapping(item: tuple[_Convert, _Convert]) -> tuple[_Convert, _Convert]:
    to, back = item
    if to is _same:
        return dict, dict
    return (
        lambda value: {k: to(v) for k, v in value.items()},
        lambda value: {k: back(v) for k, v in value.items()},
    )
