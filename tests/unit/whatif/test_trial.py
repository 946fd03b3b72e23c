from collections.abc import Callable

import pytest

from engine import Definition
from engine.definitions import trusted_definition
from engine.records import Json
from services.replay.parallel import chunks, spread
from services.whatif.compare import CaseResult, without_contents
from services.whatif.edited import changed_files, edited, read_edits
from services.whatif.errors import NoSuchFile, NothingEdited
from services.whatif.queries import Chosen, choose
from services.whatif.trial import Trial, trial_json, trial_text, try_cases
from tests.unit.replay.past import IN_TIME, KEY, LATE_BY_TEN, OVERDUE, RETURNED, Past

DEADLINES = "shared/deadlines.dmn"


def current(past: Past) -> Definition:
    return past.office.engine.library.current(KEY)[1]


def tried(past: Past, definition: Definition) -> dict[str, CaseResult]:
    trial = trial_of(past, definition)
    return {result.case: result for result in trial.cases}


def trial_of(past: Past, definition: Definition) -> Trial:
    changed = changed_files(current(past), definition)
    return try_cases(
        past.office.settings,
        definition,
        past.cases,
        until=past.clock.now(),
        changed=changed,
        processes=1,
    )


def with_edit(past: Past, name: str, edit: Callable[[str], str]) -> Definition:
    base = current(past).files
    before = base[name].decode()
    after = edit(before)
    assert after != before
    return edited(base, {name.removeprefix("shared/"): after.encode()})


def ten_days(past: Past) -> Definition:
    return with_edit(past, DEADLINES, lambda text: text.replace("15 days", "10 days"))


def test_on_their_own_definition_all_cases_go_the_same_way(past: Past) -> None:
    found = tried(past, current(past))

    assert {case: result.verdicts for case, result in found.items()} == dict.fromkeys(
        past.cases, ("same",)
    )
    assert not any(result.misfits or result.stated for result in found.values())


def test_a_ten_day_rule_would_have_made_the_twelfth_day_late(past: Past) -> None:
    result = tried(past, ten_days(past))[LATE_BY_TEN]

    assert result.again is not None
    assert (result.recorded.late, result.again.late) == (False, True)
    assert {"late", "escalated", "other_path"} <= set(result.verdicts)
    assert ("escalation", "escalation_start", 1) in result.only_again


def test_the_first_difference_names_the_field_and_both_values(past: Past) -> None:
    difference = tried(past, ten_days(past))[IN_TIME].difference

    assert difference is not None
    assert difference.recorded is not None and difference.again is not None
    assert difference.fields == ("outputs.handle_period",)
    assert difference.recorded["outputs"]["handle_period"] == "15 days"
    assert difference.again["outputs"]["handle_period"] == "10 days"


def test_what_the_record_doesnt_answer_is_asked_now_and_stated(past: Past) -> None:
    result = tried(past, ten_days(past))[IN_TIME]

    asked = {(one.function, one.arguments[1:]) for one in result.stated}
    assert ("within", ("10 days",)) in asked
    assert not any(one.function == "within" and "15 days" in one.arguments for one in result.stated)


def test_a_case_on_time_either_way_only_has_other_figures(past: Past) -> None:
    assert tried(past, ten_days(past))[IN_TIME].verdicts == ("other_figures",)


def test_a_longer_period_would_have_spared_a_case_its_escalation(past: Past) -> None:
    longer = with_edit(past, DEADLINES, lambda text: text.replace("15 days", "60 days"))

    result = tried(past, longer)[OVERDUE]

    assert {"in_time", "not_escalated"} <= set(result.verdicts)


def test_an_input_that_the_new_form_refuses_no_longer_fits(past: Past) -> None:
    stricter = with_edit(
        past,
        "shared/forms/sign_for.json",
        lambda text: text.replace('"required": [', '"required": ["phone", ', 1).replace(
            '"properties": {', '"properties": {"phone": {"type": "string", "title": "电话"},', 1
        ),
    )

    result = tried(past, stricter)[IN_TIME]

    assert result.verdicts == ("doesnt_fit",)
    first = result.misfits[0]
    assert (first.element, first.reason, first.fields) == (
        "sign_for",
        "invalid",
        (("phone", "required"),),
    )
    assert "no longer fits: " in trial_text(Trial(KEY, "", (), (result,)))


def test_a_step_that_was_taken_out_makes_another_path_not_a_misfit(past: Past) -> None:
    def without_unit_instruction(text: str) -> str:
        return text.replace(
            'sourceRef="sign_gate" targetRef="unit_instruction"',
            'sourceRef="sign_gate" targetRef="handle"',
        )

    base = current(past).files
    text = without_unit_instruction(base["shared/unit_handling.bpmn"].decode())
    definition = trusted_definition({**base, "shared/unit_handling.bpmn": text.encode()})

    result = tried(past, definition)[IN_TIME]

    assert "other_path" in result.verdicts
    assert "doesnt_fit" not in result.verdicts
    assert [misfit.element for misfit in result.misfits] == ["unit_instruction"]
    assert ("unit_handling", "unit_instruction", 1) in result.only_recorded


def test_a_step_for_another_role_no_longer_fits_whoever_did_it(past: Past) -> None:
    definition = with_edit(
        past,
        "shared/unit_handling.bpmn",
        lambda text: text.replace(
            'id="sign_for" name="签收" camunda:candidateGroups="unit_contact,unit_head"',
            'id="sign_for" name="签收" camunda:candidateGroups="unit_head"',
        ),
    )

    result = tried(past, definition)[IN_TIME]

    assert "doesnt_fit" in result.verdicts
    assert result.misfits[0].reason == "may-not-do-task"


def test_nothing_is_stored(past: Past) -> None:
    before = past.office.store.count_events()
    heads = [past.office.engine.history.stored(case)[-1].hash for case in past.cases]

    tried(past, ten_days(past))

    assert past.office.store.count_events() == before
    assert [past.office.engine.history.stored(case)[-1].hash for case in past.cases] == heads


def test_two_processes_find_what_one_finds(past: Past) -> None:
    definition = ten_days(past)
    many = past.cases * 6

    together = try_cases(
        past.office.settings, definition, many, until=past.clock.now(), processes=2
    )

    alone = tried(past, definition)
    assert [result.case for result in together.cases] == list(many)
    assert all(result == alone[result.case] for result in together.cases)


def test_counts_and_each_case_are_plain_data(past: Past) -> None:
    trial = trial_of(past, ten_days(past))

    data = trial_json(trial)

    assert data["cases"] == 4
    assert data["counts"] == trial.counts()
    assert data["changed_files"] == [DEADLINES]
    assert [one["case"] for one in data["results"]] == list(past.cases)
    assert all(_plain(one) for one in data["results"])


def test_whoever_doesnt_see_a_case_gets_its_verdict_without_contents(past: Past) -> None:
    result = without_contents(tried(past, ten_days(past))[RETURNED])

    assert (result.number, result.title, result.stated) == ("", "", ())
    assert result.difference is not None and result.difference.recorded is not None
    assert set(result.difference.recorded) <= {"type", "element"}


def test_files_that_change_nothing_are_refused(past: Past) -> None:
    base = current(past).files

    with pytest.raises(NothingEdited):
        edited(base, {"deadlines.dmn": base[DEADLINES]})
    with pytest.raises(NoSuchFile):
        edited(base, {"notes.txt": b"x"})


def test_edits_are_read_from_a_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("edits")
    with pytest.raises(FileNotFoundError):
        read_edits(folder)
    (folder / "shared").mkdir()
    (folder / "shared" / "deadlines.dmn").write_bytes(b"1")

    assert read_edits(folder) == {DEADLINES: b"1"}


def test_cases_are_chosen_by_name_or_by_time(past: Past) -> None:
    with past.office.store.transaction(write=False) as transaction:
        every = choose(transaction.connection, Chosen(KEY))
        named = choose(transaction.connection, Chosen(KEY, (OVERDUE,)))
        later = choose(transaction.connection, Chosen(KEY, since=past.clock.now()))

    assert set(every) == set(past.cases)
    assert named == [OVERDUE]
    assert later == []


def test_parts_are_never_empty() -> None:
    assert chunks([], 2) == []
    assert list(spread(len, [(1,), (1, 2)], processes=1, cases=3)) == [1, 2]


def _plain(value: Json) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _plain(inner) for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return all(_plain(inner) for inner in value)
    return value is None or isinstance(value, (str, int, float, bool))
