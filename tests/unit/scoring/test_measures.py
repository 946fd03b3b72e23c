"""Efficiency prompt and admonition: proposed by rule, decided by people (domain.md §6.8)."""

import pytest

from engine import Actor, CaseId, CompleteTask
from services.permit import NotPermitted
from services.scoring.measures import EfficiencyMeasureIssued, MeasureState
from services.scoring.proposals import proposals, propose_measures
from tests.helpers.offices import Place
from tests.unit.scoring.stories import Story


def late_cases(place: Place, count: int) -> list[Story]:
    """Let unit 11 miss the deadline of some cases."""
    stories = [Story(place, CaseId(f"case-{n}")) for n in range(count)]
    for story in stories:
        story.at("03-02 09:00").register().dispatch().accept()
    stories[0].at("03-18 09:00")
    return stories


def run(place: Place) -> tuple[CaseId, ...]:
    return propose_measures(place.office.engine, place.clock.now())


def state(place: Place, case: CaseId) -> MeasureState:
    found = place.office.engine.history.states(case)[2][MeasureState]
    assert isinstance(found, MeasureState)
    return found


def test_two_overdue_cases_of_a_unit_propose_nothing(place: Place) -> None:
    late_cases(place, 2)

    assert run(place) == ()


def test_three_overdue_cases_of_a_unit_propose_an_admonition(place: Place) -> None:
    late_cases(place, 3)

    (case,) = run(place)

    found = state(place, case)
    assert (found.unit, found.year, found.measure) == ("u11", 2026, "efficiency_admonition")
    assert len(found.cases) == 3
    assert place.task(case, "decide_efficiency").roles == ("office_director", "leader")


def test_a_miss_that_an_appeal_took_back_doesnt_count(place: Place) -> None:
    first, *_ = late_cases(place, 3)
    overdue = first.entries()[0].entry
    first.appeal(overdue).decide(overdue, "leader")

    assert proposals(place.office.engine, place.clock.now()) == ()


def test_one_overdue_petition_proposes_a_prompt(place: Place) -> None:
    story = Story(place).at("03-02 09:00").register_concern(concern_kind="petition").dispatch()
    story.at("04-30 09:00")

    (case,) = run(place)

    assert state(place, case).measure == "efficiency_prompt"


def test_the_rule_asked_twice_makes_one_case(place: Place) -> None:
    late_cases(place, 3)

    assert len(run(place)) == 1
    assert run(place) == ()


def test_a_proposal_that_people_dropped_isnt_made_again_in_that_year(place: Place) -> None:
    late_cases(place, 4)
    (case,) = run(place)

    place.complete(case, "decide_efficiency", "leader", decision="drop", reason="已说明情况")

    assert run(place) == ()
    assert state(place, case).status == "dropped"


def test_an_issued_measure_gets_a_number_without_gaps(place: Place) -> None:
    late_cases(place, 3)
    (case,) = run(place)

    place.complete(case, "decide_efficiency", "office_director", decision="issue", text="整改")

    assert state(place, case).number == "督〔2026〕效能告诫-0001"
    recorded = place.office.engine.history.recorded(case)
    assert [e.by.user for e in recorded if isinstance(e.event, EfficiencyMeasureIssued)] == [
        "office_director"
    ]
    assert place.office.engine.history.verify(case).ok


def test_a_supervisor_cant_decide(place: Place) -> None:
    late_cases(place, 3)
    (case,) = run(place)
    task = place.task(case, "decide_efficiency").task
    at, data = place.clock.now(), {"decision": "issue"}

    with pytest.raises(NotPermitted):
        place.execute(CompleteTask(case=case, by=Actor("supervisor"), at=at, task=task, data=data))

    assert state(place, case).status == "proposed"
