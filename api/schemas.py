"""What clients send and get, noun by noun (design: the programming interface)."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from api.fields import (
    LONGEST_QUERY,
    Answer,
    Choice,
    Day,
    DayOrInstant,
    Instant,
    Items,
    Map,
    Part,
    Query,
    Request,
    Switch,
    Text,
    Whole,
)
from services.cases.queries import LONGEST_PAGE
from services.deadlines.calendar import DayKind
from services.deadlines.queries import LIGHTS
from services.statistics.queries import GROUPS, MEASURES

STATUSES = (
    "registered",
    "dispatched",
    "in_progress",
    "under_review",
    "closed",
    "suspended",
    "cancelled",
)
COMMANDS = (
    "urge",
    "progress",
    "extend",
    "suspend",
    "resume",
    "cancel",
    "instruct",
    "reassign",
    "escalate",
    "withdraw",
)
LONGEST_ID = 80


def of(description: str) -> dict[str, Any]:
    """Describe a field in the OpenAPI document."""
    return {"description": description}


class FieldProblem(Answer):
    """What is wrong with one field."""

    field = fields.String(metadata=of("path, such as `figures.0.value`"))
    code = fields.String(metadata=of("stable word, such as `required`"))
    message = fields.String(metadata=of("for people, in their language"))


class Problem(Answer):
    """A refusal (RFC 9457)."""

    type = fields.String(required=True, metadata=of("address that explains this kind of problem"))
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldProblem), required=True)
    request_id = fields.String(allow_none=True, metadata=of("the log knows the request by it"))
    facts = fields.Dict(keys=fields.String(), metadata=of("what the detail is made of"))


class PageQuery(Query):
    """Which part of a list."""

    limit = Whole(least=1, most=LONGEST_PAGE, load_default=50)
    cursor = Text(longest=600, load_default=None, metadata=of("`next_cursor` of the page before"))


# -- sessions and people


class SignIn(Request):
    """Login and password."""

    login = Text(required=True, shortest=1, longest=64)
    password = Text(required=True, shortest=1, longest=200)


class UserName(Answer):
    """A person by login and name."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class RoleHeld(Answer):
    """A role, and the unit it is held for."""

    role = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)


class Me(Answer):
    """Who is signed in, and what they may do."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    roles = fields.List(fields.String(), required=True)
    acting_for = fields.List(fields.Nested(UserName), required=True)
    actions = fields.List(
        fields.String(), required=True, metadata=of("what this person may do to some case at all")
    )
    unread_notices = fields.Integer(required=True)


class Session(Answer):
    """An open session."""

    user = fields.Nested(UserName, required=True)
    csrf_token = fields.String(required=True, metadata=of("goes into X-CSRF-Token on changes"))
    expires_at = Instant(required=True)
    must_change_password = fields.Boolean(required=True)


class NewPassword(Request):
    """A change of one's own password."""

    old = Text(required=True, shortest=1, longest=200)
    new = Text(required=True, shortest=1, longest=200)


class UnitOut(Answer):
    """A unit of the tree."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    short_name = fields.String(required=True)
    parent = fields.String(required=True, allow_none=True)
    active = fields.Boolean(required=True)
    merged_into = fields.String(required=True, allow_none=True)


class UnitIn(Request):
    """A new unit."""

    code = Text(required=True, shortest=1, longest=40)
    name = Text(required=True, shortest=1, longest=100)
    short_name = Text(longest=100, load_default=None, allow_none=True)
    parent = Text(longest=40, load_default=None, allow_none=True)


class UnitChange(Request):
    """What changes about a unit."""

    name = Text(shortest=1, longest=100)
    short_name = Text(longest=100, allow_none=True)
    merged_into = Text(shortest=1, longest=40)


class UserOut(Answer):
    """A user."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    roles = fields.List(fields.Nested(RoleHeld), required=True, attribute="grants")
    active = fields.Boolean(required=True)
    deputy = fields.String(required=True, allow_none=True, metadata=of("the B person"))
    absent_from = Day(required=True, allow_none=True)
    absent_until = Day(required=True, allow_none=True)


class RoleIn(Request):
    """A role, and the unit it is held for; without one, the user's own."""

    role = Text(required=True, shortest=1, longest=20)
    unit = Text(longest=40, load_default=None, allow_none=True)


class UserIn(Request):
    """A new user."""

    id = Text(required=True, shortest=1, longest=64)
    name = Text(required=True, shortest=1, longest=100)
    unit = Text(longest=40, load_default=None, allow_none=True)
    roles = Items(Part(RoleIn), load_default=list, validate=ma.validate.Length(max=50))
    deputy = Text(longest=64, load_default=None, allow_none=True)
    password = Text(
        shortest=1, longest=200, load_default=None, allow_none=True, metadata=of("for one sign-in")
    )


class UserChange(Request):
    """What changes about a user."""

    unit = Text(longest=40, allow_none=True)
    roles = Items(Part(RoleIn), validate=ma.validate.Length(max=50))
    deputy = Text(longest=64, allow_none=True)
    absent_from = Day(allow_none=True, metadata=of("`null`: present again"))
    absent_until = Day(allow_none=True, metadata=of("the last day away; `null`: open"))
    active = Switch(metadata=of("`false`: out of service; tokens and sessions end"))
    successor = Text(longest=64, metadata=of("with `active: false`: who takes over open tasks"))
    password = Text(shortest=1, longest=200, metadata=of("for one sign-in"))


class UserQuery(PageQuery):
    """Which users."""

    unit = Text(longest=40, load_default=None)
    role = Text(longest=20, load_default=None)
    active = Switch(load_default=False, metadata=of("1: only those in service"))


class TokenIn(Request):
    """What a token is for."""

    label = Text(required=True, shortest=1, longest=100)
    expires_at = Instant(load_default=None, allow_none=True)


class TokenOut(Answer):
    """A new token; this is the only time it can be read."""

    token = fields.String(required=True)
    user = fields.String(required=True)
    label = fields.String(required=True)
    expires_at = Instant(required=True, allow_none=True)


class UnitPage(Answer):
    """Units."""

    items = fields.List(fields.Nested(UnitOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class UserPage(Answer):
    """Users."""

    items = fields.List(fields.Nested(UserOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


# -- cases and tasks


class DefinitionOfCase(Answer):
    """The version a case runs on."""

    key = fields.String(required=True)
    version = fields.Integer(required=True)
    sha256 = fields.String(required=True)


class RoundsOut(Answer):
    """Where a case stands in the three rounds."""

    round = fields.Integer(required=True)
    status = fields.String(required=True)
    highest_round = fields.Integer(required=True)
    measures = fields.Integer(required=True)


class TaskOut(Answer):
    """An open task."""

    id = fields.String(required=True)
    case = fields.String(required=True)
    element = fields.String(required=True)
    name = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    unit = fields.String(required=True, allow_none=True)
    assignee = fields.String(required=True, allow_none=True)
    due_at = Instant(required=True, allow_none=True)
    reached_at = Instant(required=True)
    light = Choice(LIGHTS, required=True)
    case_number = fields.String(required=True)
    case_title = fields.String(required=True)
    case_type = fields.String(required=True)


class FormOut(Answer):
    """What a task asks."""

    schema = fields.Dict(keys=fields.String(), required=True, metadata=of("JSON Schema 2020-12"))
    ui = fields.Dict(keys=fields.String(), required=True, metadata=of("hints for a page"))


class TaskWithForm(TaskOut):
    """An open task with its form and the values to begin with."""

    form = fields.Nested(FormOut, required=True)
    data = fields.Dict(keys=fields.String(), required=True)
    seq = fields.Integer(required=True, metadata=of("of the case's last event"))


class CaseOut(Answer):
    """A case."""

    id = fields.String(required=True)
    number = fields.String(required=True)
    case_type = fields.String(required=True)
    title = fields.String(required=True)
    status = Choice(STATUSES, required=True)
    light = Choice(LIGHTS, required=True)
    deadline = Instant(
        required=True, allow_none=True, metadata=of("24:00 of the last day is 00:00 of the next")
    )
    provisional = fields.Boolean(required=True)
    lead_unit = fields.String(required=True, allow_none=True)
    co_units = fields.List(fields.String(), required=True)
    handling = fields.String(required=True)
    definition = fields.Nested(DefinitionOfCase, required=True)
    urgency = fields.String(required=True)
    secrecy = fields.String(required=True)
    source_kind = fields.String(required=True)
    source_number = fields.String(required=True, allow_none=True)
    source_date = Day(required=True, allow_none=True)
    issuer = fields.String(required=True, allow_none=True)
    registered_by = fields.String(required=True)
    registered_at = Instant(required=True)
    dispatched_at = Instant(required=True, allow_none=True)
    feedback_at = Instant(required=True, allow_none=True)
    feedback_late = fields.Boolean(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)
    returns = fields.Integer(required=True)
    extensions = fields.Integer(required=True)
    rating = fields.String(required=True, allow_none=True)
    parent = fields.String(required=True, allow_none=True)
    escalation = fields.Nested(RoundsOut, required=True, allow_none=True)
    open_tasks = fields.List(fields.Nested(TaskOut), required=True)
    seq = fields.Integer(required=True, metadata=of("number of the last event; the ETag"))
    head = fields.String(required=True, metadata=of("hash of the last event"))


class CasePage(Answer):
    """Cases."""

    items = fields.List(fields.Nested(CaseOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class TaskPage(Answer):
    """Tasks."""

    items = fields.List(fields.Nested(TaskOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class CaseIn(Request):
    """A matter to register: its type, and the fields of that type's form `register`."""

    type = Text(required=True, shortest=1, longest=LONGEST_ID, metadata=of("a definition's key"))

    class Meta:
        """Leave the other fields to the form."""

        unknown = ma.INCLUDE


class CaseQuery(PageQuery):
    """Which cases."""

    type = Text(longest=LONGEST_ID, load_default=None)
    status = Choice(STATUSES, load_default=None)
    unit = Text(longest=40, load_default=None, metadata=of("leads the case or contributes to it"))
    light = Choice(LIGHTS, load_default=None)
    q = Text(longest=LONGEST_QUERY, load_default=None, metadata=of("words of title, number…"))
    due_before = DayOrInstant(load_default=None)
    due_after = DayOrInstant(load_default=None)
    parent = Text(longest=LONGEST_ID, load_default=None)


class TaskQuery(PageQuery):
    """Which tasks; without `mine` and `candidate` those of all visible cases."""

    mine = Switch(load_default=False, metadata=of("assigned to you, or to whom you act for"))
    candidate = Switch(load_default=False, metadata=of("assigned to nobody, and for your role"))
    unit = Text(longest=40, load_default=None)
    case = Text(longest=LONGEST_ID, load_default=None)
    due_before = DayOrInstant(load_default=None)


class Completion(Request):
    """The contents of a task's form."""

    data = Map(keys=fields.String(), required=True)


class Delegation(Request):
    """Who is to do the task."""

    assignee = Text(required=True, shortest=1, longest=64)


class CommandIn(Request):
    """What is asked of a case, with the contents of the form of that name."""

    name = Choice(COMMANDS, required=True)
    data = Map(keys=fields.String(), load_default=dict)


class ReceiptOut(Answer):
    """What a command came to."""

    case = fields.String(required=True)
    seq = fields.Integer(required=True)
    head = fields.String(required=True)
    status = fields.String(required=True, metadata=of("of the case, after the command"))
    tasks = fields.List(
        fields.Nested(TaskOut), required=True, metadata=of("the tasks that the command opened")
    )
    open_tasks = fields.List(
        fields.Nested(TaskOut), required=True, metadata=of("all that is open now")
    )


class CommandFormOut(Answer):
    """A command that the signed-in person may give to a case."""

    name = fields.String(required=True)
    form = fields.Nested(FormOut, required=True)
    data = fields.Dict(keys=fields.String(), required=True)


class CommandForms(Answer):
    """The commands open to this person now."""

    items = fields.List(fields.Nested(CommandFormOut), required=True)


# -- the record


class EventQuery(Query):
    """Which events."""

    after = Whole(least=0, most=2**31 - 1, load_default=0, metadata=of("number of an event"))
    limit = Whole(least=1, most=1000, load_default=200)


class EventOut(Answer):
    """One event of a history."""

    seq = fields.Integer(required=True)
    type = fields.String(required=True)
    version = fields.Integer(required=True)
    at = Instant(required=True)
    actor = fields.String(required=True)
    acting_for = fields.String(required=True, allow_none=True)
    command = fields.String(
        required=True, allow_none=True, metadata=of("on the first event that came of a command")
    )
    payload = fields.Dict(keys=fields.String(), required=True)
    prev = fields.String(required=True)
    hash = fields.String(required=True)


class EventPage(Answer):
    """Events."""

    items = fields.List(fields.Nested(EventOut), required=True)
    next_cursor = fields.String(
        required=True, allow_none=True, metadata=of("for `after`; `null` at the end")
    )


class StateQuery(Query):
    """Which state: after an event, or at an instant; neither: now."""

    seq = Whole(least=1, most=2**31 - 1, load_default=None)
    at = Instant(load_default=None)


class TokenOfState(Answer):
    """Where a case stands."""

    element = fields.String(required=True)
    scope = fields.String(required=True)
    status = fields.String(required=True)


class ScopeOut(Answer):
    """A call activity, sub-process or instance under way."""

    id = fields.String(required=True)
    parent = fields.String(required=True)
    element = fields.String(required=True)
    process = fields.String(required=True, allow_none=True)
    data = fields.Dict(keys=fields.String(), required=True)


class TaskThenOut(Answer):
    """A task that was open then."""

    id = fields.String(required=True)
    element = fields.String(required=True)
    name = fields.String(required=True)
    scope = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    unit = fields.String(required=True, allow_none=True)
    assignee = fields.String(required=True, allow_none=True)
    due_at = Instant(required=True, allow_none=True)


class StateOut(Answer):
    """A case as it stood."""

    seq = fields.Integer(required=True)
    at = Instant(required=True)
    status = fields.String(required=True)
    tokens = fields.List(fields.Nested(TokenOfState), required=True)
    data = fields.Dict(keys=fields.String(), required=True)
    scopes = fields.List(fields.Nested(ScopeOut), required=True)
    tasks = fields.List(fields.Nested(TaskThenOut), required=True)


class VerificationOut(Answer):
    """Whether a history is whole."""

    case = fields.String(required=True)
    ok = fields.Boolean(required=True)
    events = fields.Integer(required=True)
    first_bad = fields.Integer(required=True, allow_none=True)
    fault = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)


class RejectionOut(Answer):
    """A command that was refused."""

    id = fields.String(required=True)
    case = fields.String(required=True)
    at = Instant(required=True)
    user = fields.String(required=True)
    command = fields.String(required=True)
    problem = fields.String(required=True)
    facts = fields.String(required=True)


class RejectionPage(Answer):
    """Refused commands."""

    items = fields.List(fields.Nested(RejectionOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DenialOut(Answer):
    """An attempt to see somebody else's case."""

    id = fields.String(required=True)
    case = fields.String(required=True)
    at = Instant(required=True)
    user = fields.String(required=True)
    request = fields.String(required=True)
    outcome = fields.String(required=True)


class DenialPage(Answer):
    """Attempts to see other people's cases."""

    items = fields.List(fields.Nested(DenialOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class IncidentOut(Answer):
    """Something that waits for somebody who looks after the service."""

    id = fields.String(required=True)
    case = fields.String(required=True)
    kind = Choice(("timer", "job"), required=True)
    element = fields.String(required=True)
    reason = fields.String(required=True)
    since = Instant(required=True, allow_none=True)
    attempts = fields.Integer(required=True)


class IncidentPage(Answer):
    """Incidents."""

    items = fields.List(fields.Nested(IncidentOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NoticeQuery(PageQuery):
    """Which notices."""

    unread = Switch(load_default=False)


class NoticeOut(Answer):
    """One thing somebody was told."""

    id = fields.String(required=True)
    case = fields.String(required=True)
    case_number = fields.String(required=True, allow_none=True)
    case_title = fields.String(required=True, allow_none=True)
    kind = fields.String(required=True)
    at = Instant(required=True)
    read_at = Instant(required=True, allow_none=True)


class NoticePage(Answer):
    """Notices."""

    items = fields.List(fields.Nested(NoticeOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class NoticesRead(Request):
    """Which notices were read."""

    ids = Items(
        Text(shortest=1, longest=LONGEST_ID),
        required=True,
        validate=ma.validate.Length(max=LONGEST_PAGE, error="too_many?max={max}"),
    )


class Count(Answer):
    """How many."""

    count = fields.Integer(required=True)


# -- definitions


class DeploymentOut(Answer):
    """One version of a definition."""

    key = fields.String(required=True)
    version = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    title = fields.String(required=True)
    active = fields.Boolean(required=True, metadata=of("new cases may start on it"))
    deployed_at = Instant(required=True)
    deployed_by = fields.String(required=True)
    approved_at = Instant(required=True, allow_none=True)
    approved_by = fields.String(required=True, allow_none=True)


class DeploymentPage(Answer):
    """Definitions or their versions."""

    items = fields.List(fields.Nested(DeploymentOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class VersionOut(DeploymentOut):
    """One version with the names of its files."""

    files = fields.List(fields.String(), required=True)


class DefinitionOut(DeploymentOut):
    """The version that new cases start on, with the form that registers one."""

    form = fields.Nested(FormOut, required=True)
    data = fields.Dict(keys=fields.String(), required=True)


class FindingOut(Answer):
    """Something lint found in an uploaded file."""

    rule = fields.String()
    severity = fields.String()
    file = fields.String(allow_none=True)
    line = fields.Integer(allow_none=True)
    element = fields.String(allow_none=True)
    message = fields.String()
    hint = fields.String(allow_none=True)


class LintOut(Answer):
    """What lint says about uploaded files."""

    ok = fields.Boolean(required=True)
    findings = fields.List(fields.Nested(FindingOut), required=True)


class DryRunQuery(Query):
    """Whether only to look."""

    dry_run = Switch(load_default=False)


# -- figures, calendar, service


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
