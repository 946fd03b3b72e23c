"""Import of a ledger: every row is checked first, and none is registered if any is bad."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine import Actor, CaseId, Engine, FieldError, Invalid, forms
from engine.definitions import Definition
from engine.errors import DefinitionNotFound
from engine.records import Json
from services.cases.commands import REGISTER, RegisterCase
from services.ledger.columns import TYPES, field_of, value_of
from services.ledger.errors import RowsRejected, SheetUnreadable
from services.ledger.sheets import Row, read_rows

HEADING_ROW = 1


@dataclass(frozen=True, slots=True)
class Item:
    """One row to register: its number in the file, the case type, the form's data."""

    row: int
    case_type: str
    data: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: the cases by row, and what is wrong with the others."""

    registered: tuple[tuple[int, str], ...]
    rejected: tuple[FieldError, ...]
    rows: int


class Importer:
    """Registers the rows of a ledger.

    Parameters
    ----------
    case_id : gives the id of a new case from a key.
    """

    def __init__(self, engine: Engine, case_id: Callable[[str], str]) -> None:
        self._engine = engine
        self._case_id = case_id
        self._definitions: dict[str, Definition | None] = {}

    def run(
        self,
        content: bytes,
        by: str,
        at: datetime,
        *,
        dry_run: bool = False,
        skip_bad: bool = False,
    ) -> Imported:
        """Check all rows, then register them; the same file again registers nothing twice.

        Parameters
        ----------
        dry_run : only check.
        skip_bad : register the good rows although others are bad; only when asked for.

        Raises
        ------
        RowsRejected : rows are bad and `skip_bad` isn't set; nothing was registered.
        SheetUnreadable : the file is no ledger.
        """
        items, wrong = self.check(content, at)
        if dry_run:
            return Imported((), tuple(wrong), len(items) + len({f.field for f in wrong}))
        if wrong and not skip_bad:
            raise RowsRejected(wrong, rows=len(wrong))
        digest = hashlib.sha256(content).hexdigest()[:32]
        registered = []
        for item in items:
            key = f"import:{digest}:{item.row}"
            case = self._case_id(f"{by}:{key}")
            try:
                self._engine.execute(self._command(item, CaseId(case), by, at), key=key)
            except Invalid as refusal:
                wrong.extend(_at_row(item.row, refusal.fields))
                continue
            registered.append((item.row, case))
        return Imported(tuple(registered), tuple(wrong), len(items))

    def check(self, content: bytes, at: datetime) -> tuple[list[Item], list[FieldError]]:
        """Read and check every row without registering any."""
        rows = list(read_rows(content))
        if not rows:
            raise SheetUnreadable(reason="empty")
        fields = _fields(rows[0])
        items, wrong = [], []
        for number, row in enumerate(rows[1:], start=HEADING_ROW + 1):
            if not any(cell.strip() for cell in row):
                continue
            item, faults = self._item(number, fields, row, at)
            wrong.extend(faults)
            if item is not None and not faults:
                items.append(item)
        return items, wrong

    def _item(
        self, number: int, fields: Sequence[str], row: Row, at: datetime
    ) -> tuple[Item | None, list[FieldError]]:
        cells = {f: cell.strip() for f, cell in zip(fields, row, strict=False) if cell.strip()}
        named = cells.pop("case_type", "")
        case_type = TYPES.get(named, named)
        definition = self._definition(case_type)
        if definition is None:
            return None, [FieldError(f"{number}.case_type", "unknown_case_type", {"value": named})]
        schema = definition.form(REGISTER)
        data = {field: value_of(field, text, schema) for field, text in cells.items()}
        try:
            forms.validate(schema, data)
        except Invalid as refusal:
            return None, _at_row(number, refusal.fields)
        if str(data["source_date"]) > at.date().isoformat():
            return None, [FieldError(f"{number}.source_date", "in_the_future")]
        return Item(number, case_type, data), []

    def _definition(self, case_type: str) -> Definition | None:
        if case_type not in self._definitions:
            try:
                self._definitions[case_type] = self._engine.library.current(case_type)[1]
            except DefinitionNotFound:
                self._definitions[case_type] = None
        return self._definitions[case_type]

    def _command(self, item: Item, case: CaseId, by: str, at: datetime) -> RegisterCase:
        return RegisterCase(
            case=case, by=Actor(by), at=at, definition=item.case_type, data=item.data
        )


def _fields(headings: Row) -> list[str]:
    fields, unknown = [], []
    for place, heading in enumerate(headings):
        field = field_of(heading)
        if field is None and heading.strip():
            unknown.append(FieldError(f"1.{place + 1}", "unknown_column", {"value": heading}))
        fields.append(field or "")
    if unknown:
        raise RowsRejected(unknown, rows=0)
    missing = {"case_type", "title"} - set(fields)
    if missing:
        raise SheetUnreadable(reason="headings")
    return fields


def _at_row(number: int, fields: Sequence[FieldError]) -> list[FieldError]:
    return [FieldError(f"{number}.{f.field}", f.code, f.facts) for f in fields]


def summary(result: Imported) -> Mapping[str, Any]:
    """Give the result as plain values for a program."""
    return {
        "rows": result.rows,
        "registered": [{"row": row, "case": case} for row, case in result.registered],
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
