"""Proof that a history is whole: canonical JSON, salted personal fields, hash links.

``hash(n) = SHA-256(hash(n-1) ‖ JCS(event n))``, where JCS is RFC 8785. A field marked personal
enters as ``{"salted": SHA-256(salt ‖ JCS(value))}``, so it can be blanked later without breaking
the chain. The algorithm is named in front of each hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from engine.records import Json

ALGORITHM = "sha256"
GENESIS = f"{ALGORITHM}:{'0' * 64}"
"""What stands before the first event of every case."""

SALT_BYTES = 16

_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def canonical(value: Json) -> str:
    """Write a JSON-plain value in the one form of RFC 8785.

    Holds for values that `engine.forms` lets in: finite numbers that Python and ECMAScript print
    alike, and keys without characters beyond the basic plane.
    """
    return _encoder.encode(value)


def link(previous: str, envelope: Mapping[str, Json]) -> str:
    """Hash an event's envelope (personal fields already salted) onto the hash before it."""
    digest = hashlib.sha256(bytes.fromhex(previous.partition(":")[2]))
    digest.update(canonical(envelope).encode())
    return f"{ALGORITHM}:{digest.hexdigest()}"


def salted(
    envelope: Mapping[str, Json], personal: Sequence[str], salts: Mapping[str, str]
) -> dict[str, Json]:
    """Replace the personal fields of an envelope's payload by their salted hashes.

    Parameters
    ----------
    envelope : an event's envelope with its ``payload``.
    personal : JSON pointers into the payload.
    salts : a salt in hexadecimal per pointer.

    Raises
    ------
    LookupError : a pointer leads nowhere or has no salt.
    """
    if not personal:
        return dict(envelope)
    payload = json.loads(canonical(envelope["payload"]))
    for pointer in personal:
        holder, last = _holder(payload, pointer)
        holder[last] = {"salted": _salted_hash(salts[pointer], holder[last])}
    return {**envelope, "payload": payload}


def fresh_salts(personal: Sequence[str], entropy: Callable[[int], bytes]) -> dict[str, str]:
    """Draw a salt for each pointer."""
    return {pointer: entropy(SALT_BYTES).hex() for pointer in personal}


def _salted_hash(salt: str, value: Json) -> str:
    content = bytes.fromhex(salt) + canonical(value).encode()
    return f"{ALGORITHM}:{hashlib.sha256(content).hexdigest()}"


def _holder(document: Json, pointer: str) -> tuple[Json, str | int]:
    parts = [p.replace("~1", "/").replace("~0", "~") for p in pointer.split("/")[1:]]
    for part in parts[:-1]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    last: str | int = int(parts[-1]) if isinstance(document, list) else parts[-1]
    if last not in document and isinstance(document, dict):
        raise KeyError(pointer)
    return document, last


def digest(content: bytes) -> str:
    """Hash some bytes, the algorithm named in front."""
    return f"{ALGORITHM}:{hashlib.sha256(content).hexdigest()}"


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
