"""The office's own rhythm: who is urged about what, when, and once (domain.md §5)."""

import re
from typing import Any

import pytest
import sqlalchemy as sa

from api.worker import Sweeper
from engine import Actor, CaseId, Engine
from engine.definitions import load_folder
from engine.records import Json, parse_instant
from services.audit.story import Names, Teller
from services.cases.commands import CancelSupervision, RegisterCase, Urge
from services.cases.tables import register
from services.documents.queries import documents_of
from services.documents.render import text_of
from services.notices.tables import notices
from services.rhythm.commands import UrgeTogether
from services.rhythm.rounds import keep_rhythm
from services.rhythm.tables import rhythm_rounds
from services.scenarios.passing import pass_time
from tests.helpers.offices import BPMN, Place

FIFTH = "2026-03-05T09:00+08:00"


def task(place: Place, case: str, unit: str, kind: str = "livelihood", **data: Json) -> None:
    """Register a task, and dispatch it to a unit."""
    registration: dict[str, Any] = {
        "title": f"事项{case}",
        "source_kind": "document",
        "source_date": "2026-02-10",
        "issuer": "市政府",
        "content": "年内完成。",
        "task_kind": kind,
        "targets": [{"by": "2026-12-20", "percent": 100}],
        "is_source": False,
        **data,
    }
    place.execute(
        RegisterCase(
            case=CaseId(case),
            by=Actor("registrar"),
            at=place.clock.now(),
            definition="work_report_task",
            data=registration,
        )
    )
    place.complete(CaseId(case), "approve_registration", "office_director", decision="approve")
    place.complete(
        CaseId(case),
        "dispatch",
        "registrar",
        lead_unit=unit,
        responsible_person="局长",
        report_content="进展",
        deadline="2026-12-31",
    )


def lists(place: Place) -> list[Any]:
    """Give the lists that were sent, in the order of their numbers."""
    with place.office.store.transaction(write=False) as transaction:
        return list(
            transaction.connection.execute(
                sa.select(register.c.case_id, register.c.lead_unit, register.c.title)
                .where(register.c.case_type == "office_rhythm")
                .order_by(register.c.number)
            )
        )


def at(place: Place, instant: str) -> None:
    """Let time pass, then keep the rhythm; papers are made by `work`."""
    pass_time(place.office, place.clock, parse_instant(instant))
    office = place.office
    keep_rhythm(
        office.engine,
        lambda transaction: office.calendar.get(transaction.connection),
        place.clock.now(),
        office.settings.zone,
    )
    place.sweep()


def work(place: Place, instant: str) -> None:
    """Let time pass, then sweep as a worker does that was started just then."""
    pass_time(place.office, place.clock, parse_instant(instant))
    Sweeper(place.office).sweep_until_quiet()


def story(place: Place, case: str) -> list[str]:
    teller = Teller(Names(), "zh", place.office.settings.zone)
    history = place.office.engine.history.recorded(CaseId(case))
    return [line.text for line in teller.tell(history)]


def test_on_the_fifth_each_unit_gets_one_reminder_that_lists_its_livelihood_items(
    place: Place,
) -> None:
    for case, unit in (("a", "u13"), ("b", "u13"), ("c", "u11")):
        task(place, case, unit)
    task(place, "d", "u9", kind="listed")

    work(place, "2026-03-05T08:59+08:00")
    assert lists(place) == []

    work(place, FIFTH)

    sent = lists(place)
    assert sorted(one.lead_unit for one in sent) == ["u11", "u13"]
    (own,) = [one.case_id for one in sent if one.lead_unit == "u13"]
    with place.office.store.transaction(write=False) as transaction:
        (paper,) = documents_of(transaction.connection, own)
        told = sa.select(notices.c.user).where(notices.c.case_id == own)
        assert set(transaction.connection.execute(told).scalars()) == {"contact.13", "head.13"}
    assert (paper.name, paper.unit) == ("催办单", "u13")
    assert paper.issued_at is not None
    docx = b"".join(place.office.documents.files.read(paper.docx_sha256 or ""))
    assert "1．事项a" in text_of(docx) and "2．事项b" in text_of(docx)
    assert "连同其他事项催办u13：民生实事月催办，" + str(paper.number) in story(place, "a")
    assert not [line for line in story(place, "d") if "连同" in line]


def test_reminders_by_hand_and_by_rule_are_one_series(place: Place) -> None:
    task(place, "a", "u13")
    urge = Urge(case=CaseId("a"), by=Actor("supervisor"), at=place.clock.now(), data={})
    place.execute(urge)

    at(place, FIFTH)
    place.execute(Urge(case=CaseId("a"), by=Actor("supervisor"), at=place.clock.now(), data={}))

    numbers = re.findall(r"督〔2026〕催办-\d+", "".join(story(place, "a")))
    assert list(dict.fromkeys(numbers)) == [f"督〔2026〕催办-000{n}" for n in (1, 2, 3)]


def test_it_is_sent_once_whoever_sweeps_and_however_often(place: Place) -> None:
    task(place, "a", "u13")

    for _ in range(3):
        at(place, FIFTH)
    at(place, "2026-03-06T09:00+08:00")

    assert len(lists(place)) == 1
    assert len([line for line in story(place, "a") if "连同" in line]) == 1


def test_broken_off_after_the_first_unit_the_rest_is_sent_and_nobody_gets_two(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for case, unit in (("a", "u11"), ("b", "u13")):
        task(place, case, unit)
    execute, asked = Engine.execute, []

    def dies_at_the_second(engine: Engine, command: Any, **known: Any) -> Any:  # noqa: ANN401
        if isinstance(command, UrgeTogether):
            asked.append(command.case)
            if len(asked) == 2:
                raise KeyboardInterrupt
        return execute(engine, command, **known)

    monkeypatch.setattr(Engine, "execute", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        at(place, FIFTH)
    assert [one.lead_unit for one in lists(place)] == ["u11"]
    monkeypatch.undo()

    at(place, "2026-03-05T09:10+08:00")

    assert [one.lead_unit for one in lists(place)] == ["u11", "u13"]


def test_a_round_that_fell_into_a_standstill_is_made_up_for_once_about_what_was_open_then(
    place: Place,
) -> None:
    task(place, "a", "u13")
    pass_time(place.office, place.clock, parse_instant("2026-03-09T09:00+08:00"))
    task(place, "b", "u11")

    at(place, "2026-03-09T10:00+08:00")

    assert [one.lead_unit for one in lists(place)] == ["u13"]
    with place.office.store.transaction(write=False) as transaction:
        done = transaction.connection.execute(
            sa.select(rhythm_rounds.c.due_at).where(rhythm_rounds.c.period == "2026-03")
        ).scalar_one()
    assert done == parse_instant(FIFTH)


def test_a_fifth_without_work_is_kept_on_the_working_day_before(place: Place) -> None:
    task(place, "a", "u13")
    at(place, FIFTH)

    at(place, "2026-04-03T08:59+08:00")
    assert len(lists(place)) == 1

    # 5 April 2026 is Qingming, 4 April its Saturday.
    at(place, "2026-04-03T09:00+08:00")
    assert len(lists(place)) == 2


def test_each_quarter_the_tasks_of_the_work_report_are_dispatched(place: Place) -> None:
    task(place, "a", "u13", kind="report_task")
    task(place, "b", "u13", kind="key_task")

    at(place, FIFTH)
    assert lists(place) == []

    work(place, "2026-04-03T09:00+08:00")

    (sent,) = lists(place)
    assert sent.title.startswith("重点任务季度调度（2026-04）")
    with place.office.store.transaction(write=False) as transaction:
        (paper,) = documents_of(transaction.connection, sent.case_id)
    assert (paper.name, paper.number) == ("季度调度通知", "盘政督调〔2026〕1号")


def test_what_isnt_open_any_more_isnt_listed(place: Place) -> None:
    task(place, "a", "u13")
    cancel = CancelSupervision(
        case=CaseId("a"),
        by=Actor("office_director"),
        at=place.clock.now(),
        data={"reason": "任务调整，不再实施"},
    )
    place.execute(cancel)

    at(place, FIFTH)

    assert lists(place) == []


def test_lists_are_no_matters_that_statistics_count(place: Place) -> None:
    task(place, "a", "u13")
    at(place, FIFTH)

    with place.office.store.transaction(write=False) as transaction:
        counted = transaction.connection.execute(
            sa.select(register.c.counted_as).where(register.c.case_type == "office_rhythm")
        ).scalar_one()
    assert counted == "none"


def changed(place: Place, name: str, old: str, new: str) -> None:
    """Deploy the office's rhythm with one table changed, as a designer does."""
    files = dict(load_folder(BPMN, "office_rhythm"))
    text = files[name].decode()
    assert text.count(old) >= 1
    files[name] = text.replace(old, new).encode()
    place.office.engine.library.deploy(files, "designer", place.clock.now())


def test_a_designer_changes_the_day(place: Place) -> None:
    task(place, "a", "u13")
    changed(place, "rhythms.dmn", "<text>5</text>", "<text>10</text>")

    at(place, "2026-03-06T09:00+08:00")
    assert lists(place) == []

    at(place, "2026-03-10T09:00+08:00")
    assert len(lists(place)) == 1


def test_a_designer_changes_what_is_listed(place: Place) -> None:
    task(place, "a", "u13", kind="listed")
    changed(place, "listed_items.dmn", '<text>"livelihood"</text>', '<text>"listed"</text>')

    at(place, FIFTH)

    assert [one.lead_unit for one in lists(place)] == ["u13"]
