"""A city's year, a fortieth of it: the published counts, every history proved, the same twice."""

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner
from docx import Document

from api.cli_demo import demo
from engine import SetClock
from services.bulletins.issuing import Editor
from services.bulletins.periods import period_of
from services.demo.city import CityYear, play_city
from services.demo.city_report import city_json, city_tables
from services.demo.errors import PlanFailed
from services.demo.published import published
from services.office import Office, build_office
from services.settings import Settings

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
PART = Fraction(1, 40)
LEAST = Fraction(1, 400)
"""One item of each count."""


def played(folder: Path, scale: Fraction = PART, database_url: str | None = None) -> CityYear:
    settings = Settings(data=folder, definitions=BPMN, database_url=database_url)
    return play_city(settings, scale=scale, processes=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("city")


@pytest.fixture(scope="module")
def year(folder: Path) -> CityYear:
    return played(folder)


def reopened(folder: Path, year: CityYear) -> Office:
    settings = Settings(data=folder, definitions=BPMN)
    return build_office(settings, SetClock(year.issued.issued_at))


def test_the_bulletin_shows_the_published_counts(year: CityYear) -> None:
    wanted = published().scaled(PART)

    assert year.faults == ()
    assert [one.found for one in year.compared] == list(wanted.counts)
    assert year.bulletin.whole.new == wanted.cases == 68


def test_every_history_of_the_year_is_proved_by_running_it_again(year: CityYear) -> None:
    assert year.ok
    assert year.verified == year.cases >= 68
    assert year.events > 3000


def test_the_counts_are_those_of_the_cases_not_of_the_demonstration(
    year: CityYear, folder: Path
) -> None:
    office = reopened(folder, year)
    editor = Editor(office.engine, office.documents, office.settings.zone)
    with office.store.transaction(write=False) as transaction:
        calendar = office.calendar.get(transaction.connection)

    again = editor.compute(period_of("2026"), office.clock.now(), calendar)
    half = editor.compute(period_of("2026-Q2"), office.clock.now(), calendar)

    assert again == year.bulletin
    assert sum(line.cases for line in half.origins) == half.whole.new < year.bulletin.whole.new
    office.close()


def test_the_issued_report_has_a_line_per_origin_and_sums_of_groups(
    year: CityYear, folder: Path
) -> None:
    office = reopened(folder, year)
    content = b"".join(office.documents.files.read(year.issued.docx_sha256))
    office.close()

    tables = Document(io.BytesIO(content)).tables
    rows = [[cell.text for cell in row.cells] for table in tables for row in table.rows]
    lines = {row[0]: row[1:4] for row in rows if row[0]}
    assert lines["市政府领导批示"][1] == "18"
    assert lines["会议和文件议定事项小计"][:2] == ["5", "11"]
    assert lines["临时交办事项"][1:] == ["8", "7"]


def test_the_same_seed_plays_the_same_year(year: CityYear, tmp_path: Path) -> None:
    again = played(tmp_path)

    assert again.bulletin == year.bulletin
    assert again.issued.docx_sha256 == year.issued.docx_sha256
    assert (again.commands, again.events) == (year.commands, year.events)


def test_the_year_wants_an_empty_folder(year: CityYear, folder: Path) -> None:
    assert year.ok

    with pytest.raises(PlanFailed):
        played(folder)


def test_the_year_is_told_to_programs_and_people(year: CityYear) -> None:
    told = city_json(year)

    assert told["ok"] is True
    assert sum(figures["registered"] for figures in told["types"].values()) == 68
    assert told["published"][0]["published"] == told["published"][0]["bulletin"] == {"cases": 1}
    assert city_tables(year, "zh")
    assert city_tables(year, "en")


def test_the_year_is_played_on_postgresql_too(
    tmp_path: Path, postgres_url: Callable[..., str]
) -> None:
    year = played(tmp_path, LEAST, postgres_url())

    assert year.faults == ()
    assert year.verified == year.cases >= 16


def test_the_command_plays_a_part_of_the_year(tmp_path: Path) -> None:
    options = ["--year", "--scale", "1/400", "--data", str(tmp_path), "--json"]
    result = CliRunner().invoke(demo, [*options, "--seed", "3", "--processes", "1"])

    told = json.loads(result.output)
    assert result.exit_code == 0
    assert (told["ok"], told["seed"]) == (True, 3)
    assert told["verified"] == told["cases"]


@pytest.mark.parametrize("scale", ["0", "2", "1/0", "half"])
def test_a_part_is_more_than_nothing_and_at_most_the_whole(scale: str) -> None:
    assert CliRunner().invoke(demo, ["--year", "--scale", scale]).exit_code == 2
