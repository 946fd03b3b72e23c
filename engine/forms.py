"""Forms: JSON Schema compiled to checks that name each wrong field, and the ``x-`` keywords.

A form's schema is checked by lint when it is uploaded: only the keywords of `engine.form_checks`
may stand in it. ``x-route``: the value becomes a variable of the process; ``x-personal``: it is
hashed with a salt; ``x-refers-to``: what must exist outside the case; ``x-default``: a template
that fills the field in beforehand; ``x-required-when``: an expression over the data and
the variables of the process that says when the field can't be left out.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from threading import Lock

from engine.errors import EvaluationFailed, FieldError, Invalid
from engine.form_checks import Check, Schema, compile_schema, join
from engine.personal import Erased
from engine.plain_values import is_sound
from engine.records import Json

MAX_DEPTH = 16
MAX_VALUES = 10_000

_SURROGATE = re.compile("[\ud800-\udfff]")


def validate(schema: Schema, data: Json) -> None:
    """Check what was filled in.

    Raises
    ------
    Invalid : with one `FieldError` per wrong field: ``required``, ``unknown_field``,
        ``wrong_type``, ``too_long``, ``too_short``, ``pattern``, ``not_in_list``, ``must_be``,
        ``out_of_range``, ``bad_date``, ``bad_instant``, ``bad_text``, ``bad_number``,
        ``too_many``, ``too_few``, ``not_unique``, ``contains``, ``no_alternative``,
        ``not_allowed``, ``too_deep``.
    """
    errors: list[FieldError] = []
    _check_values(data, "", errors, [MAX_VALUES], MAX_DEPTH)
    if not errors:
        compiled(schema)(data, "", errors)
    # Erased values come up when a recorded command is run again: it was checked when it came.
    if errors and not _has_erased(data):
        raise Invalid(errors)


def routed(schema: Schema, data: Mapping[str, Json]) -> dict[str, Json]:
    """Give the fields that become variables of the process; fields left out aren't among them."""
    return {
        name: data[name]
        for name, field in schema.get("properties", {}).items()
        if field.get("x-route") and name in data
    }


def personal_pointers(schema: Schema, data: Json) -> tuple[str, ...]:
    """Give the JSON pointers of all values in `data` that the form marks as personal."""
    found: list[str] = []
    for pointer, field, _ in _marked(schema, data, ""):
        # What lies within a personal value goes with it.
        if field.get("x-personal") and not any(pointer.startswith(f"{p}/") for p in found):
            found.append(pointer)
    return tuple(found)


def references(schema: Schema, data: Json) -> list[tuple[str, str, Json]]:
    """Give (JSON pointer, kind, value) of everything that must exist outside the case."""
    return [
        (pointer, field["x-refers-to"], value)
        for pointer, field, value in _marked(schema, data, "")
        if "x-refers-to" in field and value is not None
    ]


def missing(
    schema: Schema, data: Mapping[str, Json], evaluate: Callable[[str], Json]
) -> tuple[str, ...]:
    """Name the fields left out, or left empty, that are required as things stand.

    Parameters
    ----------
    evaluate : gives the value of an ``x-required-when`` expression, a template such as
        ``${value("photos_required", false)}``.
    """
    return tuple(
        name
        for name, field in schema.get("properties", {}).items()
        if "x-required-when" in field
        and data.get(name) in (None, "", [])
        and evaluate(field["x-required-when"]) is True
    )


def prefill(schema: Schema, evaluate: Callable[[str], Json]) -> dict[str, Json]:
    """Give the values a form begins with.

    Parameters
    ----------
    schema : the form.
    evaluate : gives the value of an ``x-default`` template; a field without a value is left out.
    """
    filled: dict[str, Json] = {}
    for name, field in schema.get("properties", {}).items():
        value = field.get("default")
        if "x-default" in field:
            try:
                value = evaluate(field["x-default"])
            except EvaluationFailed:
                value = None
        if value is not None and value != "":
            filled[name] = value
    return filled


def compiled(schema: Schema) -> Check:
    """Give the check of a schema, compiled once per schema object.

    Raises
    ------
    ValueError : a keyword isn't one of `engine.form_checks`, or has a value that makes no sense.
    """
    return _CACHE.get(schema)


class _Cache:
    """Checks by identity of their schema; a schema object must not be changed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[int, tuple[Schema, Check]] = OrderedDict()
        self._lock = Lock()

    def get(self, schema: Schema) -> Check:
        found = self._kept.get(id(schema))
        if found is not None and found[0] is schema:
            return found[1]
        check = compile_schema(schema)
        with self._lock:
            self._kept[id(schema)] = (schema, check)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return check


_CACHE = _Cache(1024)


def _check_values(
    value: Json, path: str, errors: list[FieldError], left: list[int], depth: int
) -> None:
    left[0] -= 1
    if depth == 0 or left[0] < 0:
        errors.append(FieldError(path, "too_deep"))
    elif isinstance(value, str):
        if (not value.isascii() and _SURROGATE.search(value)) or "\0" in value:
            errors.append(FieldError(path, "bad_text"))
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            _check_values(item, join(path, key), errors, left, depth - 1)
            if errors and (left[0] < 0 or depth == 1):
                return
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and not is_sound(value):
        errors.append(FieldError(path, "bad_number"))


def _has_erased(value: Json) -> bool:
    if isinstance(value, (dict, list)):
        return any(map(_has_erased, value.values() if isinstance(value, dict) else value))
    return isinstance(value, Erased)


def _marked(schema: Schema, data: Json, pointer: str) -> Iterator[tuple[str, Schema, Json]]:
    if isinstance(data, dict):
        for name, field in schema.get("properties", {}).items():
            if name in data:
                below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
                yield below, field, data[name]
                yield from _marked(field, data[name], below)
    elif isinstance(data, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(data):
            below = f"{pointer}/{index}"
            yield below, schema["items"], item
            yield from _marked(schema["items"], item, below)
