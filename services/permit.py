"""Which right each command needs, and of whom: asked once, before the command is decided."""

from collections.abc import Callable
from dataclasses import replace

from engine import (
    Actor,
    Case,
    ClaimTask,
    Command,
    CompleteTask,
    DelegateTask,
    FailJob,
    FinishJob,
    FireTimer,
    Forbidden,
    ProcessState,
    ReleaseTask,
    RetryJob,
    RetryTimer,
    TaskId,
)
from engine.commands import MigrateCase, ReportStuckTimer
from engine.errors import CaseNotFound, TaskNotFound, TaskNotOpen
from engine.store import Transaction
from services.cases.commands import (
    CancelSupervision,
    ChangeLeadUnit,
    InstructAgain,
    RegisterCase,
    ReportProgress,
    Urge,
    WithdrawProposal,
)
from services.cases.state import CaseState
from services.deadlines.commands import RequestExtension, ResumeSupervision, SuspendSupervision
from services.deadlines.recomputing import RecomputeDeadline
from services.documents.commands import (
    NumberDocument,
    RecordDocument,
    RecordMarkedCopies,
    WithdrawDocument,
)
from services.erasure.commands import DecideErasure, ProposeErasure
from services.escalation.commands import OrderEscalation
from services.people.queries import Person
from services.people.roles import Role
from services.permissions import (
    Action,
    Allowed,
    CaseFacts,
    NotAllowed,
    Reason,
    may,
    sees,
    task_verdict,
    visible_cases,
)
from services.relations.commands import (
    AbsorbDuplicate,
    Decompose,
    EndAsDuplicate,
    RegisterPart,
    TakeOver,
    TransferCase,
)
from services.rhythm.commands import NoteUrging, UrgeTogether
from services.scoring.commands import AppealPoints, DecideAppeal
from services.scoring.proposals import ProposeMeasure

_BY_THE_SERVICE = (
    FireTimer,
    ReportStuckTimer,
    FinishJob,
    FailJob,
    NumberDocument,
    RecordDocument,
    RecordMarkedCopies,
    ProposeMeasure,
    UrgeTogether,
    NoteUrging,
)
_ON_ANY_CASE = (RetryTimer, RetryJob, RecomputeDeadline, MigrateCase, ProposeErasure)
"""Upkeep: whoever may do it does it to cases whose contents stay hidden from them."""
_ON_TASKS = (CompleteTask, ClaimTask, ReleaseTask, DelegateTask)

RIGHT_OF: dict[type[Command], Action] = {
    RegisterCase: Action.REGISTER,
    Urge: Action.URGE,
    ReportProgress: Action.PROGRESS,
    InstructAgain: Action.INSTRUCT_AGAIN,
    ChangeLeadUnit: Action.REASSIGN,
    CancelSupervision: Action.CANCEL,
    WithdrawProposal: Action.WITHDRAW,
    RequestExtension: Action.REQUEST_EXTENSION,
    SuspendSupervision: Action.SUSPEND,
    ResumeSupervision: Action.RESUME,
    OrderEscalation: Action.INSPECT,
    AppealPoints: Action.APPEAL,
    DecideAppeal: Action.DECIDE_REFUSAL,
    RegisterPart: Action.REGISTER,
    Decompose: Action.DECOMPOSE,
    AbsorbDuplicate: Action.MERGE,
    EndAsDuplicate: Action.MERGE,
    TransferCase: Action.DISPATCH,
    TakeOver: Action.WITHDRAW,
    WithdrawDocument: Action.ISSUE_MEASURE,
    RecomputeDeadline: Action.MANAGE_CALENDAR,
    MigrateCase: Action.APPROVE_DEFINITION,
    ProposeErasure: Action.PROPOSE_ERASURE,
    DecideErasure: Action.DECIDE_ERASURE,
    RetryTimer: Action.MANAGE_INCIDENTS,
    RetryJob: Action.MANAGE_INCIDENTS,
}
"""Commands that a person gives to a case as a whole; every other one is refused to people."""


class NotPermitted(Forbidden):
    """Raised when a person's roles don't allow what was asked; `reason` says what is missing."""

    slug = "not-permitted"


FindPerson = Callable[[str, Transaction], Person | None]


class Permissions:
    """Says who acts, by the one table in `services.permissions`.

    Parameters
    ----------
    find_person : gives a person by login, `None` when there is no such user.
    """

    def __init__(self, find_person: FindPerson) -> None:
        self._find_person = find_person

    def __call__(self, command: Command, case: Case, transaction: Transaction) -> Actor:
        """Give the actor, with the absent person acted for.

        Raises
        ------
        NotPermitted : the person may know of the case, but not do this.
        CaseNotFound, TaskNotFound : the case isn't for this person's eyes.
        """
        if isinstance(command, _BY_THE_SERVICE):
            return command.by
        person = self._find_person(command.by.user, transaction)
        if person is None:
            raise NotPermitted(reason=Reason.INACTIVE)
        facts = facts_of(case)
        is_task = isinstance(command, _ON_TASKS)
        hidden = isinstance(command, _ON_ANY_CASE)
        if not (command.is_start or hidden) and not sees(visible_cases(person), facts):
            if is_task:
                raise TaskNotFound(task=command.task)  # type: ignore[attr-defined]  # _ON_TASKS have it
            raise CaseNotFound(case=case.id)
        if isinstance(command, _ON_TASKS):
            verdict = _task_verdict(person, case, command.task)
        else:
            verdict = _verdict(person, command, case, facts)
        if isinstance(verdict, NotAllowed):
            raise NotPermitted(reason=verdict.reason)
        return Actor(command.by.user, verdict.acting_for)


def _task_verdict(person: Person, case: Case, task: TaskId) -> Allowed | NotAllowed:
    found = case[ProcessState].tasks.get(task)
    if found is None:
        raise TaskNotOpen(task=task)
    return task_verdict(person, found)


def _verdict(
    person: Person, command: Command, case: Case, facts: CaseFacts
) -> Allowed | NotAllowed:
    right = RIGHT_OF.get(type(command))
    if right is None:
        return NotAllowed(Reason.ROLE)
    return may(person, right, asking_facts(facts, case[CaseState], type(command)))


def asking_facts(facts: CaseFacts, state: CaseState, kind: type[Command]) -> CaseFacts:
    """Narrow what is known of a case to what counts for asking something of it as a whole.

    A co-unit, or a handler who is only offered a task, may see the case; only the unit that answers
    for it, and who handles it, ask things of the office. A proposal is its leading proposer's.
    Points are contested by whichever unit they stand against, a co-unit or a former one too.
    """
    if issubclass(kind, AppealPoints):
        return replace(facts, offered_to=frozenset())
    return replace(
        facts,
        units=frozenset(filter(None, [state.lead_unit])),
        offered_to=frozenset(),
        proposer_users=frozenset(
            state.proposers if issubclass(kind, TakeOver) else state.proposers[:1]
        ),
    )


def facts_of(case: Case) -> CaseFacts:
    """Give what rights on a case depend on."""
    return facts_of_states(case[CaseState], case[ProcessState])


def facts_of_states(state: CaseState, process: ProcessState) -> CaseFacts:
    """Give what rights on a case depend on, from its states alone."""
    units = {*state.co_units, *state.former_units}
    units |= {unit for unit in (state.lead_unit, state.measured_unit) if unit is not None}
    assigned = {task.assignee for task in process.tasks.values() if task.assignee is not None}
    if state.handler is not None:
        assigned.add(state.handler)
    offered = {
        task.unit
        for task in process.tasks.values()
        if task.assignee is None and task.unit is not None and Role.HANDLER in task.roles
    }
    return CaseFacts(
        units=frozenset(units),
        assigned_users=frozenset(assigned),
        offered_to=frozenset(offered),
        worked_users=frozenset(process.done_by.values()),
        proposer_users=frozenset(state.proposers),
    )
