from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from api.wording import LANGUAGES, Language, Reader, choose, reader_of_office
from engine import FieldError

ZONE = ZoneInfo("Asia/Shanghai")
END_OF_24_NOVEMBER = datetime(2026, 11, 24, 16, tzinfo=UTC)


def reader(language: Language, year: int = 2026) -> Reader:
    return Reader(language, ZONE, year)


def test_midnight_is_shown_as_the_end_of_the_day_before() -> None:
    assert reader("zh").instant(END_OF_24_NOVEMBER) == "11月24日24:00"
    assert reader("en").instant(END_OF_24_NOVEMBER) == "24 November, 24:00"


def test_other_instants_are_shown_in_office_time() -> None:
    instant = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)

    assert reader("zh").instant(instant) == "11月24日09:30"
    assert reader("en").instant(instant) == "24 November, 09:30"


def test_the_year_is_shown_when_it_is_another_one() -> None:
    last = datetime(2026, 12, 31, 16, tzinfo=UTC)

    assert reader("zh", 2026).instant(last) == "12月31日24:00"
    assert reader("zh", 2027).instant(last) == "2026年12月31日24:00"
    assert reader("en", 2027).instant(last) == "31 December 2026, 24:00"


@pytest.mark.parametrize(
    "fact", [END_OF_24_NOVEMBER, "2026-11-24T16:00:00Z", "2026-11-25T00:00:00+08:00"]
)
def test_instants_among_facts_are_shown_in_office_time(fact: object) -> None:
    facts = {"due": fact, "asked_at": "2026-11-24T16:01:00Z"}

    detail = reader("en").problem("deadline-passed", facts).detail

    assert "24 November, 24:00" in detail
    assert "25 November, 00:01" in detail


def test_facts_are_named_in_the_readers_words() -> None:
    facts = {"reason": "may-only-propose"}

    assert "只能提出建议" in reader("zh").problem("not-permitted", facts).detail
    assert "only propose" in reader("en").problem("not-permitted", facts).detail


def test_days_and_lists_among_facts() -> None:
    allowed = {"method": "PUT", "allowed": ["GET", "POST"]}

    assert "GET、POST" in reader("zh").problem("method-not-allowed", allowed).detail
    assert "GET, POST" in reader("en").problem("method-not-allowed", allowed).detail
    assert reader("zh").day(date(2026, 3, 5)) == "3月5日"


def test_braces_in_facts_stand_for_themselves() -> None:
    said = reader("en").problem("evaluation-failed", {"expression": "${a.b}", "reason": "{0!r}"})

    assert "${a.b}" in said.detail
    assert "{0!r}" in said.detail


def test_the_fuller_sentence_is_said_when_all_its_facts_are_there() -> None:
    known = {"task": "c1.t2", "completed_by": "registrar", "completed_at": "2026-03-02T01:00:00Z"}

    assert "registrar" in reader("zh").problem("task-not-open", known).detail
    assert reader("zh").problem("task-not-open", {"task": "c1.t2"}).detail == (
        "任务 c1.t2 已经完成或撤回。"
    )


def test_what_only_looks_like_a_day_is_shown_as_it_was_typed() -> None:
    for typed in ("2026-13-45", "2026-02-30T25:61Z", "0001-01-01T00:00+23:59"):
        assert typed in reader("en").problem("unit-not-found", {"unit": typed}).detail


def test_a_field_names_what_was_expected_as_far_as_that_is_known() -> None:
    told = {
        (code, language): reader(language).field(FieldError("x", code, facts))
        for language in LANGUAGES
        for code, facts in (
            ("wrong_type", {"expected": ["array", "null"]}),
            ("not_in_list", {"allowed": ["normal", "urgent"]}),
            ("out_of_range", {"max": 10}),
        )
    }

    assert told["wrong_type", "en"] == "has the wrong type; it must be a list, empty"
    assert told["wrong_type", "zh"] == "类型有误，应为列表、空"
    assert told["not_in_list", "en"] == "isn't one of the allowed values: normal, urgent"
    assert told["out_of_range", "zh"] == "超出范围，至多10"
    assert reader("en").field(FieldError("x", "out_of_range")) == "is out of range"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_field_is_told_what_is_wrong(language: Language) -> None:
    assert "200" in reader(language).field(FieldError("title", "too_long", {"max": 200}))
    assert reader(language).field(FieldError("title", "never heard of"))


def test_the_language_is_the_readers_choice() -> None:
    assert choose(lambda _: "en") == "en"
    assert choose(lambda _: "zh") == "zh"
    assert choose(lambda _: None) == "zh"


def test_the_year_of_a_reader_is_the_offices() -> None:
    assert reader_of_office("zh", ZONE, datetime(2026, 12, 31, 17, tzinfo=UTC)).year == 2027
