"""What a file is, by its first bytes. The name says nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """A type that is taken: its media type, and the extensions a download may carry."""

    media_type: str
    extensions: tuple[str, ...]


PDF = FileType("application/pdf", ("pdf",))
PNG = FileType("image/png", ("png",))
JPEG = FileType("image/jpeg", ("jpg", "jpeg"))
GIF = FileType("image/gif", ("gif",))
BMP = FileType("image/bmp", ("bmp",))
TIFF = FileType("image/tiff", ("tif", "tiff"))
WEBP = FileType("image/webp", ("webp",))
HEIC = FileType("image/heic", ("heic", "heif"))
MP4 = FileType("video/mp4", ("mp4", "mov"))
MP3 = FileType("audio/mpeg", ("mp3",))
WAV = FileType("audio/wav", ("wav",))
TEXT = FileType("text/plain", ("txt", "md", "log"))
CSV = FileType("text/csv", ("csv",))
ZIP = FileType("application/zip", ("zip",))
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX = FileType(f"{_OFFICE}wordprocessingml.document", ("docx",))
XLSX = FileType(f"{_OFFICE}spreadsheetml.sheet", ("xlsx",))
PPTX = FileType(f"{_OFFICE}presentationml.presentation", ("pptx",))
ODT = FileType("application/vnd.oasis.opendocument.text", ("odt",))
ODS = FileType("application/vnd.oasis.opendocument.spreadsheet", ("ods",))
OFD = FileType("application/ofd", ("ofd",))

TAKEN = (
    *(PDF, PNG, JPEG, GIF, BMP, TIFF, WEBP, HEIC, MP4, MP3, WAV, TEXT, CSV, ZIP),
    *(DOCX, XLSX, PPTX, ODT, ODS, OFD),
)

HEAD_BYTES = 4096

_SIGNS: tuple[tuple[bytes, FileType], ...] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"ID3", MP3),
    (b"\xff\xfb", MP3),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
)

_PROGRAMS: tuple[tuple[bytes, str], ...] = (
    (b"MZ", "Windows program"),
    (b"\x7fELF", "Linux program"),
    (b"\xca\xfe\xba\xbe", "Java or macOS program"),
    (b"\xfe\xed\xfa\xce", "macOS program"),
    (b"\xfe\xed\xfa\xcf", "macOS program"),
    (b"\xce\xfa\xed\xfe", "macOS program"),
    (b"\xcf\xfa\xed\xfe", "macOS program"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "Windows shortcut"),
    (b"dex\n", "Android program"),
    (b"\x00asm", "WebAssembly program"),
    (b"!<arch>", "program library"),
    (b"#!", "script"),
)

_NOT_TAKEN: tuple[tuple[bytes, str], ...] = (
    (b"Rar!", "RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"BZh", "bzip2 archive"),
    (b"\xfd7zXZ\x00", "xz archive"),
    (b"MSCF", "CAB archive"),
    (b"{\\rtf", "RTF document"),
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Old office files, and new ones with a password."""

_SCRIPTS = frozenset(
    {
        *("bat", "cmd", "com", "ps1", "psm1", "vbs", "vbe", "js", "jse", "mjs", "wsf", "wsh"),
        *("hta", "py", "pyw", "pl", "rb", "sh", "bash", "php", "jsp", "asp", "reg", "inf"),
        *("scf", "url", "desktop", "jar", "msi", "scr", "lnk"),
    }
)
_MARKUP = (b"<!doctype html", b"<html", b"<script", b"<?php", b"<svg", b"<?xml")


def program_in(head: bytes) -> str | None:
    """Name the kind of program that a content begins like; `None` for anything else."""
    return next((what for sign, what in _PROGRAMS if head.startswith(sign)), None)


def type_of(head: bytes) -> FileType | None:
    """Give the type a content begins like; `None` when it is text or unknown."""
    if b"%PDF-" in head[:1024]:
        return PDF
    if head[:4] == b"RIFF":
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return HEIC if head[8:12] in (b"heic", b"heix", b"mif1", b"msf1") else MP4
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return BMP
    return next((kind for sign, kind in _SIGNS if head.startswith(sign)), None)


def refused_type(head: bytes) -> str | None:
    """Name a known type that isn't taken; `None` for anything else."""
    if head[257:262] == b"ustar":
        return "tar archive"
    return next((what for sign, what in _NOT_TAKEN if head.startswith(sign)), None)


def extension_of(name: str) -> str:
    """Give the extension of a name in small letters; empty without one."""
    stem, dot, extension = name.rpartition(".")
    return extension.strip().lower() if dot and stem else ""


def is_script_name(name: str) -> bool:
    """Tell whether a desktop would run a text of this name."""
    return extension_of(name) in _SCRIPTS


def is_markup(head: bytes) -> bool:
    """Tell whether a text is a page or a drawing, in which a browser runs scripts."""
    begin = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return any(begin.startswith(sign) for sign in _MARKUP) or b"<script" in head.lower()


def safe_name(name: str, kind: FileType) -> str:
    """Give the name for a download: no folders, no control signs, an extension that is true."""
    base = name.replace("\\", "/").rpartition("/")[2]
    # Signs that turn the direction of writing make exe.pdf out of fdp.exe.
    kept = "".join(c for c in base if c.isprintable() and c not in '<>:"|?*').strip(" .")
    kept = kept[:180] or "attachment"
    if extension_of(kept) in kind.extensions:
        return kept
    return f"{kept}.{kind.extensions[0]}"
