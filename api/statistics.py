"""Figures: counts and rates of cases, group by group."""

from datetime import datetime, timedelta
from typing import Any

from flask import request

from api.context import glance, now, office, person, reading
from api.openapi import Noun
from api.service_schemas import StatisticsOut, StatisticsQuery
from services.permissions import Action, CaseFacts, NotAllowed, is_open_to, may
from services.permit import NotPermitted
from services.statistics.figures import MEASURES, figure, figures
from services.statistics.queries import counted_cases

statistics = Noun("statistics", __name__, "Figures computed from the cases you may see.")

_DAY_LENGTH = 10


@statistics.route("/statistics", methods=["GET"])
@statistics.arguments(StatisticsQuery, location="query")
@statistics.response(200, StatisticsOut)
def show_figures(query: dict[str, Any]) -> dict[str, Any]:
    """Count the cases registered in a stretch of time, by one of their properties."""
    _require(query["unit"])
    measure, by = MEASURES[query["measure"]], query["by"]
    with reading() as transaction:
        found = counted_cases(
            transaction.connection,
            glance(transaction),
            since=first_instant(query["since"]),
            until=query["until"],
            unit=query["unit"],
            as_of=query["as_of"],
        )
    return {
        "measure": query["measure"],
        "by": by,
        "as_of": query["as_of"] or now(),
        "items": figures(measure, by, found, office().settings.zone),
        "total": figure(measure, found),
    }


def first_instant(since: datetime | None) -> datetime | None:
    """Give the instant that ``from`` means in this request's query; a day means its 00:00."""
    # A day was read as its 24:00; as a beginning it means its 00:00.
    given = request.args.get("from", "")
    is_day = since is not None and len(given) == _DAY_LENGTH
    return since - timedelta(days=1) if since is not None and is_day else since


def _require(unit: str | None) -> None:
    who = person()
    verdict = may(who, Action.STATISTICS, CaseFacts(units=frozenset([unit] if unit else [])))
    if isinstance(verdict, NotAllowed) and (unit or not is_open_to(who, Action.STATISTICS)):
        raise NotPermitted(reason=verdict.reason)
