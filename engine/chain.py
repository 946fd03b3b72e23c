"""Proof that a history is whole: canonical JSON, salted personal fields, hash links.

``hash(n) = H(hash(n-1) ‖ JCS(event n))``, where JCS is RFC 8785. A field marked personal enters as
``{"salted": H(salt ‖ JCS(value))}``, so it can be blanked later without breaking the chain; see
`engine.personal`. H is SHA-256 or SM3: it is named in front of each hash, and the one that a case
began with stays its own.
"""

from __future__ import annotations

import json
from typing import cast

from engine.proof import algorithms
from engine.records import Json

ALGORITHM = "sha256"
"""What cases are hashed with unless the installation has chosen another one."""

GENESIS = f"{ALGORITHM}:{'0' * 64}"
"""What stands before the first event of a case; see `genesis` for other algorithms."""

_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def canonical(value: Json) -> str:
    """Write a JSON-plain value in the one form of RFC 8785.

    Holds for values that `engine.forms` lets in: finite numbers that Python and ECMAScript print
    alike, and keys without characters beyond the basic plane.
    """
    return _encoder.encode(value)


def genesis(algorithm: str) -> str:
    """Give what stands before the first event of a case that is hashed with an algorithm.

    Raises
    ------
    ValueError : there is no such algorithm.
    """
    start = f"{algorithm}:{'0' * 64}"
    algorithms.parse_hash(start)
    return start


def algorithm_of(named_hash: str) -> str:
    """Give the algorithm in front of a hash."""
    return named_hash.partition(":")[0]


def link(previous: str, text: str) -> str:
    """Hash an event's canonical text onto the hash before it, by that one's algorithm.

    Parameters
    ----------
    text : the canonical envelope, with its personal values salted.

    Raises
    ------
    ValueError : `previous` isn't a hash, or its algorithm isn't known.
    """
    algorithm, before = algorithms.parse_hash(previous)
    return algorithms.digest(algorithm, before + text.encode())


def value_at(document: Json, pointer: str) -> Json:
    """Give what a JSON pointer leads to.

    Raises
    ------
    LookupError : it leads nowhere.
    """
    holder, last = holder_of(document, pointer)
    return holder[last]


def holder_of(document: Json, pointer: str) -> tuple[Json, str | int]:
    """Give the object or list that holds what a JSON pointer leads to, and its name or place there.

    Raises
    ------
    LookupError : the pointer leads nowhere.
    """
    parts = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
    for part in parts[:-1]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    last: str | int = int(parts[-1]) if isinstance(document, list) else parts[-1]
    if last not in document and isinstance(document, dict):
        raise KeyError(pointer)
    return document, last


def digest(content: bytes) -> str:
    """Hash some bytes that no proof rests on, the algorithm named in front."""
    return algorithms.digest(ALGORITHM, content)


def parse(text: str) -> dict[str, Json]:
    """Read one canonical envelope.

    Raises
    ------
    ValueError : the text isn't the canonical form of an object.
    """
    value = json.loads(text)
    if not isinstance(value, dict) or canonical(value) != text:
        message = "not canonical JSON"
        raise ValueError(message)
    return cast("dict[str, Json]", value)
