"""What a case is counted as stands in its diagram, where a designer changes it."""

from engine import CaseId
from engine.definitions import load_folder
from services.cases.queries import Glance
from services.permissions import Visibility
from services.statistics.queries import counted_cases
from tests.helpers.offices import BPMN, Place, dispatched_case


def test_a_designers_type_counts_as_proposals(place: Place) -> None:
    dispatched_case(place, "before")
    files = dict(load_folder(BPMN, "leader_instruction"))
    mark = b'<camunda:property name="number_label"'
    files["process.bpmn"] = files["process.bpmn"].replace(
        mark, b'<camunda:property name="counted_as" value="proposal" />' + mark, 1
    )
    place.office.engine.library.deploy(files, "designer", place.clock.now())

    dispatched_case(place, "after")

    glance = Glance(Visibility(everything=True), place.clock.now(), lambda due: due)
    with place.office.store.transaction(write=False) as transaction:
        found = counted_cases(transaction.connection, glance)
    assert {case.id: case.is_proposal for case in found} == {
        CaseId("before"): False,
        CaseId("after"): True,
    }


def test_what_is_counted_as_none_is_in_no_figure(place: Place) -> None:
    files = dict(load_folder(BPMN, "leader_instruction"))
    mark = b'<camunda:property name="number_label"'
    files["process.bpmn"] = files["process.bpmn"].replace(
        mark, b'<camunda:property name="counted_as" value="none" />' + mark, 1
    )
    place.office.engine.library.deploy(files, "designer", place.clock.now())

    dispatched_case(place, "after")

    glance = Glance(Visibility(everything=True), place.clock.now(), lambda due: due)
    with place.office.store.transaction(write=False) as transaction:
        assert counted_cases(transaction.connection, glance) == []
