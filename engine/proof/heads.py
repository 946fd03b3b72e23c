"""Signed tree heads, the keys they are signed with, and codes of heads short enough for paper.

Everything signed is canonical JSON behind a word that says what it is, so that a signature on one
kind of thing is never one on another. docs/evidence-format.md describes each byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.proof.algorithms import SUITES, digest, raw_digest, suite_of
from engine.proof.signatures import SigningKey, is_signed

HEAD = b"duban tree head 1\0"
KEY = b"duban key 1\0"
MANIFEST = b"duban manifest 1\0"

_CODE_DIGEST_BYTES = 20
_CODE_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH = 42
_CODE_GROUP = 6
_CODE_CHECK = 1021
"""The largest prime below 32²: one wrong digit, or two that changed places, always show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A public key and from which head on it signs. Each is signed by the one before it.

    `number` counts the keys from 1, and the first signs itself; `suite` names the algorithms;
    `public` is in hexadecimal.
    """

    number: int
    suite: str
    public: str
    from_head: int
    at: str
    signature: str = ""

    def content(self) -> bytes:
        """Give what the signature covers."""
        return KEY + _canonical(
            {
                "at": self.at,
                "from_head": self.from_head,
                "number": self.number,
                "public": self.public,
                "suite": self.suite,
            }
        )

    @property
    def fingerprint(self) -> str:
        """The hash by which people compare keys."""
        fields = {"public": self.public, "suite": self.suite}
        return digest(suite_of(self.suite).hash, _canonical(fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """What stood in the log and in the register at one instant, signed.

    `number` counts the heads from 1; `size` and `root` are the log's; `cases` and `register` are
    size and root of the tree over all cases; `key` is the number of the key that signed.
    `access_entry` and `access_hash` are id and hash of the last entry of the access log, `None`
    while it is empty: each entry is chained to all before it, so they stand for the whole log.
    """

    number: int
    at: str
    size: int
    root: str
    cases: int
    register: str
    access_entry: str | None = None
    access_hash: str | None = None
    suite: str
    key: int
    signature: str = ""

    def content(self) -> bytes:
        """Give what the signature covers."""
        return HEAD + _canonical(
            {
                "access_entry": self.access_entry,
                "access_hash": self.access_hash,
                "at": self.at,
                "cases": self.cases,
                "key": self.key,
                "number": self.number,
                "register": self.register,
                "root": self.root,
                "size": self.size,
                "suite": self.suite,
            }
        )

    @property
    def code(self) -> str:
        """The head as 42 digits and letters to be printed and kept: its number and its hash."""
        suite = suite_of(self.suite)
        hashed = raw_digest(suite.hash, self.content())[:_CODE_DIGEST_BYTES]
        value = int.from_bytes(suite.number.to_bytes(1) + self.number.to_bytes(4) + hashed)
        return _grouped(value << 10 | value % _CODE_CHECK)


@dataclass(frozen=True, slots=True)
class Code:
    """What a printed code says."""

    suite: str
    number: int
    hash: bytes

    def fits(self, head: TreeHead) -> bool:
        """Tell whether a head is the one the code was printed of."""
        return head.number == self.number and parse_code(head.code) == self


def parse_code(text: str) -> Code:
    """Read a code; dashes, spaces and case don't matter, O reads as 0, I and L as 1.

    Raises
    ------
    ValueError : a digit is wrong or missing.
    """
    plain = "".join(text.split()).replace("-", "").upper()
    plain = plain.replace("O", "0").replace("I", "1").replace("L", "1")
    if len(plain) != _CODE_LENGTH or not set(plain) <= set(_CODE_DIGITS):
        message = f"a code has {_CODE_LENGTH} digits and letters"
        raise ValueError(message)
    whole = 0
    for digit in plain:
        whole = whole << 5 | _CODE_DIGITS.index(digit)
    value, check = whole >> 10, whole & 1023
    suites = {suite.number: suite.name for suite in SUITES.values()}
    raw = value.to_bytes(1 + 4 + _CODE_DIGEST_BYTES)
    if check != value % _CODE_CHECK or raw[0] not in suites:
        message = "a digit of the code is wrong"
        raise ValueError(message)
    return Code(suites[raw[0]], int.from_bytes(raw[1:5]), raw[5:])


def _grouped(value: int) -> str:
    digits = "".join(
        _CODE_DIGITS[value >> 5 * place & 31] for place in reversed(range(_CODE_LENGTH))
    )
    groups = range(0, _CODE_LENGTH, _CODE_GROUP)
    return "-".join(digits[start : start + _CODE_GROUP] for start in groups)


def signed_key(record: KeyRecord, by: SigningKey) -> KeyRecord:
    """Sign a key's record, by the key before it; the first key signs itself."""
    return replace(record, signature=by.sign(record.content()))


def signed_head(head: TreeHead, by: SigningKey) -> TreeHead:
    """Sign a tree head."""
    return replace(head, signature=by.sign(head.content()))


def case_leaf(case: str, seq: int, head: str) -> bytes:
    """Give the leaf of the register's tree that says where a case stood."""
    return _canonical({"case": case, "head": head, "seq": seq})


def log_leaf(number: int, case: str, seq: int, head: str) -> bytes:
    """Give the leaf of the log that says where a case stood when head `number` was made."""
    return _canonical({"case": case, "head": head, "number": number, "seq": seq})


def closing_leaf(head: TreeHead) -> bytes:
    """Give the leaf of the log that closes the entries of a head, whatever its root will be."""
    fields = {
        "access_entry": head.access_entry,
        "access_hash": head.access_hash,
        "at": head.at,
        "cases": head.cases,
        "number": head.number,
        "register": head.register,
    }
    return _canonical(fields)


def key_faults(keys: Sequence[KeyRecord]) -> Iterator[tuple[int, str]]:
    """Check numbers and signatures of all keys in order, giving (key, what is wrong)."""
    for place, key in enumerate(keys):
        signer = keys[place - 1] if place else key
        if key.number != place + 1:
            yield place + 1, "missing"
            return
        if key.suite not in SUITES or SUITES[key.suite].hash != SUITES[keys[0].suite].hash:
            yield key.number, f"has no suite {key.suite!r}"
        elif place and key.from_head <= signer.from_head:
            yield key.number, "begins before the key before it"
        elif not _verified(signer, key.content(), key.signature):
            yield key.number, "isn't signed by the key before it"


def head_fault(head: TreeHead, keys: Mapping[int, KeyRecord]) -> str | None:
    """Check a head's signature, and that its key was the one to sign with."""
    key = keys.get(head.key)
    if key is None:
        return f"there is no key {head.key}"
    later = keys.get(head.key + 1)
    if head.number < key.from_head or (later and head.number >= later.from_head):
        return f"key {head.key} wasn't to sign it"
    if head.suite != key.suite or not _verified(key, head.content(), head.signature):
        return "the signature is wrong"
    return None


def as_json(record: KeyRecord | TreeHead) -> dict[str, Any]:
    """Give a record's fields for a file."""
    return asdict(record)


def _verified(key: KeyRecord, content: bytes, signature: str) -> bool:
    return is_signed(SUITES[key.suite].signature, key.public, content, signature)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    ).encode()
