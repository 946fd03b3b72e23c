"""One case in a real database, altered and mended again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from engine import CaseId, Verification
from engine.rows import ROWS
from engine.store import StoredEvent
from engine.store.tables import cases, events, metadata
from tests.helpers.offices import (
    Place,
)
from tests.helpers.tampering import (
    raw,
    rehashed,
    with_body,
)

COLUMNS = ("seq", "type", "at", "body", "salts", "hash")


def columns_of(stored: StoredEvent) -> dict[str, Any]:
    """Give what stands in an event's row."""
    return {name: getattr(stored, name) for name in COLUMNS}


class Archive:
    """One case of some 70 events in a real database, altered and mended again."""

    def __init__(self, place: Place, case: CaseId) -> None:
        self.place = place
        self.case = case
        self.history = place.office.engine.history.stored(case)
        self.length = len(self.history)
        with place.office.store.transaction(write=False) as transaction:
            self.rows = {
                name: [
                    dict(row)
                    for row in transaction.connection.execute(
                        sa.select(metadata.tables[name])
                    ).mappings()
                ]
                for name in ("cases", "case_keys", *ROWS)
            }

    def verify(self) -> Verification:
        return self.place.office.engine.history.verify(self.case)

    @property
    def found(self) -> tuple[int | None, str | None]:
        """Give what verification names: the first bad event and the fault."""
        proof = self.verify()
        return proof.first_bad, proof.fault

    def run(self, statement: sa.Executable, rows: Any = None) -> None:  # noqa: ANN401
        with self.place.office.store.transaction() as transaction:
            transaction.connection.execute(statement, rows)

    def write(self, number: int, /, **values: object) -> None:
        """Change columns of one event."""
        self.run(sa.update(events).where(*self._at(number)).values(**values))

    def write_raw(self, column: str, seq: int, value: str) -> None:
        """Write an SQL literal into one event, past all conversions."""
        text = f"UPDATE events SET {column} = {value} WHERE case_id = :case AND seq = :seq"  # noqa: S608
        self.run(sa.text(text), {"case": self.case, "seq": seq})

    def mend(self, history: list[StoredEvent] | None = None, head: str | None = None) -> None:
        """Write a whole history and its head."""
        rows = [{"case_id": self.case, **columns_of(one)} for one in history or self.history]
        with self.place.office.store.transaction() as transaction:
            connection = transaction.connection
            connection.execute(sa.delete(events).where(events.c.case_id.like(f"{self.case}%")))
            connection.execute(sa.insert(events), rows)
            values = {"head": head or rows[-1]["hash"]}
            connection.execute(
                sa.update(cases).where(cases.c.case_id == self.case).values(**values)
            )

    def write_rows(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Write all rows of a table."""
        with self.place.office.store.transaction() as transaction:
            transaction.connection.execute(sa.delete(metadata.tables[table]))
            if rows:
                transaction.connection.execute(sa.insert(metadata.tables[table]), rows)

    def mend_rows(self) -> None:
        """Write the rows of all tables as they were at first."""
        for table, rows in self.rows.items():
            self.write_rows(table, rows)

    def forge(self, seq: int, envelope: Mapping[str, Any]) -> None:
        """Change an event's envelope and compute the whole chain anew."""
        changed = list(self.history)
        changed[seq - 1] = with_body(changed[seq - 1], envelope)
        self.mend(rehashed(changed, seq))

    @property
    def asked(self) -> set[tuple[int, str | int]]:
        """Give event number and field of what the commands themselves said.

        Running a command again can't tell that it asked for something else; the signed root of
        the day can.
        """
        found: set[tuple[int, str | int]] = set()
        for stored in self.history:
            record = raw(stored)["command"]
            if record is not None:
                found |= {(stored.seq + place, name) for name, place in record["same"].items()}
        return found

    def batch_of(self, seq: int) -> range:
        """Give the numbers of the events that came of the same command."""
        starts = [s.seq for s in self.history if raw(s)["command"] is not None]
        first = max(start for start in starts if start <= seq)
        after = min((start for start in starts if start > seq), default=self.length + 1)
        return range(first, after)

    def _at(self, seq: int) -> tuple[sa.ColumnElement[bool], ...]:
        return events.c.case_id == self.case, events.c.seq == seq
