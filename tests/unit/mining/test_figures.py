from datetime import timedelta

from services.mining.conformance import conformance_json
from services.mining.figures import Figures, figures_json, figures_of, merged
from services.mining.queries import Wanted, cases_wanted
from services.mining.reading import logs
from services.mining.together import figures_together
from services.permissions import Visibility
from services.replay.again import Report, report_of
from tests.unit.replay.past import IN_TIME, OVERDUE, RETURNED, Past

HANDLE = ("unit_handling", "handle")


def figures(past: Past) -> Figures:
    return figures_of(logs(past.office.engine, past.cases, "all"), past.clock.now())


def test_how_often_and_how_long_an_element_was_worked_on(past: Past) -> None:
    handled = figures(past).elements[HANDLE]

    assert (handled.visits, len(handled.cases), handled.standing) == (5, 4, 1)
    days = sorted(timedelta(seconds=s).days for s in handled.seconds)
    assert days == [1, 1, 5, 12]


def test_work_done_again_is_found(past: Past) -> None:
    data = figures_json(figures(past))

    again = {one["element"]: one for one in data["rework"]}

    assert again["review"]["cases"] == 1
    assert again["review"]["repeats"] == 1


def test_the_bottleneck_is_where_the_cases_waited_longest(past: Past) -> None:
    bottlenecks = figures_json(figures(past))["bottlenecks"]

    assert bottlenecks[0]["element"] == "handle"
    assert abs(sum(one["share"] for one in bottlenecks) - 1) < 0.01


def test_flows_are_counted(past: Past) -> None:
    flows = figures(past).flows

    assert flows["unit_handling", "flow_handle_sign_off"] == 4
    assert flows["leader_instruction", "flow_review_review_gate"] == 4


def test_a_task_past_its_due_is_late_even_while_it_waits(past: Past) -> None:
    assert figures(past).elements[HANDLE].late == 1


def test_paths_are_shown_with_the_cases_that_took_them(past: Past) -> None:
    paths = figures_json(figures(past))["paths"]

    assert sum(path["cases"] for path in paths) == len(past.cases)
    assert all(path["steps"][0] == "立项登记" for path in paths)


def test_figures_of_parts_put_together_are_those_of_the_whole(past: Past) -> None:
    now = past.clock.now()
    parts = [figures_of(logs(past.office.engine, [case], "all"), now) for case in past.cases]

    whole = figures_json(figures(past))

    assert figures_json(merged(parts, now)) == whole
    assert (
        figures_json(figures_together(past.office.settings, past.cases, now, processes=1)) == whole
    )


def test_no_cases_make_empty_figures(past: Past) -> None:
    assert figures_json(Figures(past.clock.now()))["elements"] == []


def test_cases_are_narrowed_by_type_time_and_who_looks(past: Past) -> None:
    everything = Visibility(everything=True)
    with past.office.store.transaction(write=False) as transaction:
        connection = transaction.connection
        every = cases_wanted(connection, Wanted("leader_instruction"), everything)
        others = cases_wanted(connection, Wanted("npc_suggestion"), everything)
        now = past.clock.now()
        none = cases_wanted(connection, Wanted(since=now), everything)
        own = cases_wanted(connection, Wanted(until=now), Visibility(units=frozenset({"u3"})))

    assert set(every) == set(past.cases)
    assert (others, none, own) == ([], [], [OVERDUE])


def test_histories_conform_to_their_model(past: Past) -> None:
    data = conformance_json(report_of(past.office, case) for case in past.cases)

    assert (data["cases"], data["conforming"], data["fitness"]) == (4, 4, 1.0)
    assert data["deviations"] == []


def test_a_deviation_is_put_on_its_element() -> None:
    bad = Report(
        case=RETURNED,
        ok=False,
        events=100,
        first_bad=26,
        fault="re-execution",
        command="complete_task",
        element="handle",
    )
    kept_wrong = Report(case=IN_TIME, ok=False, events=10, first_bad=3, fault="rows")

    data = conformance_json([bad, kept_wrong])

    assert data["deviations"] == [{"element": "handle", "command": "complete_task", "count": 1}]
    assert data["of_cases"][0]["fitness"] == 0.25
    assert data["of_cases"][1]["conforms"]


def test_without_cases_there_is_no_fitness() -> None:
    assert conformance_json([])["fitness"] is None
