"""Settings: one documented table, from the environment or ``duban.toml``, the environment first."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.proof.algorithms import DEFAULT_SUITE

PREFIX = "DUBAN_"
FILE = "duban.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one installation is set up. Each field is ``DUBAN_<FIELD>`` in the environment."""

    data: Path = Path("var")
    """Data directory: the SQLite file, the secret key, logs. Made on first use."""

    database_url: str | None = None
    """SQLAlchemy URL, such as ``postgresql://user@host/duban``; `None`: SQLite under `data`."""

    redis_url: str | None = None
    """``redis://host:6379/0``: jobs go through Redis; `None`: the worker runs in process."""

    secret_key: str | None = None
    """Signs nothing that leaves the server but session cookies; `None`: made once under `data`."""

    timezone: str = "Asia/Shanghai"
    """Office time: in which days begin and end, and deadlines are shown."""

    definitions: Path = Path("bpmn")
    """Folder of the definitions that a new installation starts with."""

    proof_suite: str = DEFAULT_SUITE
    """Hashes and signatures of a new installation: ``sha256+ed25519``, or ``sm3+sm2`` (GM/T)."""

    proof_keys: Path | None = None
    """Folder of the keys that sign tree heads, such as a mounted secret; `None`: under `data`."""

    fonts: Path | None = None
    """An office's own fonts, such as 仿宋_GB2312; `None`: the free ones that come along."""

    attachment_limit_mb: int = 50
    """The longest file that can be attached."""

    archive_after_years: int = 0
    """Closed cases older than this may be archived to files; 0: never."""

    purpose_types: tuple[str, ...] = ()
    """Case types that auditors and administrators read only with a stated purpose."""

    smtp_url: str | None = None
    """``smtp://``, ``smtp+starttls://`` or ``smtps://user:password@host:port``; `None`: no mail."""

    mail_from: str | None = None
    """The sender of mails; needed with `smtp_url`."""

    webhook_hosts: tuple[str, ...] = ()
    """Hosts that people's webhooks may go to, such as ``*.example.gov.cn``; none: no webhooks."""

    public_url: str = ""
    """Where people reach the pages, for links in mails."""

    pool_size: int = 10
    """Database connections of one process."""

    @property
    def zone(self) -> ZoneInfo:
        """Office time as a zone."""
        return ZoneInfo(self.timezone)

    @property
    def url(self) -> str:
        """The database's URL; PostgreSQL always by psycopg 3."""
        if self.database_url is None:
            return f"sqlite:///{self.data / 'duban.sqlite'}"
        scheme, separator, rest = self.database_url.partition("://")
        if scheme in ("postgres", "postgresql"):
            scheme = "postgresql+psycopg"
        return f"{scheme}{separator}{rest}"

    @property
    def is_embedded(self) -> bool:
        """Whether everything runs in one process on SQLite."""
        return self.url.startswith("sqlite")


_PATHS = frozenset({"data", "definitions", "proof_keys", "fonts"})
_NUMBERS = frozenset({"pool_size", "attachment_limit_mb", "archive_after_years"})
_LISTS = frozenset({"purpose_types", "webhook_hosts"})


def load_settings(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:  # noqa: ANN401
    """Read the settings: what is given, then the environment, then ``duban.toml``, then defaults.

    Raises
    ------
    ValueError : the file names a setting that doesn't exist.
    """
    environment = os.environ if environment is None else environment  # noqa: TID251 -- its one reader
    names = {field.name for field in fields(Settings)}
    file = Path(FILE)
    values: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    unknown = sorted(set(values) - names)
    if unknown:
        message = f"{FILE}: unknown settings {', '.join(unknown)}"
        raise ValueError(message)
    for name in names:
        if environment.get(PREFIX + name.upper()):
            values[name] = environment[PREFIX + name.upper()]
    values |= {name: value for name, value in given.items() if value is not None}
    return Settings(**{name: _read_as(name, value) for name, value in values.items()})


def _read_as(name: str, value: Any) -> Any:  # noqa: ANN401 -- what the field's type says
    if name in _PATHS:
        return Path(value)
    if name in _NUMBERS:
        return int(value)
    if name in _LISTS and isinstance(value, str):
        return tuple(filter(None, value.split(",")))
    return value
