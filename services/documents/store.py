"""Kept contents, named by their SHA-256: in a folder, or in the database for several servers."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.store import Store
from services.documents import queries

PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Incoming:
    """A content on its way in, in a file of its own, not yet kept."""

    path: Path
    sha256: str
    size_bytes: int


class TooLong(Exception):
    """Raised when more bytes came than the limit allows; the rest was never read."""


class Files(Protocol):
    """Keeps contents for good; the same content is kept once."""

    def keep(self, content: bytes) -> str:
        """Keep a content and give its name."""
        ...

    def keep_incoming(self, incoming: Incoming) -> None:
        """Keep what came in."""
        ...

    def read(self, sha256: str) -> Iterator[bytes]:
        """Give a content in parts.

        Raises
        ------
        LookupError : there is none of this name.
        """
        ...

    def drop(self, sha256: str) -> None:
        """Destroy a content, if it is there: somebody's personal data are erased."""
        ...


class FolderFiles:
    """Contents as files, by the first two signs of their names; read-only once kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> str:
        """Keep a content and give its name."""
        with receive([content], len(content), self._place()) as incoming:
            self.keep_incoming(incoming)
            return incoming.sha256

    def keep_incoming(self, incoming: Incoming) -> None:
        """Move what came in to its place; killed on the way, nothing half-written has a name."""
        target = self._path(incoming.sha256)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            incoming.path.open("rb") as source,
            tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as copy,
        ):
            for part in _parts_of(source.read, PART_BYTES):
                copy.write(part)
            copy.flush()
            os.fsync(copy.fileno())
        Path(copy.name).chmod(0o440)
        Path(copy.name).replace(target)

    def read(self, sha256: str) -> Iterator[bytes]:
        """Give a content in parts."""
        path = self._path(sha256)
        if not path.is_file():
            raise LookupError(sha256)
        return _read_file(path)

    def drop(self, sha256: str) -> None:
        """Destroy a content, if it is there."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not sha256.isalnum():  # noqa: PLR2004 -- hexadecimal SHA-256
            raise LookupError(sha256)
        return self._folder / sha256[:2] / sha256

    def _place(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder


class TableFiles:
    """Contents in the database, in parts, so that every server has them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, content: bytes) -> str:
        """Keep a content and give its name."""
        sha256 = hashlib.sha256(content).hexdigest()
        parts = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)]
        self._write(sha256, parts or [b""])
        return sha256

    def keep_incoming(self, incoming: Incoming) -> None:
        """Write what came in part by part, in one transaction."""
        self._write(incoming.sha256, _read_file(incoming.path))

    def _write(self, sha256: str, parts: Iterable[bytes]) -> None:
        with self._store.transaction() as transaction:
            if queries.has_file(transaction.connection, sha256):
                return
            for number, part in enumerate(parts):
                queries.add_file_part(transaction.connection, sha256, number, part)

    def read(self, sha256: str) -> Iterator[bytes]:
        """Give a content in parts."""
        with self._store.transaction(write=False) as transaction:
            if not queries.has_file(transaction.connection, sha256):
                raise LookupError(sha256)
        return self._parts(sha256)

    def drop(self, sha256: str) -> None:
        """Destroy a content, if it is there."""
        with self._store.transaction() as transaction:
            queries.drop_file(transaction.connection, sha256)

    def _parts(self, sha256: str) -> Iterator[bytes]:
        number = 0
        while True:
            with self._store.transaction(write=False) as transaction:
                part = queries.file_part(transaction.connection, sha256, number)
            if part is None:
                return
            yield part
            number += 1


def open_files(data: Path, store: Store, *, is_embedded: bool) -> Files:
    """Give where this installation keeps contents."""
    return FolderFiles(data / "files") if is_embedded else TableFiles(store)


@contextmanager
def receive(
    parts: Iterable[bytes], limit_bytes: int, folder: Path | None = None
) -> Iterator[Incoming]:
    """Write what comes in to a file that is gone afterwards.

    Raises
    ------
    TooLong : as soon as the limit is passed.
    """
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-") as file:
        for part in parts:
            size += len(part)
            if size > limit_bytes:
                raise TooLong(limit_bytes)
            digest.update(part)
            file.write(part)
        file.flush()
        yield Incoming(Path(file.name), digest.hexdigest(), size)


def _read_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _parts_of(file.read, PART_BYTES)


def _parts_of(read: Callable[[int], bytes], size: int) -> Iterator[bytes]:
    while part := read(size):
        yield part
