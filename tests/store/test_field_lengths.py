"""What a form lets in fits the column it lands in: PostgreSQL refuses what SQLite lets pass."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.rows import ROWS
from engine.store.tables import metadata
from tests.helpers.offices import (
    BPMN,
    Place,
    postgres_place,
    registration,
    sqlite_place,
)
from tests.migration import import_all_tables

OTHER_THINGS = {
    ("case_measures", "measure"): "which measure was issued; the field tells what was done",
    ("efficiency_measures", "measure"): "which measure was issued; the field tells what was done",
    ("documents", "cause"): "why a paper was asked for, a word of the program",
    ("documents", "name"): "what the kind of paper is called; the field names a person",
    ("erasures", "decision"): "carried out or refused; the field belongs to a leader's answer",
    ("rhythm_rounds", "period"): "a quarter or month; the field is a length of time",
}
"""Columns that only share a field's name."""


def fields_of(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Give every text field of a form, parts of lists included, with its schema."""
    if not isinstance(schema, dict):
        return
    if name and schema.get("type") == "string":
        yield name, schema
    for field, below in schema.get("properties", {}).items():
        yield from fields_of(below, field)
    yield from fields_of(schema.get("items"), name)
    for part in ("allOf", "anyOf", "oneOf"):
        for below in schema.get(part, []):
            yield from fields_of(below)
    for part in ("if", "then", "else"):
        yield from fields_of(schema.get(part))


def longest(field: dict[str, Any]) -> int | None:
    """Give how long a field's value can be; `None` when something else than its length binds it."""
    if "enum" in field:
        return max(len(value) for value in field["enum"])
    if field.get("format") in ("date", "date-time") or "x-refers-to" in field:
        return None
    length = field.get("maxLength")
    return None if length is None else int(length)


FORMS = sorted(BPMN.glob("*/forms/*.json"))


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.parent.parent.name}/{f.stem}")
def test_what_a_form_lets_in_fits_every_column_of_the_same_name(form: Path) -> None:
    import_all_tables()
    schema = json.loads(form.read_text("utf-8"))

    too_long = [
        (table, name, longest(field), column.type.length)
        for name, field in fields_of(schema)
        for table in ROWS
        for column in [metadata.tables[table].c.get(name)]
        if column is not None and isinstance(column.type, sa.String)
        if (table, name) not in OTHER_THINGS
        if column.type.length is not None and (longest(field) or 0) > column.type.length
    ]

    assert too_long == []


@pytest.mark.parametrize("make", [sqlite_place, postgres_place], ids=["sqlite", "postgresql"])
def test_a_registration_as_long_as_its_form_allows_is_in_the_register_as_it_is(
    make: Any,  # noqa: ANN401 -- one of two makers of places
    tmp_path: Path,
) -> None:
    place: Place = make(tmp_path / "office")
    schema = json.loads((BPMN / "leader_instruction/forms/register.json").read_text("utf-8"))
    texts = {
        name: "督" * int(field["maxLength"])
        for name, field in schema["properties"].items()
        if field.get("type") == "string" and "enum" not in field
        if "maxLength" in field and name not in ("parent", "source_date")
    }

    case = place.execute(registration(place, "long", source_date="2026-03-01", **texts)).case

    with place.office.store.transaction(write=False) as transaction:
        (row,) = transaction.rows(case, "register")
    place.office.close()
    assert {name: row[name] for name in texts if name in row} == {
        name: text for name, text in texts.items() if name in row
    }
    assert row["source_date"] == date(2026, 3, 1)
    assert {"title", "issuer", "source_number"} <= set(texts)
