"""The server: gunicorn with threads; in the embedded shape the worker's loop runs in it."""

from datetime import datetime
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from api.app import create_app
from api.worker import Loop, Sweeper, log_as_json, post_step
from engine import Clock, SetClock
from services.office import Office, build_office
from services.settings import Settings

THREADS = 8
GRACE_S = 30


class Server(BaseApplication):
    """Opens the installation in each worker process, so that no connection crosses a fork."""

    def __init__(
        self, settings: Settings, *, host: str, port: int, workers: int, now: datetime | None
    ) -> None:
        self._settings = settings
        self._bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._workers = workers
        self._now = now
        self._office: Office | None = None
        self._loops: tuple[Loop, ...] = ()
        self._app: Flask | None = None
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up; nothing is read from its own files or environment."""
        options = {
            "bind": self._bind,
            "workers": self._workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "graceful_timeout": GRACE_S,
            "timeout": 120,
            "keepalive": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
            "worker_exit": self._on_exit,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Open the installation and make its application, in a worker process."""
        clock: Clock | None = None if self._now is None else SetClock(self._now)
        office = self._office = build_office(self._settings, clock)
        sweeper = Sweeper(office)
        if self._settings.redis_url is None:
            self._loops = (Loop("worker", sweeper.step), Loop("post", post_step(office)))
            for loop in self._loops:
                loop.start()
        self._app = create_app(office, sweeper)
        return self._app

    def _on_exit(self, _server: Any, _worker: Any) -> None:  # noqa: ANN401 -- gunicorn's own
        for loop in self._loops:
            loop.stop()
        if self._app is not None:
            # Who saw what in the last moment is written before the database is closed.
            self._app.extensions["duban-access"].flush()
        if self._office is not None:
            self._office.close()


def serve(settings: Settings, *, host: str, port: int, workers: int, now: datetime | None) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are answered.

    Parameters
    ----------
    now : where the test clock stands at first; `None` for the machine's clock.
    """
    log_as_json()
    Server(settings, host=host, port=port, workers=workers, now=now).run()
