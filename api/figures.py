"""What stands behind figures: the cases, how long steps take, the measures of the rounds."""

from datetime import datetime, timedelta
from typing import Any

from flask import request
from marshmallow import fields

from api.context import glance, now, office, person, read_cursor, reading, write_cursor
from api.fields import Answer, Choice, DayOrInstant, Instant, Query, Switch, Text, Whole
from api.openapi import Noun
from api.schemas import of
from services.pages import LONGEST_PAGE
from services.permissions import Action, CaseFacts, NotAllowed, is_open_to, may
from services.permit import NotPermitted
from services.statistics.figures import (
    GROUPS,
    MEASURES,
    CaseFigures,
    behind,
    counted,
    grouped,
)
from services.statistics.queries import (
    STEP_GROUPS,
    Cohort,
    counted_cases,
    measures_issued,
    step_durations,
)

figures = Noun("figures", __name__, "What stands behind figures.")

_DAY_LENGTH = 10
_LONGEST_KEY = 100


class CohortQuery(Query):
    """Which cases figures are of: those registered from one instant to another."""

    since = DayOrInstant(load_default=None, data_key="from", metadata=of("a day: from its 00:00"))
    until = DayOrInstant(load_default=None, data_key="to", metadata=of("a day: to its 24:00"))
    unit = Text(longest=40, load_default=None, metadata=of("the unit that answers for them"))
    as_of = DayOrInstant(load_default=None, metadata=of("as it stood then"))


class BehindQuery(CohortQuery):
    """Which figure; without `key` all groups, with an empty one the cases that belong to none."""

    measure = Choice(tuple(MEASURES), load_default="registered")
    by = Choice(tuple(GROUPS), load_default="type")
    key = Text(longest=_LONGEST_KEY, load_default=None)
    rest = Switch(load_default=False, metadata=of("those of a rate's base that don't count"))
    limit = Whole(least=1, most=LONGEST_PAGE, load_default=50)
    cursor = Text(longest=600, load_default=None)


class CaseBehind(Answer):
    """A case as it stood."""

    id = fields.String(required=True)
    number = fields.String(required=True)
    title = fields.String(required=True)
    case_type = fields.String(required=True)
    status = fields.String(required=True)
    light = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    registered_at = Instant(required=True)
    deadline = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)


class CasesBehind(Answer):
    """The cases behind a figure, in the order of their numbers."""

    items = fields.List(fields.Nested(CaseBehind), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    count = fields.Integer(required=True, metadata=of("all of them, as the figure says"))


class StepsQuery(CohortQuery):
    """By what steps are grouped."""

    by = Choice(tuple(STEP_GROUPS), load_default="step")
    step = Text(longest=80, load_default=None, metadata=of("an element such as `handle`"))


class DurationOut(Answer):
    """How many days something took."""

    key = fields.String(required=True, allow_none=True)
    count = fields.Integer(required=True)
    median = fields.Float(required=True)
    ninetieth = fields.Float(required=True, metadata=of("what nine of ten took at most"))
    late = fields.Integer(required=True)


class StepsOut(Answer):
    """How long steps take."""

    as_of = Instant(required=True)
    items = fields.List(fields.Nested(DurationOut), required=True)


class MeasureCountOut(Answer):
    """Measures of one round."""

    round = fields.Integer(required=True)
    measure = fields.String(required=True)
    count = fields.Integer(required=True)
    cases = fields.List(fields.String(), required=True)


class MeasuresIssuedOut(Answer):
    """The measures of the three rounds that stand."""

    as_of = Instant(required=True)
    items = fields.List(fields.Nested(MeasureCountOut), required=True)
    total = fields.Integer(required=True)


@figures.route("/statistics/cases", methods=["GET"])
@figures.arguments(BehindQuery, location="query")
@figures.response(200, CasesBehind)
def show_behind(query: dict[str, Any]) -> dict[str, Any]:
    """List the cases behind a figure."""
    require_statistics(query["unit"])
    after = read_cursor(query["cursor"], 1)
    cohort = cohort_of(query)
    with reading() as transaction:
        found = counted_cases(
            transaction.connection,
            glance(transaction),
            since=cohort.since,
            until=cohort.until,
            unit=cohort.unit,
            as_of=cohort.as_of,
        )
    if query["key"] is not None:
        groups = grouped(query["by"], found, office().settings.zone)
        found = groups.get(query["key"] or None, [])
    return _page(behind(MEASURES[query["measure"]], found, rest=query["rest"]), after, query)


@figures.route("/statistics/steps", methods=["GET"])
@figures.arguments(StepsQuery, location="query")
@figures.response(200, StepsOut)
def show_steps(query: dict[str, Any]) -> dict[str, Any]:
    """Tell how many days steps took: the median, and what nine of ten took at most."""
    require_statistics(query["unit"])
    cohort = cohort_of(query)
    with reading() as transaction:
        items = step_durations(
            transaction.connection,
            glance(transaction),
            cohort,
            by=query["by"],
            step=query["step"],
        )
    return {"as_of": cohort.as_of or now(), "items": items}


@figures.route("/statistics/measures", methods=["GET"])
@figures.arguments(CohortQuery, location="query")
@figures.response(200, MeasuresIssuedOut)
def show_rounds(query: dict[str, Any]) -> dict[str, Any]:
    """Count the measures issued in the three rounds; those taken back on appeal don't count."""
    require_statistics(query["unit"])
    cohort = cohort_of(query)
    with reading() as transaction:
        found = measures_issued(transaction.connection, glance(transaction), cohort)
    counts = counted((one.round, one.measure) for one in found)
    items = [
        {
            "round": place[0],
            "measure": place[1],
            "count": counts[place],
            "cases": [one.case for one in found if (one.round, one.measure) == place],
        }
        for place in sorted(counts)
    ]
    return {"as_of": cohort.as_of or now(), "items": items, "total": len(found)}


def cohort_of(query: dict[str, Any]) -> Cohort:
    """Read which cases figures are of; a day at the beginning means its 00:00."""
    since: datetime | None = query["since"]
    # A day was read as its 24:00.
    if since is not None and len(request.args.get("from", "")) == _DAY_LENGTH:
        since -= timedelta(days=1)
    return Cohort(since=since, until=query["until"], unit=query["unit"], as_of=query["as_of"])


def require_statistics(unit: str | None) -> None:
    """Refuse who may not see figures, or not those of this unit.

    Raises
    ------
    NotPermitted : with the reason.
    """
    who = person()
    verdict = may(who, Action.STATISTICS, CaseFacts(units=frozenset([unit] if unit else [])))
    if isinstance(verdict, NotAllowed) and (unit or not is_open_to(who, Action.STATISTICS)):
        raise NotPermitted(reason=verdict.reason)


def _page(
    found: list[CaseFigures], after: tuple[str, ...] | None, query: dict[str, Any]
) -> dict[str, Any]:
    ordered = sorted(found, key=_place)
    left = [one for one in ordered if after is None or _place(one) > after[0]]
    shown = left[: query["limit"]]
    more = len(left) > len(shown)
    return {
        "items": shown,
        "next_cursor": write_cursor((_place(shown[-1]),) if more else None),
        "count": len(found),
    }


def _place(case: CaseFigures) -> str:
    return f"{case.number} {case.id}"
