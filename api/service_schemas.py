"""What clients send and get about figures, the calendar and the service itself."""

import marshmallow as ma
from marshmallow import fields

from api.fields import Answer, Choice, Day, DayOrInstant, Instant, Items, Part, Query, Request, Text
from api.schemas import of
from services.deadlines.calendar import DayKind
from services.statistics.figures import GROUPS, MEASURES


class StatisticsQuery(Query):
    """What is counted, by what, of the cases registered from one instant to another."""

    measure = Choice(tuple(MEASURES), load_default="registered")
    by = Choice(tuple(GROUPS), load_default="type")
    since = DayOrInstant(load_default=None, data_key="from", metadata=of("a day: from its 00:00"))
    until = DayOrInstant(load_default=None, data_key="to", metadata=of("a day: to its 24:00"))
    unit = Text(longest=40, load_default=None)
    as_of = DayOrInstant(load_default=None, metadata=of("count as it stood then"))


class FigureOut(Answer):
    """One figure; for a rate, `count` of `of`."""

    key = fields.String(required=True, allow_none=True)
    count = fields.Integer(required=True)
    of = fields.Integer(required=True, allow_none=True)
    percent = fields.Float(required=True, allow_none=True)


class StatisticsOut(Answer):
    """Figures, group by group, and over all."""

    measure = fields.String(required=True)
    by = fields.String(required=True)
    as_of = Instant(required=True)
    items = fields.List(fields.Nested(FigureOut), required=True)
    total = fields.Nested(FigureOut, required=True)


class CalendarDay(Answer):
    """A day that differs from an ordinary week."""

    day = Day(required=True)
    kind = Choice(tuple(DayKind), required=True)


class CalendarOut(Answer):
    """The schedule of a year."""

    year = fields.Integer(required=True)
    notice = fields.String(required=True, allow_none=True)
    published_at = Day(required=True, allow_none=True)
    revision = fields.Integer(required=True, metadata=of("0: not loaded, deadlines provisional"))
    days = fields.List(fields.Nested(CalendarDay), required=True)


class CalendarDayIn(Request):
    """A day of the schedule."""

    day = Day(required=True)
    kind = Choice(tuple(DayKind), required=True)


class CalendarIn(Request):
    """The schedule of a year as the State Council published it."""

    notice = Text(required=True, shortest=1, longest=200)
    published_at = Day(load_default=None, allow_none=True)
    days = Items(
        Part(CalendarDayIn),
        required=True,
        validate=ma.validate.Length(max=400, error="too_many?max={max}"),
    )


class HealthOut(Answer):
    """Whether the service works."""

    status = Choice(("ok", "degraded"), required=True)
    now = Instant(required=True)
    database = Choice(("ok", "away"), required=True)
    worker = fields.Dict(keys=fields.String(), required=True)


class ClockIn(Request):
    """The instant to put the clock to."""

    now = Instant(required=True)


class ClockOut(Answer):
    """The clock, and what came due."""

    now = Instant(required=True)
    timers_fired = fields.Integer(required=True)
    jobs_delivered = fields.Integer(required=True)
