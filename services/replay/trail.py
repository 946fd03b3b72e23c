"""The path a case took through its diagrams: every visit of an element, every flow, with times.

Folded from events alone, so that pictures, process mining and what-if tell the same story.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine import Definition, Recorded
from engine.diagrams import GATEWAYS, Element
from engine.events import CaseMigrated, ProcessAdvanced, ScopeEntered, ScopeLeft, Token
from engine.ids import CASE_SCOPE, ScopeId
from services.replay.flows import flows_taken


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of a token at an element; `left_at` is `None` while it stands there.

    `withdrawn` says that the element wasn't completed: its scope was interrupted.
    """

    element: str
    scope: str
    arrived_at: datetime
    seq: int
    left_at: datetime | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """The life of one scope: a call, a sub-process or an instance, or the case itself."""

    scope: str
    parent: str
    element: str
    process: str
    called: bool
    entered_at: datetime | None
    left_at: datetime | None = None
    interrupted: bool = False


@dataclass(slots=True)
class Trail:
    """Where a case has been. `add` each event of its history in order.

    Parameters
    ----------
    definition : the definition the case runs on, `None` when flows needn't be told.
    """

    definition: Definition | None
    stays: dict[str, Stay] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    flows: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each flow was taken, by scope and id of the flow."""
    _open: dict[Token, list[int]] = field(default_factory=dict)
    _elements: dict[str, Mapping[str, Element]] = field(default_factory=dict)
    _pending: tuple[ProcessAdvanced, datetime, int] | None = None

    def add(self, recorded: Recorded) -> None:
        """Take one event into account; most kinds don't matter here. `settle` after the last."""
        if recorded.command is not None:
            self.settle()
        match recorded.event:
            case ProcessAdvanced():
                self.settle()
                self._pending = (recorded.event, recorded.at, recorded.seq)
            case ScopeEntered():
                self._entered(recorded.event)
            case ScopeLeft():
                self._left(recorded.event)
            case CaseMigrated():
                self._open.clear()
            case _:
                pass

    def settle(self) -> None:
        """Count the last moves of tokens: the scopes they lead into are named after them."""
        if self._pending is not None:
            advanced, at, seq = self._pending
            self._pending = None
            self._advanced(advanced, at, seq)

    def process_of(self, scope: str) -> str:
        """Give the process that the elements of a scope stand in."""
        found = self.stays.get(scope)
        if found is not None:
            return found.process
        return "" if self.definition is None else self.definition.key

    def is_instance(self, visit: Visit | Token) -> bool:
        """Tell whether this is one instance of a repeated activity rather than the activity."""
        stay = self.stays.get(visit.scope)
        return stay is not None and not stay.called and stay.element == visit.element

    def scopes_of(self, process: str) -> list[str]:
        """List the scopes whose elements stand in a process, in the order they began."""
        scopes = [CASE_SCOPE, *self.stays]
        return [scope for scope in scopes if self.process_of(scope) == process]

    def processes(self) -> list[str]:
        """List the processes the case has been in, its own first."""
        return list(dict.fromkeys(self.process_of(scope) for scope in [CASE_SCOPE, *self.stays]))

    def _entered(self, event: ScopeEntered) -> None:
        process = event.process or self.process_of(event.parent)
        called = event.process is not None
        self.stays[event.scope] = Stay(
            event.scope, event.parent, event.element, process, called, event.at
        )

    def _left(self, event: ScopeLeft) -> None:
        stay = self.stays[event.scope]
        self.stays[event.scope] = replace(stay, left_at=event.at, interrupted=event.interrupted)

    def _advanced(self, event: ProcessAdvanced, at: datetime, seq: int) -> None:
        standing = Counter({token: len(places) for token, places in self._open.items()})
        standing.subtract(event.left)
        standing.update(event.entered)
        for token in event.passed:
            self._pass(token, event, at, seq)
        for token in {**self._open, **standing}:
            self._reconcile(token, standing[token], event, at, seq)
        if self.definition is not None:
            arrivals: Counter[Token] = Counter()
            for scope, flow in flows_taken(event, self._elements_of, frozenset(self._open)):
                self.flows[scope, flow.id] += 1
                arrivals[Token(element=flow.target, scope=ScopeId(scope))] += 1
            self._replace(arrivals, at, seq)

    def _replace(self, arrivals: Counter[Token], at: datetime, seq: int) -> None:
        # Interrupted and reached again in one run, a place keeps its token, but it is a new stay.
        for token, count in arrivals.items():
            open_visits = self._open.get(token)
            element = self._elements_of(token.scope).get(token.element)
            if not open_visits or element is None or element.kind in GATEWAYS:
                continue
            place = (token.element, token.scope, seq)
            begun = sum((v.element, v.scope, v.seq) == place for v in self.visits[-count - 200 :])
            if count > begun:
                self._close(open_visits.pop(0), at, withdrawn=True)
                open_visits.append(len(self.visits))
                self.visits.append(Visit(token.element, token.scope, at, seq))

    def _pass(self, token: Token, event: ProcessAdvanced, at: datetime, seq: int) -> None:
        open_visits = self._open.get(token)
        if not self._is_repeated(token):
            if open_visits:
                self._close(open_visits.pop(0), at, withdrawn=False)
            else:
                self.visits.append(Visit(token.element, token.scope, at, seq, at))
        elif not open_visits and not any(
            (visit.element, visit.scope, visit.seq) == (token.element, token.scope, seq)
            for visit in self.visits[-len(event.passed) :]
        ):
            self.visits.append(Visit(token.element, token.scope, at, seq, at))

    def _reconcile(
        self, token: Token, wanted: int, event: ProcessAdvanced, at: datetime, seq: int
    ) -> None:
        open_visits = self._open.setdefault(token, [])
        while len(open_visits) > wanted:
            # The instances of a repeated activity pass it, too; it is over when its token goes.
            done = self._is_repeated(token) and token in event.passed
            self._close(open_visits.pop(0), at, withdrawn=not done)
        while len(open_visits) < wanted:
            open_visits.append(len(self.visits))
            self.visits.append(Visit(token.element, token.scope, at, seq))
        if not open_visits:
            del self._open[token]

    def _close(self, place: int, at: datetime, *, withdrawn: bool) -> None:
        self.visits[place] = replace(self.visits[place], left_at=at, withdrawn=withdrawn)

    def _is_repeated(self, token: Token) -> bool:
        if self.definition is None:
            return False
        element = self._elements_of(token.scope).get(token.element)
        return element is not None and element.loop is not None and not self.is_instance(token)

    def _elements_of(self, scope: str) -> Mapping[str, Element]:
        process = self.process_of(scope)
        if process not in self._elements and self.definition is not None:
            found = self.definition.processes.get(process)
            self._elements[process] = {} if found is None else found.elements
        return self._elements.get(process, {})
