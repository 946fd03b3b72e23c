"""Commands that look after an installation: definitions, copies."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from api.console import AS_JSON, LANGUAGE, opened, print_json
from api.startup import SYSTEM
from api.wording import reader_of_office
from engine import Problem, SystemClock
from engine.definitions import load_folder
from engine.lint import lint as check
from services.audit.story import LANGUAGES
from services.copies.copying import back_up
from services.copies.copying import restore as put_in_place
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


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Copy everything into a new FOLDER; the service may run.

    Database, documents, attachments, archived cases, tree heads, keys. On PostgreSQL the database
    is copied by its own pg_dump, which has to be on the path.
    """
    with _told():
        made = back_up(load_settings(), folder)
    click.echo(f"{folder}: {made.files} files, {made.size_bytes} bytes")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(folder: Path) -> None:
    """Put a copy into an empty data directory, and database; the service must not run."""
    with _told():
        made = put_in_place(load_settings(), folder)
    click.echo(f"{made.files} files, {made.size_bytes} bytes; now: ./duban verify --all")


@contextmanager
def _told() -> Iterator[None]:
    """Tell a refusal in both languages; there may be no installation to ask for words."""
    try:
        yield
    except Problem as problem:
        zone, now = load_settings().zone, SystemClock().now()
        said = [
            reader_of_office(language, zone, now).problem(problem.slug, problem.facts).detail
            for language in LANGUAGES
        ]
        raise click.ClickException("\n".join(said)) from None
