"""The store of an installation with an archive: histories are read from wherever they lie."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.ids import CaseId
from engine.store import StoredEvent, StoredReceipt
from engine.store.sql import SqlStore
from engine.store.sql_transaction import SqlTransaction
from services.archive.files import ArchiveAltered, Kept, read_file
from services.archive.queries import place_of


class ArchivingTransaction(SqlTransaction):
    """A transaction that takes the bodies of archived events from their case's file."""

    def __init__(self, connection: Any, root: Path) -> None:  # noqa: ANN401 -- SQLAlchemy's
        super().__init__(connection)
        self._root = root

    def events(
        self, case: CaseId, after: int = 0, until: int | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """Give events in order; number, type, instant and hash are always the database's.

        Raises
        ------
        ArchiveAltered : the case's file isn't there, or isn't what was written.
        """
        read = super().events(case, after, until, limit)
        if all(one.body for one in read):
            return read
        kept = self._kept(case)
        filled = [one if one.body else _filled(one, kept) for one in read]
        if all(one.salts is None or one.key is not None for one in filled):
            return filled
        key = self.case_key(case)
        return [one if one.salts is None else replace(one, key=key) for one in filled]

    def receipts(self, case: CaseId) -> dict[str, StoredReceipt] | None:
        """Give what was answered to a case's commands; an archived one's is in its file."""
        return None if place_of(self.connection, case) is not None else super().receipts(case)

    def _kept(self, case: CaseId) -> dict[int, Kept]:
        place = place_of(self.connection, case)
        if place is None:
            return {}
        kept = read_file(self._root, place.file, place.sha256)
        if len(kept) != place.seq:
            raise ArchiveAltered(place.file, f"has {len(kept)} events, {place.seq} were written")
        return kept


def _filled(stored: StoredEvent, kept: dict[int, Kept]) -> StoredEvent:
    # Without its body an event stays as it is; verification names it.
    found = kept.get(stored.seq)
    return stored if found is None else replace(stored, body=found.body, salts=found.salts)


class ArchivingStore(SqlStore):
    """A database, and the folder of archive files beside it.

    Parameters
    ----------
    root : the folder of the archive; several servers share one.
    """

    def __init__(self, url: str, root: Path, *, pool_size: int = 10) -> None:
        super().__init__(url, pool_size=pool_size)
        self.root = root

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[SqlTransaction]:
        """Begin a transaction; see `SqlStore.transaction`."""
        with super().transaction(write=write) as plain:
            yield ArchivingTransaction(plain.connection, self.root)
