"""The demonstration's year as tables for a terminal."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.demo.figures import TypeFigures, rate, total
from services.demo.year import Year

Language = Literal["zh", "en"]

_WORDS: Mapping[str, tuple[str, str]] = {
    "type": ("督查类型", "Type"),
    "registered": ("立项", "Registered"),
    "closed": ("办结", "Closed"),
    "on_time": ("按时办结率", "Closed on time"),
    "reported": ("按时反馈率", "Reported in time"),
    "satisfied": ("满意率", "Satisfied"),
    "rounds": ("督查轮次", "Rounds 1·2·3"),
    "measures": ("整改·黄牌·问责", "Notices·cards·referrals"),
    "total": ("合计", "All"),
    "number": ("编号", "Number"),
    "id": ("标识", "Id"),
    "title": ("事项", "Matter"),
    "shows": ("看点", "Shows"),
    "leader_instruction": ("领导批示", "Leader instruction"),
    "meeting_decision": ("会议决定", "Meeting decision"),
    "npc_suggestion": ("人大代表建议", "NPC suggestion"),
    "cppcc_proposal": ("政协提案", "CPPCC proposal"),
    "superior_directive": ("上级交办", "Superior directive"),
    "work_report_task": ("工作报告任务", "Work report task"),
    "public_concern": ("群众诉求", "Public concern"),
    "special_inspection": ("专项督查", "Special inspection"),
    "open": ("在办", "Open"),
    "overdue": ("逾期", "Overdue"),
    "closing": ("办结率", "Closing rate"),
    "answered": ("答复", "answered"),
    "sources": ("来源", "from"),
    "origin": ("事项来源", "Origin"),
    "published": ("公布数", "Published"),
    "in_bulletin": ("报告数", "In the bulletin"),
    "bulletin": ("《{title}》{number}  docx {sha256}…", "{title} {number}  docx {sha256}…"),
    "verified": (
        "{verified} 件的 {events} 条记录校验、重演无误",
        "{verified} histories, {events} events hold",
    ),
    "off": ("不对：", "Off:"),
    "seconds": ("用时 {seconds:.1f} 秒", "{seconds:.1f} s"),
}  # fmt: skip
_MEASURES = ("rectification_notice", "yellow_card", "accountability_referral")


@cache
def situations() -> Mapping[str, tuple[str, str]]:
    """Give what each situation is, in Chinese and English."""
    text = (resources.files("services.demo") / "data" / "situations.toml").read_text("utf-8")
    return {name: (zh, en) for name, (zh, en) in tomllib.loads(text).items()}


def year_tables(year: Year, language: Language) -> RenderableType:
    """Lay out the figures by type, the cases to look at, and what is off."""
    verified = word("verified", language).format(verified=year.verified, events=year.events)
    seconds = word("seconds", language).format(seconds=year.seconds)
    last = Text(f"{verified}  {seconds}", style="green" if year.ok else "yellow")
    faults = [Text(f"{word('off', language)} {fault}", style="red") for fault in year.faults]
    return Group(_cases(year, language), _figures(year, language), last, *faults)


def word(name: str, language: Language) -> str:
    """Give a word of the tables; a name that has none stays itself."""
    known = _WORDS.get(name)
    return name if known is None else known[0 if language == "zh" else 1]


def _figures(year: Year, language: Language) -> Table:
    table = Table(show_footer=True, footer_style="bold")
    rows = [(word(name, language), figures) for name, figures in year.types.items()]
    footer = list(_columns(total(year.types.values())))
    table.add_column(word("type", language), word("total", language))
    names = ("registered", "closed", "on_time", "reported", "satisfied", "rounds", "measures")
    for name, whole in zip(names, footer, strict=True):
        table.add_column(word(name, language), whole, justify="right")
    for name, figures in rows:
        table.add_row(name, *_columns(figures))
    return table


def _columns(figures: TypeFigures) -> Iterator[str]:
    yield str(figures.registered)
    yield str(figures.closed)
    yield _share(figures.closed_in_time, figures.closed)
    yield _share(figures.reported_in_time, figures.closed)
    yield _share(figures.satisfied, figures.rated)
    yield "·".join(str(figures.rounds[number]) for number in (1, 2, 3))
    yield "·".join(str(figures.measures[measure]) for measure in _MEASURES)


def _share(part: int, whole: int) -> str:
    percentage = rate(part, whole)
    return "–" if percentage is None else f"{percentage}% ({part}/{whole})"


def _cases(year: Year, language: Language) -> Table:
    table = Table(*(word(name, language) for name in ("number", "id", "title", "shows")), box=None)
    for case in year.cases:
        shown = (situations()[name][0 if language == "zh" else 1] for name in case.shows)
        joint = "；" if language == "zh" else "; "
        table.add_row(case.number, case.id, case.title, joint.join(shown))
    return table
