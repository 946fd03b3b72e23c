import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deadlines.errors import PeriodNotUnderstood
from services.deadlines.periods import Period, PeriodUnit, parse_period


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("15 days", 15, PeriodUnit.DAYS),
        ("1 day", 1, PeriodUnit.DAYS),
        ("5 working days", 5, PeriodUnit.WORKING_DAYS),
        ("1 Working-Day", 1, PeriodUnit.WORKING_DAYS),
        ("3 months", 3, PeriodUnit.MONTHS),
        ("1 month", 1, PeriodUnit.MONTHS),
        ("1 year", 12, PeriodUnit.MONTHS),
        ("2 weeks", 14, PeriodUnit.DAYS),
        ("24 hours", 24, PeriodUnit.HOURS),
        (" 30  minutes ", 30, PeriodUnit.MINUTES),
        ("P15D", 15, PeriodUnit.DAYS),
        ("P2W", 14, PeriodUnit.DAYS),
        ("P3M", 3, PeriodUnit.MONTHS),
        ("P1Y", 12, PeriodUnit.MONTHS),
        ("PT24H", 24, PeriodUnit.HOURS),
        ("PT30M", 30, PeriodUnit.MINUTES),
        ("PT1H30M", 90, PeriodUnit.MINUTES),
        ("15日", 15, PeriodUnit.DAYS),
        ("15 天", 15, PeriodUnit.DAYS),
        ("5个工作日", 5, PeriodUnit.WORKING_DAYS),
        ("5工作日", 5, PeriodUnit.WORKING_DAYS),
        ("3个月", 3, PeriodUnit.MONTHS),
        ("24小时", 24, PeriodUnit.HOURS),
        ("1年", 12, PeriodUnit.MONTHS),
        ("１５日", 15, PeriodUnit.DAYS),
    ],
)
def test_periods_are_read_in_english_chinese_and_iso(
    text: str, count: int, unit: PeriodUnit
) -> None:
    assert parse_period(text) == Period(count, unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "days",
        "15",
        "P",
        "PT",
        "P1DT2H",
        "P1M15D",
        "-5 days",
        "1.5 days",
        "five days",
        "5 days 3 hours",
        "10001 days",
        "9999999 days",
        "P99999Y",
        "15 days\n; drop",
        "工作日",
    ],
)
def test_what_is_no_period_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(PeriodNotUnderstood) as refusal:
        parse_period(text)

    assert refusal.value.facts == {"period": text}


@given(count=st.integers(0, 10_000), unit=st.sampled_from(PeriodUnit))
def test_a_period_written_out_can_be_read_again(count: int, unit: PeriodUnit) -> None:
    period = Period(count, unit)

    assert parse_period(str(period)) == period


@given(text=st.text(max_size=20))
def test_any_text_gives_a_period_or_a_clear_refusal(text: str) -> None:
    try:
        period = parse_period(text)
    except PeriodNotUnderstood:
        return
    assert period.count <= 10_000
