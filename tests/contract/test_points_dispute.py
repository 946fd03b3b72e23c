"""A points dispute followed by an auditor, from the ranking down, by what the answers name."""

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from docx import Document

from api.cli_demo import replay
from tests.helpers.clerks import Clerks, clerks_of
from tests.helpers.offices import postgres_place, sqlite_place

NOTICED = "rectification_notice"


@pytest.fixture(params=["sqlite", "postgresql"])
def clerks(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clerks]:
    make = sqlite_place if request.param == "sqlite" else postgres_place
    place = make(tmp_path / "office")
    yield clerks_of(place)
    place.office.close()


@pytest.fixture
def disputed(clerks: Clerks) -> Clerks:
    """Give an office in which unit 11 got a notice, appealed against its points, and won."""
    case = clerks.play("leader_instruction/three_rounds", until="rectify")
    lines = clerks.get("/scores/u11/entries", "head.11")["items"]
    entry = next(line["entry"] for line in lines if line["rule"] == NOTICED)
    clerks.at("2026-04-01T11:00:00+08:00")
    ask(clerks, case, "appeal", "head.11", entry=entry, reason="整改期限计算有误，请予更正")
    clerks.at("2026-04-02T09:00:00+08:00")
    ask(clerks, case, "decide_appeal", "leader", entry=entry, decision="uphold", reason="理由成立")
    clerks.at("2026-04-02T10:00:00+08:00")
    return clerks


def ask(clerks: Clerks, case: str, name: str, user: str, **data: Any) -> None:  # noqa: ANN401
    clerks.post(f"/cases/{case}/commands", user, {"name": name, "data": data})


def contested(clerks: Clerks) -> dict[str, Any]:
    """Go from the ranking to the unit at its foot, to the entry appealed, to its dispute."""
    last = clerks.get("/scores")["items"][-1]
    lines = clerks.get(last["link"])["items"]
    return clerks.get(next(line["link"] for line in lines if line["appeal"] == "upheld"))


def test_an_auditor_follows_the_points_from_the_score_to_the_reversal(disputed: Clerks) -> None:
    told = contested(disputed)

    assert [step["part"] for step in told["steps"]] == [
        "cause",
        "entered",
        "document_issued",
        "appealed",
        "decided",
        "document_withdrawn",
        "reversed",
    ]
    seqs = [step["seq"] for step in told["steps"]]
    assert seqs == sorted(seqs)
    for step in told["steps"]:
        (event,) = disputed.get(step["event"])["items"]
        assert (event["seq"], event["type"], event["at"]) == (
            step["seq"],
            step["type"],
            step["at"],
        )
    cause, entered, *_, decided, _withdrawn, back = told["steps"]
    assert (told["entry"]["cause"], told["entry"]["entry"]) == (cause["seq"], entered["seq"])
    assert cause["type"] == told["entry"]["cause_type"] == "measure_issued"
    assert (told["reversal"]["entry"], told["reversal"]["cause"]) == (back["seq"], decided["seq"])
    assert told["reversal"]["reverses"] == told["entry"]["entry"]
    assert told["entry"]["reversed_by"] == told["reversal"]["entry"]
    assert Decimal(told["entry"]["points"]) == -Decimal(told["reversal"]["points"]) == -1


def test_the_dispute_reads_as_sentences_that_name_the_events_they_rest_on(
    disputed: Clerks,
) -> None:
    told = contested(disputed)

    said = {step["part"]: step["said"] for step in told["steps"]}
    entry, cause = told["entry"]["entry"], told["entry"]["cause"]
    assert said["entered"] == f"自然资源局考核-1分（整改通知书），缘由见第{cause}号记录"
    assert said["appealed"] == (
        f"自然资源局对第{entry}号考核记录提出申诉：整改期限计算有误，请予更正"
    )
    assert f"裁定对第{entry}号考核记录的申诉，成立：是；理由成立" in said["decided"]
    assert f"冲销第{entry}号考核记录" in said["reversed"]
    assert told["document"]["number"] in said["document_withdrawn"]


def test_case_21_the_document_of_the_entry_is_withdrawn_and_marked(disputed: Clerks) -> None:
    told = contested(disputed)

    paper = told["document"]
    assert paper["id"] == told["entry"]["document"]
    assert paper["withdrawn_reason"] == "理由成立"
    (recorded,) = disputed.get(told["steps"][0]["event"])["items"]
    assert recorded["payload"]["number"] == paper["number"]
    copy = Document(BytesIO(disputed.file(f"{told['file']}?format=docx")))
    original = Document(BytesIO(disputed.file(f"{told['file']}?format=docx&original=1")))
    assert paper["number"] in [p.text for p in copy.paragraphs]
    assert "已撤销" in copy.sections[0].header._element.xml
    assert "已撤销" not in original.sections[0].header._element.xml


def test_case_21_the_score_before_stays_and_the_score_after_differs(disputed: Clerks) -> None:
    told = contested(disputed)

    points = [Decimal(then["points"]) for then in told["scores"]]
    assert [after - before for before, after in (points[:2], points[2:])] == [-1, 1]
    for then in told["scores"]:
        shown = disputed.get(then["entries"])
        assert shown["score"]["points"] == then["points"]
        whole = sum(
            (Decimal(one["points"]) for one in (*shown["items"], *shown["running"])), Decimal(100)
        )
        assert whole == Decimal(then["points"])
    lost = disputed.get(told["scores"][1]["entries"])["items"]
    now = disputed.get(told["scores"][3]["entries"])["items"]
    assert [line["appeal"] for line in lost if line["rule"] == NOTICED] == ["none"]
    assert [line["appeal"] for line in now if line["rule"] == NOTICED] == ["upheld", "none"]


def test_the_reversal_leads_to_the_same_dispute(disputed: Clerks) -> None:
    told = contested(disputed)

    assert disputed.get(told["reversal"]["link"]) == told


def test_the_unit_sees_its_dispute_and_another_unit_does_not_know_of_it(
    disputed: Clerks,
) -> None:
    link = contested(disputed)["entry"]["link"]

    own = disputed.get(link, "head.11")

    assert [step["part"] for step in own["steps"]][-1] == "reversed"
    assert disputed.call("GET", link, "head.5").status_code == 404
    assert disputed.call("GET", link.rpartition("/")[0] + "/1", "auditor").status_code == 404


def test_the_history_with_the_dispute_is_proved(disputed: Clerks) -> None:
    case = contested(disputed)["entry"]["case"]

    assert disputed.get(f"/cases/{case}/verify")["ok"] is True


def test_replay_tells_the_same_dispute(disputed: Clerks, monkeypatch: pytest.MonkeyPatch) -> None:
    told = contested(disputed)
    settings = disputed.place.office.settings
    monkeypatch.setenv("DUBAN_DATA", str(settings.data))
    if settings.database_url:
        monkeypatch.setenv("DUBAN_DATABASE_URL", settings.database_url)

    result = CliRunner().invoke(replay, [told["entry"]["case"]], catch_exceptions=False)

    lines = result.output.splitlines()
    for step in told["steps"]:
        assert any(line.endswith(f"#{step['seq']}  {step['said']}") for line in lines), step


def test_an_entry_nobody_contested_is_followed_to_its_cause(clerks: Clerks) -> None:
    clerks.play("leader_instruction/three_rounds", until="inspect")

    lines = clerks.get("/scores/u11/entries")["items"]
    told = clerks.get(lines[0]["link"])

    assert [step["part"] for step in told["steps"]] == ["cause", "entered"]
    assert (told["document"], told["reversal"], len(told["scores"])) == (None, None, 2)
    assert told["entry"]["rule"] == "overdue"
