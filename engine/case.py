"""One case in the hands of a command: its states, its live process, its look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.commands import DECISIONS, FOLLOWERS, Command
from engine.definitions import Definition
from engine.errors import Problem
from engine.event_types import Event
from engine.expressions import Names, Setting
from engine.ids import CASE_SCOPE, Actor, CaseId, ScopeId
from engine.records import Json, instant_text
from engine.spiff.process import Process
from engine.state import State, StateT, apply_to

Lookup = Callable[..., Json]
DefinitionOf = Callable[[str], Definition]


class LookupMismatch(Problem):
    """Raised when a re-execution asks for something else than was recorded."""

    slug = "lookup-mismatch"


class Lookups:
    """What a command learns from outside its case: asked once and recorded, or played back.

    `record` is the list of ``[function, arguments, answer]`` in the order asked.
    """

    def __init__(
        self,
        names: frozenset[str],
        functions: Mapping[str, Lookup] | None = None,
        played: list[list[Json]] | None = None,
    ) -> None:
        self.names = names
        self._functions = functions or {}
        self._played = played
        self.record: list[list[Json]] = []

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        """Answer a look-up from outside, or as it was answered when the command was recorded.

        Raises
        ------
        LookupMismatch : in play-back, this isn't the question recorded at this place.
        """
        if self._played is None:
            answer = self._functions[function](*arguments)
            self.record.append([function, list(arguments), answer])
            return answer
        number = len(self.record)
        recorded = self._played[number] if number < len(self._played) else None
        if recorded is None or recorded[:2] != [function, list(arguments)]:
            raise LookupMismatch(asked=[function, list(arguments)], recorded=recorded)
        self.record.append(recorded)
        return recorded[2]


def _no_definitions(sha256: str) -> Definition:
    message = f"nobody here knows another definition, such as {sha256}"
    raise LookupError(message)


@dataclass(slots=True)
class Case:
    """A case while a command is decided. `case[DeadlineState]` reads one subject's part.

    Everything a decision does to it goes through events; on any refusal the whole object is
    thrown away.
    """

    id: CaseId
    definition: Definition
    definition_version: int
    process: Process
    lookups: Lookups
    states: dict[type[State], State] = field(default_factory=dict)
    seq: int = 0
    """Number of the last event written down."""
    last_seq: int = 0
    """Number of the last event folded, that of the command being decided included."""
    following: int = 0
    """Number of the event that a follower answers; 0 in the command's own decision."""
    at: datetime | None = None
    by: Actor | None = None
    definition_of: DefinitionOf = _no_definitions
    """Gives a definition by its hash: a case may continue on another version."""

    def __post_init__(self) -> None:
        self.last_seq = self.seq

    def __getitem__(self, kind: type[StateT]) -> StateT:
        state = self.states.get(kind)
        return state if isinstance(state, kind) else kind()

    def ask(self, function: str, *arguments: Json) -> Json:
        """Look something up outside the case; the answer is recorded with the command."""
        return self.lookups.call(function, arguments)

    def assign(self, values: Mapping[str, Json], scope: ScopeId = CASE_SCOPE) -> Iterator[Event]:
        """Give process variables new values; open timers that depend on them move."""
        if values:
            yield from self.process.assign(values, self.lookups, self.now, scope)

    def variables(self, scope: ScopeId = CASE_SCOPE) -> dict[str, Json]:
        """Give the variables that an expression in `scope` sees."""
        return self.process.variables(scope)

    def apply(self, happened: Event) -> None:
        """Fold one event into the states."""
        apply_to(self.states, happened)
        self.last_seq += 1

    def decide_table(self, name: str, **inputs: Json) -> dict[str, Json]:
        """Evaluate one of the definition's decision tables on these inputs and the variables.

        Raises
        ------
        EvaluationFailed : no row matches, or an input is missing.
        """
        setting = Setting(Names(inputs, self.variables()), self.lookups, instant_text(self.now))
        return self.definition.table(name).evaluate(setting).outputs

    @property
    def now(self) -> datetime:
        """The instant of the command being decided."""
        if self.at is None:
            message = "no command is being decided"
            raise RuntimeError(message)
        return self.at


def run(command: Command, case: Case) -> Iterator[Event]:
    """Decide a command and fold each event into the case as it comes, and what follows from it."""
    case.at, case.by = command.at, command.by
    yield from _folded(DECISIONS[type(command)](command, case), case)
    case.at = case.by = None


def _folded(decided: Iterator[Event], case: Case, following: int = 0) -> Iterator[Event]:
    case.following = following
    for happened in decided:
        case.apply(happened)
        number = case.last_seq
        yield happened
        for react in FOLLOWERS.get(type(happened), ()):
            yield from _folded(react(happened, case), case, number)
        case.following = following
