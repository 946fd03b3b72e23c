"""Proof that a history is whole: canonical JSON, salted personal fields, hash links.

``hash(n) = H(hash(n-1) ‖ JCS(event n))``, where JCS is RFC 8785. A field marked personal enters as
``{"salted": H(salt ‖ JCS(value))}``, so it can be blanked later without breaking the chain. H is
SHA-256 or SM3: it is named in front of each hash, and the one that a case began with stays its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from engine.proof import algorithms
from engine.records import Json

ALGORITHM = "sha256"
"""What cases are hashed with unless the installation has chosen another one."""

GENESIS = f"{ALGORITHM}:{'0' * 64}"
"""What stands before the first event of a case; see `genesis` for other algorithms."""

SALT_BYTES = 16
_SALT = re.compile(f"[0-9a-f]{{{2 * SALT_BYTES}}}")

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
    text : the canonical envelope with its personal fields salted.

    Raises
    ------
    ValueError : `previous` isn't a hash, or its algorithm isn't known.
    """
    algorithm, before = algorithms.parse_hash(previous)
    return algorithms.digest(algorithm, before + text.encode())


def salted(
    envelope: Mapping[str, Json],
    personal: Sequence[str],
    salts: Mapping[str, str],
    algorithm: str = ALGORITHM,
) -> dict[str, Json]:
    """Replace the personal fields of an envelope's payload by their salted hashes.

    Parameters
    ----------
    envelope : an event's envelope with its ``payload``.
    personal : JSON pointers into the payload.
    salts : a salt in hexadecimal per pointer.
    algorithm : what the case is hashed with.

    Raises
    ------
    LookupError : a pointer leads nowhere or has no salt.
    """
    if not personal:
        return dict(envelope)
    payload = json.loads(canonical(envelope["payload"]))
    for pointer in personal:
        holder, last = _holder(payload, pointer)
        holder[last] = {"salted": _salted_hash(salts[pointer], holder[last], algorithm)}
    return {**envelope, "payload": payload}


def value_at(document: Json, pointer: str) -> Json:
    """Give what a JSON pointer leads to.

    Raises
    ------
    LookupError : it leads nowhere.
    """
    holder, last = _holder(document, pointer)
    return holder[last]


def fresh_salts(personal: Sequence[str], entropy: Callable[[int], bytes]) -> dict[str, str]:
    """Draw a salt for each pointer."""
    return {pointer: entropy(SALT_BYTES).hex() for pointer in personal}


def is_salt(text: Json) -> bool:
    """Tell whether a text is a salt exactly as `fresh_salts` writes it."""
    return isinstance(text, str) and _SALT.fullmatch(text) is not None


def _salted_hash(salt: str, value: Json, algorithm: str) -> str:
    return algorithms.digest(algorithm, bytes.fromhex(salt) + canonical(value).encode())


def _holder(document: Json, pointer: str) -> tuple[Json, str | int]:
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
