"""One case as it is seen and worked on over HTTP, and the refusals that come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from werkzeug.test import TestResponse

from engine.records import Json, parse_instant
from services.deadlines.calendar import OFFICE_ZONE
from services.documents.render import text_of

if TYPE_CHECKING:
    from tests.office_cases.desk import Desk

READER = "supervisor"
"""Who looks unless somebody else is said to: sees every case, and its history."""

CHECKS: list[Json] = [
    {"item": "是否交办到位", "in_order": True},
    {"item": "措施是否可行、进度是否及时", "in_order": False, "finding": "未见措施"},
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as a client gets it."""

    status: int
    slug: str
    detail: str
    fields: tuple[tuple[str, str], ...]
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, answer: TestResponse) -> Refusal:
        """Read a problem; anything else fails the test."""
        assert answer.status_code >= 400, f"granted: {answer.text}"
        assert answer.content_type.startswith("application/problem+json"), answer.text
        body = answer.json or {}
        return cls(
            answer.status_code,
            str(body["type"]).rpartition("/")[2],
            body["detail"],
            tuple((error["field"], error["code"]) for error in body["errors"]),
            body.get("facts") or {},
        )


@dataclass(frozen=True, slots=True)
class Matter:
    """One case of the office behind a desk. What changes it gives it back, to go on."""

    desk: Desk
    id: str

    def do(self, element: str, by: str, **data: Json) -> Matter:
        """Complete the open task of an element; of several, that of this user's unit."""
        task = self.task(element, by)["id"]
        self.desk.write("POST", f"/tasks/{task}/complete", by, {"data": data})
        return self

    def ask(self, command: str, by: str, **data: Json) -> Matter:
        """Ask something of the case as a whole, such as ``urge`` or ``extend``."""
        body = {"name": command, "data": data}
        self.desk.write("POST", f"/cases/{self.id}/commands", by, body)
        return self

    def refused_to_do(self, element: str, by: str, **data: Json) -> Refusal:
        """Try to complete a task, are refused, and find the history as it was."""
        task = self.task(element, by)["id"]
        return self._refused(f"/tasks/{task}/complete", by, {"data": data})

    def refused_to_ask(self, command: str, by: str, **data: Json) -> Refusal:
        """Ask something of the case, are refused, and find the history as it was."""
        return self._refused(f"/cases/{self.id}/commands", by, {"name": command, "data": data})

    def _refused(self, path: str, by: str, body: object) -> Refusal:
        before = self.shown()["head"]
        refusal = self.desk.refused("POST", path, by, body)
        assert self.shown()["head"] == before
        return refusal

    def at(self, text: str) -> Matter:
        """Let time pass, as `Desk.at`."""
        self.desk.at(text)
        return self

    def approve(self) -> Matter:
        """Let the director approve the registration."""
        return self.do("approve_registration", "office_director", decision="approve")

    def dispatch(self, unit: int = 11, by: str = "registrar", **data: Json) -> Matter:
        """Hand the case to the n-th unit."""
        given: dict[str, Json] = {
            "lead_unit": f"u{unit}",
            "responsible_person": "局长",
            "report_content": "办理结果",
        }
        return self.do("dispatch", by, **{**given, **data})

    def accept(self, unit: int = 11) -> Matter:
        """Let the unit sign for it and its head name who handles it."""
        self.do("sign_for", f"contact.{unit}", decision="accept")
        handler = f"handler.{unit}"
        return self.do("unit_instruction", f"head.{unit}", form="section_handles", handler=handler)

    def draft(self, unit: int = 11, **data: Json) -> Matter:
        """Let the handler write the feedback."""
        given: dict[str, Json] = {"result_class": "done", "measures": "已落实", "percent": 100}
        return self.do("handle", f"handler.{unit}", **{**given, **data})

    def sign(self, unit: int = 11) -> Matter:
        """Let the unit's head sign the feedback, which sends it to the office."""
        return self.do("sign_off", f"head.{unit}", decision="sign", seal=True)

    def feed_back(self, unit: int = 11) -> Matter:
        """Let the unit report the result."""
        return self.draft(unit).sign(unit)

    def answer(self, unit: int = 13, answer_class: str = "A", **data: Json) -> Matter:
        """Let the unit write and sign the answer letter to the proposers."""
        given: dict[str, Json] = {"answer_class": answer_class, "text": "已出台补贴办法。"}
        return self.do("answer", f"handler.{unit}", **{**given, **data}).sign(unit)

    def hear(self, day: str, unit: int = 13) -> Matter:
        """Let the unit hear the proposer, on a day such as ``2026-03-24``."""
        summary = "当面听取意见，代表赞成分步实施。"
        return self.do(
            "contact_proposer", f"handler.{unit}", method="visit", date=day, summary=summary
        )

    def review(self, by: str = "supervisor", *, passed: bool = True) -> Matter:
        """Let the office pass the feedback, or return it for its format."""
        if passed:
            return self.do("review", by, content_gate="pass", format_gate="pass")
        reasons: Json = {"format": "未盖章"}
        return self.do("review", by, content_gate="pass", format_gate="fail", reasons=reasons)

    def report_up(self, answer: str = "accept", **data: Json) -> Matter:
        """Report to the leader, who answers."""
        self.do("report_to_leader", "supervisor", summary="已办结")
        return self.do("answer_report", "leader", decision=answer, **data)

    def close(self) -> Matter:
        """Let the office pass the feedback and the leader accept the report."""
        return self.review().report_up()

    def inspect(self, by: str = "supervisor", *, in_order: bool = False) -> Matter:
        """Carry out the round of inspection that is open."""
        if in_order:
            return self.do("inspect", by, checks=CHECKS[:1], conclusion="in_order")
        given: dict[str, Json] = {"conclusion": "not_in_order", "reason": "措施没有落实"}
        return self.do("inspect", by, checks=CHECKS, **given)

    def issue_measure(self, unit: int = 11) -> Matter:
        """Find the open round not in order, hear the unit's head, and issue the measure."""
        self.inspect().do("unit_statement", f"head.{unit}", statement="正在补充")
        if "interview" in self.open_elements():
            self.interview()
        return self.do("issue_measure", "office_director", decision="issue", text="限期整改")

    def interview(self) -> Matter:
        """Note what was said when the unit's head was called in today."""
        today = self.desk.place.clock.now().astimezone(OFFICE_ZONE).date().isoformat()
        record = "承认整改不到位。"
        return self.do("interview", "office_director", date=today, person="局长", record=record)

    def rectify(self, unit: int = 11) -> Matter:
        """Let the unit report that it did what the measure asked for."""
        return self.do("rectify", f"contact.{unit}", report="已补充档案。").sign(unit)

    def shown(self, by: str = READER) -> Mapping[str, Any]:
        """Read the case."""
        found: Mapping[str, Any] = self.desk.read(f"/cases/{self.id}", by)
        return found

    def task(self, element: str, by: str | None = None) -> Mapping[str, Any]:
        """Read the open task of an element; of several, that of this user's unit."""
        found = [task for task in self.shown()["open_tasks"] if task["element"] == element]
        unit = f"u{by.rpartition('.')[2]}" if by is not None and "." in by else None
        mine = [task for task in found if task["unit"] == unit]
        assert found, f"no {element} is open: {self.open_elements()}"
        chosen: Mapping[str, Any] = (mine or found)[0]
        return chosen

    def open_elements(self) -> list[str]:
        """Read what waits for people."""
        return sorted(task["element"] for task in self.shown()["open_tasks"])

    def deadline(self) -> datetime | None:
        """Read the deadline as it stands."""
        found = self.shown()["deadline"]
        return None if found is None else parse_instant(found)

    def events(self, *types: str) -> list[Mapping[str, Any]]:
        """Read the history, or its events of these types."""
        found: list[Mapping[str, Any]] = []
        after = 0
        while True:
            page = self.desk.read(f"/cases/{self.id}/events", after=after, limit=1000)
            found += page["items"]
            if page["next_cursor"] is None:
                break
            after = int(page["next_cursor"])
        return [event for event in found if not types or event["type"] in types]

    def payloads(self, type_: str) -> list[Mapping[str, Any]]:
        """Read what the events of a type say."""
        return [event["payload"] for event in self.events(type_)]

    def documents(self, by: str = READER) -> list[Mapping[str, Any]]:
        """Read the list of the case's documents."""
        found: list[Mapping[str, Any]] = self.desk.read(f"/cases/{self.id}/documents", by)["items"]
        return found

    def text_of(self, document: Mapping[str, Any], by: str = READER) -> str:
        """Download a document as docx and read its words."""
        return text_of(self._docx(document, by))

    def says_on_every_page(self, document: Mapping[str, Any], words: str) -> bool:
        """Download a document as docx and look for a mark behind the text, such as 已撤销."""
        with ZipFile(BytesIO(self._docx(document))) as parts:
            headers = [name for name in parts.namelist() if name.startswith("word/header")]
            return any(words in parts.read(name).decode() for name in headers)

    def _docx(self, document: Mapping[str, Any], by: str = READER) -> bytes:
        path = f"/cases/{self.id}/documents/{document['id']}/file?format=docx"
        answer = self.desk.call("GET", path, by)
        assert answer.status_code == 200, answer.text
        return bytes(answer.data)

    def points(self, unit: str) -> list[tuple[str, str]]:
        """Read rule and points of the entries that this case brought a unit."""
        entries = self.desk.score(unit)["items"]
        return [(one["rule"], one["points"]) for one in entries if one["case"] == self.id]

    def is_proven(self) -> bool:
        """Prove the history: hashes, tables, and by running its commands again."""
        proof = self.desk.read(f"/cases/{self.id}/verify")
        assert proof["ok"], proof
        return True
