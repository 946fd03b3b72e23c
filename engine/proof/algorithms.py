"""The algorithms that proofs are made with, by the names that stand in the data.

A hash is written ``sha256:<hexadecimal>`` or ``sm3:<hexadecimal>``. An installation chooses one
suite: SHA-256 with Ed25519, or SM3 with SM2 (GB/T 32905, GB/T 32918).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes

DIGEST_BYTES = 32
"""Both hash functions give 32 bytes."""


def _sm3(content: bytes) -> bytes:
    try:
        return hashlib.new("sm3", content).digest()
    except ValueError:  # an OpenSSL built without it; `cryptography` brings its own
        context = hashes.Hash(hashes.SM3())
        context.update(content)
        return context.finalize()


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


HASHES: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType({"sha256": _sha256, "sm3": _sm3})


@dataclass(frozen=True, slots=True)
class Suite:
    """A hash function and a signature that belong together; `number` is its place in codes."""

    name: str
    hash: str
    signature: str
    number: int


DEFAULT_SUITE = "sha256+ed25519"

SUITES: Mapping[str, Suite] = MappingProxyType(
    {
        suite.name: suite
        for suite in (
            Suite(DEFAULT_SUITE, "sha256", "ed25519", 1),
            Suite("sm3+sm2", "sm3", "sm2", 2),
        )
    }
)


def suite_of(name: str) -> Suite:
    """Give a suite by its name.

    Raises
    ------
    ValueError : there is no such suite.
    """
    if name not in SUITES:
        message = f"no proof suite {name!r}; there are {', '.join(SUITES)}"
        raise ValueError(message)
    return SUITES[name]


def digest(algorithm: str, content: bytes) -> str:
    """Hash some bytes, the algorithm named in front.

    Raises
    ------
    ValueError : there is no such algorithm.
    """
    return f"{algorithm}:{raw_digest(algorithm, content).hex()}"


def raw_digest(algorithm: str, content: bytes) -> bytes:
    """Hash some bytes.

    Raises
    ------
    ValueError : there is no such algorithm.
    """
    found = HASHES.get(algorithm)
    if found is None:
        message = f"no hash algorithm {algorithm!r}"
        raise ValueError(message)
    return found(content)


def named(algorithm: str, value: bytes) -> str:
    """Write a hash with its algorithm in front."""
    return f"{algorithm}:{value.hex()}"


def parse_hash(text: str) -> tuple[str, bytes]:
    """Read a hash with its algorithm in front.

    Raises
    ------
    ValueError : it isn't one, or its algorithm isn't known.
    """
    algorithm, _, value = text.partition(":")
    if algorithm not in HASHES or value != value.lower():
        message = f"not a hash: {text[:80]!r}"
        raise ValueError(message)
    raw = bytes.fromhex(value)
    if len(raw) != DIGEST_BYTES or raw.hex() != value:
        message = f"not a hash: {text[:80]!r}"
        raise ValueError(message)
    return algorithm, raw
