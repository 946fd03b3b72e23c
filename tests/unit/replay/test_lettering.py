import pytest

from services.replay.lettering import width, wrap


def test_a_line_is_never_wider_than_its_room() -> None:
    text = "关于 Q3 季度 GDP 统计核查（含各区县）的督查专报，请于5日内反馈。"

    for room in range(40, 200, 7):
        for line in wrap(text, room, 12):
            assert width(line.rstrip("，。）"), 12) <= room


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    text = "请核实（含附件）情况，并于月底前报送：结果、原因、措施。"

    for room in range(30, 160, 5):
        lines = wrap(text, room, 10)
        assert not any(line[0] in "，。、：）" for line in lines)
        assert not any(line[-1] == "（" for line in lines[:-1])


def test_english_words_stay_whole() -> None:
    assert wrap("review the final report", 60, 10) == ["review the", "final report"]


def test_nothing_is_lost_by_breaking() -> None:
    text = "三次督查：第一轮整改通知书"

    assert "".join(wrap(text, 45, 12)) == text


def test_what_doesnt_fit_ends_with_an_ellipsis() -> None:
    lines = wrap("这是一个非常非常长的环节名称需要截断", 48, 12, 2)

    assert len(lines) == 2
    assert lines[-1].endswith("…")


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_makes_no_lines(text: str) -> None:
    assert wrap(text, 50, 12) == []
