"""Alters stored histories the way somebody with access to the database could."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine import chain
from engine.personal import seal_values
from engine.records import Json
from engine.store import StoredEvent

LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz督办,:{}[]" '


def flipped(text: str, dice: random.Random) -> str:
    """Put another letter in one place of a text."""
    place = dice.randrange(len(text))
    other = dice.choice([letter for letter in LETTERS if letter != text[place]])
    return text[:place] + other + text[place + 1 :]


def altered_bodies(body: str, dice: random.Random) -> Iterator[str]:
    """Give a body with a letter changed, one gone, one more, and with the same meaning."""
    for _ in range(3):
        yield flipped(body, dice)
    place = dice.randrange(len(body))
    yield body[:place] + body[place + 1 :]
    yield body[:place] + dice.choice(LETTERS) + body[place:]
    yield body + " "
    yield body.replace(",", ", ", 1)
    yield body.replace('"seq":', '"seq": ')
    yield ""


def altered_salts(salts: str | None, dice: random.Random) -> Iterator[str | None]:
    """Give sealed personal values with a letter changed, in another form, some or all gone."""
    if salts is None:
        yield "{}"
        yield '{"/data/title":"' + "0" * 32 + '"}'
        return
    for _ in range(5):
        yield flipped(salts, dice)
    yield salts.swapcase()
    yield salts.replace('":"', '":" ', 1)
    yield salts.replace('":"', '":"\\n', 1)
    yield salts + " "
    yield "{}"
    yield None


def altered_value(value: object) -> object:
    """Give another value of the same kind."""
    found: object = "x"
    match value:
        case None:
            pass
        case bool():
            found = not value
        case int() | float() | Decimal():
            found = value + 1000
        case datetime():
            found = value + timedelta(microseconds=1)
        case date():
            found = value + timedelta(days=1)
        case str():
            found = value[:-1] + ("x" if value[-1:] != "x" else "y")
        case _:
            raise TypeError(value)
    return found


def rehashed(history: Sequence[StoredEvent], start: int) -> list[StoredEvent]:
    """Compute all hashes anew from event number `start`, as a forger would."""
    previous = history[start - 2].hash if start > 1 else chain.GENESIS
    found = list(history[: start - 1])
    for stored in history[start - 1 :]:
        previous = chain.link(previous, stored.body)
        found.append(replace(stored, hash=previous))
    return found


def raw(stored: StoredEvent) -> dict[str, Any]:
    """Give an event's envelope as it is hashed, personal values salted."""
    envelope: dict[str, Any] = json.loads(stored.body)
    return envelope


def with_body(stored: StoredEvent, envelope: Mapping[str, Json]) -> StoredEvent:
    """Give an event another envelope, its personal values salted and sealed as ever."""
    pointers, key = envelope["payload"].get("personal"), stored.key
    if not pointers or key is None:
        return replace(stored, body=chain.canonical(dict(envelope)))
    algorithm = chain.algorithm_of(stored.hash)
    hashed, salts = seal_values(envelope, pointers, key, algorithm, secrets.token_bytes)
    return replace(stored, body=chain.canonical(hashed), salts=chain.canonical(salts))


def leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the paths of all plain values in a JSON value."""
    items: Iterable[tuple[str | int, Json]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        yield path
    for key, inner in items:
        yield from leaves(inner, (*path, key))


def at_path(value: Json, path: Sequence[str | int]) -> Json:
    """Give what stands at a path."""
    for key in path:
        value = value[key]
    return value


def with_leaf(
    value: Json, path: Sequence[str | int], change: Callable[[Json], Json] = altered_value
) -> Json:
    """Give a copy of a JSON value with one plain value changed."""
    found = deepcopy(value)
    holder = at_path(found, path[:-1])
    holder[path[-1]] = change(holder[path[-1]])
    return found


def other_answer(answer: Json) -> Json:
    """Give an answer that a decision can't take for the one recorded."""
    if isinstance(answer, str) and answer[:2] == "20":
        return "1999" + answer[4:]
    return altered_value(answer)


def altered_lookups(lookups: list[list[Any]]) -> Iterator[list[list[Any]]]:
    """Give a command's look-ups with one answer, question or function changed, gone or added."""
    for place, (function, arguments, answer) in enumerate(lookups):
        before, after = lookups[:place], lookups[place + 1 :]
        yield [*before, [function, arguments, other_answer(answer)], *after]
        yield [*before, [function, [*arguments, "x"], answer], *after]
        yield [*before, ["is_user", arguments, answer], *after]
        yield [*before, *after]
    yield [*lookups, ["is_user", ["registrar"], True]]
