"""Points of units: the ranking of a year, and the entries each score is made of."""

from datetime import datetime
from typing import Any

from marshmallow import fields

from api.context import now, office, person, reading
from api.fields import FIRST_YEAR, LAST_YEAR, Answer, DayOrInstant, Instant, Query, Whole
from api.identity import PREFIX
from api.openapi import Noun
from engine.records import Json, instant_text
from engine.store import Transaction
from services.deadlines.calendar import Calendar
from services.people.errors import UnitNotFound
from services.permissions import Action, CaseFacts, NotAllowed, is_open_to, may
from services.permit import NotPermitted
from services.scoring import queries
from services.scoring.queries import Score, ScoreEntry

scores = Noun("scores", __name__, "Points of units, as of any instant.")

EXACT = {"description": "exact, as decimal text such as `-0.5`"}


class ScoresQuery(Query):
    """Which year's points, as they stood when."""

    year = Whole(
        least=FIRST_YEAR,
        most=LAST_YEAR,
        load_default=None,
        metadata={"description": "the year of `as_of`, unless given"},
    )
    as_of = DayOrInstant(load_default=None, metadata={"description": "as it stood then"})


class ScoreOut(Answer):
    """A unit's points; `provisional` is the part that still grows, of cases overdue then."""

    unit = fields.String(required=True)
    name = fields.String(required=True)
    rank = fields.Integer(required=True, metadata={"description": "the same for equal points"})
    points = fields.String(required=True, metadata=EXACT)
    provisional = fields.String(required=True, metadata=EXACT)
    entries = fields.Integer(required=True)
    link = fields.String(required=True, metadata={"description": "where its lines are"})


class ScoresOut(Answer):
    """The ranking of all units, the best first."""

    year = fields.Integer(required=True)
    as_of = Instant(required=True)
    items = fields.List(fields.Nested(ScoreOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class ScoreEntryOut(Answer):
    """One line of the account, and the event of the case that caused it."""

    case = fields.String(required=True)
    number = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, allow_none=True)
    entry = fields.Integer(required=True, metadata={"description": "number of its own event"})
    rule = fields.String(required=True, metadata={"description": "row of the scoring table"})
    points = fields.String(required=True, metadata=EXACT)
    cause = fields.Integer(required=True, metadata={"description": "number of the event"})
    cause_type = fields.String(required=True)
    document = fields.String(
        required=True, allow_none=True, metadata={"description": "the paper that told the unit"}
    )
    at = Instant(required=True)
    appeal = fields.String(required=True)
    reverses = fields.Integer(
        required=True, allow_none=True, metadata={"description": "the entry it takes back"}
    )
    reversed_by = fields.Integer(
        required=True, allow_none=True, metadata={"description": "the entry that takes it back"}
    )
    link = fields.String(
        required=True, metadata={"description": "cause, document, appeal and reversal"}
    )


class RunningOut(Answer):
    """A case that was overdue then, and what its further days cost so far."""

    case = fields.String(required=True)
    number = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, allow_none=True)
    due_at = Instant(required=True)
    days = fields.Integer(required=True)
    points = fields.String(required=True, metadata=EXACT)


class UnitScoreOut(Answer):
    """A unit's score, the entries it is made of, and what still runs."""

    year = fields.Integer(required=True)
    as_of = Instant(required=True)
    score = fields.Nested(ScoreOut, required=True)
    running = fields.List(fields.Nested(RunningOut), required=True)
    items = fields.List(fields.Nested(ScoreEntryOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@scores.route("/scores", methods=["GET"])
@scores.arguments(ScoresQuery, location="query")
@scores.response(200, ScoresOut)
def show_ranking(query: dict[str, Any]) -> dict[str, Json]:
    """Rank all units by their points."""
    require_statistics(None)
    year, as_of = _when(query)
    with reading() as transaction:
        connection, calendar = transaction.connection, calendar_of(transaction)
        found = queries.ranking(connection, year, as_of, calendar, zone=office().settings.zone)
    items = [_score_fields(one, as_of) for one in found]
    return {"year": year, "as_of": as_of, "items": items, "next_cursor": None}


@scores.route("/scores/<ident:unit>/entries", methods=["GET"])
@scores.arguments(ScoresQuery, location="query")
@scores.response(200, UnitScoreOut)
def show_entries(query: dict[str, Any], unit: str) -> dict[str, Json]:
    """Show what a unit's score is made of."""
    require_statistics(unit)
    year, as_of = _when(query)
    zone = office().settings.zone
    with reading() as transaction:
        connection, calendar = transaction.connection, calendar_of(transaction)
        score = queries.score(connection, unit, year, as_of, calendar, zone=zone)
        if score is None:
            raise UnitNotFound(unit=unit)
        running = queries.running_deductions(
            connection, as_of, calendar, year=year, unit=unit, zone=zone
        )
        entries = queries.entries(connection, unit=unit, year=year, as_of=as_of)
    return {
        "year": year,
        "as_of": as_of,
        "score": _score_fields(score, as_of),
        "running": running,
        "items": [entry_fields(one) for one in entries],
        "next_cursor": None,
    }


def entry_fields(one: ScoreEntry) -> dict[str, Any]:
    """Give a line of the account with where its dispute is told."""
    shown = {name: getattr(one, name) for name in ScoreEntry.__slots__}
    return {**shown, "link": f"{PREFIX}cases/{one.case}/points/{one.entry}"}


def scores_link(unit: str, year: int, as_of: datetime) -> str:
    """Give where a unit's score as of an instant is told line by line."""
    return f"{PREFIX}scores/{unit}/entries?year={year}&as_of={instant_text(as_of)}"


def _score_fields(one: Score, as_of: datetime) -> dict[str, Any]:
    shown = {name: getattr(one, name) for name in Score.__slots__}
    return {**shown, "link": scores_link(one.unit, one.year, as_of)}


def _when(query: dict[str, Any]) -> tuple[int, datetime]:
    # Nobody knows the future: an instant ahead means now.
    as_of = min(query["as_of"] or now(), now())
    year: int | None = query["year"]
    return year or as_of.astimezone(office().settings.zone).year, as_of


def calendar_of(transaction: Transaction) -> Calendar:
    """Give the calendar that days of points are counted by."""
    return office().calendar.get(transaction.connection)


def require_statistics(unit: str | None) -> None:
    """Let units see the ranking, and of the entries their own (domain.md §12)."""
    who = person()
    verdict = may(who, Action.STATISTICS, CaseFacts(units=frozenset([unit] if unit else [])))
    if isinstance(verdict, NotAllowed) and (unit or not is_open_to(who, Action.STATISTICS)):
        raise NotPermitted(reason=verdict.reason)
