from collections import Counter

import pytest

from engine import CaseId, ProcessState, State
from engine.records import parse_instant
from engine.rows import make_rows
from engine.state import apply_to
from services.deadlines.queries import light_of
from services.permissions import Visibility
from services.replay.errors import NothingThen
from services.replay.moment import moment
from services.replay.queries import register_as_of
from services.replay.trail import Trail
from tests.unit.replay.past import IN_TIME, KEY, OVERDUE, RETURNED, Past

EVERYTHING = Visibility(everything=True)


def test_open_visits_are_the_tokens_after_every_command(past: Past) -> None:
    for case in past.cases:
        history = past.office.engine.history.recorded(case)
        trail = Trail(past.office.engine.library.current(KEY)[1])
        states: dict[type[State], State] = {}
        for recorded, following in zip(history, [*history[1:], None], strict=True):
            apply_to(states, recorded.event)
            trail.add(recorded)
            if following is None or following.command is not None:
                trail.settle()
                state = states[ProcessState]
                assert isinstance(state, ProcessState)
                standing = Counter((token.element, token.scope) for token in state.tokens)
                visits = (v for v in trail.visits if v.left_at is None)
                assert Counter((v.element, v.scope) for v in visits) == standing


def test_every_visit_was_reached_by_a_flow(past: Past) -> None:
    for case in past.cases:
        then = moment(past.office.engine, case)
        trail = then.trail
        reached: Counter[tuple[str, str]] = Counter()
        for (scope, flow), count in trail.flows.items():
            elements = then.definition.processes[trail.process_of(scope)].elements
            target = next(e.id for e in elements.values() if any(f.id == flow for f in e.incoming))
            reached[scope, target] += count

        visited = Counter((v.scope, v.element) for v in trail.visits if not trail.is_instance(v))
        for place, count in visited.items():
            element = then.definition.elements[trail.process_of(place[0]), place[1]]
            if element.incoming and element.kind != "parallelGateway":
                assert (place, reached[place]) == (place, count)


def test_a_case_at_an_instant_is_what_it_was_then(past: Past) -> None:
    then = moment(past.office.engine, OVERDUE, at=parse_instant("2026-03-03T09:30+08:00"))

    assert [task.element for task in then[ProcessState].tasks.values()] == ["unit_instruction"]
    assert then.at <= parse_instant("2026-03-03T09:30+08:00")


def test_before_it_began_there_is_nothing_of_a_case(past: Past) -> None:
    with pytest.raises(NothingThen):
        moment(past.office.engine, OVERDUE, at=parse_instant("2026-01-01T09:00+08:00"))


def test_an_element_done_again_has_a_visit_for_each_time(past: Past) -> None:
    trail = moment(past.office.engine, RETURNED).trail

    handled = [visit for visit in trail.visits if visit.element == "handle"]

    assert len(handled) == 2
    assert not any(visit.withdrawn for visit in handled)


def test_the_opinions_that_nobody_gave_were_withdrawn(past: Past) -> None:
    trail = moment(past.office.engine, RETURNED).trail

    opinions = [visit for visit in trail.visits if visit.element == "co_opinion"]

    assert opinions
    assert all(visit.withdrawn for visit in opinions)


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-02T10:30+08:00",
        "2026-03-10T15:30+08:00",
        "2026-03-19T00:00+08:00",
        "2026-12-31T00:00+08:00",
    ],
)
def test_the_register_of_an_instant_is_the_fold_of_every_case(past: Past, at: str) -> None:
    instant = parse_instant(at)
    with past.office.store.transaction(write=False) as transaction:
        found = {one.case: one for one in register_as_of(transaction, instant, EVERYTHING)}

    assert set(found) == set(past.cases)
    for case in past.cases:
        seq, _, states = past.office.engine.history.states(case, at=instant)
        row = next(iter(make_rows(case, states)["register"].values()))
        expected = {name: value for name, value in row.items() if name != "case_id"}
        one = found[case]
        assert {name: one.row[name] for name in expected} == expected
        assert one.seq == seq
        light = light_of(
            row["status"], row["deadline"], row["yellow_from"], row["closed_at"], instant
        )
        assert one.light == light


def test_the_register_shows_nobody_a_case_that_isnt_for_their_eyes(past: Past) -> None:
    only = Visibility(units=frozenset({"u1"}))
    with past.office.store.transaction(write=False) as transaction:
        found = list(register_as_of(transaction, parse_instant("2026-03-10T09:00+08:00"), only))

    assert [CaseId(one.case) for one in found] == [IN_TIME]
