"""The ledger: the register as a table, out to Excel or CSV and back in."""

from dataclasses import replace
from typing import Any

from flask import Response, request
from marshmallow import fields

from api.answers import read_lookups
from api.attachments import file_answer
from api.cases import filter_of
from api.context import glance, is_first, now, office, person, reader, reading, writing
from api.fields import Answer, Choice, Query, Switch
from api.openapi import KEY_PARAMETER, Noun
from api.people import require
from api.schemas import CaseQuery, of
from engine import FieldError, Invalid
from engine.records import Json
from services.ledger import exporting, queries
from services.ledger.importing import Imported, Importer
from services.ledger.words import labels_of
from services.people import queries as people
from services.permissions import Action

ledger = Noun("ledger", __name__, "The register as a table: Excel and CSV, out and in.")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"

UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


class ImportQuery(Query):
    """How to import."""

    dry_run = Switch(load_default=False, metadata=of("only check"))
    skip_bad = Switch(load_default=False, metadata=of("register good rows although others are bad"))


class RowRegistered(Answer):
    """A row, and the case it is."""

    row = fields.Integer(required=True)
    case = fields.String(required=True)
    number = fields.String(required=True, allow_none=True)


class RowRejected(Answer):
    """What is wrong with a row."""

    row = fields.Integer(required=True)
    column = fields.String(required=True, metadata=of("the form's field, or the heading"))
    cell = fields.String(required=True, allow_none=True, metadata=of("such as `E7`"))
    code = fields.String(required=True)
    message = fields.String(required=True)


class ImportOut(Answer):
    """What came of an import, or would come of it."""

    rows = fields.Integer(required=True)
    good = fields.Integer(required=True)
    registered = fields.List(fields.Nested(RowRegistered), required=True)
    already = fields.List(
        fields.Nested(RowRegistered), required=True, metadata=of("registered by an import before")
    )
    rejected = fields.List(fields.Nested(RowRejected), required=True)


class ExportQuery(CaseQuery):
    """Which cases, and as which kind of file."""

    format = Choice(("xlsx", "csv"), load_default="xlsx")


@ledger.route("/cases/import", methods=["POST"])
@ledger.doc(parameters=[KEY_PARAMETER], requestBody=UPLOAD)
@ledger.arguments(ImportQuery, location="query")
@ledger.response(200, ImportOut)
def take_in(query: dict[str, Any]) -> dict[str, Json]:
    """Register the rows of a ledger: all of them, or none if any is bad.

    A row that was imported before isn't registered again, whatever file it comes in.
    """
    require(Action.REGISTER)
    with writing() as transaction:
        first = is_first(transaction)
    result = importer().run(
        _sent(),
        person().id,
        now(),
        dry_run=query["dry_run"],
        skip_bad=query["skip_bad"],
    )
    if not first:
        # The same request again: what it registered the first time.
        result = replace(result, registered=(*result.already, *result.registered), already=())
    return _as_answer(result)


@ledger.route("/cases/export", methods=["GET"])
@ledger.doc(responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}})
@ledger.arguments(ExportQuery, location="query")
@ledger.response(200, {"type": "string", "format": "binary"}, content_type=XLSX)
def give_out(query: dict[str, Any]) -> Response:
    """Give the cases you may see as a table, filtered as the register is."""
    language, zone = reader().language, office().settings.zone
    with reading() as transaction:
        connection = transaction.connection
        units = {unit.code: unit.name for unit in people.units(connection)}
        found = queries.every_case(connection, glance(transaction), filter_of(query))
        label = labels_of(office().engine, language)
        rows = exporting.rows_of(found, units, label, zone)
    is_csv = query["format"] == "csv"
    content = (exporting.as_csv if is_csv else exporting.excel)(rows, language)
    day = now().astimezone(zone).date()
    return file_answer(
        iter([content]),
        f"督查台账{day:%Y%m%d}.{query['format']}",
        CSV if is_csv else XLSX,
        size_bytes=len(content),
    )


def importer() -> Importer:
    """Give what imports into this installation."""

    def is_known(kind: str, value: Json) -> bool:
        with reading() as transaction:
            return bool(read_lookups(transaction)[f"is_{kind}"](value))

    return Importer(office().engine, office().settings.zone, is_known)


def _sent() -> bytes:
    if request.mimetype != "multipart/form-data":
        return request.get_data()
    file = request.files.get("file")
    if file is None:
        raise Invalid([FieldError("file", "required")])
    return file.stream.read()


def _as_answer(result: Imported) -> dict[str, Json]:
    rejected: list[dict[str, Json]] = []
    for error in result.rejected:
        row, _, column = error.field.partition(".")
        rejected.append(
            {
                "row": int(row),
                "column": column,
                "cell": error.facts.get("cell"),
                "code": error.code,
                "message": reader().field(error),
            }
        )
    return {
        "rows": result.rows,
        "good": result.good,
        "registered": result.registered,
        "already": result.already,
        "rejected": rejected,
    }
