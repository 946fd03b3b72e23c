"""What follows from a history and is kept beside it: rows, a snapshot, receipts.

All of it can be computed anew. What differs is named, and written again by `write_anew`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine import chain, journal
from engine.case import Case
from engine.execute import Receipt, fingerprint
from engine.ids import CaseId, TaskId
from engine.records import encode
from engine.rows import ROWS, CaseRows, RowChange, RowsOf, TableRows
from engine.shelf import is_of_another_release, snapshot_of
from engine.state import ProcessState
from engine.store import StoredReceipt, StoredSnapshot, StoreUnavailable, Transaction

DerivedKind = Literal["rows", "snapshot", "receipt"]

_ERASED = "erased"
"""What stands for the hash of a request when the case's personal values were erased."""

_LONGEST = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing beside a history that doesn't follow from it: its table, its key there, how.

    `seq` is the number of the event that it should follow from.
    """

    kind: DerivedKind
    table: str
    key: tuple[Any, ...]
    seq: int
    detail: str


@dataclass(slots=True)
class Derived:
    """What follows from a case's history, gathered while its commands are run again.

    Parameters
    ----------
    last : number of the history's last event.
    stored : the snapshot there is; what it should be is known once the run passes its number.
    is_whole : whether all commands were run again; before, there are only rows to compare.
    """

    case: CaseId
    last: int
    stored: StoredSnapshot | None = None
    is_whole: bool = False
    rows: CaseRows = field(default_factory=dict)
    snapshot: StoredSnapshot | None = None
    receipts: dict[str, tuple[int, StoredReceipt]] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    """The hash of the last event of each command, by its number."""

    def see(self, batch: journal.Batch, live: Case, before: Mapping[str, object]) -> None:
        """Note what follows from a command that was just run again.

        Parameters
        ----------
        before : the tasks that were open before it.
        """
        last = batch.events[-1]
        self.heads[last.seq] = last.hash
        if self.stored is not None and self.stored.seq == last.seq:
            self.snapshot = snapshot_of(live, last.seq, last.hash)
        if batch.key is not None:
            opened = tuple(TaskId(t) for t in live[ProcessState].tasks if t not in before)
            receipt = Receipt(case=self.case, seq=last.seq, head=last.hash, tasks=opened)
            told = StoredReceipt(fingerprint(batch.command()), _written(receipt))
            self.receipts[batch.key] = last.seq, told

    def wrong(self, transaction: Transaction) -> Iterator[Wrong]:
        """Compare with what the store keeps."""
        for table, how in ROWS.items():
            yield from self._wrong_rows(how, self.rows[table], transaction)
        if self.is_whole:
            yield from self._wrong_snapshot()
            yield from self._wrong_receipts(transaction)

    def _wrong_rows(
        self, how: RowsOf, computed: TableRows, transaction: Transaction
    ) -> Iterator[Wrong]:
        def wrong(place: tuple[Any, ...], detail: str) -> Wrong:
            detail = f"{how.table}{f' {place}' if place else ''}: {detail}"[:_LONGEST]
            return Wrong(kind="rows", table=how.table, key=place, seq=self.last, detail=detail)

        try:
            stored = _by_place(how, self.case, transaction)
        except StoreUnavailable:
            raise
        except Exception as unreadable:  # a driver's own: the values can't be what was written
            yield wrong((), repr(unreadable))
            return
        for place in dict.fromkeys((*computed, *stored)):
            found, told = stored.get(place), computed.get(place)
            if found != told:
                yield wrong(place, f"{found}; history {told}")

    def _wrong_snapshot(self) -> Iterator[Wrong]:
        stored, told = self.stored, self.snapshot
        if stored is None or stored == told or (told and is_of_another_release(stored, told)):
            return
        detail = (
            f"snapshots: there is no command that ends with event {stored.seq}"
            if told is None
            else f"snapshots: {_first_difference(stored.body, told.body)}"
        )
        yield Wrong(
            kind="snapshot", table="snapshots", key=(), seq=self._at(stored.seq), detail=detail
        )

    def _at(self, told: object) -> int:
        # A database may hold text where a number should stand.
        return min(told, self.last) if isinstance(told, int) else self.last

    def _wrong_receipts(self, transaction: Transaction) -> Iterator[Wrong]:
        stored = transaction.receipts(self.case)
        if stored is None:
            return
        for key, (seq, told) in self.told(transaction).items():
            found = stored.get(key)
            if found != told:
                yield _wrong_receipt(key, seq, f"{found}; history {told}")
        for key, found in stored.items():
            if key not in self.receipts and not self._is_of_nothing(found):
                yield _wrong_receipt(key, self.last, f"{found}; no command came under this key")

    def told(self, transaction: Transaction) -> dict[str, tuple[int, StoredReceipt]]:
        """Give the receipts as they must be: without hashes of requests once values are erased."""
        key = transaction.case_key(self.case)
        if key is None or key.secret is not None:
            return self.receipts
        return {
            name: (seq, StoredReceipt(_ERASED, told.receipt))
            for name, (seq, told) in self.receipts.items()
        }

    def _is_of_nothing(self, found: StoredReceipt) -> bool:
        """Tell whether a receipt says that a command changed nothing: such ones leave no event."""
        same = (Receipt(case=self.case, seq=s, head=h) for s, h in self.heads.items())
        return any(found.receipt == _written(receipt) for receipt in same)


def write_anew(derived: Derived, transaction: Transaction) -> list[Wrong]:
    """Put what follows from a history in place of what doesn't; the caller holds the case.

    The history has to have been proven before. A snapshot that is wrong goes: the next commands
    make another.

    Returns
    -------
    What was wrong.
    """
    found = list(derived.wrong(transaction))
    case = derived.case
    for table in dict.fromkeys(one.table for one in found if one.kind == "rows"):
        places = [one.key for one in found if one.table == table]
        transaction.replace_rows(case, _changes(derived, ROWS[table], places, transaction))
    kinds = {one.kind for one in found}
    if "snapshot" in kinds:
        transaction.drop_snapshot(case)
    if "receipt" in kinds:
        kept = transaction.receipts(case) or {}
        bad = {one.key[0] for one in found if one.kind == "receipt"}
        told = {key: receipt for key, (_, receipt) in derived.told(transaction).items()}
        good = {key: receipt for key, receipt in kept.items() if key not in bad}
        transaction.replace_receipts(case, {**good, **told})
    return found


def _changes(
    derived: Derived, how: RowsOf, places: list[tuple[Any, ...]], transaction: Transaction
) -> list[RowChange]:
    computed, key = derived.rows[how.table], ("case_id", *how.key)
    if () in places:  # what is there can't even be read
        gone = RowChange(how.table, "delete", ("case_id",), {"case_id": derived.case})
        return [gone, *(RowChange(how.table, "insert", key, row) for row in computed.values())]
    stored = _by_place(how, derived.case, transaction)
    changes = []
    for place in places:
        told = computed.get(place)
        if told is None:
            values = {"case_id": derived.case, **dict(zip(how.key, place, strict=True))}
            changes.append(RowChange(how.table, "delete", key, values))
        else:
            changes.append(
                RowChange(how.table, "update" if place in stored else "insert", key, told)
            )
    # Rows that go make room for those that come.
    return sorted(changes, key=lambda change: change.kind)


def _by_place(how: RowsOf, case: CaseId, transaction: Transaction) -> TableRows:
    return {tuple(row[c] for c in how.key): row for row in transaction.rows(case, how.table)}


def _written(receipt: Receipt) -> str:
    return chain.canonical(encode(receipt))


def _wrong_receipt(key: str, seq: int, detail: str) -> Wrong:
    detail = f"inbox {key}: {detail}"[:_LONGEST]
    return Wrong(kind="receipt", table="inbox", key=(key,), seq=seq, detail=detail)


def _first_difference(found: str, told: str) -> str:
    same = zip(found, told, strict=False)
    place = next((n for n, (a, b) in enumerate(same) if a != b), min(len(found), len(told)))
    shown = slice(max(0, place - 40), place + 40)
    return f"differs at sign {place}: {found[shown]!r}; history {told[shown]!r}"
