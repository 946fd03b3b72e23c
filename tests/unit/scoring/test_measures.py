"""Efficiency prompt and admonition: proposed by rule, decided by people (domain.md §6.8)."""

import pytest

from engine import Actor, CaseId, CompleteTask
from services.cases import queries
from services.cases.queries import CaseFilter, Glance
from services.people.queries import person
from services.permissions import visible_cases
from services.permit import NotPermitted
from services.scoring.measures import EfficiencyMeasureIssued, MeasureState
from services.scoring.proposals import proposals, propose_measures
from services.statistics.queries import Cohort, counted_cases, step_durations
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


def glance_of(place: Place, user: str) -> Glance:
    """Look with somebody's eyes."""
    with place.office.store.transaction(write=False) as transaction:
        who = person(transaction.connection, user, place.clock.now())
    assert who is not None
    return Glance(visible_cases(who), place.clock.now(), lambda due: due)


@pytest.mark.parametrize(
    ("user", "is_seen"),
    [
        ("head.11", True),
        ("contact.11", True),
        ("head.12", False),
        ("handler.11", False),
        ("leader", True),
    ],
)
def test_a_unit_sees_the_measure_that_is_proposed_against_it(
    place: Place, user: str, is_seen: bool
) -> None:
    late_cases(place, 3)
    (case,) = run(place)

    with place.office.store.transaction(write=False) as transaction:
        found = queries.case(transaction.connection, glance_of(place, user), case)
        facts = queries.facts(transaction.connection, case)

    assert (found is not None) is is_seen
    assert facts.units == {"u11"}


def test_a_unit_only_reads_the_measure_against_it(place: Place) -> None:
    late_cases(place, 3)
    (case,) = run(place)

    with pytest.raises(NotPermitted):
        place.complete(case, "decide_efficiency", "head.11", decision="drop", reason="不必")


def test_a_measure_is_no_case_that_its_unit_works_on(place: Place) -> None:
    late_cases(place, 3)
    (case,) = run(place)

    with place.office.store.transaction(write=False) as transaction:
        wanted = CaseFilter(unit="u11")
        page = queries.cases(transaction.connection, glance_of(place, "leader"), wanted)

    assert sorted(one.id for one in page.items) == ["case-0", "case-1", "case-2"]
    assert case not in {one.id for one in page.items}


def test_a_measure_doesnt_count_as_a_registered_matter(place: Place) -> None:
    late_cases(place, 3)
    now = place.clock.now()
    with place.office.store.transaction(write=False) as transaction:
        before = counted_cases(transaction.connection, glance_of(place, "leader"))

    run(place)

    with place.office.store.transaction(write=False) as transaction:
        connection, glance = transaction.connection, glance_of(place, "leader")
        assert counted_cases(connection, glance) == before
        assert [one.id for one in counted_cases(connection, glance, as_of=now)] == [
            one.id for one in before
        ]
        steps = step_durations(connection, glance, Cohort())
    assert {step.key for step in steps} == {"register", "approve_registration", "dispatch"} | {
        "sign_for",
        "unit_instruction",
    }
