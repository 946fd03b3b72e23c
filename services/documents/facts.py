"""What a template may name: the facts of a case as they stood when the document was asked for.

::

    document  number, name, date, copies
    office    name, flag, government
    unit      name: whom it is addressed to, or who answers
    case      number, title, type, urgency_mark, issuer, source_kind, source_number, source_date,
              content, co_units, attachments, deadline, overdue
    dispatch  report_content, responsible_person, deadline, report_format, rhythm
    urge      text, items (each: number, title, deadline), shown, count, is_part
    feedback  handler, result, percent, measures, figures, problems, next_steps, attachments, signer
    answer    class_mark, addressees, text, reason, planned_date
    measure   round, findings, reason, text, rectify_by, statement, issued_by
    report    summary, signer

Long texts are lists of paragraphs. What isn't known is empty, never missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine import Definition, Event, Recorded, State
from engine.errors import DefinitionNotFound
from engine.events import TaskCompleted
from engine.records import parse_instant
from engine.state import ProcessState, apply_to
from services.cases.events import Urged
from services.cases.state import CaseState
from services.deadlines.state import DeadlineState
from services.documents.kinds import Kind, Rules
from services.documents.state import DocumentsState, IssuedDocument
from services.escalation.events import MeasureIssued
from services.relations.state import RelationsState

Name = Callable[[str], str]

_ROUNDS = ("零", "一", "二", "三")


@dataclass(slots=True)
class Story:
    """A case up to the command that asked for a document, that command's last event included."""

    states: dict[type[State], State] = field(default_factory=dict)
    forms: dict[str, TaskCompleted] = field(default_factory=dict)
    """The last completion of each element, by the document's unit where it did it."""
    cause: Event | None = None

    def data(self, element: str) -> Mapping[str, Any]:
        """Give the form last completed at an element; empty when none was."""
        done = self.forms.get(element)
        return {} if done is None else done.data

    @property
    def case(self) -> CaseState:
        """The case's own part."""
        found = self.states.get(CaseState)
        return found if isinstance(found, CaseState) else CaseState()

    @property
    def due_at(self) -> datetime | None:
        """The deadline then in force."""
        found = self.states.get(DeadlineState)
        return found.due_at if isinstance(found, DeadlineState) else None

    @property
    def definition_sha256(self) -> str:
        """The definition that the case ran on then."""
        found = self.states.get(ProcessState)
        return found.definition_sha256 if isinstance(found, ProcessState) else ""


def story_of(history: Sequence[Recorded], document: IssuedDocument) -> Story:
    """Fold a history as far as a document looks back."""
    story = Story()
    for recorded in history:
        if story.cause is not None and recorded.command is not None:
            break
        happened = recorded.event
        apply_to(story.states, happened)
        if isinstance(happened, TaskCompleted):
            before = story.forms.get(happened.element)
            is_ours = before is None or before.unit != document.unit
            if is_ours or happened.unit == document.unit:
                story.forms[happened.element] = happened
        if story.cause is None and _asks_for(story.states, document):
            story.cause = happened
    return story


def _asks_for(states: Mapping[type[State], State], document: IssuedDocument) -> bool:
    found = states.get(DocumentsState)
    return isinstance(found, DocumentsState) and found.find(document.id) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Puts facts into the words of a paper.

    Parameters
    ----------
    unit, user : give the name of a unit, of a user; the code itself when there is none.
    file : gives the name of an attachment by its hash.
    """

    definition: Definition
    rules: Rules
    kind: Kind
    zone: ZoneInfo
    unit: Name
    user: Name
    file: Name

    def facts(self, document: IssuedDocument, story: Story) -> dict[str, Any]:
        """Give everything that a template of any kind may name."""
        unit = document.unit or story.case.lead_unit
        copies = [*self.kind.copies]
        if document.cause == "dispatched" and story.case.handling != "separate":
            copies += [self.unit(code) for code in story.case.co_units]
        return {
            "document": {
                "number": document.number or "",
                "name": document.name,
                "date": self.day(document.wanted_at),
                "copies": copies,
            },
            "office": dict(self.rules.office),
            "unit": {"name": self.unit(unit) if unit else ""},
            "case": self._case(story, document),
            "dispatch": self._dispatch(story),
            "urge": self._urge(story),
            "feedback": self._feedback(story),
            "answer": self._answer(story),
            "measure": self._measure(story),
            "report": {
                "summary": _lines(story.data("report_to_leader").get("summary")),
                "signer": self._by(story, "report_to_leader"),
            },
        }

    def _case(self, story: Story, document: IssuedDocument) -> dict[str, Any]:
        case, form = story.case, story.data("register")
        due_at = story.due_at
        mark = self._label("register", "urgency", case.urgency)
        return {
            "number": case.number,
            "title": case.title,
            "type": self.definition.name,
            "urgency_mark": "" if case.urgency == "normal" else mark,
            "issuer": "、".join(_issuers(story)),
            "source_kind": self._label("register", "source_kind", case.source_kind),
            "source_number": case.source_number or "",
            "source_date": _day_text(case.source_date),
            "content": _lines(form.get("content")),
            "co_units": [self.unit(code) for code in case.co_units],
            "attachments": self._files(form),
            "deadline": self.instant(due_at),
            "overdue": due_at is not None and document.wanted_at > due_at,
        }

    def _urge(self, story: Story) -> dict[str, Any]:
        form, cause = story.data("register"), story.cause
        items = form.get("items") or []
        return {
            "text": _lines(cause.text if isinstance(cause, Urged) else ""),
            "items": [
                {
                    "number": item["number"],
                    "title": item["title"],
                    "deadline": self.instant(_instant(item.get("deadline"))),
                }
                for item in items
            ],
            "shown": str(len(items)),
            "count": str(form.get("count", len(items))),
            "is_part": form.get("count", len(items)) > len(items),
        }

    def _dispatch(self, story: Story) -> dict[str, Any]:
        form = story.data("dispatch")
        wants = form.get("report_format") or {}
        parts = [f"一式{wants['copies']}份"] if wants.get("copies") else []
        words = {"seal": "加盖公章", "electronic": "附电子版", "signature": "签字"}
        parts += [word for name, word in words.items() if wants.get(name)]
        rhythm = form.get("rhythm") or "once"
        return {
            "report_content": _lines(form.get("report_content")),
            "responsible_person": form.get("responsible_person", ""),
            "deadline": self.instant(story.due_at),
            "report_format": f"（{'，'.join(parts)}）" if parts else "",
            "rhythm": self._label("dispatch", "rhythm", rhythm),
        }

    def _feedback(self, story: Story) -> dict[str, Any]:
        form, signed = story.data("handle"), story.data("sign_off")
        percent = form.get("percent")
        result = form.get("result_class")
        figures = [
            f"{f['name']}{f['value']}{f.get('unit') or ''}" for f in form.get("figures") or []
        ]
        return {
            "handler": self._by(story, "handle"),
            "result": self._label("handle", "result_class", result) if result else "",
            "percent": "" if percent is None else f"{percent}%",
            "measures": _lines(form.get("measures")),
            "figures": figures,
            "problems": _lines(form.get("problems")),
            "next_steps": _lines(form.get("next_steps")),
            "attachments": self._files(form),
            "signer": signed.get("signer") or self._by(story, "sign_off"),
        }

    def _answer(self, story: Story) -> dict[str, Any]:
        form = story.data("answer")
        planned = form.get("planned_date")
        return {
            "class_mark": form.get("answer_class", ""),
            "addressees": self._addressees(story),
            "text": _lines(form.get("text")),
            "reason": _lines(form.get("reason")),
            "planned_date": _day_text(date.fromisoformat(planned)) if planned else "",
        }

    def _addressees(self, story: Story) -> list[str]:
        """Name every proposer: those merged into the case, too, but nobody who withdrew."""
        filed, now = story.data("register").get("proposers") or [], story.case.proposers
        own = [p for p in filed if not p.get("user") or p["user"] in now]
        known = {p.get("user") for p in own}
        title = _TITLES.get(filed[0].get("kind"), "") if filed else ""
        return [
            *(f"{p['name']}{_TITLES.get(p.get('kind'), '')}" for p in own),
            *(f"{self.user(user)}{title}" for user in now if user not in known),
        ]

    def _measure(self, story: Story) -> dict[str, Any]:
        inspected, form = story.data("inspect"), story.data("issue_measure")
        issued = story.cause if isinstance(story.cause, MeasureIssued) else None
        checks = inspected.get("checks") or []
        bad = [check for check in checks if not check["in_order"]]
        return {
            "round": _ROUNDS[issued.round] if issued and issued.round < len(_ROUNDS) else "",
            "findings": [
                f"（{number}）{check['item']}：{check.get('finding') or '不符合要求'}"
                for number, check in enumerate(bad, 1)
            ],
            "reason": _lines(inspected.get("reason")),
            "text": _lines(form.get("text")),
            "rectify_by": self.instant(issued.rectify_by if issued else None),
            "statement": _lines(story.data("unit_statement").get("statement")),
            "issued_by": self.user(issued.by) if issued else "",
        }

    def instant(self, instant: datetime | None) -> str:
        """Write an instant in office time; 24:00 belongs to the day that ends (domain.md §5)."""
        if instant is None:
            return ""
        local = instant.astimezone(self.zone)
        if local.time() == time(0):
            return f"{_day_text(local.date() - timedelta(days=1))}24时"
        minute = f"{local.minute}分" if local.minute else ""
        return f"{_day_text(local.date())}{local.hour}时{minute}"

    def day(self, instant: datetime) -> str:
        """Write the day of an instant in office time."""
        return _day_text(instant.astimezone(self.zone).date())

    def _by(self, story: Story, element: str) -> str:
        done = story.forms.get(element)
        return "" if done is None else self.user(done.by)

    def _files(self, form: Mapping[str, Any]) -> list[str]:
        return [self.file(reference) for reference in form.get("attachments") or []]

    def _label(self, form: str, name: str, value: str) -> str:
        try:
            properties = self.definition.form(form)["properties"]
        except DefinitionNotFound:
            return value
        label: str = properties.get(name, {}).get("x-labels", {}).get(value, value)
        return label


def _issuers(story: Story) -> list[str]:
    """Name every leader who instructed it, those of merged duplicates too (§10, case 13)."""
    relations = story.states.get(RelationsState)
    absorbed = relations.absorbed if isinstance(relations, RelationsState) else ()
    named = (story.case.issuer, *(one.issuer for one in absorbed))
    return list(dict.fromkeys(issuer for issuer in named if issuer))


_TITLES: Mapping[Any, str] = {"deputy": "代表", "member": "委员"}


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def _day_text(day: date | None) -> str:
    return "" if day is None else f"{day.year}年{day.month}月{day.day}日"
