"""Histories as some release stored them, with the definitions they ran on.

``python -m tests.histories.record`` writes a log of one case per type as this release stores it.
A log that a release has written stays as it is: new releases have to read it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine import CaseId
from engine.personal import CaseKey
from engine.records import instant_text, parse_instant
from engine.store import StoredEvent

FOLDER = Path(__file__).parent
FILES = FOLDER / "definitions.zip"
"""The files of all definitions, each once, by its SHA-256."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Log:
    """One case: what it ran on, its events, and the states they added up to when recorded."""

    case: CaseId
    definition: str
    files: Mapping[str, bytes]
    deployed_at: datetime
    key: CaseKey | None
    history: tuple[StoredEvent, ...]
    states: Mapping[str, Mapping[str, Any]]


def logs() -> list[Path]:
    """Find all logs."""
    return sorted(FOLDER.glob("*.jsonl"))


def read_log(path: Path) -> Log:
    """Read a log and the files of its definition."""
    first, *middle, last = (json.loads(line) for line in path.read_text("utf-8").splitlines())
    key = first["key"] and CaseKey(first["key"]["algorithm"], bytes.fromhex(first["key"]["secret"]))
    with zipfile.ZipFile(FILES) as pool:
        files = {name: pool.read(sha256) for name, sha256 in first["files"].items()}
    return Log(
        CaseId(first["case"]),
        first["definition"],
        files,
        parse_instant(first["deployed_at"]),
        key or None,
        tuple(_event(line, key) for line in middle),
        last["states"],
    )


def write_log(path: Path, log: Log) -> None:
    """Write a log; its definition's files go to `write_files`."""
    key = log.key and {"algorithm": log.key.algorithm, "secret": (log.key.secret or b"").hex()}
    lines: list[Mapping[str, Any]] = [
        {
            "case": log.case,
            "definition": log.definition,
            "files": {name: _sha256(content) for name, content in sorted(log.files.items())},
            "deployed_at": instant_text(log.deployed_at),
            "key": key,
        },
        *(_line(stored) for stored in log.history),
        {"states": log.states},
    ]
    text = "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in lines)
    path.write_text(text, "utf-8")


def write_files(contents: Iterable[bytes]) -> None:
    """Add files to the pool; those that are there stay."""
    pool = dict(_pool())
    pool.update((_sha256(content), content) for content in contents)
    with zipfile.ZipFile(FILES, "w", zipfile.ZIP_DEFLATED) as archive:
        for sha256, content in sorted(pool.items()):
            archive.writestr(zipfile.ZipInfo(sha256, _EPOCH), content, zipfile.ZIP_DEFLATED)


def _pool() -> Iterator[tuple[str, bytes]]:
    if FILES.exists():
        with zipfile.ZipFile(FILES) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)


def _event(line: Mapping[str, Any], key: CaseKey | None) -> StoredEvent:
    salts = line["salts"]
    return StoredEvent(
        line["seq"],
        line["type"],
        parse_instant(line["at"]),
        line["body"],
        salts,
        line["hash"],
        None if salts is None else key,
    )


def _line(stored: StoredEvent) -> dict[str, Any]:
    return {
        "seq": stored.seq,
        "type": stored.type,
        "at": instant_text(stored.at),
        "body": stored.body,
        "salts": stored.salts,
        "hash": stored.hash,
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
