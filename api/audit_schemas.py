"""What clients send and get about the record, incidents and notices."""

import marshmallow as ma
from marshmallow import fields

from api.fields import (
    Answer,
    Choice,
    DayOrInstant,
    Instant,
    Items,
    Query,
    Request,
    Switch,
    Text,
    Whole,
)
from api.schemas import LONGEST_ID, PageQuery, of
from services.audit.access import KINDS
from services.pages import LONGEST_PAGE


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


REMEDIES_TOLD = (
    "`rebuild`: write it anew from the history (./duban rebuild); `restore`, `restore_definition`,"
    " `restore_file`, `restore_key`: take it from a copy; `look_into`: somebody has to find out"
)
"""What each remedy means, for the documentation."""


class VerificationOut(Answer):
    """Whether a history is whole."""

    case = fields.String(required=True)
    ok = fields.Boolean(required=True)
    events = fields.Integer(required=True)
    first_bad = fields.Integer(required=True, allow_none=True)
    fault = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    table = fields.String(required=True, allow_none=True)
    remedy = fields.String(required=True, allow_none=True, metadata=of(REMEDIES_TOLD))


class OfficeFaultOut(Answer):
    """Something stored that belongs to no single case and isn't what it was."""

    kind = fields.String(required=True)
    what = fields.String(required=True)
    detail = fields.String(required=True)
    remedy = fields.String(required=True, metadata=of(REMEDIES_TOLD))


class OfficeProof(Answer):
    """Whether everything is whole that belongs to no single case."""

    ok = fields.Boolean(required=True)
    faults = fields.List(fields.Nested(OfficeFaultOut), required=True)


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


class AccessQuery(PageQuery):
    """Which looks; a day as `from` means its 00:00, as `to` its 24:00."""

    person = Text(longest=LONGEST_ID, load_default=None)
    case = Text(longest=LONGEST_ID, load_default=None)
    kind = Choice(KINDS, load_default=None)
    since = DayOrInstant(data_key="from", load_default=None)
    until = DayOrInstant(data_key="to", load_default=None)


class AccessOut(Answer):
    """A look at something, or an attempt to see somebody else's case."""

    id = fields.String(required=True)
    case = fields.String(required=True, allow_none=True)
    at = Instant(required=True)
    user = fields.String(required=True)
    kind = Choice(KINDS, required=True)
    request = fields.String(required=True)
    outcome = fields.String(required=True, metadata=of("`shown`, or `not_visible`"))
    subject = fields.String(
        required=True, allow_none=True, metadata=of("what was searched for or narrowed to")
    )
    purpose = fields.String(required=True, allow_none=True, metadata=of("as `X-Purpose` said"))


class AccessPage(Answer):
    """Who saw or tried to see what."""

    items = fields.List(fields.Nested(AccessOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AccessFaultOut(Answer):
    """What is wrong with a day of the access log."""

    day = fields.String(required=True)
    entry = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True)


class AccessProof(Answer):
    """Whether the access log is whole; if not, the first fault of each day."""

    ok = fields.Boolean(required=True)
    faults = fields.List(fields.Nested(AccessFaultOut), required=True)


class IncidentOut(Answer):
    """Something that waits for somebody who looks after the service."""

    id = fields.String(required=True)
    case = fields.String(required=True)
    kind = Choice(("timer", "job", "document"), required=True)
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
