"""One verb of the Process: what it is told, and the events that come of it."""

from __future__ import annotations

from datetime import datetime

from engine.errors import ProcessStuck
from engine.event_types import Event
from engine.events import ProcessAdvanced, Token
from engine.expressions import Host
from engine.ids import ScopeId
from engine.records import instant_text

MAX_STEPS = 10_000


class Run:
    """Lives as long as one verb; the host and the instant are never kept longer."""

    def __init__(self, host: Host, at: datetime) -> None:
        self.host = host
        self.at = at
        self.now = instant_text(at)
        self.events: list[Event] = []
        self.written: set[str] = set()
        self.last_end: str | None = None
        self._passed: list[Token] = []
        self._moved: dict[Token, int] = {}
        self._steps = 0
        self._lead: int | None = None

    def emit(self, event: Event) -> None:
        """Add an event."""
        self.events.append(event)

    def step(self, element: str) -> None:
        """Count a step of the engine.

        Raises
        ------
        ProcessStuck : there were more steps than a diagram can need.
        """
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise ProcessStuck(reason="endless loop", element=element)

    def passes(self, element: str, scope: str) -> None:
        """Note that a token went through an element."""
        self._begin()
        self._passed.append(Token(element=element, scope=ScopeId(scope)))

    def moves(self, element: str, scope: str, change: int) -> None:
        """Note that a place gained (1) or lost (-1) a token."""
        self._begin()
        place = Token(element=element, scope=ScopeId(scope))
        self._moved[place] = self._moved.get(place, 0) + change

    def finished(self) -> list[Event]:
        """Give the events, the moves of all tokens in front of what they led to."""
        if self._lead is None:
            return self.events
        advanced = ProcessAdvanced(
            passed=tuple(self._passed), left=self._places(-1), entered=self._places(1)
        )
        if advanced.passed or advanced.left or advanced.entered:
            self.events.insert(self._lead, advanced)
        return self.events

    def _begin(self) -> None:
        if self._lead is None:
            self._lead = len(self.events)

    def _places(self, sign: int) -> tuple[Token, ...]:
        return tuple(
            place for place, change in self._moved.items() for _ in range(max(0, change * sign))
        )
