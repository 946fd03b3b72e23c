"""Copy everything an installation keeps, while it runs, and put a copy in place again.

A copy is a folder: ``duban.sqlite`` or ``duban.pgdump``, the folders of the data directory, and
``copy.json`` with the SHA-256 of each file. The order of copying makes it whole whatever is written
meanwhile: published tree heads are copied before the database, so that it has them all; documents,
attachments and archived cases after it, as they are written before the row that names them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.chain import canonical
from engine.records import Json
from services.archive.files import FOLDER as ARCHIVE
from services.copies.database import DUMP, SQLITE, copy_database, is_empty, put_back
from services.copies.errors import CopyDamaged, CopyExists, NotEmpty
from services.evidence.publishing import published_folder
from services.evidence.signing_keys import signing_keys
from services.settings import Settings

FORMAT = "duban-copy/1"
LIST = "copy.json"
HEADS, KEYS, FILES, SECRET = "heads", "keys", "files", "secret.key"
_PART_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Copied:
    """How many files a copy has, and how long they are together."""

    files: int
    size_bytes: int


def back_up(settings: Settings, target: Path) -> Copied:
    """Copy an installation into a new folder that only its owner may read; it may run meanwhile.

    Raises
    ------
    CopyExists : there is something already.
    ToolMissing : on PostgreSQL, ``pg_dump`` isn't there or failed.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CopyExists(folder=str(target))
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    _copy_folder(published_folder(settings), target / HEADS)
    copy_database(settings, target)
    for source, name in _after(settings):
        _copy_folder(source, target / name)
    secret = settings.data / SECRET
    if secret.exists():
        shutil.copy2(secret, target / SECRET)
    listed = _listed(target)
    content: dict[str, Json] = {"format": FORMAT, "files": listed}
    (target / LIST).write_text(canonical(content) + "\n", "utf-8")
    sizes = [(target / name).stat().st_size for name in listed]
    return Copied(len(listed), sum(sizes))


def restore(settings: Settings, source: Path) -> Copied:
    """Put a copy into an empty data directory, and database; the service mustn't run.

    Raises
    ------
    CopyDamaged : the copy isn't what was written; nothing was put anywhere.
    NotEmpty : there is an installation already.
    ToolMissing : on PostgreSQL, ``pg_restore`` isn't there or failed.
    """
    listed = check(source)
    name = SQLITE if settings.is_embedded else DUMP
    if name not in listed:
        raise CopyDamaged(file=name)
    keys = signing_keys(settings).folder
    places = {HEADS: published_folder(settings), KEYS: keys, FILES: settings.data / FILES}
    places |= {ARCHIVE: settings.data / ARCHIVE, SECRET: settings.data / SECRET}
    for place in places.values():
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            raise NotEmpty(place=str(place))
    if not is_empty(settings):
        raise NotEmpty(place="the database")
    settings.data.mkdir(parents=True, exist_ok=True)
    for part, place in places.items():
        if (source / part).is_file():
            shutil.copy2(source / part, place)
        else:
            _copy_folder(source / part, place)
    if keys.is_dir():
        keys.chmod(0o700)
    put_back(settings, source)
    sizes = [(source / one).stat().st_size for one in listed]
    return Copied(len(listed), sum(sizes))


def check(source: Path) -> dict[str, str]:
    """Compare every file of a copy with the list in it; give the list.

    Raises
    ------
    CopyDamaged : with the name of the first file that is wrong.
    """
    try:
        content = json.loads((source / LIST).read_text("utf-8"))
        listed: dict[str, str] = content["files"]
        is_known = content["format"] == FORMAT
    except (OSError, ValueError, LookupError, TypeError):
        raise CopyDamaged(file=LIST) from None
    if not is_known:
        raise CopyDamaged(file=LIST)
    found = _listed(source)
    for name in sorted({*listed, *found}):
        if listed.get(name) != found.get(name):
            raise CopyDamaged(file=name)
    return listed


def _after(settings: Settings) -> tuple[tuple[Path, str], ...]:
    return (
        (settings.data / ARCHIVE, ARCHIVE),
        (settings.data / FILES, FILES),
        (signing_keys(settings).folder, KEYS),
    )


def _copy_folder(source: Path, target: Path) -> None:
    """Copy what is in a folder; what vanishes meanwhile was erased, or never had a name."""
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        if path.is_file() and not path.name.endswith(".new"):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copy2(path, place)
            except FileNotFoundError:
                continue


def _listed(folder: Path) -> dict[str, str]:
    """Hash all files of a copy but the list itself."""
    names = (
        os.path.relpath(path, folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / LIST
    )
    return {name: _hashed(folder / name) for name in names}


def _hashed(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            digest.update(part)
    return digest.hexdigest()
