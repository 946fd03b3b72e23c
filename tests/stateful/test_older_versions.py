"""An event type that changed since: its old events are lifted, and the case goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest

from engine import Actor, Case, Command, Event, State, applies, decides, event, lifts
from engine.commands import COMMANDS, DECISIONS
from engine.event_types import EVENTS, LIFTS
from engine.records import Json
from engine.state import APPLIERS, STATES
from engine.store import Store
from engine.store.memory import MemoryStore
from engine.testing import NOW, Trial, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Command):
    """Write something down."""

    name: ClassVar[str] = "note"

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """Something was written down: in version 1."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedInLines(Event):
    """Something was written down, line by line: in version 2."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteState(State):
    """All that was written down."""

    lines: tuple[str, ...] = ()


REGISTRIES: tuple[dict[Any, Any], ...] = (COMMANDS, DECISIONS, EVENTS, LIFTS, APPLIERS, STATES)


@pytest.fixture(autouse=True)
def registries() -> Iterator[None]:
    """Give every registry back as it was."""
    kept = [dict(registry) for registry in REGISTRIES]
    yield
    for registry, before in zip(REGISTRIES, kept, strict=True):
        registry.clear()
        registry.update(before)


def release_1() -> None:
    """Register what the first release knew."""
    event("noted", 1)(Noted)

    @decides(Note)
    def note(ask: Note, _case: Case) -> Iterator[Event]:
        yield Noted(text=ask.text)

    @applies(Noted, to=NoteState)
    def noted(state: NoteState, happened: Noted) -> NoteState:
        return replace(state, lines=(*state.lines, happened.text))


def release_2(lift: Callable[[dict[str, Json]], dict[str, Json]] | None) -> None:
    """Register what the second release knows in its place."""
    del EVENTS["noted"], APPLIERS[Noted]
    event("noted", 2)(NotedInLines)
    if lift is not None:
        lifts("noted", 1)(lift)

    @decides(Note)
    def note(ask: Note, _case: Case) -> Iterator[Event]:
        yield NotedInLines(lines=tuple(ask.text.split("\n")))

    @applies(NotedInLines, to=NoteState)
    def noted(state: NoteState, happened: NotedInLines) -> NoteState:
        return replace(state, lines=(*state.lines, *happened.lines))


def split_lines(payload: dict[str, Json]) -> dict[str, Json]:
    return {"lines": payload["text"].split("\n")}


def written_by_release_1() -> Store:
    """Give a case that the first release began: two notes, the second of two lines."""
    release_1()
    trial = Trial(linear("a", "b"), store=MemoryStore()).done("a")
    for text in ("one", "two\nthree"):
        trial.given(Note(case=trial.case, by=Actor("clerk"), at=NOW, text=text))
    assert trial.engine.history.verify(trial.case).ok
    return trial.engine.store


def opened_by_release_2(store: Store) -> Trial:
    return Trial(linear("a", "b"), store=store)


def test_old_events_are_read_in_the_newest_version() -> None:
    store = written_by_release_1()
    release_2(split_lines)

    trial = opened_by_release_2(store)

    read = [r.event for r in trial.history if isinstance(r.event, NotedInLines)]
    assert read == [NotedInLines(lines=("one",)), NotedInLines(lines=("two", "three"))]
    assert trial.engine.history.states(trial.case)[2][NoteState] == NoteState(
        lines=("one", "two", "three")
    )


def test_a_history_of_old_events_verifies_and_runs_again() -> None:
    store = written_by_release_1()
    release_2(split_lines)

    proof = opened_by_release_2(store).engine.history.verify(Trial(linear("z")).case)

    assert proof.ok, proof


def test_a_case_with_old_events_goes_on_and_verifies_with_both_versions() -> None:
    store = written_by_release_1()
    release_2(split_lines)
    trial = opened_by_release_2(store)

    trial.given(Note(case=trial.case, by=Actor("clerk"), at=NOW, text="four\nfive")).done("b")

    with store.transaction(write=False) as transaction:
        versions = [
            '"version":2' in one.body
            for one in transaction.events(trial.case)
            if one.type == "noted"
        ]
    assert versions == [False, False, True]
    assert trial.engine.history.verify(trial.case).ok


def test_an_old_event_that_nothing_lifts_is_named() -> None:
    store = written_by_release_1()
    number = next(s.seq for s in _stored(store) if s.type == "noted")
    release_2(None)

    proof = opened_by_release_2(store).engine.history.verify(Trial(linear("z")).case)

    assert (proof.ok, proof.first_bad, proof.fault) == (False, number, "fold")


def test_a_lift_that_says_something_else_is_named_by_running_the_command_again() -> None:
    store = written_by_release_1()
    number = [s.seq for s in _stored(store) if s.type == "noted"][1]
    release_2(lambda payload: {"lines": [payload["text"]]})

    proof = opened_by_release_2(store).engine.history.verify(Trial(linear("z")).case)

    assert (proof.ok, proof.first_bad, proof.fault) == (False, number, "re-execution")


def test_an_event_of_a_newer_release_is_named() -> None:
    store = written_by_release_1()
    release_2(split_lines)
    trial = opened_by_release_2(store)
    trial.given(Note(case=trial.case, by=Actor("clerk"), at=NOW, text="four"))
    number = _stored(store)[-1].seq
    del EVENTS["noted"], APPLIERS[NotedInLines]
    release_1()

    proof = opened_by_release_2(store).engine.history.verify(trial.case)

    assert (proof.ok, proof.first_bad, proof.fault) == (False, number, "fold")


def _stored(store: Store) -> list[Any]:
    with store.transaction(write=False) as transaction:
        return list(transaction.events(store.case_ids()[0]))
