"""Figures as of a past date are those that were computed then."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Actor, CaseId
from engine.records import parse_instant
from services.scoring.commands import AppealPoints, DecideAppeal
from services.scoring.state import ScoringState
from services.statistics.figures import MEASURES, duration
from services.statistics.queries import Cohort, counted_cases, measures_issued, step_durations
from services.statistics.tables import case_steps
from tests.helpers.offices import Place, dispatched_case, registered_case, reported_case
from tests.unit.statistics.conftest import look


def everything(place: Place, **cohort: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401 -- a Cohort's
    """Read all that figures are made of."""
    with place.office.store.transaction(write=False) as transaction:
        connection, glance = transaction.connection, look(place)
        wanted = Cohort(**cohort)
        return (
            counted_cases(connection, glance, **cohort),
            step_durations(connection, glance, wanted),
            measures_issued(connection, glance, wanted),
        )


def story(place: Place) -> list[tuple[Any, Any]]:
    """Let a few cases go their ways; note what stood when."""
    noted = []

    def note() -> None:
        noted.append((place.clock.now(), everything(place)))
        place.clock.set(place.clock.now() + timedelta(minutes=1))

    registered_case(place, "c1")
    note()
    dispatched_case(place, "c2")
    note()
    reported_case(place, "c3")
    note()
    place.complete(CaseId("c3"), "review", "supervisor", content_gate="pass", format_gate="pass")
    place.complete(CaseId("c3"), "report_to_leader", "supervisor", summary="已办结")
    place.complete(CaseId("c3"), "answer_report", "leader", decision="accept")
    note()
    place.complete(CaseId("c1"), "approve_registration", "office_director",
                   decision="return", reason="来源有误")  # fmt: skip
    again = {"title": "改过的事项", "source_kind": "hotline", "source_date": "2026-03-02",
             "issuer": "副市长", "content": "内容", "urgency": "urgent"}  # fmt: skip
    place.complete(CaseId("c1"), "register", "registrar", **again)
    note()
    place.clock.set(parse_instant("2026-03-30T09:00+08:00"))
    place.sweep()
    note()
    return noted


def test_case_44_figures_as_of_every_moment_are_those_computed_then(place: Place) -> None:
    noted = story(place)

    assert len({repr(found) for _, found in noted}) == len(noted)
    for at, then in noted:
        assert everything(place, as_of=at) == then


def test_as_of_now_is_what_the_register_says(place: Place) -> None:
    story(place)

    assert everything(place, as_of=place.clock.now()) == everything(place)


def test_an_amended_registration_counts_under_its_new_source_from_then_on(place: Place) -> None:
    noted = story(place)

    before = {one.id: one for one in everything(place, as_of=noted[0][0])[0]}
    after = {one.id: one for one in everything(place)[0]}

    assert (before["c1"].issuer, before["c1"].source_kind) == ("市长", "letter")
    assert (after["c1"].issuer, after["c1"].source_kind) == ("副市长", "hotline")
    assert (before["c1"].urgency, after["c1"].urgency) == ("normal", "urgent")


def test_a_period_takes_the_cases_registered_in_it(place: Place) -> None:
    registered_case(place, "c1")
    place.clock.set(parse_instant("2026-04-01T00:00+08:00"))
    registered_case(place, "c2", source_date="2026-03-31")

    march = everything(place, until=place.clock.now())[0]
    april = everything(place, since=place.clock.now())[0]

    assert [one.id for one in march] == ["c1"]
    assert [one.id for one in april] == ["c2"]


def test_steps_are_timed_and_late_ones_known(place: Place) -> None:
    reported_case(place, "c3")

    steps = {step.key: step for step in everything(place)[1]}

    assert (steps["handle"].count, steps["handle"].median) == (1, Decimal("14.0"))
    assert (steps["handle"].ninetieth, steps["handle"].late) == (Decimal("14.0"), 0)
    assert steps["sign_for"].median == Decimal("0.0")


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 11, 20])
def test_the_database_finds_the_same_medians_as_the_list(place: Place, count: int) -> None:
    rows = [
        {"case_id": "c1", "task": f"t{n}", "element": "handle", "unit": "u1",
         "done_at": place.clock.now(), "took_s": 40_000 * n, "late": n % 3 == 0}
        for n in range(count)
    ]  # fmt: skip
    registered_case(place, "c1")
    with place.office.store.transaction() as transaction:
        transaction.connection.execute(sa.insert(case_steps), rows)

    found = next(step for step in everything(place)[1] if step.key == "handle")

    late = sum(row["late"] is True for row in rows)
    assert found == duration("handle", [40_000 * n for n in range(count)], late)


def test_case_21_a_measure_taken_back_on_appeal_counted_until_then(place: Place) -> None:
    case = dispatched_case(place)
    place.clock.set(parse_instant("2026-03-18T09:00+08:00"))
    place.sweep()
    checks = [{"item": "是否交办", "in_order": False, "finding": "没有动"}]
    place.complete(case, "inspect", "supervisor", checks=checks, conclusion="not_in_order",
                   reason="没有措施")  # fmt: skip
    place.complete(case, "unit_statement", "head.11")
    place.complete(case, "issue_measure", "office_director", decision="issue", text="限期整改")
    issued = everything(place)[2]
    before = place.clock.now()
    scoring = place.office.engine.history.states(case)[2][ScoringState]
    assert isinstance(scoring, ScoringState)
    entry = next(one.entry for one in scoring.entries if one.rule == "rectification_notice")
    place.clock.set(before + timedelta(days=1))
    data: dict[str, Any] = {"entry": entry, "reason": "当时已经整改完毕，有照片。"}
    place.execute(AppealPoints(case=case, by=Actor("head.11"), at=place.clock.now(), data=data))
    data = {"entry": entry, "decision": "uphold", "reason": "属实"}
    place.execute(DecideAppeal(case=case, by=Actor("leader"), at=place.clock.now(), data=data))

    assert [(one.round, one.measure, one.unit) for one in issued] == [
        (1, "rectification_notice", "u11")
    ]
    assert everything(place)[2] == []
    assert everything(place, as_of=before)[2] == issued


def test_a_unit_answers_for_the_cases_it_leads(place: Place) -> None:
    dispatched_case(place, "c1", unit=11, co_units=["u9"])
    dispatched_case(place, "c2", unit=9)

    assert [one.id for one in everything(place, unit="u9")[0]] == ["c2"]
    assert [one.id for one in everything(place, unit="u9", as_of=place.clock.now())[0]] == ["c2"]


def test_every_measure_has_cases_it_is_of(place: Place) -> None:
    story(place)

    found = everything(place)[0]

    assert all(
        measure.counts(one) in (True, False) for measure in MEASURES.values() for one in found
    )
