"""Logs for process mining, and the figures of the heat map."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from flask import Response
from marshmallow import fields

from api.context import now, office, person, reading
from api.fields import Answer, Choice, DayOrInstant, Query, Text
from api.openapi import Noun
from api.people import require
from api.schemas import LONGEST_ID, of
from engine import CaseId
from engine.records import Json
from services.mining.conformance import conformance_json
from services.mining.figures import figures_json
from services.mining.ocel_json import write_ocel_json
from services.mining.queries import Wanted, cases_wanted
from services.mining.reading import logs
from services.mining.together import figures_together
from services.mining.xes import write_xes
from services.permissions import Action, visible_cases
from services.permit import NotPermitted
from services.replay.again import verify_all

mining = Noun("mining", __name__, "Histories as data for process mining.")

XES, OCEL = "application/xml", "application/json"
_IN_MEMORY_BYTES = 8_000_000
_PIECE_BYTES = 1 << 16


class LogQuery(Query):
    """Which cases: of a type, registered from `since` to `until`."""

    type = Text(longest=LONGEST_ID, load_default=None)
    since = DayOrInstant(load_default=None)
    until = DayOrInstant(load_default=None)


class ExportQuery(LogQuery):
    """Which cases, and how closely they are told."""

    detail = Choice(
        ("tasks", "all"),
        load_default="tasks",
        metadata=of("finished tasks and jobs, or every element that was passed"),
    )


class FiguresOut(Answer):
    """Frequencies and durations, in seconds, by element, flow, pair of tasks and path."""

    cases = fields.Integer(required=True)
    elements = fields.List(fields.Dict(keys=fields.String()), required=True)
    flows = fields.List(fields.Dict(keys=fields.String()), required=True)
    directly_follows = fields.List(fields.Dict(keys=fields.String()), required=True)
    paths = fields.List(fields.Dict(keys=fields.String()), required=True)
    bottlenecks = fields.List(fields.Dict(keys=fields.String()), required=True)
    rework = fields.List(fields.Dict(keys=fields.String()), required=True)


class ConformanceOut(Answer):
    """How far histories follow their model."""

    cases = fields.Integer(required=True)
    conforming = fields.Integer(required=True)
    fitness = fields.Float(required=True, allow_none=True)
    deviations = fields.List(fields.Dict(keys=fields.String()), required=True)
    of_cases = fields.List(fields.Dict(keys=fields.String()), required=True)


@mining.route("/mining/figures", methods=["GET"])
@mining.arguments(LogQuery, location="query")
@mining.response(200, FiguresOut)
def show_figures(query: dict[str, Any]) -> dict[str, Json]:
    """Give figures of the cases you may see: bottlenecks, rework, paths, data for the heat map."""
    require(Action.STATISTICS)
    return figures_json(figures_together(office().settings, _cases(query), now()))


@mining.route("/mining/conformance", methods=["GET"])
@mining.arguments(LogQuery, location="query")
@mining.response(200, ConformanceOut)
def show_conformance(query: dict[str, Any]) -> dict[str, Json]:
    """Run cases again on their model; tell where they part from it."""
    _require_everything()
    return conformance_json(verify_all(office().settings, _cases(query)))


@mining.route("/mining/log.xes", methods=["GET"])
@mining.arguments(ExportQuery, location="query")
@mining.response(200, {"type": "string"}, content_type=XES)
def export_xes(query: dict[str, Any]) -> Response:
    """Export histories as XES (IEEE 1849-2023)."""
    _require_everything()
    read, zone = logs(office().engine, _cases(query), query["detail"]), office().settings.zone
    return _sent(lambda file: write_xes(read, file, zone=zone), XES, "duban.xes")


@mining.route("/mining/log.jsonocel", methods=["GET"])
@mining.arguments(ExportQuery, location="query")
@mining.response(200, {"type": "object"}, content_type=OCEL)
def export_ocel(query: dict[str, Any]) -> Response:
    """Export histories as OCEL 2.0 in JSON."""
    _require_everything()
    read = logs(office().engine, _cases(query), query["detail"])
    return _sent(lambda file: write_ocel_json(read, file), OCEL, "duban.jsonocel")


def _require_everything() -> None:
    """Refuse who doesn't read every history: a log tells of all of them."""
    require(Action.READ_HISTORY)
    if not visible_cases(person()).everything:
        raise NotPermitted(reason="relation")


def _cases(query: dict[str, Any]) -> list[CaseId]:
    wanted = Wanted(query["type"], query["since"], query["until"])
    with reading() as transaction:
        return cases_wanted(transaction.connection, wanted, visible_cases(person()))


def _sent(write: Callable[[IO[bytes]], int], kind: str, name: str) -> Response:
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 -- closed when sent
    write(file)
    file.seek(0)
    response = Response(_pieces(file), mimetype=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
