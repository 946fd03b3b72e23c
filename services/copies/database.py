"""The database's part of a copy: SQLite by its own copying, PostgreSQL by its own tools."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from engine.store.schema import is_bare
from engine.store.sql import SqlStore
from services.copies.errors import ToolMissing
from services.settings import Settings

SQLITE, DUMP = "duban.sqlite", "duban.pgdump"


def copy_database(settings: Settings, target: Path) -> None:
    """Write the database as it stands at one instant; writers go on meanwhile.

    Raises
    ------
    ToolMissing : ``pg_dump`` isn't there or failed.
    """
    if settings.is_embedded:
        _copy_sqlite(sqlite_file(settings), target / SQLITE)
    else:
        _run(settings, "pg_dump", "--format=custom", f"--file={target / DUMP}")


def put_back(settings: Settings, source: Path) -> None:
    """Put a database back where there is none.

    Raises
    ------
    ToolMissing : ``pg_restore`` isn't there or failed.
    """
    if settings.is_embedded:
        _copy_sqlite(source / SQLITE, sqlite_file(settings))
    else:
        _run(settings, "pg_restore", "--exit-on-error", "--no-owner", str(source / DUMP))


def is_empty(settings: Settings) -> bool:
    """Tell whether there is no database yet, or one without tables."""
    if settings.is_embedded:
        return not sqlite_file(settings).exists()
    store = SqlStore(settings.url, pool_size=1)
    try:
        return is_bare(store.engine)
    finally:
        store.close()


def sqlite_file(settings: Settings) -> Path:
    """Give the file of the database."""
    return Path(settings.url.removeprefix("sqlite:///"))


def _copy_sqlite(source: Path, target: Path) -> None:
    # Read-only: a source that isn't there mustn't be made.
    address = f"file:{source.resolve()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as one,
        closing(sqlite3.connect(target)) as other,
    ):
        one.backup(other)
        # One file, without a log of writes beside it.
        other.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)


def _run(settings: Settings, tool: str, *words: str) -> None:
    found = shutil.which(tool)
    if found is None:
        raise ToolMissing(tool=tool, said="it isn't on the path")
    address, password = _address(settings.url)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix=".pgpass-") as passwords:
        if password is not None:
            # The list of processes, which anybody may see, mustn't show it.
            plain = password.replace("\\", "\\\\").replace(":", "\\:")
            passwords.write(f"*:*:*:*:{plain}\n")
            passwords.flush()
            address += f"{'&' if '?' in address else '?'}passfile={quote(passwords.name)}"
        done = subprocess.run(  # noqa: S603 -- PostgreSQL's own tool on the operator's own database
            [found, f"--dbname={address}", *words], capture_output=True, check=False
        )
    if done.returncode:
        raise ToolMissing(tool=tool, said=done.stderr.decode("utf-8", "replace")[-400:].strip())


def _address(url: str) -> tuple[str, str | None]:
    """Give the address as PostgreSQL's tools read it, and the password apart."""
    parts = urlsplit(url)
    place = parts.netloc
    if parts.password is not None:
        user, _, host = place.rpartition("@")
        place = f"{user.partition(':')[0]}@{host}"
    plain = urlunsplit(("postgresql", place, parts.path, parts.query, ""))
    return plain, None if parts.password is None else unquote(parts.password)
