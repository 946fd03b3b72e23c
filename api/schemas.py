"""What clients send and get: problems, pages, cases and tasks; other nouns have their own."""

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
from services.asks import ASKS
from services.deadlines.queries import LIGHTS
from services.pages import LONGEST_PAGE

STATUSES = (
    "registered",
    "dispatched",
    "in_progress",
    "under_review",
    "closed",
    "suspended",
    "cancelled",
)
LONGEST_ID = 80
MOST_COMPLETIONS = 500


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


class CompletionOfTask(Completion):
    """One of many tasks, with the contents of its form."""

    task = Text(required=True, shortest=1, longest=LONGEST_ID)


class Completions(Request):
    """Tasks to be completed in one call."""

    items = Items(
        Part(CompletionOfTask),
        required=True,
        validate=[
            ma.validate.Length(min=1, error="too_few?min={min}"),
            ma.validate.Length(max=MOST_COMPLETIONS, error="too_many?max={max}"),
        ],
    )


class Delegation(Request):
    """Who is to do the task."""

    assignee = Text(required=True, shortest=1, longest=64)


class CommandIn(Request):
    """What is asked of a case, with the contents of the form of that name."""

    name = Choice(tuple(ASKS), required=True)
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


class CompletionOut(Answer):
    """What came of one of the tasks."""

    task = fields.String(required=True)
    case = fields.String(required=True, allow_none=True, metadata=of("when it was done"))
    seq = fields.Integer(required=True, allow_none=True, metadata=of("the case's last event then"))
    problem = fields.Nested(Problem, required=True, allow_none=True, metadata=of("why not"))


class CompletionsOut(Answer):
    """How many tasks were completed, and which were not."""

    done = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    items = fields.List(fields.Nested(CompletionOut), required=True, metadata=of("in their order"))


class CommandFormOut(Answer):
    """A command that the signed-in person may give to a case."""

    name = fields.String(required=True)
    form = fields.Nested(FormOut, required=True)
    data = fields.Dict(keys=fields.String(), required=True)


class CommandForms(Answer):
    """The commands open to this person now."""

    items = fields.List(fields.Nested(CommandFormOut), required=True)


class StateQuery(Query):
    """Which state: after an event, or at an instant; neither: now."""

    seq = Whole(least=1, most=2**31 - 1, load_default=None)
    at = Instant(load_default=None)
