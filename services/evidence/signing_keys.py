"""The private keys, one file each in a folder that only the service may read."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from engine.proof.algorithms import suite_of
from engine.proof.heads import KeyRecord
from engine.proof.signatures import SigningKey, generate_key, load_key
from services.evidence.errors import KeyNotAtHand
from services.settings import Settings

_SHOWN = 16


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """A folder of private keys, found by their public parts."""

    folder: Path

    def create(self, suite: str) -> SigningKey:
        """Make a new key and keep it."""
        key = generate_key(suite_of(suite).signature, secrets.token_bytes)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(self._file(key.algorithm, key.public), flags, 0o600), "w") as file:
            file.write(key.private.hex() + "\n")
        return key

    def find(self, record: KeyRecord) -> SigningKey:
        """Give the private key of a record.

        Raises
        ------
        KeyNotAtHand : its file isn't there, or is that of another key.
        """
        algorithm = suite_of(record.suite).signature
        file = self._file(algorithm, record.public)
        try:
            key = load_key(algorithm, bytes.fromhex(file.read_text("ascii").strip()))
        except (OSError, ValueError) as missing:
            raise KeyNotAtHand(key=record.number, file=file.name) from missing
        if key.public != record.public:
            raise KeyNotAtHand(key=record.number, file=file.name)
        return key

    def _file(self, algorithm: str, public: str) -> Path:
        return self.folder / f"proof-{algorithm}-{public[:_SHOWN]}.key"


def signing_keys(settings: Settings) -> SigningKeys:
    """Give the folder of private keys of an installation."""
    return SigningKeys(settings.proof_keys or settings.data / "keys")
