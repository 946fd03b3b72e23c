"""Keys that sign, by the name of their algorithm: Ed25519 (RFC 8032) or SM2 with SM3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from engine.proof import sm2

_ED25519_SEED_BYTES = 32
_SM2_SEED_BYTES = 48


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; `public` is in hexadecimal: 32 bytes for Ed25519, x ‖ y for SM2."""

    algorithm: str
    public: str
    private: bytes = field(repr=False)

    def sign(self, content: bytes) -> str:
        """Sign, in hexadecimal; the same content has the same signature."""
        if self.algorithm == "ed25519":
            return Ed25519PrivateKey.from_private_bytes(self.private).sign(content).hex()
        return sm2.sign(self.private, content).hex()


def generate_key(algorithm: str, entropy: Callable[[int], bytes]) -> SigningKey:
    """Make a new key.

    Raises
    ------
    ValueError : there is no such algorithm.
    """
    if algorithm == "ed25519":
        return load_key(algorithm, entropy(_ED25519_SEED_BYTES))
    if algorithm == "sm2":
        return load_key(algorithm, sm2.private_key(entropy(_SM2_SEED_BYTES)))
    message = f"no signature algorithm {algorithm!r}"
    raise ValueError(message)


def load_key(algorithm: str, private: bytes) -> SigningKey:
    """Give the key whose private part this is.

    Raises
    ------
    ValueError : there is no such algorithm, or these bytes are no key of it.
    """
    if algorithm == "ed25519":
        key = Ed25519PrivateKey.from_private_bytes(private)
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return SigningKey(algorithm, public.hex(), private)
    if algorithm == "sm2" and 0 < int.from_bytes(private) < sm2.RECOMMENDED.n - 1:
        return SigningKey(algorithm, sm2.public_key(private).hex(), private)
    message = f"not a key of {algorithm!r}"
    raise ValueError(message)


def is_signed(algorithm: str, public: str, content: bytes, signature: str) -> bool:
    """Tell whether a signature is that of a public key's owner; both are in hexadecimal."""
    try:
        key, signed = bytes.fromhex(public), bytes.fromhex(signature)
        if algorithm == "ed25519":
            Ed25519PublicKey.from_public_bytes(key).verify(signed, content)
            return True
        return algorithm == "sm2" and sm2.verify(key, content, signed)
    except (ValueError, InvalidSignature):
        return False
