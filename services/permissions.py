"""Who may do what: the matrix of domain.md §12 as one table, asked once per command.

Everything not named is refused. Four eyes and avoidance look at the person, not at the role.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, assert_never

from services.people.queries import Person
from services.people.roles import UNIT_ROLES, Role


class Action(StrEnum):
    """What can be asked for; the rows of the matrix, one by one."""

    SEE_CASES = "see_cases"
    REGISTER = "register"
    DECOMPOSE = "decompose"
    DISPATCH = "dispatch"
    APPROVE_REGISTRATION = "approve_registration"
    SIGN_FOR = "sign_for"
    REFUSE = "refuse"
    PROGRESS = "progress"
    FEEDBACK_DRAFT = "feedback_draft"
    REQUEST_EXTENSION = "request_extension"
    UNIT_INSTRUCTION = "unit_instruction"
    SIGN_OFF = "sign_off"
    REVIEW = "review"
    URGE = "urge"
    INSPECT = "inspect"
    FOLLOW_UP = "follow_up"
    DECIDE_REFUSAL = "decide_refusal"
    DECIDE_FIRST_EXTENSION = "decide_first_extension"
    ISSUE_MEASURE = "issue_measure"
    DECIDE_SECOND_EXTENSION = "decide_second_extension"
    DECIDE_REFERRAL = "decide_referral"
    INSTRUCT_AGAIN = "instruct_again"
    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"
    REASSIGN = "reassign"
    MERGE = "merge"
    RATE = "rate"
    WITHDRAW = "withdraw"
    APPEAL = "appeal"
    READ_HISTORY = "read_history"
    REPLAY = "replay"
    VERIFY = "verify"
    EVIDENCE = "evidence"
    STATISTICS = "statistics"
    EDIT_DEFINITIONS = "edit_definitions"
    PROPOSE_DEFINITION = "propose_definition"
    APPROVE_DEFINITION = "approve_definition"
    READ_DEFINITIONS = "read_definitions"
    MANAGE_USERS = "manage_users"
    MANAGE_UNITS = "manage_units"
    MANAGE_CALENDAR = "manage_calendar"
    MANAGE_TOKENS = "manage_tokens"
    MANAGE_INCIDENTS = "manage_incidents"
    READ_ADMIN = "read_admin"
    PROPOSE_ERASURE = "propose_erasure"
    DECIDE_ERASURE = "decide_erasure"


class Reach(StrEnum):
    """How far a right goes; the cells of the matrix."""

    ALL = "all"
    READ = "read"
    OWN = "own"
    OWN_AND_RANKING = "own unit + ranking"
    ASSIGNED = "assigned"
    OWN_WORK = "own work"
    OWN_PROPOSALS = "own proposals"
    OWN_ANSWERS = "own, answers only"
    PROPOSE = "propose"


class Reason(StrEnum):
    """Why something is refused; `api/messages` has the sentences."""

    INACTIVE = "inactive"
    ROLE = "role"
    RELATION = "relation"
    MAY_ONLY_PROPOSE = "may-only-propose"
    SAME_PERSON = "same-person"
    UNIT = "unit"
    ASSIGNEE = "assignee"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What a right can depend on; nothing known means that only rights over all cases hold.

    Parameters
    ----------
    units : lead, co-units and units handling separately, and one that a measure is about; for
        statistics the units asked about.
    assigned_users : who has a task of the case, and who handles it.
    offered_to : the units whose handlers may take an open task that nobody is assigned to.
    worked_users : who did a step of the case.
    proposer_users : the deputies whose suggestion it is, co-signers included.
    separate_from : who may not do this because of what they did before: registered it, proposed
        the definition, wrote or reviewed the finding.
    """

    units: frozenset[str] = frozenset()
    assigned_users: frozenset[str] = frozenset()
    offered_to: frozenset[str] = frozenset()
    worked_users: frozenset[str] = frozenset()
    proposer_users: frozenset[str] = frozenset()
    separate_from: frozenset[str] = frozenset()


NOTHING_KNOWN = CaseFacts()


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes; for whom, when the person acts as B, and how far the right goes."""

    acting_for: str | None = None
    reach: Reach | None = None


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """No, and why."""

    reason: Reason


Verdict = Allowed | NotAllowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """Which cases a person sees: all, or those that match any of the sets.

    `offered_to` are units the person handles for: a task that any of their handlers may take shows
    its case, as long as nobody has taken it.
    """

    everything: bool = False
    units: frozenset[str] = frozenset()
    assigned_to: frozenset[str] = frozenset()
    offered_to: frozenset[str] = frozenset()
    proposed_by: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether no case can match."""
        return self == Visibility()


class OpenTask(Protocol):
    """What is asked of a task: who it waits for."""

    @property
    def roles(self) -> Collection[str]:
        """Any of these roles; none of them named means that anybody assigned may."""
        ...

    @property
    def unit(self) -> str | None:
        """The unit whose people may act; None for any."""
        ...

    @property
    def assignee(self) -> str | None:
        """The person it waits for; None for whoever has the role."""
        ...


def _rights(reach: Reach, *roles: Role) -> dict[Role, Reach]:
    return dict.fromkeys(roles, reach)


_OFFICE = _rights(Reach.ALL, Role.REGISTRAR, Role.OFFICE_DIRECTOR)
_UNIT = _rights(Reach.OWN, Role.UNIT_CONTACT, Role.UNIT_HEAD)
_UNIT_AND_HANDLER = _UNIT | _rights(Reach.ASSIGNED, Role.HANDLER)
_HEAD = _rights(Reach.OWN, Role.UNIT_HEAD)
_CHECKING = _rights(Reach.ALL, Role.SUPERVISOR, Role.OFFICE_DIRECTOR)
_DIRECTING = _rights(Reach.ALL, Role.OFFICE_DIRECTOR, Role.LEADER)
_LEADING = _rights(Reach.ALL, Role.LEADER)
_STEERING = _rights(Reach.ALL, Role.OFFICE_DIRECTOR) | _rights(Reach.PROPOSE, Role.SUPERVISOR)
_PROPOSER = _rights(Reach.OWN_PROPOSALS, Role.DEPUTY)
_WATCHING = _rights(Reach.ALL, Role.SUPERVISOR, Role.OFFICE_DIRECTOR, Role.LEADER, Role.AUDITOR)
_RECORD = (
    _WATCHING
    | _UNIT
    | _rights(Reach.OWN_WORK, Role.REGISTRAR)
    | _rights(Reach.OWN_ANSWERS, Role.DEPUTY)
)
_ADMIN = _rights(Reach.ALL, Role.ADMIN)
_DESIGN = _rights(Reach.ALL, Role.DESIGNER)

RIGHTS: Mapping[Action, Mapping[Role, Reach]] = {
    Action.SEE_CASES: _WATCHING
    | _UNIT
    | _rights(Reach.ALL, Role.REGISTRAR)
    | _rights(Reach.ASSIGNED, Role.HANDLER)
    | _PROPOSER,
    Action.REGISTER: _OFFICE,
    Action.DECOMPOSE: _OFFICE,
    Action.DISPATCH: _OFFICE,
    Action.APPROVE_REGISTRATION: _rights(Reach.ALL, Role.OFFICE_DIRECTOR),
    Action.SIGN_FOR: _UNIT,
    Action.REFUSE: _UNIT,
    Action.PROGRESS: _UNIT_AND_HANDLER,
    Action.FEEDBACK_DRAFT: _UNIT_AND_HANDLER,
    Action.REQUEST_EXTENSION: _UNIT,
    Action.UNIT_INSTRUCTION: _HEAD,
    Action.SIGN_OFF: _HEAD,
    Action.REVIEW: _CHECKING,
    Action.URGE: _CHECKING,
    Action.INSPECT: _CHECKING,
    Action.FOLLOW_UP: _CHECKING,
    Action.DECIDE_REFUSAL: _DIRECTING,
    Action.DECIDE_FIRST_EXTENSION: _DIRECTING,
    Action.ISSUE_MEASURE: _DIRECTING,
    Action.DECIDE_SECOND_EXTENSION: _LEADING,
    Action.DECIDE_REFERRAL: _LEADING,
    Action.INSTRUCT_AGAIN: _LEADING,
    Action.SUSPEND: _STEERING,
    Action.RESUME: _STEERING,
    Action.CANCEL: _STEERING,
    Action.REASSIGN: _STEERING,
    Action.MERGE: _STEERING,
    Action.RATE: _PROPOSER,
    Action.WITHDRAW: _PROPOSER,
    Action.APPEAL: _HEAD,
    Action.READ_HISTORY: _RECORD,
    Action.REPLAY: _RECORD,
    Action.VERIFY: _RECORD,
    Action.EVIDENCE: _RECORD,
    Action.STATISTICS: _WATCHING
    | _rights(Reach.ALL, Role.REGISTRAR)
    | _rights(Reach.OWN_AND_RANKING, Role.UNIT_CONTACT, Role.UNIT_HEAD),
    Action.EDIT_DEFINITIONS: _DESIGN,
    Action.PROPOSE_DEFINITION: _DESIGN,
    Action.APPROVE_DEFINITION: _DESIGN | _rights(Reach.ALL, Role.OFFICE_DIRECTOR),
    Action.READ_DEFINITIONS: _DESIGN | _rights(Reach.READ, Role.OFFICE_DIRECTOR, Role.AUDITOR),
    Action.MANAGE_USERS: _ADMIN,
    Action.MANAGE_UNITS: _ADMIN,
    Action.MANAGE_CALENDAR: _ADMIN,
    Action.MANAGE_TOKENS: _ADMIN,
    Action.MANAGE_INCIDENTS: _ADMIN,
    Action.READ_ADMIN: _ADMIN | _rights(Reach.READ, Role.OFFICE_DIRECTOR, Role.AUDITOR),
    # Four eyes: who runs the system proposes, who answers for the cases confirms.
    Action.PROPOSE_ERASURE: _ADMIN,
    Action.DECIDE_ERASURE: _rights(Reach.ALL, Role.OFFICE_DIRECTOR),
}


def may(person: Person, action: Action, facts: CaseFacts = NOTHING_KNOWN) -> Verdict:
    """Decide whether a person may do something (domain.md §12).

    The person's own rights come first, then those of the people they act for. Who acts as B is
    bound by four eyes twice: neither they nor the person they act for may be among those excluded.

    Returns
    -------
    `Allowed` with how far the right goes, or `NotAllowed` with the reason that came closest.
    """
    if not person.active:
        return NotAllowed(Reason.INACTIVE)
    if person.id in facts.separate_from:
        return NotAllowed(Reason.SAME_PERSON)
    reasons = []
    for capacity in _capacities(person):
        found = _right(capacity, action, facts)
        if isinstance(found, Reason):
            reasons.append(found)
        elif capacity.id in facts.separate_from:
            reasons.append(Reason.SAME_PERSON)
        else:
            return Allowed(None if capacity is person else capacity.id, found)
    return NotAllowed(_closest(reasons))


def is_open_to(person: Person, action: Action) -> bool:
    """Tell whether a person may do something to some case at all, for menus and lists."""
    held = RIGHTS[action]
    return person.active and any(
        capacity.holds(role) and reach is not Reach.PROPOSE
        for capacity in _capacities(person)
        for role, reach in held.items()
    )


def visible_cases(person: Person) -> Visibility:
    """Describe which cases a person sees, those of the people they act for included."""
    if not person.active:
        return Visibility()
    everything = False
    units: frozenset[str] = frozenset()
    offered_to: frozenset[str] = frozenset()
    assigned_to, proposed_by = set(), set()
    for capacity in _capacities(person):
        for role, reach in RIGHTS[Action.SEE_CASES].items():
            if not capacity.holds(role):
                continue
            match reach:
                case Reach.ALL:
                    everything = True
                case Reach.OWN:
                    units |= capacity.units_as(role)
                case Reach.ASSIGNED:
                    assigned_to.add(capacity.id)
                    offered_to |= capacity.units_as(role)
                case _:
                    proposed_by.add(capacity.id)
    return Visibility(
        everything=everything,
        units=units,
        assigned_to=frozenset(assigned_to),
        offered_to=offered_to,
        proposed_by=frozenset(proposed_by),
    )


def sees(visibility: Visibility, facts: CaseFacts) -> bool:
    """Tell whether a case is among those visible."""
    return bool(
        visibility.everything
        or visibility.units & facts.units
        or visibility.assigned_to & facts.assigned_users
        or visibility.offered_to & facts.offered_to
        or visibility.proposed_by & facts.proposer_users
    )


def task_verdict(
    person: Person, task: OpenTask, separate_from: frozenset[str] = frozenset()
) -> Verdict:
    """Decide whether a person may complete an open task (domain.md §2, §10 case 22).

    Parameters
    ----------
    separate_from : who may not, by the rule of four eyes.

    Returns
    -------
    `Allowed` with the person acted for: the assignee who is away, or the holder of the role who is.
    """
    if not person.active:
        return NotAllowed(Reason.INACTIVE)
    if person.id in separate_from:
        return NotAllowed(Reason.SAME_PERSON)
    reasons = []
    for capacity in _capacities(person):
        reason = _not_the_one(capacity, task)
        if reason is None and capacity.id in separate_from:
            reason = Reason.SAME_PERSON
        if reason is None:
            return Allowed(None if capacity is person else capacity.id)
        reasons.append(reason)
    return NotAllowed(_closest(reasons))


def _right(person: Person, action: Action, facts: CaseFacts) -> Reach | Reason:
    reasons = [Reason.ROLE]
    for role, reach in RIGHTS[action].items():
        if not person.holds(role):
            continue
        if reach is Reach.PROPOSE:
            reasons.append(Reason.MAY_ONLY_PROPOSE)
        elif _reaches(person, role, reach, facts):
            return reach
        else:
            reasons.append(Reason.RELATION)
    return _closest(reasons)


def _reaches(person: Person, role: Role, reach: Reach, facts: CaseFacts) -> bool:
    match reach:
        case Reach.ALL | Reach.READ:
            reached = True
        case Reach.OWN:
            reached = not person.units_as(role).isdisjoint(facts.units)
        case Reach.OWN_AND_RANKING:
            reached = bool(facts.units) and facts.units <= person.units_as(role)
        case Reach.ASSIGNED:
            offered = not person.units_as(role).isdisjoint(facts.offered_to)
            reached = offered or person.id in facts.assigned_users
        case Reach.OWN_WORK:
            reached = person.id in facts.worked_users
        case Reach.OWN_PROPOSALS | Reach.OWN_ANSWERS:
            reached = person.id in facts.proposer_users
        case Reach.PROPOSE:
            reached = False
        case _:
            assert_never(reach)
    return reached


def _not_the_one(person: Person, task: OpenTask) -> Reason | None:
    if task.assignee is not None and task.assignee != person.id:
        return Reason.ASSIGNEE
    held = [role for role in _roles_wanted(task) if person.holds(role)]
    if task.roles and not held:
        return Reason.ROLE
    # A unit binds the people of units; the office's own roles act for all of them.
    if task.unit is None or any(role not in UNIT_ROLES for role in held):
        return None
    units = {unit for role in held for unit in person.units_as(role)}
    if not task.roles and person.unit is not None:
        units.add(person.unit)
    return None if task.unit in units else Reason.UNIT


def _roles_wanted(task: OpenTask) -> frozenset[str]:
    # Whoever the head names handles the case: a contact or head may be named handler, too.
    if task.assignee is not None and Role.HANDLER in task.roles:
        return frozenset(task.roles) | UNIT_ROLES
    return frozenset(task.roles)


def _capacities(person: Person) -> Iterator[Person]:
    yield person
    for away in person.stands_in_for:
        # Somebody gone for good passes on what was assigned to them, but no right of their own.
        yield (
            away
            if away.active
            else replace(away, roles=person.roles, unit=person.unit, further=person.further)
        )


_FROM_FAR_TO_NEAR = (
    Reason.INACTIVE,
    Reason.ASSIGNEE,
    Reason.ROLE,
    Reason.UNIT,
    Reason.RELATION,
    Reason.MAY_ONLY_PROPOSE,
    Reason.SAME_PERSON,
)


def _closest(reasons: Collection[Reason]) -> Reason:
    return max(reasons, key=_FROM_FAR_TO_NEAR.index)
