"""An operator publishes a schedule by command: the plan first, then the change on record."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api import cli_calendar, console
from services.deadlines.queries import load_calendar
from tests.helpers.offices import Place
from tests.unit.deadlines import test_publication
from tests.unit.deadlines.test_publication import SPRING, WORKED, concern, deadline, instant

place = test_publication.place


@pytest.fixture
def schedule(tmp_path: Path) -> Path:
    file = tmp_path / "2027.txt"
    days = sorted((SPRING | WORKED).items())
    file.write_text("".join(f"{day} {kind}\n" for day, kind in days), "utf-8")
    return file


@pytest.fixture
def publish(place: Place, schedule: Path, monkeypatch: pytest.MonkeyPatch) -> "Publish":
    monkeypatch.setenv("DUBAN_DATA", str(place.office.settings.data))
    monkeypatch.setattr(cli_calendar, "opened", lambda: console.opened(place.clock))
    return Publish(schedule)


class Publish:
    """Asks for the schedule to be published."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, *options: str) -> Result:
        asked = ["publish", "2027", str(self.file), "--title", "国办发明电〔2026〕9号"]
        return CliRunner().invoke(cli_calendar.calendar, [*asked, "--by", "admin", *options])


def test_the_plan_is_shown_and_changes_nothing(place: Place, publish: Publish) -> None:
    case = concern(place)

    shown = publish("--plan")

    assert shown.exit_code == 0, shown.output
    assert "2月15日24:00 → 2月20日24:00（顺延）" in shown.output
    assert deadline(place, case).due_at == instant("2027-02-16T00:00")


def test_a_published_schedule_moves_what_is_open(place: Place, publish: Publish) -> None:
    case = concern(place)

    done = publish("--lang", "en")

    assert done.exit_code == 0, done.output
    assert "15 February, 24:00 → 20 February, 24:00 (later)" in done.output
    assert deadline(place, case).due_at == instant("2027-02-21T00:00")
    assert place.office.engine.history.verify(case).ok


def test_only_who_may_publish_moves_anything(place: Place, publish: Publish) -> None:
    case = concern(place)

    refused = publish("--by", "contact.11")

    assert refused.exit_code == 1
    assert "所需角色不符" in refused.output
    assert deadline(place, case).due_at == instant("2027-02-16T00:00")
    with place.office.store.transaction(write=False) as transaction:
        assert load_calendar(transaction.connection).is_provisional(2027)


def test_a_line_that_cant_be_read_is_named(place: Place, publish: Publish) -> None:
    publish.file.write_text("2027-02-05 festival\n", "utf-8")

    refused = publish()

    assert refused.exit_code == 1
    assert "'festival' is not a valid DayKind" in refused.output
