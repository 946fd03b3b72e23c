"""The HTTP interface as the people of an office use it, with real tokens and a test clock."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from engine.records import Json, instant_text, parse_instant
from services.people.queries import users
from services.people.signing_in import TOKEN_PREFIX, create_token
from tests import servers
from tests.helpers import offices
from tests.helpers.offices import INSTRUCTION, NOW, Place, furnished_file, open_place
from tests.office_cases.matter import READER, Matter, Refusal

DATABASE_FILE = "duban.sqlite"

ON_SQLITE = pytest.mark.parametrize("desk", ["sqlite"], indirect=True)
"""For rules that another test of the same case has shown on both databases."""

SUGGESTION: dict[str, Any] = {
    "title": "关于加快老旧小区加装电梯的建议",
    "source_kind": "congress_session",
    "source_number": "第12号",
    "source_date": "2026-03-02",
    "proposers": [
        {"name": "王建国", "kind": "deputy", "leading": True, "user": "deputy.1"},
        {"name": "䶮永𠮷", "kind": "deputy", "leading": False, "user": "deputy.2"},
    ],
    "content": "建议明确补贴标准，简化审批程序。",
}
"""A registration of a suggestion with a leading proposer and a co-signer."""


def moment(text: str) -> datetime:
    """Read ``03-18 09:00`` as office time of 2026; ``2027-01-05 09:00`` names another year."""
    day, hour = text.split()
    day = day if len(day) > len("03-18") else f"2026-{day}"
    return parse_instant(f"{day}T{hour}+08:00")


def last_day(text: str) -> datetime:
    """Give 24:00 of a day such as ``03-17``, as deadlines are shown."""
    return moment(f"{text} 00:00") + timedelta(days=1)


@dataclass(slots=True)
class Desk:
    """An installation behind its HTTP interface, where anybody of the office can sit down.

    Parameters
    ----------
    data : its folder; together with `database_url` it is all that outlives a restart.
    database_url : `None` for SQLite under `data`.
    """

    data: Path
    database_url: str | None
    place: Place
    app: Flask

    def call(
        self, method: str, path: str, by: str, body: object = None, **headers: str
    ) -> TestResponse:
        """Ask something as a user; header names are written with ``_`` for ``-``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {token_of(by)}"
        client = self.app.test_client(use_cookies=False)
        return client.open(f"/api/v1{path}", method=method, json=body, headers=sent)

    def read(self, path: str, by: str = READER, **query: str | int) -> Any:  # noqa: ANN401 -- JSON
        """Read something that this user may see."""
        client = self.app.test_client(use_cookies=False)
        headers = {"Authorization": f"Bearer {token_of(by)}"}
        answer = client.get(f"/api/v1{path}", query_string=query, headers=headers)
        assert answer.status_code == 200, f"{by} GET {path}: {answer.text}"
        return answer.json

    def write(self, method: str, path: str, by: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401 -- whatever the address answers
        """Change something that this user may change."""
        answer = self.call(method, path, by, body, **headers)
        assert answer.status_code in (200, 201), f"{by} {method} {path}: {answer.text}"
        return answer.json

    def refused(self, method: str, path: str, by: str, body: object = None) -> Refusal:
        """Ask for something that isn't granted."""
        return Refusal.of(self.call(method, path, by, body))

    def register(
        self, case_type: str = "leader_instruction", by: str = "registrar", **fields: Json
    ) -> Matter:
        """Register a matter: a leader's instruction, or a suggestion of deputies."""
        basis = SUGGESTION if case_type in ("npc_suggestion", "cppcc_proposal") else INSTRUCTION
        body = {"type": case_type, **basis, **fields}
        return Matter(self, self.write("POST", "/cases", by, body)["id"])

    def at(self, text: str) -> Desk:
        """Let time pass until then; whatever is due on the way happens when it is due."""
        until = moment(text)
        due = self.place.office.store.next_due()
        while due is not None and due <= until:
            self._put_clock(max(due, self.place.clock.now()))
            following = self.place.office.store.next_due()
            if following == due:
                break
            due = following
        self._put_clock(max(until, self.place.clock.now()))
        return self

    def down_until(self, text: str) -> Desk:
        """Let the service be down until then, and start again without having done anything."""
        self.close()
        self.place = open_place(self.data, self.database_url, moment(text))
        self.app = create_app(self.place.office)
        return self

    def sweep(self) -> int:
        """Let happen what is due now; give how many timers fired."""
        return int(self._put_clock(self.place.clock.now())["timers_fired"])

    def mark_absent(self, user: str, since: str = "2026-03-01", until: str = "2026-12-31") -> None:
        """Mark somebody absent, as the administrator does."""
        body = {"absent_from": since, "absent_until": until}
        self.write("PATCH", f"/users/{user}", "admin", body)

    def score(self, unit: str, as_of: str | None = None, by: str = READER) -> Mapping[str, Any]:
        """Read a unit's account: its ``score``, what is ``running``, and its entries (``items``).

        Parameters
        ----------
        as_of : such as ``03-18 09:00``; `None` for now.
        """
        query = {"as_of": instant_text(moment(as_of))} if as_of else {}
        found: Mapping[str, Any] = self.read(f"/scores/{unit}/entries", by, **query)
        return found

    def points(self, unit: str, as_of: str | None = None) -> list[tuple[str, str]]:
        """Read rule and points of every entry of a unit, in order."""
        entries = self.score(unit, as_of)["items"]
        return [(entry["rule"], entry["points"]) for entry in entries]

    def close(self) -> None:
        """Shut the service down in order."""
        self.app.extensions["duban-access"].flush()
        self.place.office.close()

    def _put_clock(self, instant: datetime) -> dict[str, int]:
        # The one door without a token: it exists only where the clock is a test's.
        client = self.app.test_client(use_cookies=False)
        answer = client.put("/api/v1/test/clock", json={"now": instant_text(instant)})
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})


def token_of(user: str) -> str:
    """Give a user's token; everybody of the furnished office has one."""
    return f"{TOKEN_PREFIX}of-{user}"


def sqlite_desk(data: Path, now: datetime = NOW) -> Desk:
    """Give a desk in an office of its own on SQLite."""
    data.mkdir(parents=True, exist_ok=True)
    shutil.copy(_tokened_file(), data / DATABASE_FILE)
    return _desk(data, None, now)


def postgres_desk(data: Path, now: datetime = NOW) -> Desk:
    """Give a desk in an office of its own on PostgreSQL."""
    data.mkdir(parents=True, exist_ok=True)
    return _desk(data, servers.postgres_url(_furnish), now)


def _desk(data: Path, database_url: str | None, now: datetime) -> Desk:
    place = open_place(data, database_url, now)
    return Desk(data, database_url, place, create_app(place.office))


def _furnish(database_url: str) -> None:
    offices.furnish(database_url)
    _give_tokens(database_url)


@cache
def _tokened_file() -> Path:
    file = furnished_file().with_name("with-tokens.sqlite")
    shutil.copy(furnished_file(), file)
    _give_tokens(f"sqlite:///{file}")
    return file


def _give_tokens(database_url: str) -> None:
    database = sa.create_engine(database_url)
    with database.begin() as connection:
        for user in users(connection):
            secret = token_of(user.id).removeprefix(TOKEN_PREFIX)
            create_token(connection, user.id, "test", NOW, secret=secret)
    database.dispose()
