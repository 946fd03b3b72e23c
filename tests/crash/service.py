"""Real server processes that can be killed: the embedded shape, and server with workers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 30.0
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    status: int
    body: Any


class Client:
    """Asks one service for one thread; connections are opened anew when they break."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Send a request and give its answer.

        Raises
        ------
        OSError, http.client.HTTPException : the service went away; who knows what it did.
        """
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None if body is None else json.dumps(body).encode()
        connection = self._connection
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        self._connection = None
        connection.request(method, f"/api/v1{path}", content, headers)
        response = connection.getresponse()
        text = response.read()
        self._connection = connection
        return Answer(response.status, json.loads(text) if text else None)


@dataclass(slots=True)
class Process:
    """A ``./duban`` command with everything it forked."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it in a process group of its own."""
        with self.log.open("ab") as output:
            self.running = subprocess.Popen(
                [ROOT / "duban", *self.words],
                cwd=self.log.parent,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill the whole group: nobody gets to tidy up."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait(10)
            self.running = None

    def children(self) -> list[int]:
        """Give the processes it forked, as gunicorn does."""
        if self.running is None:
            return []
        listed = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children")
        with suppress(OSError):
            return [int(pid) for pid in listed.read_text("ascii").split()]
        return []


class Service:
    """One installation as it is run: a server, and in the server shape a worker beside it."""

    def __init__(
        self, folder: Path, *serve: str, settings: Mapping[str, str], with_worker: bool = False
    ) -> None:
        self.port = free_port()
        self._log = folder / "log"
        environment = {"DUBAN_SECRET_KEY": "crash", **settings}
        words = ("serve", "--port", str(self.port), *serve)
        self.server = Process(words, environment, self._log)
        self.worker = Process(("worker",), environment, self._log) if with_worker else None

    def start(self) -> None:
        """Start what isn't running and wait until the server answers."""
        for process in (self.server, self.worker):
            if process is not None and process.running is None:
                process.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if time.monotonic() > deadline or self.server.running is None:
                raise AssertionError(self.said())
            if self.server.running.poll() is not None:
                raise AssertionError(self.said())
            time.sleep(POLL_S)

    def answers(self) -> bool:
        """Tell whether the server is there."""
        with suppress(OSError, http.client.HTTPException):
            return Client(self.port).ask("GET", "/health").status == 200
        return False

    def kill(self) -> None:
        """Kill everything."""
        for process in (self.server, self.worker):
            if process is not None:
                process.kill()

    def said(self) -> str:
        """Give the end of the log."""
        return self._log.read_text("utf-8", errors="replace")[-6000:] if self._log.exists() else ""


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
