"""Random work on one case: the right people do what may come next, and everything has to hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine import (
    Actor,
    CaseId,
    ClaimTask,
    Command,
    CompleteTask,
    DelegateTask,
    Problem,
    ProcessState,
    ReleaseTask,
    TaskId,
    forms,
)
from engine.library import Library
from engine.records import Json
from engine.state import OpenTask
from services.asks import ask
from services.cases.commands import RegisterCase
from services.cases.state import CaseState
from tests.helpers.agreement import bundle_fault, differences, story_of, witnessed
from tests.helpers.filled_forms import World, filled
from tests.helpers.properties import Follower, told
from tests.helpers.town import Town, pass_to_next_timer, sweep

UNITS = ("u9", "u11", "u13")
OFFICE = {
    "registrar": ("registrar", "registrar2"),
    "supervisor": ("supervisor", "supervisor2"),
    "office_director": ("office_director",),
    "leader": ("leader", "mayor"),
    "deputy": ("deputy.1",),
}
IN_UNIT = {"unit_contact": "contact", "unit_head": "head", "handler": "handler"}
ASKED: dict[str, tuple[str, str]] = {
    "urge": ("urge", "supervisor"),
    "progress": ("progress", "unit_contact"),
    "instruct": ("instruct", "leader"),
    "reassign": ("reassign", "office_director"),
    "extend": ("request_extension", "unit_contact"),
    "suspend": ("suspend", "office_director"),
    "resume": ("resume", "office_director"),
    "escalate": ("escalate", "supervisor"),
    "cancel": ("cancel", "office_director"),
    "withdraw": ("withdraw", "deputy"),
}
"""Commands on a case as a whole: their form, and who may give them."""

SELDOM = ("cancel", "withdraw")
OFTEN = tuple(name for name in ASKED if name not in (*SELDOM, "resume"))
CASE = CaseId("case-1")
REGISTERED = "2026-03-02"


def people_for(roles: Sequence[str], unit: str | None) -> list[str]:
    """Give who holds one of these roles; those of a unit by its number."""
    found: list[str] = []
    for role in roles:
        if role in IN_UNIT:
            number = (unit or UNITS[0]).removeprefix("u")
            found.append(f"{IN_UNIT[role]}.{number}")
        else:
            found.extend(OFFICE.get(role, ()))
    return found


def registrable(data: dict[str, Json]) -> dict[str, Json]:
    """Give data whose date has passed, whose proposers may sign in, and without another case."""
    data.pop("parent", None)
    if "source_date" in data:
        data["source_date"] = REGISTERED
    for proposer in data.get("proposers", ()):
        proposer["user"] = "deputy.1"
    return data


@dataclass(slots=True)
class Tally:
    """What was worked on; `stories` tells how many of the cases are different ones."""

    cases: int = 0
    commands: int = 0
    refused: int = 0
    events: int = 0
    bundles: int = 0
    stories: set[str] = field(default_factory=set)


class Work(RuleBasedStateMachine):
    """Works on one case of one type; subclasses name the type and open the town."""

    case_type: ClassVar[str]
    tally: ClassVar[Tally]
    takes_bundles: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.accepted = self.refused = 0
        self._closing = ExitStack()
        self.town: Town = self._closing.enter_context(self.open_town())
        self._witness = self._closing.enter_context(witnessed())
        self.follower = Follower(self.town, CASE)

    def open_town(self) -> Any:  # noqa: ANN401 -- a context manager
        """Open the town, as a context manager."""
        raise NotImplementedError

    # What may happen

    @initialize(data=st.data())
    def register(self, data: st.DataObject) -> None:
        """Register the case."""
        schema = self.definition.form("register")
        filled_in = registrable(data.draw(filled(schema, self.world)))
        self.carry_out(
            RegisterCase(
                case=CASE,
                by=Actor("registrar"),
                at=self.town.clock.now(),
                definition=self.case_type,
                data=filled_in,
            )
        )

    @precondition(lambda self: self.tasks and not self.is_suspended)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        """Let somebody who may complete an open task, its form filled in at random."""
        task = data.draw(st.sampled_from(self.tasks))
        who = self.person_for(task, data)
        schema = self.definition.form(task.form) if task.form else {}
        filled_in = registrable(data.draw(filled(schema, self.world_of(task))))
        forms.validate(schema, filled_in)
        self.town.clock.set(self.town.clock.now() + timedelta(minutes=7))
        self.carry_out(
            CompleteTask(
                case=CASE,
                by=Actor(who),
                at=self.town.clock.now(),
                task=TaskId(task.task),
                data=filled_in,
            )
        )

    @precondition(lambda self: self.tasks and not self.is_suspended)
    @rule(data=st.data())
    def complete_another(self, data: st.DataObject) -> None:
        """Most steps are tasks."""
        self.complete(data)

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), what=st.sampled_from(["claim", "release", "delegate"]))
    def hand_on(self, data: st.DataObject, what: str) -> None:
        """Claim a task, give it back, or pass it on."""
        task = data.draw(st.sampled_from(self.tasks))
        who = self.person_for(task, data)
        by, at, id = Actor(who), self.town.clock.now(), task.task
        if what == "delegate":
            other = self.person_for(task, data)
            self.carry_out(DelegateTask(case=CASE, by=by, at=at, task=id, assignee=other))
        elif what == "claim":
            self.carry_out(ClaimTask(case=CASE, by=by, at=at, task=id))
        else:
            self.carry_out(ReleaseTask(case=CASE, by=by, at=at, task=id))

    @precondition(lambda self: self.town.store.next_due() is not None)
    @rule()
    def let_time_pass(self) -> None:
        """Go to the next timer."""
        with self.told():
            pass_to_next_timer(self.town)

    @precondition(lambda self: self.is_running and self.lead_unit and not self.is_suspended)
    @rule(data=st.data(), name=st.sampled_from(OFTEN))
    def ask(self, data: st.DataObject, name: str) -> None:
        """Ask something of a case that a unit works on."""
        self.ask_anyway(data, name)

    @precondition(lambda self: self.is_suspended)
    @rule(data=st.data(), days=st.sampled_from([0, 1, 40]))
    def resume(self, data: st.DataObject, days: int) -> None:
        """Let a suspended case go on after some days."""
        self.town.clock.set(self.town.clock.now() + timedelta(days=days))
        self.ask_anyway(data, "resume")

    @precondition(lambda self: self.is_running)
    @rule(data=st.data(), name=st.sampled_from(OFTEN), dice=st.integers(0, 3))
    def ask_in_vain(self, data: st.DataObject, name: str, dice: int) -> None:
        """Ask, now and then, whether or not it makes sense."""
        if dice == 0:
            self.ask_anyway(data, name)

    def ask_anyway(self, data: st.DataObject, name: str) -> None:
        """Ask something of the case as a whole, as somebody who may."""
        form, role = ASKED[name]
        who = people_for([role], self.lead_unit)[0]
        filled_in = data.draw(filled(self.definition.form(form), self.world))
        self.carry_out(ask(name, CASE, who, self.town.clock.now(), filled_in))

    @precondition(lambda self: self.is_running and self.accepted > 12)
    @rule(data=st.data(), name=st.sampled_from(SELDOM), dice=st.integers(0, 9))
    def end_early(self, data: st.DataObject, name: str, dice: int) -> None:
        """Cancel or withdraw now and then."""
        if dice == 0:
            self.ask_anyway(data, name)

    @rule()
    def forget(self) -> None:
        """Drop the live case: the next command starts from a snapshot and what came after."""
        self.town.engine.forget_live_cases()

    # What has to hold

    @invariant()
    def everything_holds(self) -> None:
        """Check the properties after every step."""
        with self.told():
            self.follower.follow()

    def teardown(self) -> None:
        """Check once more what takes long, and close the town."""
        try:
            if self.follower.history:
                with self.told():
                    self.follower.check_halves(self.accepted * 7 % len(self.follower.history))
                    assert list(differences(self.town.engine, CASE, self._witness)) == []
                    proof = self.town.engine.history.verify(CASE)
                    assert proof.ok, proof
                    self._check_bundle()
                self._count()
        finally:
            self._closing.close()

    def _check_bundle(self) -> None:
        if self.takes_bundles and self.town.office is not None:
            fault = bundle_fault(self.town.office, [CASE])
            assert fault is None, fault
            self.tally.bundles += 1

    def _count(self) -> None:
        tally, history = self.tally, self.follower.history
        tally.cases += 1
        tally.commands += self.accepted
        tally.refused += self.refused
        tally.events += len(history)
        tally.stories.add(story_of(history))

    # What stands where

    @property
    def definition(self) -> Any:  # noqa: ANN401 -- the definition under test
        """The definition that new cases run on."""
        library: Library = self.town.engine.library
        return library.current(self.case_type)[1]

    @property
    def world(self) -> World:
        """What forms may refer to."""
        users = [f"{kind}.{unit[1:]}" for unit in UNITS for kind in ("handler", "contact")]
        return World(self.town.clock.now(), UNITS, users)

    def world_of(self, task: OpenTask) -> World:
        """Give what the form of a unit's task may refer to: mostly its own people."""
        own = [f"{kind}.{task.unit[1:]}" for kind in ("handler", "head")] if task.unit else []
        return World(self.town.clock.now(), UNITS, own or self.world.users)

    @property
    def tasks(self) -> list[OpenTask]:
        """The open tasks."""
        state = self.follower.states.get(ProcessState)
        return list(state.tasks.values()) if isinstance(state, ProcessState) else []

    @property
    def is_running(self) -> bool:
        """Whether the case has begun and isn't over."""
        state = self.follower.states.get(ProcessState)
        return isinstance(state, ProcessState) and not state.is_over

    @property
    def is_suspended(self) -> bool:
        """Whether the clock of the case stands still."""
        state = self.follower.states.get(ProcessState)
        return isinstance(state, ProcessState) and state.status == "suspended"

    @property
    def lead_unit(self) -> str | None:
        """The unit that answers for the case."""
        state = self.follower.states.get(CaseState)
        return state.lead_unit if isinstance(state, CaseState) else None

    def person_for(self, task: OpenTask, data: st.DataObject) -> str:
        """Give somebody who may do a task."""
        if task.assignee is not None:
            return task.assignee
        if task.element == "register":
            # The only director has to approve what somebody else registered.
            return "registrar2"
        return data.draw(st.sampled_from(people_for(task.roles, task.unit) or ["admin"]))

    def carry_out(self, command: Command) -> None:
        """Carry out a command; a refusal has to leave the history as it was."""
        before = len(self.follower.history)
        with self.told():
            try:
                self.town.engine.execute(command)
                self.accepted += 1
            except Problem as refusal:
                note(f"refused: {command.name} {refusal}")
                self.refused += 1
                if before:
                    assert self.town.engine.history.stored(CASE, after=before) == []
            sweep(self.town)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Write the history beside whatever fails."""
        try:
            yield
        except BaseException:
            note(told(self.follower.history))
            raise
