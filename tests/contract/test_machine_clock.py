"""A case on the machine's own clock, whose instants aren't whole seconds as a set clock's are."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from api.worker import Sweeper
from engine import SetClock
from services.office import build_office
from services.settings import Settings
from tests.contract.conftest import START, Service


@pytest.fixture
def living(template: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Service]:
    data, tokens = template
    shutil.copytree(data, tmp_path / "data")
    office = build_office(Settings(data=tmp_path / "data"))
    yield Service(office, create_app(office), SetClock(START), tokens)
    office.close()


def test_papers_and_bundles_are_made_at_any_instant(living: Service) -> None:
    today = living.office.clock.now().astimezone(living.office.settings.zone).date().isoformat()
    case = living.registered(source_date=today)
    last = living.walked(case, "answer_report")
    living.complete(last, "leader", {"decision": "accept"})
    Sweeper(living.office).sweep_until_quiet()

    instants = living.call("GET", f"/cases/{case['id']}/events", "auditor").json or {}
    papers = living.call("GET", f"/cases/{case['id']}/documents", "auditor").json or {}
    bundle = living.call("GET", f"/cases/{case['id']}/evidence", "auditor")
    incidents = living.call("GET", "/incidents", "admin").json or {}

    assert any("." in one["at"] for one in instants["items"]), "the clock gives whole seconds"
    assert incidents["items"] == []
    assert papers["items"] and all(one["number"] for one in papers["items"])
    with zipfile.ZipFile(io.BytesIO(bundle.data)) as opened:
        (story,) = (name for name in opened.namelist() if name.endswith("story.pdf"))
        assert opened.read(story).startswith(b"%PDF")
    assert (living.call("GET", f"/cases/{case['id']}/verify", "auditor").json or {})["ok"]
