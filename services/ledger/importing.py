"""Import of a ledger: every row is checked first, and none is registered if any is bad."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine import Actor, CaseId, Engine, FieldError, Invalid, forms
from engine.chain import canonical
from engine.definitions import Definition
from engine.errors import CaseExists, DefinitionNotFound, KeyReused
from engine.form_checks import Schema
from engine.records import Json
from services.cases.commands import REGISTER, RegisterCase
from services.ledger import queries
from services.ledger.columns import CASE_TYPE, PARENT, Headings, fault, headings_of, value_of
from services.ledger.errors import RowsRejected, SheetUnreadable
from services.ledger.sheets import Row, read_rows

HEADING_ROW = 1
NEEDED = (CASE_TYPE, "title")

IsKnown = Callable[[str, Json], bool]
"""Tells whether something exists outside the case, such as ``("user", "deputy.1")``."""


@dataclass(frozen=True, slots=True)
class Item:
    """One row to register: its number in the file, the case's id, its type, the form's data."""

    row: int
    case: CaseId
    case_type: str
    data: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Registered:
    """A row and the case it became; the number is `None` in a dry run."""

    row: int
    case: str
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of an import, or would come of it."""

    rows: int
    good: int
    registered: tuple[Registered, ...] = ()
    already: tuple[Registered, ...] = ()
    """Rows that an import registered before; they aren't registered again."""
    rejected: tuple[FieldError, ...] = ()


class Importer:
    """Registers the rows of a ledger.

    A row is known again by what it says, not by the file it came in: the same ledger sent twice,
    saved anew or grown by some rows registers nothing twice. Rows that say exactly the same
    within one file are as many cases.
    """

    def __init__(self, engine: Engine, zone: ZoneInfo, is_known: IsKnown) -> None:
        self._engine = engine
        self._zone = zone
        self._is_known = is_known

    def run(
        self,
        content: bytes,
        by: str,
        at: datetime,
        *,
        dry_run: bool = False,
        skip_bad: bool = False,
    ) -> Imported:
        """Check all rows, then register them, a transaction each.

        Broken off half-way, such as by a power cut, the same file again registers the rest.

        Parameters
        ----------
        dry_run : only check.
        skip_bad : register the good rows although others are bad; only when asked for.

        Raises
        ------
        RowsRejected : rows are bad and `skip_bad` isn't set; nothing was registered.
        SheetUnreadable : the file is no ledger.
        """
        sheet = _Sheet(self._engine, self._zone, self._is_known)
        items, wrong, rows = sheet.read(content, at)
        known = self._numbers(item.case for item in items)
        already = tuple(Registered(i.row, i.case, known[i.case]) for i in items if i.case in known)
        fresh = [item for item in items if item.case not in known]
        if dry_run:
            return Imported(rows=rows, good=len(items), already=already, rejected=tuple(wrong))
        if wrong and not skip_bad:
            raise RowsRejected(wrong, rows=len({one.field.partition(".")[0] for one in wrong}))
        refused = [error for item in fresh for error in self._register(item, sheet, by, at)]
        numbers = self._numbers(item.case for item in fresh)
        registered = [
            Registered(item.row, item.case, numbers[item.case])
            for item in fresh
            if item.case in numbers
        ]
        return Imported(
            rows=rows,
            good=len(items),
            registered=tuple(registered),
            already=already,
            rejected=(*wrong, *refused),
        )

    def _register(self, item: Item, sheet: "_Sheet", by: str, at: datetime) -> Sequence[FieldError]:
        ask = RegisterCase(
            case=item.case, by=Actor(by), at=at, definition=item.case_type, data=item.data
        )
        try:
            # Somebody else who imports the same row at this moment is as good.
            with suppress(KeyReused, CaseExists):
                self._engine.execute(ask, key=f"import:{item.case}")
        except Invalid as refusal:
            return [fault(item.row, sheet.fields, error) for error in refusal.fields]
        return ()

    def _numbers(self, cases: Iterable[CaseId]) -> dict[str, str]:
        with self._engine.store.transaction(write=False) as transaction:
            return queries.numbers_of(transaction.connection, list(cases))


class _Sheet:
    """One file being read: what its columns mean, and what is wrong so far."""

    def __init__(self, engine: Engine, zone: ZoneInfo, is_known: IsKnown) -> None:
        self._engine = engine
        self._zone = zone
        self._is_known = is_known
        self._answers: dict[tuple[str, str], bool] = {}
        self.fields: list[str] = []
        with engine.store.transaction(write=False) as transaction:
            deployments = transaction.deployments()
        self._names = {d.title: d.key for d in deployments if d.active}
        self._definitions: dict[str, Definition] = {}
        for key in sorted({d.key for d in deployments}):
            with suppress(DefinitionNotFound):
                self._definitions[key] = engine.library.current(key)[1]
        self._names |= {d.name: key for key, d in self._definitions.items()}
        # The same object each time: checks are compiled once per schema object.
        self._forms = {key: d.form(REGISTER) for key, d in self._definitions.items()}

    def read(self, content: bytes, at: datetime) -> tuple[list[Item], list[FieldError], int]:
        """Give what can be registered, what is wrong, and how many rows there are."""
        rows = list(read_rows(content))
        if not rows:
            raise SheetUnreadable(reason="empty")
        self.fields = self._columns(rows[0])
        told = list(enumerate(rows[1:], start=HEADING_ROW + 1))
        filled = [(number, row) for number, row in told if any(cell.strip() for cell in row)]
        parents = self._parents(row for _, row in filled)
        items: list[Item] = []
        wrong: list[FieldError] = []
        seen: Counter[str] = Counter()
        day = at.astimezone(self._zone).date().isoformat()
        for number, row in filled:
            case_type, data, faults = self._checked(self._cells(row), parents, day)
            wrong += [
                fault(number, self.fields, error) for error in sorted(faults, key=self._place)
            ]
            if not faults:
                said = canonical([case_type, data])
                items.append(Item(number, _case_id(said, seen[said]), case_type, data))
                seen[said] += 1
        return items, wrong, len(filled)

    def _place(self, error: FieldError) -> int:
        column = error.field.partition(".")[0]
        return self.fields.index(column) if column in self.fields else len(self.fields)

    def _columns(self, headings: Row) -> list[str]:
        known: Headings = headings_of(self._forms.values())
        fields = [known.field_of(heading) or "" for heading in headings]
        unknown = [
            FieldError(f"{HEADING_ROW}.{heading}", "unknown_column", {"value": heading})
            for heading, field in zip(headings, fields, strict=True)
            if heading.strip() and not field
        ]
        twice = [
            FieldError(f"{HEADING_ROW}.{heading}", "column_twice", {"value": heading})
            for heading, field in zip(headings, fields, strict=True)
            if field and fields.count(field) > 1
        ]
        if not set(NEEDED) <= set(fields):
            raise SheetUnreadable(reason="headings")
        if unknown or twice:
            raise RowsRejected([*unknown, *twice], rows=1)
        return fields

    def _cells(self, row: Row) -> dict[str, str]:
        told = zip(self.fields, row, strict=False)
        return {field: cell.strip() for field, cell in told if field and cell.strip()}

    def _parents(self, rows: Iterable[Row]) -> dict[str, str]:
        if PARENT not in self.fields:
            return {}
        numbers = {self._cells(row).get(PARENT, "") for row in rows} - {""}
        with self._engine.store.transaction(write=False) as transaction:
            connection: Any = transaction.connection
            ids = dict(queries.ids_of(connection, numbers))
            return ids | {case: case for case in queries.numbers_of(connection, list(numbers))}

    def _checked(
        self, cells: dict[str, str], parents: dict[str, str], day: str
    ) -> tuple[str, dict[str, Json], list[FieldError]]:
        named = cells.pop(CASE_TYPE, "")
        case_type = self._names.get(named, named)
        if case_type not in self._definitions:
            return case_type, {}, [FieldError(CASE_TYPE, "unknown_case_type", {"value": named})]
        schema = self._forms[case_type]
        data = {field: value_of(field, cell, schema, case_type) for field, cell in cells.items()}
        faults: list[FieldError] = []
        if PARENT in data:
            data[PARENT] = parents.get(cells[PARENT], "")
            if not data[PARENT]:
                faults.append(FieldError(PARENT, "unknown_case", {"value": cells[PARENT]}))
                del data[PARENT]
        try:
            forms.validate(schema, data)
        except Invalid as refusal:
            return case_type, data, [*faults, *refusal.fields]
        if str(data["source_date"]) > day:
            faults.append(FieldError("source_date", "in_the_future"))
        return case_type, data, [*faults, *self._unknown(schema, data)]

    def _unknown(self, schema: Schema, data: dict[str, Json]) -> list[FieldError]:
        found = []
        for pointer, kind, value in forms.references(schema, data):
            place = (kind, str(value))
            if place not in self._answers:
                self._answers[place] = self._is_known(kind, value)
            if not self._answers[place]:
                path = pointer.lstrip("/").replace("/", ".")
                found.append(FieldError(path, f"unknown_{kind}", {"value": value}))
        return found


def _case_id(said: str, occurrence: int) -> CaseId:
    digest = hashlib.sha256(f"import\0{said}\0{occurrence}".encode()).digest()
    return CaseId("c" + base64.b32encode(digest).decode().lower()[:20])


def summary(result: Imported) -> dict[str, Json]:
    """Give the result as plain values for a program."""

    def cases(found: Iterable[Registered]) -> list[dict[str, Json]]:
        return [{"row": one.row, "case": one.case, "number": one.number} for one in found]

    return {
        "rows": result.rows,
        "good": result.good,
        "registered": cases(result.registered),
        "already": cases(result.already),
        "rejected": [
            {
                "row": int(f.field.partition(".")[0]),
                "column": f.field.partition(".")[2],
                "code": f.code,
                "facts": f.facts,
            }
            for f in result.rejected
        ],
    }
