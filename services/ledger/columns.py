"""The columns of the ledger, as people head them."""

from dataclasses import dataclass

from engine.records import Json


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the field of the registration form, and the headings it is known by."""

    field: str
    heading: str
    english: str
    width: int = 14


IMPORTED = (
    Column("case_type", "督查类型", "Case type"),
    Column("title", "标题", "Title", 40),
    Column("source_kind", "来源", "Source"),
    Column("source_number", "来源文号", "Source number"),
    Column("source_date", "来源日期", "Source date"),
    Column("issuer", "批示领导或会议", "Issued by"),
    Column("proposers", "提出人", "Proposers", 24),
    Column("content", "内容", "Content", 60),
    Column("urgency", "紧急程度", "Urgency"),
    Column("secrecy", "公开属性", "Secrecy"),
    Column("parent", "上级事项", "Parent case"),
)
"""What can be imported. Proposers are names separated by ``;``, the leading one first or by ``*``."""

EXPORTED = (
    Column("number", "编号", "Number", 20),
    Column("case_type", "督查类型", "Case type", 18),
    Column("title", "标题", "Title", 40),
    Column("status", "状态", "Status"),
    Column("light", "亮灯", "Light", 8),
    Column("source_kind", "来源", "Source"),
    Column("source_number", "来源文号", "Source number"),
    Column("source_date", "来源日期", "Source date"),
    Column("issuer", "批示领导或会议", "Issued by"),
    Column("urgency", "紧急程度", "Urgency"),
    Column("lead_unit", "主办单位", "Lead unit", 20),
    Column("co_units", "协办单位", "Co-units", 24),
    Column("registered_at", "立项时间", "Registered at", 18),
    Column("dispatched_at", "交办时间", "Dispatched at", 18),
    Column("deadline", "办理期限", "Deadline", 18),
    Column("feedback_at", "反馈时间", "Feedback at", 18),
    Column("closed_at", "办结时间", "Closed at", 18),
    Column("returns", "退回次数", "Returns", 8),
    Column("extensions", "延期次数", "Extensions", 8),
    Column("highest_round", "督查轮次", "Rounds", 8),
    Column("measures", "措施", "Measures", 8),
    Column("rating", "评价", "Rating"),
)

TYPES = {
    "领导批示": "leader_instruction",
    "人大代表建议": "npc_suggestion",
    "政协提案": "cppcc_proposal",
    "会议决定": "meeting_decision",
    "工作报告任务": "work_report_task",
    "上级交办": "superior_directive",
    "热线信访媒体舆情": "public_concern",
    "专项督查": "special_inspection",
}


def field_of(heading: str) -> str | None:
    """Give the field that a heading stands for, in Chinese, English or as the field's own name."""
    plain = heading.strip().rstrip("*★ ").lower()
    for column in IMPORTED:
        if plain in (column.heading, column.english.lower(), column.field):
            return column.field
    return None


def value_of(field: str, text: str, schema: Json) -> Json:
    """Read a cell as the form's field wants it: labels become values, proposers a list."""
    if field == "proposers":
        return _proposers(text)
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    labels = properties.get(field, {}).get("x-labels", {})
    return next((value for value, label in labels.items() if label == text), text)


def _proposers(text: str) -> list[dict[str, Json]]:
    names = [name.strip() for name in text.replace("；", ";").replace("、", ";").split(";")]
    names = [name for name in names if name]
    leading = next((n for n, name in enumerate(names) if name.startswith("*")), 0)
    return [
        {"name": name.lstrip("*"), "kind": "deputy", "leading": place == leading}
        for place, name in enumerate(names)
    ]
