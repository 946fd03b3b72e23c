"""The calendar: the days of a year, and what a newly published schedule moves."""

from typing import Any

from marshmallow import fields

from api.context import actor, now, office, reading
from api.fields import Answer, Instant, Query, Switch
from api.openapi import Noun
from api.people import require
from api.service_schemas import CalendarIn, CalendarOut
from engine import FieldError, Invalid
from engine.records import Json
from engine.store import Transaction
from services.deadlines import queries as calendars
from services.deadlines.calendar import DayKind
from services.deadlines.publication import PublishedSchedule, plan_publication, publish
from services.permissions import Action

calendar = Noun("calendar", __name__, "Days that differ from an ordinary week.")

FIRST_YEAR, LAST_YEAR = 1950, 2999


class PublicationQuery(Query):
    """Whether only to show what a schedule would move."""

    plan = Switch(load_default=False, metadata={"description": "1: change nothing"})


class PublishedIn(CalendarIn):
    """The schedule of a year as the State Council published it."""

    give_notice = Switch(
        load_default=False,
        metadata={"description": "deadlines may come nearer, and their units are told"},
    )


class MoveOut(Answer):
    """An open deadline that the schedule gives another date."""

    case = fields.String(required=True)
    number = fields.String(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    period = fields.String(required=True, metadata={"description": "the rule that set it"})
    before = Instant(required=True)
    after = Instant(required=True)
    verdict = fields.String(
        required=True,
        metadata={"description": "later, earlier; stays: needs_notice, would_be_past"},
    )


class FailedOut(Answer):
    """A case that couldn't be computed anew."""

    case = fields.String(required=True)
    reason = fields.String(required=True)


class PublicationOut(CalendarOut):
    """The schedule of a year, and what it moves or would move."""

    applied = fields.Boolean(required=True)
    moves = fields.List(fields.Nested(MoveOut), required=True)
    recomputed = fields.Integer(
        required=True, metadata={"description": "cases whose timers, lights and dates it concerns"}
    )
    failed = fields.List(fields.Nested(FailedOut), required=True)


@calendar.route("/calendar/<int:year>", methods=["GET"])
@calendar.response(200, CalendarOut)
def show_calendar(year: int) -> dict[str, Json]:
    """Show the days of a year that differ from an ordinary week."""
    with reading() as transaction:
        return _schedule(transaction, min(year, LAST_YEAR))


@calendar.route("/calendar/<int:year>", methods=["PUT"])
@calendar.arguments(PublicationQuery, location="query")
@calendar.arguments(PublishedIn)
@calendar.response(200, PublicationOut)
def publish_schedule(query: dict[str, bool], body: dict[str, Any], year: int) -> dict[str, Json]:
    """Load the schedule of a year as published, and compute open deadlines anew.

    With `plan=1` it is only shown what would move.
    """
    require(Action.MANAGE_CALENDAR)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid([FieldError("year", "out_of_range", {"min": FIRST_YEAR, "max": LAST_YEAR})])
    published = PublishedSchedule(
        year=year,
        days={day["day"]: DayKind(day["kind"]) for day in body["days"]},
        title=body["notice"],
        published_at=body["published_at"],
    )
    notice, zone = body["give_notice"], office().settings.zone
    if query["plan"]:
        with reading() as transaction:
            plan = plan_publication(transaction, published, now(), notice=notice, zone=zone)
            shown = _schedule(transaction, year)
        failed = []
    else:
        done = publish(
            office().engine,
            published,
            actor(),
            now(),
            notice=notice,
            zone=zone,
            outlet=office().notifier.outlet,
        )
        plan = done.plan
        failed = [{"case": case, "reason": reason} for case, reason in done.failed]
        with reading() as transaction:
            shown = _schedule(transaction, year)
    return {
        **shown,
        "applied": not query["plan"],
        "moves": plan.moves,
        "recomputed": len(plan.cases),
        "failed": failed,
    }


def _schedule(transaction: Transaction, year: int) -> dict[str, Json]:
    found = calendars.schedule(transaction.connection, year)
    return {
        "year": found.year,
        "notice": found.notice,
        "published_at": found.published_at,
        "revision": found.revision,
        "days": [{"day": day, "kind": str(kind)} for day, kind in found.days],
    }
