from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from services.people.queries import Person
from services.people.roles import Role
from services.permissions import (
    Action,
    Allowed,
    CaseFacts,
    NotAllowed,
    Reach,
    Reason,
    Visibility,
    is_open_to,
    may,
    sees,
    task_verdict,
    visible_cases,
)

# domain.md §12, row by row as it stands there.
MATRIX = """
| | registrar | supervisor | director | leader | contact | head | handler | deputy | designer | auditor | admin |
| see cases | all | all | all | all | own | own | assigned | own proposals | – | all | – |
| register, decompose, dispatch | ● | – | ● | – | – | – | – | – | – | – | – |
| approve registration (not one's own) | – | – | ● | – | – | – | – | – | – | – | – |
| sign for, refuse, progress, feedback draft | – | – | – | – | own | own | progress, draft | – | – | – | – |
| unit instruction, sign-off | – | – | – | – | – | own | – | – | – | – | – |
| review, urge, inspect, follow up | – | ● | ● | – | – | – | – | – | – | – | – |
| decide refusal, first extension, measures | – | – | ● | ● | – | – | – | – | – | – | – |
| second extension, referral, instruct again | – | – | – | ● | – | – | – | – | – | – | – |
| suspend, resume, cancel, reassign, merge | – | propose | ● | – | – | – | – | – | – | – | – |
| rate, withdraw a proposal | – | – | – | – | – | – | – | own | – | – | – |
| appeal points or a conclusion | – | – | – | – | – | own | – | – | – | – | – |
| history, replay, verify, evidence | own work | ● | ● | ● | own | own | – | own, answers only | – | ● | – |
| statistics and bulletins | ● | ● | ● | ● | own unit + ranking | same | – | – | – | ● | – |
| definitions: edit, propose / approve (not one's own) | – | – | – / ● | – | – | – | – | – | ● / ● | read | – |
| users, units, calendar, tokens, incidents | – | – | read | – | – | – | – | – | – | read | ● |
"""  # noqa: E501 -- the table as it is written

COLUMNS = {
    "registrar": Role.REGISTRAR,
    "supervisor": Role.SUPERVISOR,
    "director": Role.OFFICE_DIRECTOR,
    "leader": Role.LEADER,
    "contact": Role.UNIT_CONTACT,
    "head": Role.UNIT_HEAD,
    "handler": Role.HANDLER,
    "deputy": Role.DEPUTY,
    "designer": Role.DESIGNER,
    "auditor": Role.AUDITOR,
    "admin": Role.ADMIN,
}

ROWS = {
    "see cases": [Action.SEE_CASES],
    "register, decompose, dispatch": [Action.REGISTER, Action.DECOMPOSE, Action.DISPATCH],
    "approve registration (not one's own)": [Action.APPROVE_REGISTRATION],
    "sign for, refuse, progress, feedback draft": [
        Action.SIGN_FOR,
        Action.REFUSE,
        Action.PROGRESS,
        Action.FEEDBACK_DRAFT,
    ],
    "unit instruction, sign-off": [Action.UNIT_INSTRUCTION, Action.SIGN_OFF],
    "review, urge, inspect, follow up": [
        Action.REVIEW,
        Action.URGE,
        Action.INSPECT,
        Action.FOLLOW_UP,
    ],
    "decide refusal, first extension, measures": [
        Action.DECIDE_REFUSAL,
        Action.DECIDE_FIRST_EXTENSION,
        Action.ISSUE_MEASURE,
    ],
    "second extension, referral, instruct again": [
        Action.DECIDE_SECOND_EXTENSION,
        Action.DECIDE_REFERRAL,
        Action.INSTRUCT_AGAIN,
    ],
    "suspend, resume, cancel, reassign, merge": [
        Action.SUSPEND,
        Action.RESUME,
        Action.CANCEL,
        Action.REASSIGN,
        Action.MERGE,
    ],
    "rate, withdraw a proposal": [Action.RATE, Action.WITHDRAW],
    "appeal points or a conclusion": [Action.APPEAL],
    "history, replay, verify, evidence": [
        Action.READ_HISTORY,
        Action.REPLAY,
        Action.VERIFY,
        Action.EVIDENCE,
    ],
    "statistics and bulletins": [Action.STATISTICS],
    "definitions: edit, propose / approve (not one's own)": [
        Action.EDIT_DEFINITIONS,
        Action.PROPOSE_DEFINITION,
        Action.APPROVE_DEFINITION,
        Action.READ_DEFINITIONS,
    ],
    "users, units, calendar, tokens, incidents": [
        Action.MANAGE_USERS,
        Action.MANAGE_UNITS,
        Action.MANAGE_CALENDAR,
        Action.MANAGE_TOKENS,
        Action.MANAGE_INCIDENTS,
        Action.READ_ADMIN,
    ],
}

DEFINITION_CELLS = {
    "–": {},
    "– / ●": {Action.APPROVE_DEFINITION: Reach.ALL, Action.READ_DEFINITIONS: Reach.READ},
    "● / ●": {
        Action.EDIT_DEFINITIONS: Reach.ALL,
        Action.PROPOSE_DEFINITION: Reach.ALL,
        Action.APPROVE_DEFINITION: Reach.ALL,
        Action.READ_DEFINITIONS: Reach.ALL,
    },
    "read": {Action.READ_DEFINITIONS: Reach.READ},
}
PLAIN_CELLS = {
    "–": None,
    "●": Reach.ALL,
    "all": Reach.ALL,
    "assigned": Reach.ASSIGNED,
    "own proposals": Reach.OWN_PROPOSALS,
    "own work": Reach.OWN_WORK,
    "own, answers only": Reach.OWN_ANSWERS,
    "own unit + ranking": Reach.OWN_AND_RANKING,
    "same": Reach.OWN_AND_RANKING,
    "propose": Reach.PROPOSE,
}


def reach_written(row: str, cell: str, role: Role, action: Action) -> Reach | None:
    if row.startswith("definitions"):
        return DEFINITION_CELLS[cell].get(action)
    if cell == "read":
        return Reach.READ if action is Action.READ_ADMIN else None
    if cell == "progress, draft":
        drafts = (Action.PROGRESS, Action.FEEDBACK_DRAFT)
        return Reach.ASSIGNED if action in drafts else None
    if cell == "own":
        return Reach.OWN_PROPOSALS if role is Role.DEPUTY else Reach.OWN
    return PLAIN_CELLS[cell]


def cells() -> Iterator[tuple[Role, Action, Reach | None]]:
    head, *rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in MATRIX.strip().splitlines()
    ]
    for name, *row in rows:
        for column, cell in zip(head[1:], row, strict=True):
            for action in ROWS[name]:
                role = COLUMNS[column]
                yield role, action, reach_written(name, cell, role, action)


RELATED = CaseFacts(
    units=frozenset({"u1"}),
    assigned_users=frozenset({"me"}),
    worked_users=frozenset({"me"}),
    proposer_users=frozenset({"me"}),
)
STRANGE = CaseFacts(
    units=frozenset({"u2"}),
    assigned_users=frozenset({"you"}),
    worked_users=frozenset({"you"}),
    proposer_users=frozenset({"you"}),
)


def somebody(*roles: str, id: str = "me", unit: str | None = "u1", **more: object) -> Person:
    return Person(id=id, name="某人", roles=frozenset(roles), unit=unit, **more)  # type: ignore[arg-type]  # only tests pass these


@dataclass(frozen=True)
class Task:
    roles: frozenset[str] = frozenset()
    unit: str | None = None
    assignee: str | None = None


@pytest.mark.parametrize(("role", "action", "reach"), list(cells()))
def test_a_role_may_do_what_its_cell_of_the_matrix_says(
    role: Role, action: Action, reach: Reach | None
) -> None:
    related = may(somebody(role), action, RELATED)
    strange = may(somebody(role), action, STRANGE)

    if reach is None:
        assert related == strange == NotAllowed(Reason.ROLE)
    elif reach is Reach.PROPOSE:
        assert related == strange == NotAllowed(Reason.MAY_ONLY_PROPOSE)
    elif reach in (Reach.ALL, Reach.READ):
        assert related == strange == Allowed(reach=reach)
    else:
        assert related == Allowed(reach=reach)
        assert strange == NotAllowed(Reason.RELATION)


def test_the_matrix_names_every_action_but_the_request_for_an_extension() -> None:
    named = {action for _, action, _ in cells()}

    # Erasure isn't a row of the matrix; tests/unit/erasure says who proposes and who decides it.
    erasure = {Action.PROPOSE_ERASURE, Action.DECIDE_ERASURE}
    assert set(Action) - named == {Action.REQUEST_EXTENSION, *erasure}


def test_a_unit_may_ask_for_an_extension_of_its_own_cases_only() -> None:
    for role in Role:
        verdict = may(somebody(role), Action.REQUEST_EXTENSION, RELATED)
        assert isinstance(verdict, Allowed) is (role in (Role.UNIT_CONTACT, Role.UNIT_HEAD))
    stranger = may(somebody(Role.UNIT_CONTACT), Action.REQUEST_EXTENSION, STRANGE)
    assert stranger == NotAllowed(Reason.RELATION)


@pytest.mark.parametrize("role", list(Role))
def test_nothing_is_related_to_a_case_of_which_nothing_is_known(role: Role) -> None:
    for action in Action:
        verdict = may(somebody(role), action)
        assert not isinstance(verdict, Allowed) or verdict.reach in (Reach.ALL, Reach.READ)


def test_an_auditor_can_change_nothing() -> None:
    allowed = {action for action in Action if isinstance(may(somebody("auditor"), action), Allowed)}

    assert allowed == {
        Action.SEE_CASES,
        Action.READ_HISTORY,
        Action.REPLAY,
        Action.VERIFY,
        Action.EVIDENCE,
        Action.STATISTICS,
        Action.READ_DEFINITIONS,
        Action.READ_ADMIN,
    }


def test_who_left_the_service_may_do_nothing() -> None:
    gone = somebody(*Role, active=False)

    assert all(may(gone, action, RELATED) == NotAllowed(Reason.INACTIVE) for action in Action)
    assert not any(is_open_to(gone, action) for action in Action)
    assert visible_cases(gone).nothing
    assert task_verdict(gone, Task()) == NotAllowed(Reason.INACTIVE)


def test_four_eyes_look_at_the_person_who_holds_both_roles() -> None:
    both = somebody("registrar", "office_director")
    registered_by_me = CaseFacts(separate_from=frozenset({"me"}))
    registered_by_you = CaseFacts(separate_from=frozenset({"you"}))

    assert may(both, Action.APPROVE_REGISTRATION, registered_by_me) == NotAllowed(
        Reason.SAME_PERSON
    )
    assert may(both, Action.APPROVE_REGISTRATION, registered_by_you) == Allowed(reach=Reach.ALL)


def test_a_designer_cannot_approve_the_own_definition() -> None:
    mine = CaseFacts(separate_from=frozenset({"me"}))

    assert may(somebody("designer"), Action.APPROVE_DEFINITION, mine) == NotAllowed(
        Reason.SAME_PERSON
    )
    assert isinstance(may(somebody("designer", id="you"), Action.APPROVE_DEFINITION, mine), Allowed)


def test_nobody_approves_as_b_what_a_registered() -> None:
    director = somebody("office_director", id="director")
    supervisor = somebody("supervisor", stands_in_for=(director,))
    registered_by_the_director = CaseFacts(separate_from=frozenset({"director"}))

    assert may(supervisor, Action.APPROVE_REGISTRATION) == Allowed("director", Reach.ALL)
    assert may(supervisor, Action.APPROVE_REGISTRATION, registered_by_the_director) == NotAllowed(
        Reason.SAME_PERSON
    )


def test_b_has_the_rights_of_a_and_the_record_says_for_whom() -> None:
    contact = somebody("unit_contact", id="contact", unit="u2")
    head = somebody("unit_head", unit="u1", stands_in_for=(contact,))

    assert may(head, Action.SIGN_FOR, CaseFacts(units=frozenset({"u2"}))) == Allowed(
        "contact", Reach.OWN
    )
    assert may(head, Action.SIGN_FOR, CaseFacts(units=frozenset({"u1"}))) == Allowed(
        None, Reach.OWN
    )
    assert may(head, Action.SIGN_OFF, CaseFacts(units=frozenset({"u2"}))) == NotAllowed(
        Reason.RELATION
    )


def test_a_role_held_for_another_unit_reaches_that_unit_only_with_that_role() -> None:
    person = somebody("unit_contact", further=frozenset({("unit_head", "u2")}))

    assert isinstance(may(person, Action.SIGN_OFF, CaseFacts(units=frozenset({"u2"}))), Allowed)
    assert may(person, Action.SIGN_OFF, CaseFacts(units=frozenset({"u1"}))) == NotAllowed(
        Reason.RELATION
    )


def test_several_roles_add_up() -> None:
    person = somebody("deputy", "unit_contact")

    assert may(
        person,
        Action.READ_HISTORY,
        CaseFacts(units=frozenset({"u9"}), proposer_users=frozenset({"me"})),
    ) == Allowed(reach=Reach.OWN_ANSWERS)


def test_statistics_of_other_units_are_not_for_a_unit() -> None:
    contact = somebody("unit_contact")

    for asked in (frozenset({"u1", "u2"}), frozenset[str]()):
        assert may(contact, Action.STATISTICS, CaseFacts(units=asked)) == NotAllowed(
            Reason.RELATION
        )


def test_menus_show_what_is_open_at_all() -> None:
    assert is_open_to(somebody("unit_contact"), Action.SIGN_FOR)
    assert not is_open_to(somebody("unit_contact"), Action.SIGN_OFF)
    assert not is_open_to(somebody("supervisor"), Action.CANCEL)


@pytest.mark.parametrize(
    ("person", "visibility"),
    [
        (somebody("registrar"), Visibility(everything=True)),
        (somebody("auditor"), Visibility(everything=True)),
        (somebody("unit_contact"), Visibility(units=frozenset({"u1"}))),
        (
            somebody("handler"),
            Visibility(assigned_to=frozenset({"me"}), offered_to=frozenset({"u1"})),
        ),
        (somebody("deputy", unit=None), Visibility(proposed_by=frozenset({"me"}))),
        (somebody("designer"), Visibility()),
        (somebody("admin"), Visibility()),
        (
            somebody("unit_head", "deputy", further=frozenset({("unit_head", "old")})),
            Visibility(units=frozenset({"u1", "old"}), proposed_by=frozenset({"me"})),
        ),
        (
            somebody("handler", stands_in_for=(somebody("handler", id="away", active=False),)),
            Visibility(assigned_to=frozenset({"me", "away"}), offered_to=frozenset({"u1"})),
        ),
    ],
)
def test_people_see_the_cases_their_roles_name(person: Person, visibility: Visibility) -> None:
    assert visible_cases(person) == visibility
    assert visibility.nothing is (visibility == Visibility())


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("facts", [RELATED, STRANGE, CaseFacts()])
def test_what_is_listed_and_what_may_be_opened_are_the_same(role: Role, facts: CaseFacts) -> None:
    person = somebody(role)

    assert sees(visible_cases(person), facts) is isinstance(
        may(person, Action.SEE_CASES, facts), Allowed
    )


CONTACT_TASK = Task(roles=frozenset({"unit_contact"}), unit="u1")


@pytest.mark.parametrize(
    ("person", "task", "verdict"),
    [
        (somebody("unit_contact"), CONTACT_TASK, Allowed()),
        (somebody("unit_contact", unit="u2"), CONTACT_TASK, NotAllowed(Reason.UNIT)),
        (somebody("unit_head"), CONTACT_TASK, NotAllowed(Reason.ROLE)),
        (somebody("registrar"), Task(roles=frozenset({"registrar", "office_director"})), Allowed()),
        (somebody("registrar"), Task(assignee="you"), NotAllowed(Reason.ASSIGNEE)),
        (somebody("registrar"), Task(assignee="me"), Allowed()),
        (somebody("registrar"), Task(unit="u2"), NotAllowed(Reason.UNIT)),
        (somebody("registrar"), Task(unit="u1"), Allowed()),
    ],
)
def test_a_task_is_for_its_role_its_unit_and_its_assignee(
    person: Person, task: Task, verdict: Allowed | NotAllowed
) -> None:
    assert task_verdict(person, task) == verdict


def test_an_assigned_task_still_wants_its_role() -> None:
    task = Task(roles=frozenset({"office_director"}), assignee="me")

    assert task_verdict(somebody("registrar"), task) == NotAllowed(Reason.ROLE)


def test_whoever_the_head_names_in_the_unit_may_handle() -> None:
    task = Task(roles=frozenset({"handler"}), unit="u1", assignee="me")

    assert task_verdict(somebody("unit_contact"), task) == Allowed()
    assert task_verdict(somebody("unit_contact", unit="u2"), task) == NotAllowed(Reason.UNIT)
    assert task_verdict(somebody("registrar"), task) == NotAllowed(Reason.ROLE)


def test_b_completes_the_task_of_a_for_a() -> None:
    away = somebody("handler", id="a")
    task = Task(roles=frozenset({"handler"}), unit="u1", assignee="a")

    assert task_verdict(somebody("unit_contact", stands_in_for=(away,)), task) == Allowed("a")
    assert task_verdict(somebody("unit_contact"), task) == NotAllowed(Reason.ASSIGNEE)


def test_b_completes_a_task_of_the_role_of_a_for_a() -> None:
    away = somebody("unit_contact", id="a")

    assert task_verdict(somebody("unit_head", stands_in_for=(away,)), CONTACT_TASK) == Allowed("a")


def test_who_has_the_role_acts_in_the_own_name_though_a_is_away() -> None:
    away = somebody("unit_contact", id="a")

    assert task_verdict(somebody("unit_contact", stands_in_for=(away,)), CONTACT_TASK) == Allowed()


def test_four_eyes_bind_the_person_and_the_one_acted_for() -> None:
    away = somebody("unit_head", id="a")
    b = somebody("unit_contact", stands_in_for=(away,))
    task = Task(roles=frozenset({"unit_head"}), unit="u1")

    assert task_verdict(b, task) == Allowed("a")
    assert task_verdict(b, task, frozenset({"me"})) == NotAllowed(Reason.SAME_PERSON)
    assert task_verdict(b, task, frozenset({"a"})) == NotAllowed(Reason.SAME_PERSON)


def test_the_successor_of_a_leader_completes_what_was_assigned_to_the_leader() -> None:
    gone = Person(id="old_leader", name="前任", roles=frozenset(), active=False)
    successor = somebody("leader", unit=None, stands_in_for=(gone,))
    clerk = somebody("registrar", unit=None, stands_in_for=(gone,))
    task = Task(roles=frozenset({"leader"}), assignee="old_leader")

    assert task_verdict(successor, task) == Allowed("old_leader")
    assert task_verdict(clerk, task) == NotAllowed(Reason.ROLE)
