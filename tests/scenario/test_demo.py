from pathlib import Path

import pytest

from engine import CaseId, SetClock
from engine.records import parse_instant
from services.audit.story import LANGUAGES, Names, Teller
from services.demo.errors import PlanFailed
from services.demo.load import load_demo
from services.demo.plans import standing
from services.demo.report import year_tables
from services.demo.situations import SITUATIONS
from services.demo.year import Year, play_year
from services.office import Office, build_office
from services.scenarios.standing import standing as how_it_stands
from services.settings import Settings

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
STAGES = {
    "approve_registration",
    "dispatch",
    "sign_for",
    "unit_instruction",
    "handle",
    "inspect",
    "review",
    "contact_proposer",
    "answer",
    "rate",
    "mediate",
    "follow_up",
    "decide_extension",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("year")


@pytest.fixture(scope="module")
def year(folder: Path) -> Year:
    return play_year(Settings(data=folder, definitions=BPMN))


def test_the_year_shows_everything_it_promises_and_every_history_holds(year: Year) -> None:
    assert year.faults == ()
    assert year.ok
    assert year.verified == len(year.cases) == 26
    assert {name for case in year.cases for name in case.shows} == set(SITUATIONS)


def test_the_year_is_told_to_programs_and_people(year: Year) -> None:
    told = year.as_json()

    assert told["ok"] is True
    assert sum(figures["registered"] for figures in told["types"].values()) == len(told["cases"])
    assert year_tables(year, "zh")
    assert year_tables(year, "en")


def test_the_year_wants_an_empty_folder(year: Year, folder: Path) -> None:
    assert year.ok

    with pytest.raises(PlanFailed):
        play_year(Settings(data=folder, definitions=BPMN))


def test_every_case_of_the_year_can_be_told_in_both_languages(year: Year, folder: Path) -> None:
    office = build_office(Settings(data=folder, definitions=BPMN))
    try:
        for case in year.cases:
            history = office.engine.history.recorded(CaseId(case.id))
            for language in LANGUAGES:
                teller = Teller(Names(), language, office.settings.zone, everything=True)
                texts = [line.text for line in teller.tell(history)]
                assert len(texts) == len(history)
                assert not any("{" in text or "[[" in text for text in texts)
    finally:
        office.close()


@pytest.mark.parametrize("now", ["2026-03-02T09:00+08:00", "2026-10-20T15:30+08:00"])
def test_a_loaded_office_has_a_case_in_every_stage(tmp_path: Path, now: str) -> None:
    office = office_at(tmp_path, now)

    assert load_demo(office) == len(standing())

    stands = [how_it_stands(office, case) for case in office.store.case_ids()]
    waiting = {element for stand in stands for element in stand["open_tasks"]}
    assert waiting >= STAGES - {"sign_for", "review"}
    assert {stand["light"] for stand in stands} >= {"green", "red", "grey"}
    assert {stand["status"] for stand in stands} >= {"closed", "suspended", "cancelled"}
    office.close()


def test_a_loaded_office_is_as_good_as_one_that_grew(tmp_path: Path) -> None:
    office = office_at(tmp_path, "2026-10-20T15:30+08:00")

    load_demo(office)

    for case in office.store.case_ids():
        proof = office.engine.history.verify(case)
        assert proof.ok, proof
    due = office.store.next_due()
    assert due is None or due > office.clock.now()
    office.close()


def office_at(data: Path, now: str) -> Office:
    return build_office(Settings(data=data, definitions=BPMN), SetClock(parse_instant(now)))
