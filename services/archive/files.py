"""Archive files: one case each, canonical JSON in gzip, the same bytes for the same history.

``{"format": "duban-archive/1", "case", "number", "closed_at", "seq", "head", "definitions",
"events", "inbox"}``: `definitions` are the hashes of those it ran on, whose files stay in the
database; an event has `seq`, `type`, `at`, `body`, `salts`, `hash` as stored; `inbox` has the
receipt of each command by its key. Personal values stay sealed under a key that is never in a file,
so destroying the key erases them here, too. Snapshots, and hashes of requests, aren't taken along:
both could tell an erased value.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import journal
from engine.chain import canonical
from engine.records import Json, instant_text
from engine.store import StoredEvent

FORMAT = "duban-archive/1"
FOLDER = "archive"
"""Under the data directory; by year of closing."""


class ArchiveAltered(Exception):
    """Raised when an archive file isn't there, or isn't what was written."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"archive file {file}: {what}")
        self.file = file


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database no longer has of an event."""

    body: str
    salts: str | None


def content_of(
    facts: Mapping[str, Json], history: Sequence[StoredEvent], inbox: Mapping[str, str]
) -> bytes:
    """Give the bytes of a case's file.

    Parameters
    ----------
    facts : `case`, `number`, `closed_at`.
    inbox : receipts by the keys their commands came under.
    """
    definitions = {
        journal.envelope_of(one)["payload"]["definition_sha256"]
        for one in history
        if one.type in ("case_started", "case_migrated")
    }
    whole = {
        **facts,
        "format": FORMAT,
        "seq": history[-1].seq,
        "head": history[-1].hash,
        "definitions": sorted(definitions),
        "events": [_event(one) for one in history],
        "inbox": dict(inbox),
    }
    return gzip.compress(canonical(whole).encode(), compresslevel=9, mtime=0)


def _event(stored: StoredEvent) -> dict[str, Json]:
    return {
        "seq": stored.seq,
        "type": stored.type,
        "at": instant_text(stored.at),
        "body": stored.body,
        "salts": stored.salts,
        "hash": stored.hash,
    }


def sha256_of(content: bytes) -> str:
    """Hash a file."""
    return hashlib.sha256(content).hexdigest()


def write_file(root: Path, file: str, content: bytes) -> None:
    """Write a file so that it is whole on the disk, or isn't there.

    Parameters
    ----------
    root : the folder of the archive.
    file : path in it.
    """
    place = root / file
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f"{place.name}.new")
    with fresh.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(place)
    for folder in (place.parent, root):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def read_file(root: Path, file: str, sha256: str) -> dict[int, Kept]:
    """Read the events of a file by their numbers.

    Raises
    ------
    ArchiveAltered : it isn't there, or its hash isn't `sha256`.
    """
    return {
        one["seq"]: Kept(one["body"], one["salts"])
        for one in read_whole(root, file, sha256)["events"]
    }


def read_whole(root: Path, file: str, sha256: str) -> dict[str, Any]:
    """Read everything in a file.

    Raises
    ------
    ArchiveAltered : it isn't there, its hash isn't `sha256`, or it isn't such a file at all.
    """
    try:
        content = (root / file).read_bytes()
    except OSError as wrong:
        raise ArchiveAltered(file, f"can't be read: {wrong.strerror}") from wrong
    found = sha256_of(content)
    if found != sha256:
        raise ArchiveAltered(file, f"its hash is {found}, it was written as {sha256}")
    whole = json.loads(gzip.decompress(content))
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise ArchiveAltered(file, f"isn't of format {FORMAT}")
    return whole
