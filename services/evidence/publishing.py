"""Tree heads outside the database: as files, and as codes for paper, mail or a notice board.

Whoever holds one can show later that the past was rewritten, even if every key has changed hands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.chain import canonical
from engine.proof.heads import Code, TreeHead, as_json, parse_code
from engine.store import Transaction
from services.evidence import queries
from services.evidence.errors import HeadNotFound
from services.evidence.proving import consistency
from services.settings import Settings

FORMAT = "duban-tree-head/1"


def published_folder(settings: Settings) -> Path:
    """Give where every head is kept beside the database; copy it to other hands."""
    return settings.data / "heads"


def publish(transaction: Transaction, number: int, folder: Path) -> Path:
    """Write a tree head as a file, with its keys, its code, and the proof of growth before it.

    Raises
    ------
    HeadNotFound : there is no such head.
    """
    connection = transaction.connection
    found = {head.number: head for head in queries.heads(connection, number - 2, 2)}
    head, former = found.get(number), found.get(number - 1)
    if head is None:
        raise HeadNotFound(head=number)
    growth = None
    if former is not None:
        growth = {"from": former.number, "path": consistency(connection, former, head)}
    content = {
        "format": FORMAT,
        "code": head.code,
        "head": as_json(head),
        "growth": growth,
        "keys": [as_json(key) for key in queries.keys(connection)],
    }
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"head-{number:06d}.json"
    file.write_text(canonical(content) + "\n", "utf-8")
    return file


def printable(head: TreeHead) -> str:
    """Give a head as lines to print, to mail or to pin on a board."""
    return (
        f"督办存证树头 第 {head.number} 号（{head.suite}）\n"
        f"Tree head no. {head.number} of {head.at}: {head.cases} cases, {head.size} entries\n"
        f"    {head.code}\n"
    )


def read_published(folder: Path) -> Iterator[tuple[str, Code]]:
    """Read the codes of the heads that were written to a folder, giving (file name, code).

    Raises
    ------
    ValueError : a file isn't a tree head.
    """
    for file in sorted(folder.glob("head-*.json")):
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if content.get("format") != FORMAT:
            message = f"{file.name} isn't a tree head"
            raise ValueError(message)
        yield file.name, parse_code(content["code"])
