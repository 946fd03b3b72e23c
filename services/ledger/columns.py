"""The columns of the ledger, as people head them: those of each type's registration form."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import FieldError
from engine.records import Json

CASE_TYPE = "case_type"
PROPOSERS = "proposers"
PARENT = "parent"


@dataclass(frozen=True, slots=True)
class Column:
    """One exported column and its heading."""

    field: str
    heading: str
    english: str
    width: int = 14


EXPORTED = (
    Column("number", "编号", "Number", 20),
    Column("case_type", "督查类型", "Case type", 18),
    Column("title", "标题", "Title", 40),
    Column("status", "状态", "Status"),
    Column("light", "亮灯", "Light", 8),
    Column("source_kind", "来源", "Source"),
    Column("source_number", "来源文号", "Source number"),
    Column("source_date", "来源日期", "Source date"),
    Column("issuer", "批示领导、会议或上级", "Issued by"),
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

_ALSO_CALLED = {
    "督查类型": CASE_TYPE,
    "类型": CASE_TYPE,
    "case type": CASE_TYPE,
    "type": CASE_TYPE,
    "提出人": PROPOSERS,
    "提案人": PROPOSERS,
    "代表": PROPOSERS,
    "委员": PROPOSERS,
    "批示领导": "issuer",
    "批示领导或会议": "issuer",
    "上级事项编号": PARENT,
}
_YES = frozenset({"是", "√", "y", "yes", "true", "1"})
_NO = frozenset({"否", "×", "n", "no", "false", "0"})
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_BETWEEN = re.compile("[;；、\n]")
_PROPOSER = re.compile(
    r"\s*(?P<star>\*?)\s*(?P<name>[^()（）]+?)\s*(?:[(（](?P<user>[^()（）]*)[)）])?\s*"
)


@dataclass(frozen=True, slots=True)
class Headings:
    """What headings mean: titles of the forms' fields, in both languages, and common names."""

    fields: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, heading: str) -> str | None:
        """Give the field that a heading stands for, with or without the star of required ones."""
        plain = heading.strip().strip("*★ ").lower()
        return self.fields.get(plain) or _ALSO_CALLED.get(plain)


def headings_of(schemas: Iterable[Json]) -> Headings:
    """Gather the headings of registration forms."""
    known: dict[str, str] = {}
    for schema in schemas:
        for name, about in schema.get("properties", {}).items():
            for title in (name, about.get("title"), about.get("x-title-en")):
                if title:
                    known.setdefault(str(title).lower(), name)
    return Headings(known)


def value_of(name: str, text: str, schema: Json, case_type: str) -> Json:
    """Read a cell as its form wants it: labels become values, proposers a list, dates ISO.

    What can't be read stays text, for the form's own check to refuse.
    """
    about: Mapping[str, Any] = schema.get("properties", {}).get(name, {})
    if name == PROPOSERS:
        return _proposers(text, "member" if case_type == "cppcc_proposal" else "deputy")
    if about.get("type") == "array":
        labels = about.get("items", {}).get("x-labels", {})
        return [_labelled(part, labels) for part in _parts(text)]
    return _plain(_labelled(text, about.get("x-labels", {})), about)


def _plain(text: str, about: Mapping[str, Any]) -> Json:
    kind = about.get("type")
    if kind == "boolean" and text.lower() in _YES | _NO:
        return text.lower() in _YES
    if kind in ("integer", "number"):
        return _number(text, whole=kind == "integer")
    formats = {about.get("format"), *(one.get("format") for one in about.get("anyOf", ()))}
    day = _DAY.fullmatch(text) if "date" in formats else None
    return text if day is None else f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}"


def _number(text: str, *, whole: bool) -> Json:
    try:
        return int(text) if whole or text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def _labelled(text: str, labels: Mapping[str, str]) -> str:
    return next((value for value, label in labels.items() if label == text), text)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _BETWEEN.split(text) if part.strip()]


def _proposers(text: str, kind: str) -> list[dict[str, Json]]:
    """Read names such as ``*张三(deputy.1)；李四``: the leading one has a star, or comes first."""
    found = [_PROPOSER.fullmatch(part) for part in _parts(text)]
    stars = [place for place, one in enumerate(found) if one is not None and one["star"]]
    leading = stars[0] if stars else 0
    made: list[dict[str, Json]] = []
    for place, (part, one) in enumerate(zip(_parts(text), found, strict=True)):
        name = one["name"] if one is not None else part
        made.append({"name": name, "kind": kind, "leading": place == leading})
        if one is not None and one["user"]:
            made[-1]["user"] = one["user"]
    return made


def letter_of(place: int) -> str:
    """Name a column as spreadsheets do, counted from 0: A, B … Z, AA.

    >>> letter_of(27)
    'AB'
    """
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def fault(row: int, fields: list[str], error: FieldError) -> FieldError:
    """Put an error of a form at its row, with the cell where it can be mended, if it has one."""
    column = error.field.partition(".")[0]
    facts = dict(error.facts)
    if column in fields:
        facts["cell"] = f"{letter_of(fields.index(column))}{row}"
    return FieldError(f"{row}.{error.field}", error.code, facts)
