"""A bulletin in words: sections with tables and bar charts, the count beside every percentage."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from services.bulletins.origins import origin_section
from services.bulletins.queries import Breakdown, Bulletin, Line, Named
from services.bulletins.rates import written
from services.deadlines.calendar import last_day
from services.documents.charts import Bar, bar_chart
from services.documents.fonts import FontBook
from services.documents.papers import Paper, PaperSection, PaperTable
from services.documents.render import Picture
from services.statistics.figures import percent

ADDRESSEE = "各县（区）人民政府，市直各部门"
SHOWN_BARS = 15
SHOWN_OVERDUE = 100
NONE = "（未注明）"

_BY = {"type": "督查类型", "source": "来源", "leader": "批示领导或会议", "unit": "主办单位"}
_RATES = {
    "closing_rate": "办结率",
    "on_time_rate": "按时办结率",
    "reported_in_time_rate": "按时反馈率",
    "answer_rate": "办复率",
    "contact_rate": "见面率",
    "resolution_rate": "解决率",
    "fully_satisfied_rate": "满意率",
    "satisfaction_rate": "满意率（含基本满意）",
}
_MEASURES = {
    "rectification_notice": "整改通知书",
    "yellow_card": "黄牌警告",
    "accountability_referral": "提请问责",
}
_NUMERALS = (*"一二三四五六七八九十", "十一", "十二")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of counts; some are left out where the whole of them is nothing."""

    heading: str
    count: Callable[[Line], int]
    always: bool = True


_COLUMNS = (
    _Column("新立项", lambda line: line.new),
    _Column("结转", lambda line: line.carried, always=False),
    _Column("办结", lambda line: line.closed),
    _Column("终止", lambda line: line.cancelled, always=False),
)


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called.

    Parameters
    ----------
    label : the word for a value, such as ``("case_type", "npc_suggestion")``.
    unit : the name of a unit by its code.
    step : the name of a task by its element.
    """

    label: Callable[[str, str], str]
    unit: Callable[[str], str]
    step: Callable[[str], str]

    def of_group(self, by: str, key: str | None) -> str:
        """Give the name of a group of cases."""
        if not key:
            return NONE
        if by == "unit":
            return self.unit(key)
        field = {"type": "case_type", "source": "source_kind"}.get(by)
        return key if field is None else self.label(field, key)


def paper_of(found: Bulletin, names: Names, book: FontBook, zone: ZoneInfo) -> Paper:
    """Write a bulletin; the same bulletin gives the same paper."""
    parts = [
        _overall(found, names, book),
        origin_section(found.origins),
        _by_leader(found, names),
        _sources(found, names),
        _by_unit(found, names, book),
        _trend(found, book),
        _overdue(found, names, zone),
        _rounds(found, names),
        _steps(found, names),
        _scores(found, book),
        _targets(found, names),
    ]
    told = [part for part in parts if part is not None]
    sections = [
        PaperSection(f"{_NUMERALS[n]}、{part.heading}", part.lines, part.table, part.chart)
        for n, part in enumerate(told)
    ]
    day = last_day(found.as_of, zone)
    return Paper(
        id=f"bulletin-{found.period.name}",
        kind=found.period.kind,
        title=found.period.title,
        addressee=ADDRESSEE,
        opening=[_opening(found), f"数据截至{day.year}年{day.month}月{day.day}日。"],
        sections=sections,
        period_from=found.period.first,
        period_until=found.period.last,
        as_of=found.as_of,
    )


def _opening(found: Bulletin) -> str:
    whole = found.whole
    return (
        f"本期新立项{whole.new}件，上期结转{whole.carried}件；"
        f"办结{whole.closed}件，终止{whole.cancelled}件，在办{whole.open}件，"
        f"其中逾期{whole.overdue}件。"
    )


def _overall(found: Bulletin, names: Names, book: FontBook) -> PaperSection:
    lines = [f"{name}{written(found.whole.rate(rate))}。" for rate, name in _RATES.items()]
    by_type = _of(found, "type")
    bars = [
        Bar(names.of_group("type", line.key), Decimal(line.new), f"{line.new}件")
        for line in by_type.lines
    ]
    return PaperSection("总体情况", lines, _table(by_type, found.whole, names), _chart(bars, book))


def _by_leader(found: Bulletin, names: Names) -> PaperSection | None:
    breakdown = _of(found, "leader")
    if all(line.key is None for line in breakdown.lines):
        return None
    return PaperSection("批示与交办情况", (), _table(breakdown, found.whole, names))


def _sources(found: Bulletin, names: Names) -> PaperSection | None:
    if not found.sources:
        return None
    new = found.whole.new
    rows = [
        [
            names.label("case_type", line.case_type),
            names.label("source_kind", line.source_kind),
            str(line.sources),
            str(line.cases),
            f"{percent(line.cases, new)}%",
        ]
        for line in found.sources
    ]
    rows.append(["合计", "", "", str(new), "100.0%"])
    head = ["督查类型", "来源", "来源数", "立项件数", "占比"]
    return PaperSection("立项来源", (), PaperTable("立项来源情况", head, rows))


def _by_unit(found: Bulletin, names: Names, book: FontBook) -> PaperSection:
    breakdown = _of(found, "unit")
    rated = [
        (line, line.rate("on_time_rate"))
        for line in breakdown.lines
        if line.key and line.rate("on_time_rate").of
    ]
    rated.sort(key=lambda pair: (-(pair[1].percent or 0), -(pair[1].of or 0), pair[0].key or ""))
    bars = [
        Bar(names.unit(line.key or ""), rate.percent or Decimal(0), written(rate))
        for line, rate in rated[:SHOWN_BARS]
    ]
    chart = bar_chart(bars, book, Decimal(100)) if bars else None
    table = _table(breakdown, found.whole, names)
    return PaperSection("各单位办理情况", ["图为按时办结率。"] if bars else (), table, chart)


def _trend(found: Bulletin, book: FontBook) -> PaperSection | None:
    lines = [line for line in _of(found, "month").lines if line.new]
    if found.period.months == 1 or not lines:
        return None
    rows = [[line.key or "", str(line.new), written(line.rate("closing_rate"))] for line in lines]
    rows.append(["合计", str(found.whole.new), written(found.whole.rate("closing_rate"))])
    bars = [Bar(line.key or "", Decimal(line.new), f"{line.new}件") for line in lines]
    table = PaperTable("按立项月份", ["月份", "立项件数", "办结率"], rows)
    return PaperSection("逐月情况", (), table, _chart(bars, book))


def _overdue(found: Bulletin, names: Names, zone: ZoneInfo) -> PaperSection | None:
    if not found.overdue:
        return None
    rows = [
        [
            case.number,
            case.title,
            names.of_group("unit", case.unit),
            "" if case.deadline is None else last_day(case.deadline, zone).isoformat(),
        ]
        for case in found.overdue[:SHOWN_OVERDUE]
    ]
    more = len(found.overdue) - len(rows)
    lines = [f"另有{more}件未列出。"] if more else ()
    table = PaperTable("逾期事项", ["编号", "事项", "主办单位", "办理期限"], rows)
    return PaperSection("逾期事项", lines, table)


def _rounds(found: Bulletin, names: Names) -> PaperSection | None:
    if not found.rounds:
        return None
    rows = [
        [
            f"第{_NUMERALS[line.round - 1]}次督查",
            _MEASURES.get(line.measure, line.measure),
            str(line.count),
            "、".join(names.of_group("unit", unit) for unit in line.units),
        ]
        for line in found.rounds
    ]
    rows.append(["合计", "", str(sum(line.count for line in found.rounds)), ""])
    table = PaperTable("三次督查采取的措施", ["轮次", "措施", "件数", "单位"], rows)
    return PaperSection("三次督查", (), table)


def _steps(found: Bulletin, names: Names) -> PaperSection | None:
    if not found.steps:
        return None
    rows = [
        [
            names.step(step.key or ""),
            str(step.count),
            str(step.median),
            str(step.ninetieth),
            str(step.late),
        ]
        for step in found.steps
    ]
    head = ["环节", "次数", "用时中位数（天）", "九成以内（天）", "其中逾期"]
    return PaperSection("各环节用时", (), PaperTable("各环节用时", head, rows))


def _scores(found: Bulletin, book: FontBook) -> PaperSection | None:
    if not found.scores:
        return None
    rows = [[str(one.rank), one.name, f"{one.points:.2f}"] for one in found.scores]
    bars = [Bar(one.name, one.points, f"{one.points:.2f}分") for one in found.scores[:SHOWN_BARS]]
    table = PaperTable("年度考核得分", ["名次", "单位", "得分"], rows)
    return PaperSection("考核得分", (), table, _chart(bars, book))


def _targets(found: Bulletin, names: Names) -> PaperSection | None:
    if not (found.missed or found.praised):
        return None
    lines = []
    if found.praised:
        lines.append(f"提前完成年度目标，予以表扬：{_named(found.praised, names)}。")
    if found.missed:
        lines.append(f"未完成当期目标，予以通报：{_named(found.missed, names)}。")
    return PaperSection("重点工作目标", lines)


def _named(tasks: Iterable[Named], names: Names) -> str:
    return "；".join(f"{names.unit(one.unit)}《{one.title}》（{one.number}）" for one in tasks)


def _table(breakdown: Breakdown, whole: Line, names: Names) -> PaperTable:
    shown = [column for column in _COLUMNS if column.always or column.count(whole)]
    lines = sorted(breakdown.lines, key=lambda line: (line.key is None, -line.new))
    rows = [_row(names.of_group(breakdown.by, line.key), line, shown) for line in lines]
    rows.append(_row("合计", whole, shown))
    head = [_BY[breakdown.by], *(column.heading for column in shown), "在办（逾期）", "办结率"]
    return PaperTable(f"按{_BY[breakdown.by]}", head, rows)


def _row(name: str, line: Line, shown: Iterable[_Column]) -> list[str]:
    counts = [str(column.count(line)) for column in shown]
    return [name, *counts, f"{line.open}（{line.overdue}）", written(line.rate("closing_rate"))]


def _of(found: Bulletin, by: str) -> Breakdown:
    return next(one for one in found.breakdowns if one.by == by)


def _chart(bars: Sequence[Bar], book: FontBook) -> Picture | None:
    return bar_chart(bars, book) if bars else None
