"""Pictures that a scenario attaches: small, real PNG files that differ by their name."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping

from engine.records import Json

_FILE = re.compile(r"file:(.+)")


class FileNotTaken(Exception):
    """Raised when data names a file that no step before attached."""


def picture(name: str) -> bytes:
    """Draw one grey dot as a PNG file with its name written into it."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    dot = zlib.compress(b"\x00\x80")
    title = b"Title\x00" + name.encode("unicode_escape")
    chunks = ((b"IHDR", header), (b"tEXt", title), (b"IDAT", dot), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum


def with_references(data: Json, taken: Mapping[str, str]) -> Json:
    """Put the SHA-256 of a file taken in before where data says ``file:<its name>``.

    Raises
    ------
    FileNotTaken : no step took a file of this name in.
    """
    if isinstance(data, Mapping):
        return {name: with_references(value, taken) for name, value in data.items()}
    if isinstance(data, list):
        return [with_references(value, taken) for value in data]
    found = _FILE.fullmatch(data) if isinstance(data, str) else None
    if found is None:
        return data
    if found[1] not in taken:
        raise FileNotTaken(found[1])
    return taken[found[1]]
