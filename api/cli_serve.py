"""Commands that run: ``serve``, ``worker``."""

import sys
from datetime import datetime
from typing import Any

import click

from api.console import LANGUAGE, Instant, opened, speaker
from api.server import serve as run
from api.startup import ADMINISTRATOR, Started, start_up
from api.wording import Reader
from api.worker import run_worker
from engine import SetClock
from services.settings import load_settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--test-clock", type=Instant(), help="Stand still here; PUT /test/clock moves it.")
@click.option("--demo", is_flag=True, help="Fill an empty installation with people and cases.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; 1 on SQLite, else 2.")
@LANGUAGE
def serve(*, host: str, port: int, test_clock: datetime | None, demo: bool, **more: Any) -> None:  # noqa: ANN401 -- workers, lang
    """Serve HTTP; on an empty data directory this sets everything up."""
    settings = load_settings()
    workers = more["workers"] or (1 if settings.is_embedded else 2)
    if test_clock is not None and workers > 1:
        raise click.UsageError("a test clock needs --workers 1")
    url = f"http://{host}:{port}"
    with opened(None if test_clock is None else SetClock(test_clock)) as office:
        _tell(start_up(office, demo=demo), speaker(office, more["lang"]), url)
    sys.stdout.flush()
    run(settings, host=host, port=port, workers=workers, now=test_clock)


def _tell(started: Started, said: Reader, url: str) -> None:
    if started.password is not None:
        facts = {"login": ADMINISTRATOR, "password": started.password, "url": url}
        click.echo(said.console("first_start", **facts))
    if started.demo_cases is not None:
        from services.demo.year import PASSWORD  # noqa: PLC0415 -- only a demonstration has it

        about = {"count": str(started.demo_cases), "password": PASSWORD, "url": url}
        click.echo(said.console("demo_ready", **about))
    click.echo(said.console("serving", url=url))


@click.command()
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
def worker(threads: int) -> None:
    """Fire due timers and deliver jobs; any number of workers may run side by side."""
    with opened() as office:
        run_worker(office, threads)
