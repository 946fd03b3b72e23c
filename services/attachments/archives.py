"""Zip archives, and the office documents that are zips: what may be in them, and how much."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.attachments import types
from services.attachments.errors import (
    AttachmentBomb,
    AttachmentDamaged,
    AttachmentEncrypted,
    AttachmentExecutable,
    AttachmentMacro,
    AttachmentTypeRefused,
)
from services.attachments.types import FileType

_PART_BYTES = 1 << 18
_STEEPEST = 250
"""An entry over a megabyte that unpacks to more than this many times its size is no document."""
_SMALL_BYTES = 1 << 20
_ENCRYPTED_BITS = 0x1 | 0x40
_LOCAL_HEADER_BYTES = 30

_MACRO_PARTS = ("vbaproject.bin", "vbadata.xml", "/activex/", "/macrosheets/", "/customui/")
_ODF_SCRIPTS = ("basic/", "scripts/")
_PROGRAM_PARTS = ("androidmanifest.xml", "meta-inf/manifest.mf", "classes.dex")

_MAIN_TYPES: tuple[tuple[bytes, FileType], ...] = (
    (b"wordprocessingml.document.main+xml", types.DOCX),
    (b"spreadsheetml.sheet.main+xml", types.XLSX),
    (b"presentationml.presentation.main+xml", types.PPTX),
)


class Budget:
    """What is left of what may be unpacked, archives within archives included."""

    def __init__(self, unpacked_bytes: int, entries: int) -> None:
        self.unpacked_bytes = unpacked_bytes
        self.entries = entries


@dataclass(frozen=True, slots=True)
class Opened:
    """An archive whose directory has been looked at."""

    name: str
    zip: zipfile.ZipFile
    files: tuple[zipfile.ZipInfo, ...]

    def has(self, part: str) -> bool:
        """Tell whether there is a part of this name, in whatever letters."""
        return any(entry.filename.lower() == part for entry in self.files)


@contextmanager
def opened(path: Path, name: str, budget: Budget) -> Iterator[Opened]:
    """Open an archive whose directory promises no more than the budget holds.

    Raises
    ------
    AttachmentBomb, AttachmentEncrypted, AttachmentDamaged : accordingly.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _check_directory(entries, name, budget)
            files = tuple(entry for entry in entries if not entry.is_dir())
            yield Opened(name, archive, files)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as wrong:
        raise AttachmentDamaged(name=name) from wrong


def _check_directory(entries: list[zipfile.ZipInfo], name: str, budget: Budget) -> None:
    if any(entry.flag_bits & _ENCRYPTED_BITS for entry in entries):
        raise AttachmentEncrypted(name=name)
    budget.entries -= len(entries)
    budget.unpacked_bytes -= sum(entry.file_size for entry in entries)
    if budget.entries < 0:
        raise AttachmentBomb(name=name, reason="too many entries")
    steep = any(
        entry.file_size > _SMALL_BYTES and entry.file_size > _STEEPEST * entry.compress_size
        for entry in entries
    )
    if steep or budget.unpacked_bytes < 0:
        raise AttachmentBomb(name=name, reason="unpacks to too much")
    place = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < place:
            raise AttachmentBomb(name=name, reason="entries overlap")
        place = entry.header_offset + _LOCAL_HEADER_BYTES + entry.compress_size
    for entry in entries:
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            raise AttachmentTypeRefused(name=name, found=f"entry {entry.filename[:80]}")


def parts_of(archive: Opened, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Unpack an entry in parts; never more than its directory said, which the checksum proves."""
    with archive.zip.open(entry) as file:
        while part := file.read(_PART_BYTES):
            yield part


def office_type(archive: Opened) -> FileType | None:
    """Give the type of an office document without macros; `None` for a plain archive.

    Raises
    ------
    AttachmentMacro, AttachmentExecutable, AttachmentEncrypted, AttachmentTypeRefused : accordingly.
    """
    if archive.has("[content_types].xml"):
        return _open_xml(archive)
    if archive.has("mimetype"):
        return _open_document(archive)
    if archive.has("ofd.xml"):
        return types.OFD
    program = next((part for part in _PROGRAM_PARTS if archive.has(part)), None)
    if program is not None:
        raise AttachmentExecutable(name=archive.name, found="Java or Android program")
    return None


def _open_xml(archive: Opened) -> FileType:
    listed = _text(archive, "[content_types].xml")
    if b"macroEnabled" in listed or b"vbaProject" in listed:
        raise AttachmentMacro(name=archive.name, found="VBA")
    for entry in archive.files:
        part = f"/{entry.filename.lower()}"
        if any(sign in part for sign in _MACRO_PARTS):
            raise AttachmentMacro(name=archive.name, found=entry.filename)
        if "/embeddings/" in part and part.endswith(".bin"):
            raise AttachmentMacro(name=archive.name, found=entry.filename)
        if part.endswith(".rels"):
            _check_relations(archive, entry)
    for sign, kind in _MAIN_TYPES:
        if sign in listed:
            return kind
    raise AttachmentTypeRefused(name=archive.name, found="unknown office document")


def _check_relations(archive: Opened, entry: zipfile.ZipInfo) -> None:
    # A template or object fetched from elsewhere brings macros that aren't in the file.
    text = archive.zip.read(entry)
    for relation in text.split(b"<Relationship")[1:]:
        outside = b'TargetMode="External"' in relation
        if outside and any(kind in relation for kind in (b"/attachedTemplate", b"/oleObject")):
            raise AttachmentMacro(name=archive.name, found=entry.filename)


def _open_document(archive: Opened) -> FileType | None:
    media_type = _text(archive, "mimetype").decode("ascii", "replace").strip()
    kind = next((k for k in (types.ODT, types.ODS) if k.media_type == media_type), None)
    if kind is None:
        raise AttachmentTypeRefused(name=archive.name, found=media_type[:80])
    for entry in archive.files:
        if entry.filename.lower().startswith(_ODF_SCRIPTS):
            raise AttachmentMacro(name=archive.name, found=entry.filename)
    if archive.has("meta-inf/manifest.xml") and b"encryption-data" in _text(
        archive, "meta-inf/manifest.xml"
    ):
        raise AttachmentEncrypted(name=archive.name)
    return kind


def _text(archive: Opened, part: str) -> bytes:
    return next(archive.zip.read(e) for e in archive.files if e.filename.lower() == part)
