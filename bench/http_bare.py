"""The bare endpoint: Flask, JSON in and out, and the rows of one completion; nothing is checked."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from flask import Flask, request
from gunicorn.app.base import BaseApplication

from api.server import THREADS
from bench.bare import BareDatabase, Write, recorded
from bench.scene import scene
from engine.ids import CaseId
from engine.rows import RowChange


def main(url: str, port: int) -> None:
    """Serve the bare endpoint with the same server and settings as ours."""
    _Server(url, port).run()


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no type hints
    def __init__(self, url: str, port: int) -> None:
        self._url, self._port = url, port
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"127.0.0.1:{self._port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return _app(BareDatabase(self._url), _templates())


def _templates() -> dict[bool, Write]:
    with scene() as ours, recorded() as writes:
        case = ours.loop_case()
        writes.clear()
        ours.complete(case)
        ours.complete(case)
    return {True: writes[0], False: writes[1]}


def _app(bare: BareDatabase, templates: dict[bool, Write]) -> Flask:
    app = Flask("bare")

    @app.post("/tasks/<task>/complete")
    def complete(task: str) -> dict[str, Any]:
        body = request.get_json()
        done = _made(
            templates[body["works"]], task, body["seq"], request.headers["Idempotency-Key"]
        )
        bare.write(done)
        following = next(c.values["task"] for c in done.changes if c.kind == "insert")
        return {"seq": done.head.seq, "head": done.head.head, "tasks": [following]}

    return app


def _made(template: Write, task: str, seq: int, key: str) -> Write:
    """Give the template's rows to another case, at another place of its history."""
    case, _, number = task.partition(".t")
    following = f"{case}.t{int(number) + 1}"
    events = [replace(event, seq=seq + n) for n, event in enumerate(template.events, start=1)]
    changes = [_moved(change, case, task, following) for change in template.changes]
    head = replace(template.head, seq=seq + len(events))
    return Write(CaseId(case), head, events, changes, f"http:{key}", template.receipt)


def _moved(change: RowChange, case: str, task: str, following: str) -> RowChange:
    values = {**change.values, "case_id": case}
    if "task" in values:
        values["task"] = following if change.kind == "insert" else task
    return replace(change, values=values)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
