"""Personal values: hashed with a salt, kept sealed under a key of their case, erased with it.

In an event's stored body a personal value stands as ``{"salted": H(salt ‖ JCS(value))}``; that is
all the chain covers. Salt and value are kept beside the body, encrypted under the case's key.
Destroy the key, and the values are gone for good while chain, fold and re-execution still hold.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from engine import chain
from engine.proof.algorithms import digest
from engine.records import Json

SALT_BYTES = 16
_NONCE_BYTES, _TAG_BYTES = 12, 16
_CIPHERS = {"aes-256-gcm": (algorithms.AES, 32), "sm4-gcm": (algorithms.SM4, 16)}
_CIPHER_OF = {"sha256": "aes-256-gcm", "sm3": "sm4-gcm"}
"""What values are sealed with in a case that is hashed with this."""


class Erased(str):
    """What is read in the place of a personal value whose key was destroyed."""

    __slots__ = ()


ERASED = Erased("[erased]")


class SealBroken(ValueError):
    """Raised when a sealed value isn't one that the case's key has sealed at this place."""


@dataclass(frozen=True, slots=True)
class CaseKey:
    """The key of one case's personal values; `secret` is `None` once it was destroyed."""

    algorithm: str
    secret: bytes | None = field(repr=False)

    def seal(self, place: str, content: bytes, entropy: Callable[[int], bytes]) -> str:
        """Encrypt what belongs to one place, as base64 of nonce, ciphertext and tag."""
        nonce = entropy(_NONCE_BYTES)
        encryptor = self._cipher(modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(place.encode())
        sealed = encryptor.update(content) + encryptor.finalize()
        return base64.b64encode(nonce + sealed + encryptor.tag).decode("ascii")

    def open(self, place: str, sealed: str) -> bytes:
        """Decrypt what was sealed at a place.

        Raises
        ------
        SealBroken : it was altered, is of another place, or of another key.
        """
        try:
            raw = base64.b64decode(sealed, validate=True)
            nonce, tag = raw[:_NONCE_BYTES], raw[-_TAG_BYTES:]
            decryptor = self._cipher(modes.GCM(nonce, tag)).decryptor()
            decryptor.authenticate_additional_data(place.encode())
            content = decryptor.update(raw[_NONCE_BYTES:-_TAG_BYTES]) + decryptor.finalize()
        except (binascii.Error, InvalidTag, ValueError) as broken:
            raise SealBroken(place) from broken
        if base64.b64encode(raw).decode("ascii") != sealed:
            raise SealBroken(place)
        return content

    def _cipher(self, mode: modes.GCM) -> Cipher[modes.GCM]:
        if self.secret is None:
            message = "the key was destroyed"
            raise ValueError(message)
        cipher, _ = _CIPHERS[self.algorithm]
        return Cipher(cipher(self.secret), mode)


def new_key(hash_algorithm: str, entropy: Callable[[int], bytes]) -> CaseKey:
    """Make the key of a case that is hashed with an algorithm."""
    name = _CIPHER_OF[hash_algorithm]
    return CaseKey(name, entropy(_CIPHERS[name][1]))


def seal_values(
    envelope: Mapping[str, Json],
    pointers: Sequence[str],
    key: CaseKey,
    hash_algorithm: str,
    entropy: Callable[[int], bytes],
) -> tuple[dict[str, Json], dict[str, str]]:
    """Take personal values out of an envelope.

    Parameters
    ----------
    envelope : an event's envelope with its ``payload``; it is left as it is.
    pointers : JSON pointers into the payload.

    Returns
    -------
    The envelope as it is hashed, and what to keep beside it: per pointer, salt and value, sealed.

    Raises
    ------
    LookupError : a pointer leads nowhere.
    """
    payload = json.loads(chain.canonical(envelope["payload"]))
    sealed = {}
    for pointer in pointers:
        holder, last = chain.holder_of(payload, pointer)
        salt = entropy(SALT_BYTES)
        content = salt + chain.canonical(holder[last]).encode()
        sealed[pointer] = key.seal(_place(envelope, pointer), content, entropy)
        holder[last] = {"salted": digest(hash_algorithm, content)}
    return {**envelope, "payload": payload}, sealed


def put_back(envelope: Mapping[str, Json], sealed: Mapping[str, str], key: CaseKey) -> None:
    """Put personal values in their places, or `ERASED` when the key was destroyed.

    Raises
    ------
    SealBroken : a sealed value was altered.
    """
    for pointer in sealed:
        holder, last = chain.holder_of(envelope["payload"], pointer)
        value: Json = ERASED
        if key.secret is not None:
            value = json.loads(open_value(envelope, pointer, sealed, key)[1])
        holder[last] = value


def open_value(
    envelope: Mapping[str, Json], pointer: str, sealed: Mapping[str, str], key: CaseKey
) -> tuple[bytes, str]:
    """Give the salt and the canonical JSON of one personal value.

    Raises
    ------
    SealBroken : it was altered, or the key was destroyed.
    """
    content = key.open(_place(envelope, pointer), sealed[pointer])
    return content[:SALT_BYTES], content[SALT_BYTES:].decode()


def value_fault(envelope: Mapping[str, Json], salts: str | None, key: CaseKey | None) -> str | None:
    """Say what is wrong with an event's personal values; its hash needn't be right.

    Parameters
    ----------
    salts : what is kept beside it, as stored.
    key : the case's key, `None` when there is no trace of one.

    Raises
    ------
    LookupError, TypeError, ValueError : what is stored has another shape altogether.
    """
    pointers = envelope["payload"].get("personal") or ()
    if salts is None and not pointers:
        return None
    sealed = {} if salts is None else chain.parse(salts)
    if not pointers or sorted(sealed) != sorted(pointers):
        return "what is sealed beside the event isn't its personal values"
    if key is None:
        return "the key of the personal values is gone, and no record says why"
    for pointer in pointers:
        salted = chain.value_at(envelope["payload"], pointer)
        if not isinstance(salted, dict) or set(salted) != {"salted"}:
            return f"the personal value at {pointer} isn't salted"
        if key.secret is not None:
            content = key.open(_place(envelope, pointer), sealed[pointer])
            if digest(chain.algorithm_of(salted["salted"]), content) != salted["salted"]:
                return f"the personal value at {pointer} isn't the one that was hashed"
    return None


def _place(envelope: Mapping[str, Json], pointer: str) -> str:
    return f"{envelope['case']}/{envelope['seq']}{pointer}"
