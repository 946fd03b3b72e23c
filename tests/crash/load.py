"""Eight people at work on cases, whatever happens to the server; they remember every answer."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.records import instant_text
from tests.crash.service import Answer, Client

UNITS = (9, 11, 13)
MOST_CASES = 40
AWAY_S = 0.02
"""How long to wait before asking a server again that isn't there."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request with its key; sent again under it until there is an answer."""

    user: str
    method: str
    path: str
    body: Mapping[str, Any]
    key: str

    @property
    def stored_key(self) -> str:
        """The key as it stands with the command."""
        return f"http:{self.user}:{self.key}"


@dataclass(slots=True)
class Ledger:
    """What was answered, to all of them together."""

    accepted: list[tuple[Request, Any]] = field(default_factory=list)
    refused: list[tuple[Request, Answer]] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    lost: int = 0
    """Requests whose answer never came; they were sent again."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request: Request, answer: Answer) -> None:
        """Remember an answer."""
        with self.lock:
            if answer.status < 300:
                self.accepted.append((request, answer.body))
            else:
                self.refused.append((request, answer))


class Worker(threading.Thread):
    """One person's thread: registers cases, looks what is open, completes, urges."""

    def __init__(
        self,
        number: int,
        port: int,
        tokens: Mapping[str, str],
        ledger: Ledger,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(name=f"person-{number}", daemon=True)
        self.failure: BaseException | None = None
        self._number = number
        self._client = Client(port)
        self._tokens = tokens
        self._ledger = ledger
        self._now = now
        self._dice = random.Random(number)  # noqa: S311 -- seeded on purpose
        self._count = 0
        self._pending: Request | None = None
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Come to an end; the last request is sent until it is answered."""
        self._stopping.set()

    def run(self) -> None:
        """Work until told to stop."""
        try:
            while not self._stopping.is_set() or self._pending is not None:
                self._step()
        except BaseException as failure:
            self.failure = failure
            raise

    def _step(self) -> None:
        try:
            request = self._pending or self._choose()
            if request is None:
                return
            self._pending = request
            answer = self._send(request)
        except ConnectionRefusedError:
            threading.Event().wait(AWAY_S)
            return
        except (OSError, http.client.HTTPException):
            with self._ledger.lock:
                self._ledger.lost += self._pending is not None
            return
        if answer.status >= 500:
            if answer.body is not None and answer.body.get("type", "").endswith("unavailable"):
                return
            message = f"{request}: {answer}"
            raise AssertionError(message)
        self._pending = None
        self._ledger.note(request, answer)
        if request.path == "/cases" and answer.status == 201:
            self._ledger.cases.append(answer.body["id"])

    def _send(self, request: Request) -> Answer:
        token = self._tokens[request.user]
        return self._client.ask(
            request.method, request.path, request.body, token=token, key=request.key
        )

    def _choose(self) -> Request | None:
        cases = self._ledger.cases
        if len(cases) < MOST_CASES and (not cases or self._dice.random() < 0.15):
            return self._request("registrar", "/cases", self._registration())
        case = self._dice.choice(cases)
        if self._dice.random() < 0.1:
            body = {"name": "urge", "data": {"text": "请抓紧办理"}}
            return self._request("supervisor", f"/cases/{case}/commands", body)
        answer = self._client.ask("GET", f"/cases/{case}", token=self._tokens["supervisor"])
        open_tasks = answer.body["open_tasks"] if answer.status == 200 else []
        known = [task for task in open_tasks if task["element"] in STEPS]
        if not known:
            return None
        task = self._dice.choice(known)
        who, data = STEPS[task["element"]]
        unit = (task["unit"] or "u11").removeprefix("u")
        filled = data(self) if callable(data) else dict(data)
        if task["element"] == "unit_instruction":
            filled["handler"] = f"handler.{unit}"
        user = task["assignee"] or who.format(unit=unit)
        return self._request(user, f"/tasks/{task['id']}/complete", {"data": filled})

    def _request(self, user: str, path: str, body: Mapping[str, Any]) -> Request:
        self._count += 1
        return Request(user, "POST", path, body, f"{self._number}-{self._count}")

    def _registration(self) -> dict[str, Any]:
        return {
            "type": "leader_instruction",
            "title": f"第{self._number}-{self._count}件",
            "source_kind": "letter",
            "source_date": (self._now() - timedelta(days=2)).date().isoformat(),
            "issuer": "市长",
            "content": "请核查。",
        }

    def dispatching(self) -> dict[str, Any]:
        """Dispatch with a deadline so near that its timers are due at once."""
        lead, *others = self._dice.sample(UNITS, len(UNITS))
        return {
            "lead_unit": f"u{lead}",
            "co_units": [f"u{unit}" for unit in others[: self._dice.randrange(3)]],
            "responsible_person": "张三",
            "report_content": "情况报告",
            "deadline": instant_text(self._now() + timedelta(seconds=2)),
            "deadline_reason": "时限紧",
        }


STEPS: Mapping[str, tuple[str, Any]] = {
    "approve_registration": ("office_director", {"decision": "approve"}),
    "dispatch": ("registrar", Worker.dispatching),
    "sign_for": ("contact.{unit}", {"decision": "accept"}),
    "unit_instruction": ("head.{unit}", {"form": "section_handles"}),
    "handle": ("contact.{unit}", {"result_class": "done", "measures": "已落实", "percent": 100}),
    "co_opinion": ("contact.{unit}", {"opinion": "同意，已配合完成有关工作。"}),
    "sign_off": ("head.{unit}", {"decision": "sign", "seal": True}),
    "review": (
        "supervisor",
        {"content_gate": "fail", "format_gate": "pass", "reasons": {"content": "不实"}},
    ),
    "inspect": (
        "supervisor",
        {
            "checks": [{"item": "措施", "in_order": False}],
            "conclusion": "not_in_order",
            "reason": "没有落实",
        },
    ),
    "unit_statement": ("head.{unit}", {}),
    "interview": ("office_director", {"date": "2026-01-05", "person": "局长", "record": "已约谈"}),
    "issue_measure": ("office_director", {"decision": "issue"}),
    "rectify": ("contact.{unit}", {"report": "已整改"}),
}
"""Who completes which element, and with what; feedback is returned, so that cases go on."""
