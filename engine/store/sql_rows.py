"""Rows of read tables, written and read with the same few statements for every table."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Update, and_, bindparam, null, select

from engine.ids import CaseId
from engine.rows import RowChange
from engine.store.tables import metadata


def write_rows(connection: Connection, changes: Iterable[RowChange]) -> None:
    """Write changed rows, those of one table and kind together."""
    for (name, kind), group in groupby(changes, key=lambda c: (c.table, c.kind)):
        batch = list(group)
        statement = _row_statement(name, kind, batch[0].key)
        if kind == "insert":
            connection.execute(statement, [c.values for c in batch])
        else:
            connection.execute(
                statement, [{f"p_{n}": v for n, v in c.values.items()} for c in batch]
            )


def read_rows(connection: Connection, case: CaseId, table: str) -> list[dict[str, Any]]:
    """Give a case's rows without the operational columns."""
    wanted = metadata.tables[table]
    columns = [c for c in wanted.columns if not c.info.get("operational")]
    found = connection.execute(select(*columns).where(wanted.c.case_id == case))
    return [dict(row._mapping) for row in found]


@cache
def _row_statement(name: str, kind: str, key: tuple[str, ...]) -> Insert | Update | Delete:
    table = metadata.tables[name]
    if kind == "insert":
        return table.insert()
    here = and_(*(table.c[c] == bindparam(f"p_{c}") for c in key))
    if kind == "delete":
        return table.delete().where(here)
    values: dict[str, Any] = {
        c.name: bindparam(f"p_{c.name}")
        for c in table.columns
        if c.name not in key and not c.info.get("operational")
    }
    # What was claimed isn't what it was: nobody holds the new one.
    values |= {c.name: null() for c in table.columns if c.info.get("lease")}
    return table.update().where(here).values(values)
