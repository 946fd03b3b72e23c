"""Bulletins of months, quarters and years: as data, as a draft, and issued under a number."""

from datetime import datetime
from typing import Any

from flask import Response
from marshmallow import fields

from api.attachments import file_answer
from api.context import is_first, now, office, person, reading, writing
from api.documents import DOCX, PDF
from api.fields import Answer, Choice, Day, DayOrInstant, Instant, Query, Request, Text
from api.openapi import KEY_PARAMETER, Noun
from api.people import require
from api.schemas import of
from api.service_schemas import FigureOut
from services.bulletins.issuing import Editor
from services.bulletins.periods import Period, period_of
from services.bulletins.queries import Bulletin
from services.documents import queries as papers
from services.documents.errors import DocumentNotFound
from services.documents.queries import OfficeDocument
from services.permissions import Action

bulletins = Noun("bulletins", __name__, "Bulletins and reports of the office.")

ALSO_DOCX = {200: {"content": {DOCX: {"schema": {"type": "string", "format": "binary"}}}}}

_PERIOD = of("such as `2026`, `2026-Q1` or `2026-03`")
_LONGEST = 40


class AsOfQuery(Query):
    """As of when; by default the end of the period, or now while it lasts."""

    as_of = DayOrInstant(load_default=None, metadata=of("as it stood then"))


class DraftQuery(AsOfQuery):
    """Which file."""

    format = Choice(("pdf", "docx"), load_default="pdf")


class LineOut(Answer):
    """Cases of one group: new and carried over are closed, cancelled or open."""

    key = fields.String(required=True, allow_none=True)
    new = fields.Integer(required=True)
    carried = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    cancelled = fields.Integer(required=True)
    open = fields.Integer(required=True)
    overdue = fields.Integer(required=True)
    red_lights = fields.Integer(required=True)
    rates = fields.List(fields.Nested(FigureOut), required=True)


class BreakdownOut(Answer):
    """Lines that add up to the whole."""

    by = fields.String(required=True)
    lines = fields.List(fields.Nested(LineOut), required=True)


class SourceLineOut(Answer):
    """New cases of one type from one kind of source."""

    case_type = fields.String(required=True)
    source_kind = fields.String(required=True)
    cases = fields.Integer(required=True)
    sources = fields.Integer(required=True, metadata=of("how many meetings, letters, papers"))


class OriginLineOut(Answer):
    """New cases of one origin, by the office's decision table `origins`."""

    origin = fields.String(required=True)
    label = fields.String(required=True)
    group = fields.String(required=True)
    cases = fields.Integer(required=True)
    sources = fields.Integer(required=True, metadata=of("how many meetings, letters, papers"))
    closed = fields.Integer(required=True)
    answered = fields.Integer(required=True)


class OverdueCaseOut(Answer):
    """A case that was overdue."""

    id = fields.String(required=True)
    number = fields.String(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    deadline = Instant(required=True, allow_none=True)


class RoundLineOut(Answer):
    """Measures of one kind."""

    round = fields.Integer(required=True)
    measure = fields.String(required=True)
    count = fields.Integer(required=True)
    units = fields.List(fields.String(), required=True)


class StepDaysOut(Answer):
    """How many days a step takes."""

    key = fields.String(required=True)
    count = fields.Integer(required=True)
    median = fields.Float(required=True)
    ninetieth = fields.Float(required=True)
    late = fields.Integer(required=True)


class RankedUnitOut(Answer):
    """A unit's points of the year."""

    unit = fields.String(required=True)
    name = fields.String(required=True)
    rank = fields.Integer(required=True)
    points = fields.Decimal(required=True, as_string=True)


class NamedTaskOut(Answer):
    """A task that is named."""

    case = fields.String(required=True)
    number = fields.String(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True)


class BulletinOut(Answer):
    """All that a bulletin says."""

    period = fields.String(required=True, attribute="period.name")
    title = fields.String(required=True, attribute="period.title")
    kind = fields.String(required=True, attribute="period.kind")
    first = Day(required=True, attribute="period.first")
    last = Day(required=True, attribute="period.last")
    as_of = Instant(required=True)
    whole = fields.Nested(LineOut, required=True)
    breakdowns = fields.List(fields.Nested(BreakdownOut), required=True)
    origins = fields.List(fields.Nested(OriginLineOut), required=True)
    sources = fields.List(fields.Nested(SourceLineOut), required=True)
    overdue = fields.List(fields.Nested(OverdueCaseOut), required=True)
    rounds = fields.List(fields.Nested(RoundLineOut), required=True)
    steps = fields.List(fields.Nested(StepDaysOut), required=True)
    scores = fields.List(fields.Nested(RankedUnitOut), required=True)
    missed = fields.List(fields.Nested(NamedTaskOut), required=True)
    praised = fields.List(fields.Nested(NamedTaskOut), required=True)


class BulletinIn(Request):
    """Which bulletin is issued."""

    period = Text(shortest=1, longest=_LONGEST, required=True, metadata=_PERIOD)


class IssuedOut(Answer):
    """A bulletin as issued."""

    id = fields.String(required=True)
    kind = fields.String(required=True)
    title = fields.String(required=True)
    number = fields.String(required=True)
    period_from = Day(required=True, allow_none=True)
    period_until = Day(required=True, allow_none=True)
    as_of = Instant(required=True, allow_none=True)
    issued_at = Instant(required=True)
    issued_by = fields.String(required=True)
    docx_sha256 = fields.String(required=True)
    pdf_sha256 = fields.String(required=True)


class IssuedList(Answer):
    """Bulletins issued."""

    items = fields.List(fields.Nested(IssuedOut), required=True)


class IssuedFileQuery(Query):
    """Which file."""

    format = Choice(("pdf", "docx"), load_default="pdf")


@bulletins.route("/bulletins/drafts/<ident:period>", methods=["GET"])
@bulletins.arguments(AsOfQuery, location="query")
@bulletins.response(200, BulletinOut)
def show(query: dict[str, Any], period: str) -> Bulletin:
    """Compute the bulletin of a month, quarter or year, such as 2026-Q1."""
    require(Action.STATISTICS)
    return _computed(period_of(period), query["as_of"])


@bulletins.route("/bulletins/drafts/<ident:period>/file", methods=["GET"])
@bulletins.doc(responses=ALSO_DOCX)
@bulletins.arguments(DraftQuery, location="query")
@bulletins.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
def show_draft(query: dict[str, Any], period: str) -> Response:
    """Give a bulletin as a file without a number."""
    require(Action.STATISTICS)
    found = _computed(period_of(period), query["as_of"])
    made = _editor().draft(found)
    content = made.pdf if query["format"] == "pdf" else made.docx
    return _file(content, found.period.title, query["format"])


@bulletins.route("/bulletins", methods=["POST"])
@bulletins.doc(parameters=[KEY_PARAMETER])
@bulletins.arguments(BulletinIn)
@bulletins.response(201, IssuedOut)
def issue(body: dict[str, Any]) -> OfficeDocument:
    """Issue the bulletin of a period under a number; one issued before stays as it is."""
    require(Action.REVIEW)
    with writing() as transaction:
        is_first(transaction)
    period = period_of(body["period"])
    return _editor().issue(_computed(period, None), by=person().id, at=now())


@bulletins.route("/bulletins", methods=["GET"])
@bulletins.response(200, IssuedList)
def show_issued() -> dict[str, Any]:
    """List the bulletins issued."""
    require(Action.STATISTICS)
    with reading() as transaction:
        items = [
            one
            for kind in ("bulletin", "quarterly_report", "annual_report")
            for one in papers.office_documents_of(transaction.connection, kind)
        ]
    return {"items": items}


@bulletins.route("/bulletins/<ident:bulletin>/file", methods=["GET"])
@bulletins.doc(responses=ALSO_DOCX)
@bulletins.arguments(IssuedFileQuery, location="query")
@bulletins.response(200, {"type": "string", "format": "binary"}, content_type=PDF)
def show_file(query: dict[str, Any], bulletin: str) -> Response:
    """Give the file of an issued bulletin, as it was issued."""
    require(Action.STATISTICS)
    with reading() as transaction:
        found = papers.office_document(transaction.connection, bulletin)
    if found is None:
        raise DocumentNotFound(document=bulletin)
    is_pdf = query["format"] == "pdf"
    kept = office().documents.files.read(found.pdf_sha256 if is_pdf else found.docx_sha256)
    return _file(b"".join(kept), f"{found.title} {found.number}", query["format"])


def _computed(period: Period, as_of: datetime | None) -> Bulletin:
    with reading() as transaction:
        calendar = office().calendar.get(transaction.connection)
    return _editor().compute(period, now(), calendar, as_of)


def _editor() -> Editor:
    return Editor(office().engine, office().documents, office().settings.zone)


def _file(content: bytes, title: str, form: str) -> Response:
    media_type = PDF if form == "pdf" else DOCX
    return file_answer(iter([content]), f"{title}.{form}", media_type, size_bytes=len(content))
