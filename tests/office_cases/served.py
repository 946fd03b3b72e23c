"""The office of a desk behind server processes of its own, which can be killed and started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

from tests.crash.service import Client, Service
from tests.office_cases.desk import Desk, token_of

T = TypeVar("T")


@contextmanager
def served(desk: Desk, folder: Path, *words: str) -> Iterator[Service]:
    """Serve a desk's office from processes until the block ends, then kill them.

    Parameters
    ----------
    folder : where the log goes.
    words : options of ``./duban serve``.
    """
    settings = {"DUBAN_DATA": str(desk.data)}
    if desk.database_url is not None:
        settings["DUBAN_DATABASE_URL"] = desk.database_url
    service = Service(folder, *words, settings=settings)
    service.start()
    try:
        yield service
    finally:
        service.kill()


def asked(
    service: Service, method: str, path: str, by: str, body: object = None
) -> tuple[int, Any]:
    """Ask a server something as a user; give status and answer."""
    answer = Client(service.port).ask(method, path, body, token=token_of(by))
    return answer.status, answer.body


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """Let so many threads do something at the same moment; give what came of it, in their order."""
    barrier = Barrier(count)

    def start(number: int) -> T:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count)))
