"""Read the record: histories, states of the past, refusals, incidents."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, bindparam, literal, or_, select, text, union_all

from engine import CaseId, ProcessState, States
from engine.chain import GENESIS, algorithm_of, genesis
from engine.errors import KeyReused
from engine.history import History
from engine.journal import envelope_of
from engine.records import Json
from engine.store import StoredEvent
from engine.store.tables import Instant, jobs, rejections, timers
from services.audit.tables import request_keys
from services.cases.state import CaseState
from services.cases.tables import register
from services.documents.tables import documents
from services.pages import Page, each, read_page
from services.people.queries import Person
from services.permissions import (
    Action,
    Allowed,
    CaseFacts,
    Reach,
    Verdict,
    may,
)

_NOTE_KEY = text(
    "INSERT INTO request_keys (key, digest, at) VALUES (:key, :digest, :at) "
    "ON CONFLICT (key) DO NOTHING"
).bindparams(bindparam("at", type_=Instant))

ANSWERS = frozenset({"answer", "contact_proposer", "rate"})
"""The tasks whose forms a proposer may read (domain.md §12: "own, answers only")."""

OPEN_REFERRAL = ("referring", "recording")
"""Where the rounds stand while an accountability referral is open."""

_FOR_PROPOSERS = frozenset(
    {
        "answer_rated",
        "case_cancelled",
        "case_dispatched",
        "case_registered",
        "milestone_reached",
        "proposal_withdrawn",
        "task_completed",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event of a history; `command` names the command it came of, on its first event."""

    seq: int
    type: str
    version: int
    at: datetime
    actor: str
    acting_for: str | None
    command: str | None
    payload: Mapping[str, Json]
    prev: str
    hash: str


@dataclass(frozen=True, slots=True)
class TokenView:
    """Where a case stands: `waiting` for a person, machine or instant, or `active` in between."""

    element: str
    scope: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeView:
    """A call activity, sub-process or instance that is under way."""

    id: str
    parent: str
    element: str
    process: str | None
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskThen:
    """A task that was open then."""

    id: str
    element: str
    name: str
    scope: str
    roles: tuple[str, ...]
    unit: str | None
    assignee: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateView:
    """A case as it stood after event `seq`."""

    seq: int
    at: datetime
    status: str
    tokens: tuple[TokenView, ...]
    data: Mapping[str, Json]
    scopes: tuple[ScopeView, ...]
    tasks: tuple[TaskThen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionView:
    """A command that was refused."""

    id: str
    case: str
    at: datetime
    user: str
    command: str
    problem: str
    facts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that waits for a person of the service: a stuck timer, a job that failed.

    A document that couldn't be made is one, too, although it is tried again by itself.
    """

    id: str
    case: str
    kind: Literal["timer", "job", "document"]
    element: str
    reason: str
    since: datetime | None
    attempts: int


def may_read(
    person: Person, action: Action, facts: CaseFacts, states: States | None = None
) -> Verdict:
    """Decide whether a person may read a case's record.

    Parameters
    ----------
    states : of the case; when given, who worked on it counts, too.
    """
    verdict = may(person, action, facts)
    if isinstance(verdict, Allowed) or states is None:
        return verdict
    process, case = states.get(ProcessState), states.get(CaseState)
    if not isinstance(process, ProcessState) or not isinstance(case, CaseState):
        return verdict
    worked = frozenset({*process.done_by.values(), case.registered_by})
    return may(person, action, CaseFacts(units=facts.units, worked_users=worked))


def read_events(
    history: History, case: CaseId, *, after: int, limit: int, reach: Reach | None
) -> list[EventView]:
    """Read events after number `after`; a proposer gets those about the answer alone."""
    before = history.stored(case, after - 1, after) if after > 0 else []
    wanted = history.stored(case, after, limit=limit)
    previous = before[0].hash if before else _before_first(wanted)
    found = []
    for stored in wanted:
        view = _event(stored, previous)
        previous = stored.hash
        if reach is not Reach.OWN_ANSWERS or _is_for_proposers(view):
            found.append(view)
    return found


def _before_first(stored: list[StoredEvent]) -> str:
    return genesis(algorithm_of(stored[0].hash)) if stored else GENESIS


def _event(stored: StoredEvent, previous: str) -> EventView:
    envelope = envelope_of(stored)
    command = envelope["command"]
    return EventView(
        seq=stored.seq,
        type=stored.type,
        version=envelope["version"],
        at=stored.at,
        actor=envelope["by"],
        acting_for=envelope["for"],
        command=None if command is None else command["name"],
        payload=envelope["payload"],
        prev=previous,
        hash=stored.hash,
    )


def _is_for_proposers(view: EventView) -> bool:
    if view.type == "task_completed":
        return view.payload["element"] in ANSWERS
    return view.type in _FOR_PROPOSERS


def state_view(seq: int, at: datetime, states: States) -> StateView:
    """Give a folded state as readers see it."""
    process = states.get(ProcessState)
    if not isinstance(process, ProcessState):
        process = ProcessState()
    waiting = {(task.element, task.scope) for task in process.tasks.values()}
    waiting |= {(timer.element, timer.scope) for timer in process.timers.values()}
    waiting |= {(job.element, job.scope) for job in process.jobs.values()}
    return StateView(
        seq=seq,
        at=at,
        status=process.status,
        tokens=tuple(
            TokenView(
                token.element,
                token.scope,
                "waiting" if (token.element, token.scope) in waiting else "active",
            )
            for token in process.tokens
        ),
        data=process.variables(),
        scopes=tuple(
            ScopeView(
                id=scope_id,
                parent=scope.parent,
                element=scope.element,
                process=scope.process,
                data=scope.variables or {},
            )
            for scope_id, scope in process.scopes.items()
            if scope_id
        ),
        tasks=tuple(
            TaskThen(
                id=task.task,
                element=task.element,
                name=task.title,
                scope=task.scope,
                roles=task.roles,
                unit=task.unit,
                assignee=task.assignee,
                due_at=task.due_at,
            )
            for task in process.tasks.values()
        ),
    )


def refused_commands(
    connection: Connection, *, after: tuple[str, ...] | None = None, limit: int = 50
) -> Page[RejectionView]:
    """List refused commands, the newest first."""
    return read_page(
        connection,
        select(rejections),
        (rejections.c.at, rejections.c.id),
        each(_rejection),
        after=after,
        limit=limit,
    )


def _rejection(row: RowMapping) -> RejectionView:
    shown = {name: row[name] for name in RejectionView.__slots__ if name != "case"}
    return RejectionView(case=row["case_id"], **shown)


def needs_purpose(connection: Connection, case: str, types: Collection[str]) -> bool:
    """Tell whether a case is sensitive: of one of some types, or an open referral is about it."""
    table = register.c
    is_sensitive = or_(table.case_type.in_(types), table.escalation_status.in_(OPEN_REFERRAL))
    found = select(table.case_id).where(table.case_id == case, is_sensitive)
    return connection.execute(found).first() is not None


def incidents(
    connection: Connection, *, after: tuple[str, ...] | None = None, limit: int = 50
) -> Page[Incident]:
    """List stuck timers, failed jobs and documents that couldn't be made, by id."""
    stuck = select(
        timers.c.timer.label("id"),
        timers.c.case_id,
        literal("timer").label("kind"),
        timers.c.element,
        timers.c.stuck.label("reason"),
        timers.c.due_at.label("since"),
        literal(0).label("attempts"),
    ).where(timers.c.stuck.is_not(None))
    failed = select(
        jobs.c.job.label("id"),
        jobs.c.case_id,
        literal("job").label("kind"),
        jobs.c.element,
        jobs.c.failed.label("reason"),
        jobs.c.requested_at.label("since"),
        jobs.c.attempts,
    ).where(jobs.c.failed.is_not(None))
    unmade = select(
        (documents.c.case_id + "." + documents.c.document).label("id"),
        documents.c.case_id,
        literal("document").label("kind"),
        documents.c.cause.label("element"),
        documents.c.last_error.label("reason"),
        documents.c.wanted_at.label("since"),
        documents.c.attempts,
    ).where(documents.c.step.is_not(None), documents.c.last_error.is_not(None))
    both = union_all(stuck, failed, unmade).subquery()
    return read_page(
        connection,
        select(both),
        (both.c.id,),
        each(_incident),
        after=after,
        limit=limit,
        newest_first=False,
    )


def _incident(row: RowMapping) -> Incident:
    shown = {name: row[name] for name in Incident.__slots__ if name != "case"}
    return Incident(case=row["case_id"], **shown)


def note_key(connection: Connection, key: str, digest: str, at: datetime) -> bool:
    """Note the key of a request outside any case; tell whether it is the first under that key.

    In one transaction with the request's effect: whoever comes with the same key waits for it.

    Parameters
    ----------
    digest : of the request.

    Raises
    ------
    KeyReused : another request came under this key.
    """
    noted = connection.execute(_NOTE_KEY, {"key": key, "digest": digest, "at": at})
    if noted.rowcount:
        return True
    kept = select(request_keys.c.digest).where(request_keys.c.key == key)
    if connection.execute(kept).scalar_one() != digest:
        raise KeyReused
    return False


def count_waits(connection: Connection, now: datetime) -> dict[str, int]:
    """Count what the worker has before it: due timers, waiting jobs; and open incidents."""
    counted = {
        "due_timers": select(timers.c.timer).where(timers.c.due_at <= now),
        "waiting_jobs": select(jobs.c.job).where(
            jobs.c.failed.is_(None), or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)
        ),
        "stuck_timers": select(timers.c.timer).where(timers.c.stuck.is_not(None)),
        "failed_jobs": select(jobs.c.job).where(jobs.c.failed.is_not(None)),
    }
    return {
        name: len(connection.execute(statement.limit(1000)).all())
        for name, statement in counted.items()
    }
