"""Cases at any point in time: pictures, differences, proof by running again, the register then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response
from marshmallow import fields

from api.answers import states_of
from api.audit_schemas import REMEDIES_TOLD
from api.cases import visible_case
from api.context import glance, now, office, person, reader, reading
from api.fields import Answer, Choice, DayOrInstant, Instant, Query, Text, Whole
from api.openapi import Noun
from api.people import require
from api.schemas import LONGEST_ID, StateQuery, of
from engine import CaseId
from engine.records import Json
from services.audit.queries import may_read
from services.cases.queries import facts
from services.deadlines.queries import LIGHTS
from services.permissions import Action, NotAllowed, Reach, visible_cases
from services.permit import NotPermitted
from services.replay.again import report_json, report_of
from services.replay.differences import between, differences_json
from services.replay.drawing import draw, pages
from services.replay.moment import moment
from services.replay.queries import RegisterThen, looks_at, register_as_of

replay = Noun("replay", __name__, "Cases, and the whole office, as they stood at any instant.")

SVG = "image/svg+xml"
_MOST = 2**31 - 1


class DiagramQuery(StateQuery):
    """Which diagram, and when."""

    process = Text(
        longest=LONGEST_ID, load_default=None, metadata=of("a called process or a sub-process")
    )
    scope = Text(longest=LONGEST_ID, load_default=None, metadata=of("one call of it only"))


class PageOut(Answer):
    """A diagram that a case can be shown on."""

    process = fields.String(required=True)
    name = fields.String(required=True)


class PagesOut(Answer):
    """The diagrams of a case, its own first."""

    items = fields.List(fields.Nested(PageOut), required=True)


class BetweenQuery(Query):
    """From which point to which; without `to_…` until now."""

    from_seq = Whole(least=1, most=_MOST, load_default=None)
    from_at = Instant(load_default=None)
    to_seq = Whole(least=1, most=_MOST, load_default=None)
    to_at = Instant(load_default=None)


class PointOut(Answer):
    """A point in a history."""

    seq = fields.Integer(required=True)
    at = fields.String(required=True)


class ChangeOut(Answer):
    """One thing that changed."""

    place = fields.List(fields.String(), required=True)
    before = fields.Raw(required=True, allow_none=True)
    after = fields.Raw(required=True, allow_none=True)


class EventBetween(Answer):
    """One event that lies between."""

    seq = fields.Integer(required=True)
    at = fields.String(required=True)
    type = fields.String(required=True)
    by = fields.String(required=True)
    acting_for = fields.String(required=True, allow_none=True)


class DifferencesOut(Answer):
    """What changed between two points."""

    case = fields.String(required=True)
    from_ = fields.Nested(PointOut, required=True, data_key="from", attribute="from")
    to = fields.Nested(PointOut, required=True)
    changes = fields.List(fields.Nested(ChangeOut), required=True)
    events = fields.List(fields.Nested(EventBetween), required=True)


class ReportOut(Answer):
    """Whether a history is whole; if not, the first difference with both values."""

    case = fields.String(required=True)
    ok = fields.Boolean(required=True)
    events = fields.Integer(required=True)
    first_bad = fields.Integer(required=True, allow_none=True)
    fault = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    type = fields.String(required=True, allow_none=True)
    command = fields.String(required=True, allow_none=True)
    element = fields.String(required=True, allow_none=True)
    fields_ = fields.List(fields.String(), required=True, data_key="fields", attribute="fields")
    recorded = fields.String(required=True, allow_none=True)
    again = fields.String(required=True, allow_none=True)
    table = fields.String(required=True, allow_none=True)
    remedy = fields.String(required=True, allow_none=True, metadata=of(REMEDIES_TOLD))


class AsOfQuery(Query):
    """The register of which day or instant."""

    at = DayOrInstant(required=True)
    light = Choice(LIGHTS, load_default=None)
    status = Text(longest=20, load_default=None)
    unit = Text(longest=40, load_default=None)


class CaseThen(Answer):
    """A case as the register showed it then."""

    id = fields.String(required=True)
    seq = fields.Integer(required=True)
    number = fields.String(required=True)
    case_type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.String(required=True)
    light = fields.String(required=True)
    lead_unit = fields.String(required=True, allow_none=True)
    deadline = Instant(required=True, allow_none=True)
    registered_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    escalation_round = fields.Integer(required=True, allow_none=True)


class RegisterOut(Answer):
    """The whole register of an instant; `counts` are by light."""

    at = Instant(required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    items = fields.List(fields.Nested(CaseThen), required=True)


class LookOut(Answer):
    """Somebody's look at a case."""

    at = Instant(required=True)
    user = fields.String(required=True)
    request = fields.String(required=True)
    outcome = fields.String(required=True)


class LooksOut(Answer):
    """Who looked at a case, the last look first."""

    items = fields.List(fields.Nested(LookOut), required=True)


@replay.route("/cases/<ident:case>/diagram.svg", methods=["GET"])
@replay.arguments(DiagramQuery, location="query")
@replay.response(200, {"type": "string"}, content_type=SVG)
def show_diagram(query: dict[str, Any], case: str) -> Response:
    """Draw a case on its diagram after an event, at an instant, or as it stands."""
    require_record(case, Action.REPLAY)
    then = moment(office().engine, CaseId(case), seq=query["seq"], at=query["at"])
    with reading() as transaction:
        picture = draw(
            then,
            query["process"],
            zone=office().settings.zone,
            scope=query["scope"],
            language=reader().language,
            yellow_from=glance(transaction).yellow_from,
        )
    return Response(picture, mimetype=SVG)


@replay.route("/cases/<ident:case>/diagrams", methods=["GET"])
@replay.arguments(StateQuery, location="query")
@replay.response(200, PagesOut)
def show_pages(query: dict[str, Any], case: str) -> dict[str, Json]:
    """List the diagrams a case has been on: its own, and those of processes it called."""
    require_record(case, Action.REPLAY)
    then = moment(office().engine, CaseId(case), seq=query["seq"], at=query["at"])
    return {"items": [{"process": process, "name": name} for process, name in pages(then)]}


@replay.route("/cases/<ident:case>/differences", methods=["GET"])
@replay.arguments(BetweenQuery, location="query")
@replay.response(200, DifferencesOut)
def show_differences(query: dict[str, Any], case: str) -> dict[str, Json]:
    """Show what changed in a case between two points of its history."""
    require_record(case, Action.REPLAY)
    engine = office().engine
    first = moment(engine, CaseId(case), seq=query["from_seq"], at=query["from_at"])
    found = between(engine, first, seq=query["to_seq"], at=query["to_at"])
    return differences_json(found)


@replay.route("/cases/<ident:case>/re-execution", methods=["GET"])
@replay.response(200, ReportOut)
def show_report(case: str) -> dict[str, Json]:
    """Run a case's recorded commands again; name the first difference, with both values."""
    require_record(case, Action.VERIFY)
    return report_json(report_of(office(), CaseId(case)))


@replay.route("/cases/<ident:case>/looks", methods=["GET"])
@replay.arguments(StateQuery(only=("at",)), location="query")
@replay.response(200, LooksOut)
def show_looks(query: dict[str, Any], case: str) -> dict[str, Any]:
    """List who looked at a case, until an instant if one is given."""
    visible_case(case)
    require(Action.READ_ADMIN)
    with reading() as transaction:
        return {"items": looks_at(transaction.connection, case, until=query["at"])}


@replay.route("/register", methods=["GET"])
@replay.arguments(AsOfQuery, location="query")
@replay.response(200, RegisterOut)
def show_register_then(query: dict[str, Any]) -> dict[str, Any]:
    """Show the register of the whole office as it stood on a day or at an instant."""
    at: datetime = min(query["at"], now())
    with reading() as transaction:
        every = list(register_as_of(transaction, at, visible_cases(person())))
    found = [one for one in every if _is_wanted(one, query)]
    found.sort(key=lambda one: (one.row["registered_at"], one.case), reverse=True)
    counts = {light: sum(one.light == light for one in found) for light in LIGHTS}
    return {"at": at, "counts": counts, "items": [_case_then(one) for one in found]}


def _is_wanted(one: RegisterThen, query: dict[str, Any]) -> bool:
    units = (one.row["lead_unit"], *one.row["co_units"].split(","))
    return (
        query["light"] in (None, one.light)
        and query["status"] in (None, one.row["status"])
        and (query["unit"] is None or query["unit"] in units)
    )


def _case_then(one: RegisterThen) -> dict[str, Any]:
    return {**one.row, "id": one.case, "seq": one.seq, "light": one.light}


def require_record(case: str, action: Action) -> None:
    """Refuse who may not read a case's whole record.

    Raises
    ------
    CaseNotFound : the case isn't for this person's eyes.
    NotPermitted : they may see it, but not its history.
    """
    visible_case(case)
    with reading() as transaction:
        known = facts(transaction.connection, case)
    verdict = may_read(person(), action, known)
    if isinstance(verdict, NotAllowed):
        verdict = may_read(person(), action, known, states_of(case))
    if isinstance(verdict, NotAllowed):
        raise NotPermitted(reason=verdict.reason)
    if verdict.reach is Reach.OWN_ANSWERS:
        raise NotPermitted(reason="relation")
