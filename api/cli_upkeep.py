"""Commands that look after an installation: proofs, definitions, calendar, copies."""

import sqlite3
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import IO

import click

from api.console import AS_JSON, LANGUAGE, opened, print_json
from api.startup import SYSTEM
from engine.definitions import load_folder
from engine.lint import lint as check
from services.deadlines.calendar import DayKind
from services.deadlines.queries import load_year, schedule
from services.lookups import NAMES
from services.settings import load_settings

_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=_folder)
def deploy(folder: Path) -> None:
    """Deploy the definition in a folder, such as bpmn/leader_instruction."""
    files = load_folder(folder.parent, folder.name)
    with opened() as office:
        made = office.engine.library.deploy(files, SYSTEM, office.clock.now())
    click.echo(f"{made.key} {made.version} {made.sha256}")


@click.command()
@click.argument("folders", nargs=-1, type=_folder)
@AS_JSON
@LANGUAGE
def lint(folders: tuple[Path, ...], *, as_json: bool, lang: str) -> None:
    """Check definitions in folders; without any, all that a new installation starts with."""
    root = load_settings().definitions
    chosen = folders or tuple(sorted(file.parent for file in root.glob("*/process.bpmn")))
    findings = []
    for folder in chosen:
        for finding in check(load_folder(folder.parent, folder.name), NAMES):
            shown = finding.as_json(lang)
            findings.append({**shown, "file": f"{folder.name}/{shown['file']}"})
    if as_json:
        print_json(findings)
    else:
        for one in findings:
            place = f"{one['file']}:{one['line']}"
            click.echo(f"{place}: {one['severity']}: {one['message']} [{one['rule']}]")
    sys.exit(1 if any(one["severity"] == "error" for one in findings) else 0)


@click.group()
def calendar() -> None:
    """Show and load the yearly schedules."""


@calendar.command("show")
@click.argument("year", type=int)
def show_calendar(year: int) -> None:
    """Show the days of a year that differ from an ordinary week."""
    with opened() as office, office.store.transaction(write=False) as transaction:
        found = schedule(transaction.connection, year)
    click.echo(f"{year} {found.notice or '-'}")
    for day, kind in found.days:
        click.echo(f"{day.isoformat()} {kind}")


@calendar.command("load")
@click.argument("year", type=int)
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--notice", required=True, help="Title or number of the notice.")
def load_calendar(year: int, file: IO[str], *, notice: str) -> None:
    """Load a schedule: lines such as ``2027-01-01 holiday`` or ``2027-01-09 make_up``."""
    lines = [line.split() for line in file.read().splitlines() if line.strip()]
    try:
        days = {date.fromisoformat(day): DayKind(kind) for day, kind in lines}
    except ValueError as wrong:
        raise click.ClickException(f"a line isn't DAY KIND: {wrong}") from None
    with opened() as office, office.store.transaction() as transaction:
        load_year(transaction.connection, year, days, notice)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to a new file; the service may run."""
    source = _sqlite_file()
    if not source.exists():
        raise click.ClickException(f"there is no {source}")
    if file.exists():
        raise click.ClickException(f"{file} exists")
    _copy(source, file)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Overwrite what is there.")
def restore(file: Path, *, yes: bool) -> None:
    """Put a copy back in place; the service must not run."""
    target = _sqlite_file()
    if target.exists() and not yes:
        raise click.ClickException(f"{target} exists; --yes overwrites it")
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy(file, target)


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)
    click.echo(str(target))


def _sqlite_file() -> Path:
    settings = load_settings()
    if not settings.is_embedded:
        raise click.ClickException("PostgreSQL has its own tools: pg_dump and pg_restore")
    return Path(settings.url.removeprefix("sqlite:///"))
