"""Tasks: find what waits for you, take it, pass it on, complete it."""

from typing import Any

from api.answers import Answered, etag, listed, read_lookups, receipt_of, states_of
from api.cases import visible_case
from api.context import (
    actor,
    glance,
    idempotency_key,
    if_match,
    now,
    office,
    person,
    read_cursor,
    reading,
)
from api.openapi import KEY_PARAMETER, MATCH_PARAMETER, Noun
from api.schemas import Completion, Delegation, ReceiptOut, TaskPage, TaskQuery, TaskWithForm
from engine import CaseId, ClaimTask, CompleteTask, DelegateTask, ReleaseTask, TaskId
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


def _carry_out(
    ask: CompleteTask | ClaimTask | ReleaseTask | DelegateTask,
) -> tuple[Answered, dict[str, str]]:
    try:
        receipt = office().engine.execute(ask, key=idempotency_key(), expect=if_match())
    except TaskNotOpen:
        raise _gone(ask.task) from None
    except CaseNotFound:
        raise TaskNotFound(task=ask.task) from None
    return receipt_of(receipt)


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
