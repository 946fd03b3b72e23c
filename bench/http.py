"""Throughput over HTTP: our server against a Flask endpoint that only writes the rows."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO

from bench.bare import BareDatabase, recorded
from bench.figures import Figure
from bench.scene import CHECK, DEFINITIONS, NOW, WORK, LoopCase, Scene, open_office
from engine import SetClock
from services.people.signing_in import create_token

CLIENTS, CASES_EACH, ROUNDS, TURNS = 8, 6, 4, 4
TARGET = 0.40
START_S = 30.0
_ROOT = Path(__file__).resolve().parent.parent
_OURS = """
import sys
from pathlib import Path
from api.server import serve
from engine.records import parse_instant
from services.settings import Settings

settings = Settings(data=Path(sys.argv[1]), definitions=Path(sys.argv[2]), secret_key="bench")
serve(settings, host="127.0.0.1", port=int(sys.argv[3]), workers=1, now=parse_instant(sys.argv[4]))
"""


class ServerFailed(Exception):
    """Raised when a server doesn't start, or answers with an error."""


@dataclass(slots=True)
class _Client:
    """One keep-alive connection and the cases it completes tasks of."""

    port: int
    prefix: str
    tokens: dict[bool, str]
    cases: list[LoopCase]
    seqs: dict[str, int] = field(default_factory=dict)
    keys: Iterator[int] = field(default_factory=count)

    def run(self, turns: int) -> int:
        """Complete every case's task so many times over; give the number of requests."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        for _ in range(turns):
            for case in self.cases:
                self._complete(connection, case)
        connection.close()
        return turns * len(self.cases)

    def _complete(self, connection: HTTPConnection, case: LoopCase) -> None:
        body: dict[str, object] = {"data": WORK if case.works else CHECK}
        if not self.tokens:
            body |= {"works": case.works, "seq": self.seqs[case.id]}
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{case.id}-{case.task}-{next(self.keys)}",
            "Authorization": f"Bearer {self.tokens.get(case.works, '')}",
        }
        path = f"{self.prefix}/tasks/{case.task}/complete"
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise ServerFailed(content[:500])
        told = json.loads(content)
        following = told["tasks"][0]
        case.task = following["id"] if isinstance(following, dict) else following
        case.works = not case.works
        self.seqs[case.id] = told["seq"]


def throughput() -> list[Figure]:
    """Compare requests per second, both servers in turns, same clients, same rows."""
    with tempfile.TemporaryDirectory(prefix="duban-bench-") as folder:
        ours, bare = Path(folder) / "ours", Path(folder) / "bare"
        ours.mkdir()
        bare.mkdir()
        cases, tokens, seqs = _prepared(ours, bare)
        with _ours(ours) as our_port, _bare(bare) as bare_port:
            clients = _clients(our_port, "/api/v1", tokens, cases, {})
            bares = _clients(bare_port, "", {}, _copied(cases), seqs)
            _rate(clients, 1)
            _rate(bares, 1)
            ours_rates, bare_rates = [], []
            for _ in range(ROUNDS):
                ours_rates.append(_rate(clients, TURNS))
                bare_rates.append(_rate(bares, TURNS))
    ratio = median(ours_rates) / median(bare_rates)
    return [
        Figure(name="http_throughput", value=ratio, unit="ratio", target=TARGET, at_least=True),
        Figure(name="http_requests_ours", value=median(ours_rates), unit="1/s"),
        Figure(name="http_requests_bare", value=median(bare_rates), unit="1/s"),
    ]


def _prepared(ours: Path, bare: Path) -> tuple[list[LoopCase], dict[bool, str], dict[str, int]]:
    clock = SetClock(NOW)
    office = open_office(ours, clock)
    database = BareDatabase(f"sqlite:///{bare / 'bare.sqlite'}")
    with recorded() as writes:
        scene = Scene(office, clock)
        cases = [scene.loop_case() for _ in range(CLIENTS * CASES_EACH)]
    for write in writes:
        database.write(write)
    with office.store.transaction() as transaction:
        tokens = {
            works: create_token(transaction.connection, user, "bench", NOW)
            for works, user in ((True, "contact.1"), (False, "supervisor"))
        }
    office.close()
    database.close()
    return cases, tokens, {write.case: write.head.seq for write in writes}


def _clients(
    port: int,
    prefix: str,
    tokens: dict[bool, str],
    cases: Sequence[LoopCase],
    seqs: dict[str, int],
) -> list[_Client]:
    shares = [list(cases[n::CLIENTS]) for n in range(CLIENTS)]
    return [_Client(port, prefix, tokens, share, seqs) for share in shares]


def _copied(cases: Sequence[LoopCase]) -> list[LoopCase]:
    return [LoopCase(case.id, case.task, case.works) for case in cases]


def _rate(clients: Sequence[_Client], turns: int) -> float:
    start = perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        requests: int = sum(pool.map(lambda client: client.run(turns), clients))
    return float(requests / (perf_counter() - start))


@contextmanager
def _ours(data: Path) -> Iterator[int]:
    port = _free_port()
    words = ("-c", _OURS, str(data), str(DEFINITIONS), str(port), NOW.isoformat())
    with _running(words, port):
        yield port


@contextmanager
def _bare(data: Path) -> Iterator[int]:
    port = _free_port()
    url = f"sqlite:///{data / 'bare.sqlite'}"
    with _running(("-m", "bench.http_bare", url, str(port)), port):
        yield port


@contextmanager
def _running(words: Sequence[str], port: int) -> Iterator[None]:
    # The access log goes to a file, as it would.
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=_ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port, log)
            yield
        finally:
            process.terminate()
            process.wait(START_S)


def _wait(process: subprocess.Popen[bytes], port: int, log: IO[str]) -> None:
    deadline = perf_counter() + START_S
    while perf_counter() < deadline:
        if process.poll() is not None:
            log.seek(0)
            raise ServerFailed(log.read()[-2000:])
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    message = "the server doesn't listen"
    raise ServerFailed(message)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
