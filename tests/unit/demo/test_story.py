from dataclasses import fields
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import services.office  # noqa: F401 -- importing the rooms registers every event type
from engine import Actor, CaseId, Event, Recorded, TaskId
from engine.event_types import EVENTS
from engine.events import TaskCompleted
from services.audit.story import FACT, LANGUAGES, Language, Names, Teller, facts_of, texts
from services.cases.events import UnitRefused
from services.deadlines.events import DeadlineSet

OFFICE = ZoneInfo("Asia/Shanghai")
NAMES = Names({"head.1": "王建国", "contact.1": "李丽华"}, {"u1": "发展和改革委员会"})
AT = datetime(2026, 3, 17, 16, 0, tzinfo=UTC)
OWN = sorted(name for name, kind in EVENTS.items() if not kind.__module__.startswith("tests"))


def recorded(event: Event, by: Actor, *, seq: int = 1, first: bool = True) -> Recorded:
    return Recorded(
        case=CaseId("c1"), seq=seq, at=AT, by=by, event=event, command={} if first else None
    )


def told(language: Language, *records: Recorded) -> list[str]:
    return [line.text for line in Teller(NAMES, language, OFFICE).tell(records)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_event_type_has_a_sentence(language: Language) -> None:
    assert sorted(texts(language)["events"]) == OWN


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", OWN)
def test_a_sentence_uses_only_facts_that_exist(language: Language, name: str) -> None:
    sentence = texts(language)["events"][name]
    own = {field.name for field in fields(EVENTS[name])}

    assert set(FACT.findall(sentence["text"])) <= facts_of(EVENTS[name])
    assert set(sentence.get("only", {})) <= own


def test_both_languages_tell_the_same_events_and_know_the_same_words() -> None:
    zh, en = texts("zh"), texts("en")

    for name in OWN:
        without_text = [
            {k: v for k, v in t["events"][name].items() if k != "text"} for t in (zh, en)
        ]
        assert without_text[0] == without_text[1]
    assert {t: set(v) for t, v in zh["values"].items()} == {
        t: set(v) for t, v in en["values"].items()
    }
    assert set(zh["elements"]) <= set(en["elements"])


def deadline() -> DeadlineSet:
    return DeadlineSet(
        former=None,
        due_at=AT,
        yellow_from=AT,
        provisional=False,
        by_name=False,
        reason="dispatched",
        at=AT,
    )


def test_midnight_is_told_as_24_hours_of_the_day_before() -> None:
    record = recorded(deadline(), Actor("head.1"))

    assert told("zh", record) == ["办理期限2026年3月17日24:00（交办）"]
    assert told("en", record) == ["Deadline 17 March 2026, 24:00 (dispatched)"]
    assert Teller(NAMES, "zh", OFFICE).when(AT) == "2026-03-17 24:00"


def done(by: str, acting_for: str | None) -> TaskCompleted:
    return TaskCompleted(
        task=TaskId("c1.t1"),
        element="sign_for",
        scope="",  # type: ignore[arg-type]  # a scope id
        unit="u1",
        due_at=None,
        data={"decision": "refuse", "reason": "不属于本单位职责"},
        personal=(),
        by=by,
        acting_for=acting_for,
        at=AT,
    )


def test_who_acted_for_whom_is_told() -> None:
    record = recorded(done("contact.1", "head.1"), Actor("contact.1", "head.1"))

    assert told("zh", record) == ["李丽华（代王建国）完成“签收”：退办（不属于本单位职责）"]
    assert told("en", record) == [
        "李丽华 (for 王建国) completes “signing for”: refused (不属于本单位职责)"
    ]


def test_an_event_that_says_more_stands_for_the_completed_task() -> None:
    by = Actor("contact.1")
    refused = UnitRefused(unit="u1", suggested_unit=None, reason="不属于本单位职责", at=AT)

    lines = told(
        "zh", recorded(done("contact.1", None), by), recorded(refused, by, seq=2, first=False)
    )

    assert lines == ["发展和改革委员会退办：不属于本单位职责"]


def test_everything_is_told_when_asked_for() -> None:
    by = Actor("contact.1")
    refused = UnitRefused(unit="u1", suggested_unit="u9", reason="不属于本单位职责", at=AT)
    history = [recorded(done("contact.1", None), by), recorded(refused, by, seq=2, first=False)]

    lines = list(Teller(NAMES, "zh", OFFICE, everything=True).tell(history))

    assert [line.seq for line in lines] == [1, 2]
    assert lines[1].text.endswith("；建议转u9")
