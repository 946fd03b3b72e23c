"""Tasks: find what waits for you, take it, pass it on, complete it."""

from typing import Any

from api.answers import Answered, etag, listed, read_lookups, receipt_of, states_of
from api.cases import visible_case
from api.context import (
    actor,
    glance,
    idempotency_key,
    if_match,
    is_first,
    now,
    office,
    person,
    read_cursor,
    reading,
    writing,
)
from api.openapi import KEY_PARAMETER, MATCH_PARAMETER, Noun
from api.problems import within
from api.schemas import (
    Completion,
    Completions,
    CompletionsOut,
    Delegation,
    ReceiptOut,
    TaskPage,
    TaskQuery,
    TaskWithForm,
)
from engine import (
    CaseId,
    ClaimTask,
    CompleteTask,
    DelegateTask,
    Problem,
    Receipt,
    ReleaseTask,
    TaskId,
)
from engine.errors import CaseNotFound, TaskNotFound, TaskNotOpen
from engine.records import Json, instant_text
from services.tasks import queries
from services.tasks.queries import TaskFilter, case_of, end_of, form_of

tasks = Noun("tasks", __name__, "What waits for people, with its forms.")


@tasks.route("/tasks", methods=["GET"])
@tasks.arguments(TaskQuery, location="query")
@tasks.response(200, TaskPage)
def show_tasks(query: dict[str, Any]) -> dict[str, Any]:
    """List open tasks, those that wait longest first."""
    wanted = TaskFilter(
        mine=query["mine"],
        candidate=query["candidate"],
        unit=query["unit"],
        case=query["case"],
        due_before=query["due_before"],
    )
    after = read_cursor(query["cursor"], 2)
    with reading() as transaction:
        page = queries.open_tasks(
            transaction.connection,
            glance(transaction),
            person(),
            wanted,
            after=after,
            limit=query["limit"],
        )
    return listed(page)


@tasks.route("/tasks/<ident:task>", methods=["GET"])
@tasks.response(200, TaskWithForm)
def show(task: str) -> tuple[dict[str, Json], dict[str, str]]:
    """Show an open task with its form and the values to begin with."""
    case = _case_of(task)
    with reading() as transaction:
        found = queries.open_task(transaction.connection, glance(transaction), task)
    if found is None:
        raise _gone(task)
    summary = visible_case(case)
    states = states_of(case)
    with reading() as transaction:
        definition = office().engine.library.get(summary.definition.sha256, transaction)
        form = form_of(definition, states, task, read_lookups(transaction), now())
    if form is None:
        raise _gone(task)
    fields = {name: getattr(found, name) for name in found.__slots__}
    shown = {"schema": form.schema, "ui": form.ui}
    return {**fields, "form": shown, "data": form.data, "seq": summary.seq}, etag(summary.seq)


@tasks.route("/tasks/<ident:task>/complete", methods=["POST"])
@tasks.doc(parameters=[KEY_PARAMETER, MATCH_PARAMETER])
@tasks.arguments(Completion)
@tasks.response(200, ReceiptOut)
def complete(body: dict[str, Json], task: str) -> tuple[Answered, dict[str, str]]:
    """Complete a task with the contents of its form."""
    return _carry_out(
        CompleteTask(
            case=_case_of(task), by=actor(), at=now(), task=TaskId(task), data=body["data"]
        )
    )


@tasks.route("/completions", methods=["POST"])
@tasks.doc(parameters=[KEY_PARAMETER])
@tasks.arguments(Completions)
@tasks.response(200, CompletionsOut)
def complete_many(body: dict[str, Any]) -> dict[str, Any]:
    """Complete many tasks in one call, such as the dispatch of all proposals of a session.

    Each is done or refused on its own; the answer says of each which. Sent again under the same
    key, what was done isn't done twice, and what was refused is tried again.
    """
    with writing() as transaction:
        is_first(transaction)
    items = [_attempted(one["task"], one["data"]) for one in body["items"]]
    done = sum(one["problem"] is None for one in items)
    return {"done": done, "refused": len(items) - done, "items": items}


@tasks.route("/tasks/<ident:task>/claim", methods=["POST"])
@tasks.doc(parameters=[KEY_PARAMETER, MATCH_PARAMETER])
@tasks.response(200, ReceiptOut)
def claim(task: str) -> tuple[Answered, dict[str, str]]:
    """Take a task that several people may do."""
    return _carry_out(ClaimTask(case=_case_of(task), by=actor(), at=now(), task=TaskId(task)))


@tasks.route("/tasks/<ident:task>/release", methods=["POST"])
@tasks.doc(parameters=[KEY_PARAMETER, MATCH_PARAMETER])
@tasks.response(200, ReceiptOut)
def release(task: str) -> tuple[Answered, dict[str, str]]:
    """Give a task back that you took."""
    return _carry_out(ReleaseTask(case=_case_of(task), by=actor(), at=now(), task=TaskId(task)))


@tasks.route("/tasks/<ident:task>/delegate", methods=["POST"])
@tasks.doc(parameters=[KEY_PARAMETER, MATCH_PARAMETER])
@tasks.arguments(Delegation)
@tasks.response(200, ReceiptOut)
def delegate(body: dict[str, Json], task: str) -> tuple[Answered, dict[str, str]]:
    """Pass a task to another person who may do it."""
    return _carry_out(
        DelegateTask(
            case=_case_of(task),
            by=actor(),
            at=now(),
            task=TaskId(task),
            assignee=body["assignee"],
        )
    )


_TaskCommand = CompleteTask | ClaimTask | ReleaseTask | DelegateTask


def _carry_out(ask: _TaskCommand) -> tuple[Answered, dict[str, str]]:
    return receipt_of(_executed(ask, idempotency_key(), if_match()))


def _executed(ask: _TaskCommand, key: str | None, expect: int | None = None) -> Receipt:
    try:
        return office().engine.execute(ask, key=key, expect=expect)
    except TaskNotOpen:
        raise _gone(ask.task) from None
    except CaseNotFound:
        raise TaskNotFound(task=ask.task) from None


def _attempted(task: str, data: dict[str, Json]) -> dict[str, Any]:
    """Complete one task of many; give what came of it."""
    key = idempotency_key()
    try:
        ask = CompleteTask(case=_case_of(task), by=actor(), at=now(), task=TaskId(task), data=data)
        # A case has one receipt under a key, and two of the tasks may be of the same case.
        receipt = _executed(ask, key and f"{key}:{task.rpartition('.')[2]}")
    except Problem as refusal:
        return {"task": task, "case": None, "seq": None, "problem": within(refusal)}
    return {"task": task, "case": receipt.case, "seq": receipt.seq, "problem": None}


def _case_of(task: str) -> CaseId:
    case = case_of(task)
    if not case:
        raise TaskNotFound(task=task)
    return CaseId(case)


def _gone(task: str) -> Exception:
    """Say why a task isn't open: it never was, isn't for these eyes, or somebody completed it."""
    with reading() as transaction:
        connection = transaction.connection
        if not queries.may_see(connection, glance(transaction), task):
            return TaskNotFound(task=task)
        end = end_of(transaction, task)
    if end is None:
        return TaskNotFound(task=task)
    if end.by is None:
        return TaskNotOpen(task=task)
    return TaskNotOpen(
        task=task,
        completed_by=f"{end.by} ({end.acting_for})" if end.acting_for else end.by,
        completed_at=instant_text(end.at),
    )
