"""What notices and digests say, in both languages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["zh", "en"]

LANGUAGES: tuple[Language, ...] = ("zh", "en")

KINDS: Mapping[str, tuple[str, str]] = {
    "notify_early": ("临期提醒", "Due soon"),
    "notify_early_tactful": ("临期提醒（请关心进度）", "Due soon: a friendly reminder"),
    "notify_early_direct": ("临期督促（请抓紧办理）", "Due soon: please press on"),
    "notify_early_act": ("临期督办（请主动办理）", "Due soon: please act yourself"),
    "notify_deadline_day": ("今日到期", "Due today"),
    "notify_overdue": ("逾期提醒", "Overdue"),
    "notify_sign_late": ("提醒签收", "Not signed for yet"),
    "notify_report_late": ("催报", "Report outstanding"),
    "notify_contact_late": ("提醒面商", "Proposer not contacted yet"),
    "notify_co_opinion_late": ("提醒协办单位", "Co-unit's opinion outstanding"),
    "notify_commitment": ("催办承诺", "Commitment due"),
    "notify_rate": ("提醒评价", "Rating outstanding"),
    "notify_first_response": ("催首次回应", "First response outstanding"),
    "notify_inspection_late": ("提醒督查组", "Inspection outstanding"),
    "deadline_earlier": ("办理期限提前", "Deadline moved nearer"),
    "notify_deadline_earlier": ("办理期限提前", "Deadline moved nearer"),
    "notify_urged": ("催办清单", "Open items urged"),
    "notify_check_failed": ("月度核查不符合要求", "Monthly check not in order"),
    "notify_conclusion": ("反馈结论", "Conclusion of the inspection"),
    "copy_to_office": ("抄送督查室", "Copy for the office"),
}
"""By the kind that the table of notices gives, mostly the element of the diagram that asked."""

_WORDS: Mapping[str, tuple[str, str]] = {
    "notice": ("督办提醒", "Notice"),
    "system": ("督办", "duban"),
    "number": ("编号", "Number"),
    "title": ("事项", "Matter"),
    "deadline": ("办理期限", "Deadline"),
    "none": ("未定", "none yet"),
    "open_case": ("打开事项", "Open the case"),
    "daily": ("督办每日简报", "Daily digest"),
    "weekly": ("督办每周简报", "Weekly digest"),
    "open": ("在办", "Open"),
    "yellow": ("黄灯", "Yellow"),
    "red": ("红灯", "Red"),
    "new": ("新立项", "New"),
    "closed": ("新办结", "Closed"),
    "waiting": ("等您办理", "Waiting for you"),
    "late": ("逾期事项", "Overdue"),
    "worst": ("逾期较多的单位", "Units with most overdue"),
    "more": ("另有{n}件", "{n} more"),
    "settings": (
        "可在系统的个人设置中更改或停止此类邮件。",
        "Change or stop these mails in your settings.",
    ),
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def word(name: str, language: Language, **facts: object) -> str:
    """Give a word."""
    return _WORDS[name][0 if language == "zh" else 1].format(**facts)


def kind_word(kind: str, language: Language) -> str:
    """Give what a notice is about."""
    found = KINDS.get(kind) or _WORDS["notice"]
    return found[0 if language == "zh" else 1]


def when(instant: datetime, language: Language, zone: ZoneInfo) -> str:
    """Write an instant in office time; 00:00 is 24:00 of the day before (domain.md §5)."""
    local = instant.astimezone(zone)
    clock = f"{local:%H:%M}"
    if clock == "00:00":
        local, clock = local - timedelta(days=1), "24:00"
    if language == "zh":
        return f"{local.year}年{local.month}月{local.day}日{clock}"
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {clock}"
