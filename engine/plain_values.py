"""JSON-plain values that every program writes the same way: what the engine lets in and out."""

from __future__ import annotations

import json
import math
from datetime import datetime

from engine.records import Json, instant_text

MAX_VALUES = 10_000
MAX_TEXT_LENGTH = 20_000
MAX_INTEGER = 2**53 - 1
LEAST_FRACTION, MOST_FRACTION = 1e-4, 1e15


def as_text(value: Json) -> str:
    """Write a JSON-plain value for a person: text as it is, nothing for null, JSON for the rest."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def plain(value: object) -> Json:
    """Give a value of the evaluator as JSON-plain values, instants as text.

    Raises
    ------
    TypeError : it has no JSON form or is too large.
    """
    return _plain(value, [MAX_VALUES])


def _plain(value: object, left: list[int]) -> Json:
    left[0] -= 1
    if left[0] < 0:
        message = "too large a value"
        raise TypeError(message)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, (int, float)) and is_sound(value):
        return value
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, left) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item, left) for key, item in value.items()}
    message = f"not a plain value: {type(value).__name__}"
    raise TypeError(message)


def is_sound(number: float) -> bool:
    """Tell whether every program writes a number the same way."""
    if isinstance(number, int):
        return abs(number) <= MAX_INTEGER
    return number == 0 or (math.isfinite(number) and LEAST_FRACTION <= abs(number) < MOST_FRACTION)


def _plain_text(value: str) -> str:
    if len(value) > MAX_TEXT_LENGTH:
        message = "too long a text"
        raise TypeError(message)
    return value
