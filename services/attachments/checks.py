"""Looks inside a file before it is kept (domain.md §10, case 34)."""

from __future__ import annotations

import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.attachments import types
from services.attachments.archives import Budget, Opened, office_type, opened, parts_of
from services.attachments.errors import (
    AttachmentBomb,
    AttachmentDamaged,
    AttachmentEmpty,
    AttachmentEncrypted,
    AttachmentExecutable,
    AttachmentMacro,
    AttachmentTypeRefused,
)
from services.attachments.types import FileType

DEEPEST = 2
"""How many archives may lie in each other."""

_INFLATED_BYTES = 8 << 20
_ACTIVE = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|XFA)(?![A-Za-z0-9])")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an archive may hold, everything in it unpacked."""

    unpacked_bytes: int = 300 << 20
    entries: int = 10_000


def check(path: Path, name: str, limits: Limits | None = None) -> FileType:
    """Tell what a file is, or refuse it.

    Parameters
    ----------
    name : only tells a table from other text, and scripts from it.

    Raises
    ------
    AttachmentEmpty, AttachmentTypeRefused, AttachmentExecutable, AttachmentMacro,
    AttachmentBomb, AttachmentEncrypted, AttachmentDamaged : accordingly.
    """
    limits = limits or Limits()
    return _check(path, name, Budget(limits.unpacked_bytes, limits.entries), 0)


def _check(path: Path, name: str, budget: Budget, depth: int) -> FileType:
    with path.open("rb") as file:
        head = file.read(types.HEAD_BYTES)
    if not head:
        raise AttachmentEmpty(name=name)
    program = types.program_in(head)
    if program is not None:
        raise AttachmentExecutable(name=name, found=program)
    if head.startswith(types.OLE):
        raise _refused_ole(path, name)
    kind = types.type_of(head)
    if kind is types.ZIP:
        return _check_archive(path, name, budget, depth)
    if kind is types.PDF:
        _check_pdf(path.read_bytes(), name)
    if kind is not None:
        return kind
    return _check_text(path, name, head)


def _refused_ole(path: Path, name: str) -> Exception:
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content:
        return AttachmentEncrypted(name=name)
    if "_VBA_PROJECT".encode("utf-16-le") in content or b"Attribut\x00e VB_" in content:
        return AttachmentMacro(name=name, found="VBA")
    return AttachmentTypeRefused(name=name, found="doc, xls or ppt of before 2007")


def _check_text(path: Path, name: str, head: bytes) -> FileType:
    found = types.refused_type(head)
    if found is not None:
        raise AttachmentTypeRefused(name=name, found=found)
    if types.is_script_name(name):
        raise AttachmentExecutable(name=name, found="script")
    if types.is_markup(head) or not _is_text(path.read_bytes()):
        raise AttachmentTypeRefused(name=name, found="page or drawing" if _is_text(head) else "")
    kind = next(
        (k for k in (types.CSV, types.TEXT) if types.extension_of(name) in k.extensions), None
    )
    if kind is None:
        raise AttachmentTypeRefused(name=name, found=f"text called .{types.extension_of(name)}")
    return kind


def _is_text(content: bytes) -> bool:
    if re.search(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]", content):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def _check_archive(path: Path, name: str, budget: Budget, depth: int) -> FileType:
    if depth >= DEEPEST:
        raise AttachmentBomb(name=name, reason="archives in archives")
    with opened(path, name, budget) as archive:
        kind = office_type(archive)
        for entry in archive.files:
            inside = f"{name}/{entry.filename}"
            if kind is None or _is_embedded(entry.filename):
                with tempfile.NamedTemporaryFile(prefix=".inside-") as copy:
                    for part in parts_of(archive, entry):
                        copy.write(part)
                    copy.flush()
                    if entry.file_size:
                        _check(Path(copy.name), inside, budget, depth + 1)
            else:
                _read_through(archive, entry.filename, parts_of(archive, entry))
    return kind or types.ZIP


def _is_embedded(name: str) -> bool:
    return "/embeddings/" in f"/{name.lower()}"


def _read_through(archive: Opened, name: str, parts: Iterator[bytes]) -> None:
    # To the end, for the checksum: a part that isn't what the archive says is damaged.
    head = next(parts, b"")
    program = types.program_in(head)
    if program is not None:
        raise AttachmentExecutable(name=archive.name, found=f"{name}: {program}")
    for _ in parts:
        pass


def _check_pdf(content: bytes, name: str) -> None:
    outside = _STREAM.sub(b" ", content)
    plain = _unescaped(outside)
    if re.search(rb"/Encrypt(?![A-Za-z0-9])", plain):
        raise AttachmentEncrypted(name=name)
    if b"%%EOF" not in content[-2048:] and b"startxref" not in content[-4096:]:
        raise AttachmentDamaged(name=name)
    for text in (plain, *_object_streams(content)):
        active = _ACTIVE.search(text)
        if active is not None:
            raise AttachmentMacro(name=name, found=active[1].decode("ascii"))


def _object_streams(content: bytes) -> Iterator[bytes]:
    for found in _STREAM.finditer(content):
        before = content[max(0, found.start() - 400) : found.start()]
        if b"/ObjStm" not in before.rpartition(b"obj")[2]:
            continue
        try:
            yield _unescaped(zlib.decompressobj().decompress(found[1], _INFLATED_BYTES))
        except zlib.error:
            continue


def _unescaped(text: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)
