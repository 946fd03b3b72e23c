"""Commands about the past: pictures, differences, the register then, proof, what-if, logs."""

from __future__ import annotations

import os
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import click

from api.console import AS_JSON, LANGUAGE, Instant, opened, print_json
from engine import CaseId
from engine.records import Json
from services.cases.queries import id_of
from services.deadlines.lights import task_yellow_from
from services.deadlines.queries import LIGHTS
from services.mining.figures import figures_json
from services.mining.log import Detail
from services.mining.ocel_json import write_ocel_json
from services.mining.ocel_sqlite import write_ocel_sqlite
from services.mining.queries import Wanted, cases_wanted
from services.mining.reading import logs
from services.mining.together import figures_together
from services.mining.xes import write_xes
from services.office import Office
from services.permissions import Visibility
from services.replay.differences import between, differences_json, differences_text
from services.replay.drawing import draw, pages
from services.replay.moment import moment
from services.replay.queries import RegisterThen, register_as_of
from services.replay.words import Language, due_text
from services.whatif.edited import changed_files, edited, read_edits
from services.whatif.queries import Chosen, choose
from services.whatif.trial import trial_json, trial_text, try_cases

_EVERYTHING = Visibility(everything=True)
_INSTANT = Instant()
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PROCESSES = click.option(
    "--processes", type=click.IntRange(1, 64), default=os.cpu_count() or 1, show_default=True
)


@click.command()
@click.argument("case")
@click.option("--at", type=_INSTANT, help="An instant, such as 2026-03-20T09:00+08:00.")
@click.option("--seq", type=click.IntRange(1), help="After this event.")
@click.option("--process", help="A called process or sub-process.")
@click.option("--out", type=_FILE, required=True, help="The SVG file to write.")
@LANGUAGE
def diagram(
    case: str,
    *,
    at: datetime | None,
    seq: int | None,
    process: str | None,
    out: Path,
    lang: str,
) -> None:
    """Draw a case on its diagram as it stood. CASE is its id or its number."""
    spoken: Language = "en" if lang == "en" else "zh"
    with opened() as office:
        then = moment(office.engine, _id(office, case), seq=seq, at=at)
        zone, now = office.settings.zone, office.clock.now()
        with office.store.transaction(write=False) as transaction:
            calendar = office.calendar.get(transaction.connection)
            yellow_from = task_yellow_from(
                office.engine.library, transaction, lambda: calendar, now, zone
            )
        picture = draw(then, process, zone=zone, language=spoken, yellow_from=yellow_from)
        out.write_text(picture, "utf-8")
        others = ", ".join(page for page, _ in pages(then))
    click.echo(f"{out}  ({others})")


@click.command()
@click.argument("case")
@click.option("--from", "first", type=_INSTANT, help="From this instant.")
@click.option("--from-seq", type=click.IntRange(1), help="From after this event.")
@click.option("--to", "last", type=_INSTANT, help="To this instant; without it, to now.")
@click.option("--to-seq", type=click.IntRange(1), help="To after this event.")
@AS_JSON
def differences(
    case: str,
    first: datetime | None,
    from_seq: int | None,
    last: datetime | None,
    to_seq: int | None,
    *,
    as_json: bool,
) -> None:
    """Show what changed in a case between two instants or events."""
    if first is None and from_seq is None:
        raise click.UsageError("name where to begin: --from or --from-seq")
    with opened() as office:
        begin = moment(office.engine, _id(office, case), seq=from_seq, at=first)
        found = between(office.engine, begin, seq=to_seq, at=last)
        if as_json:
            print_json(differences_json(found))
        else:
            click.echo(differences_text(found, office.settings.zone))


@click.command()
@click.option("--at", type=_INSTANT, required=True, help="As of this instant.")
@AS_JSON
def register(at: datetime, *, as_json: bool) -> None:
    """Show the register of the whole office as it stood at an instant."""
    with opened() as office, office.store.transaction(write=False) as transaction:
        every = register_as_of(transaction, at, _EVERYTHING)
        found = sorted(every, key=lambda one: (one.row["registered_at"], one.case))
        zone = office.settings.zone
        if as_json:
            print_json([_case_json(one) for one in found])
            return
        for one in found:
            due = one.row["deadline"]
            shown = "-" if due is None else due_text(due, zone, year=True)
            row = one.row
            click.echo(
                f"{row['number']}  {one.light:<6}  {row['status']:<12}  {shown}  {row['title']}"
            )
        counts = Counter(one.light for one in found)
        click.echo(", ".join(f"{light} {counts[light]}" for light in LIGHTS))


def _case_json(one: RegisterThen) -> dict[str, Json]:
    plain = {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in one.row.items()
    }
    return {**plain, "id": one.case, "seq": one.seq, "light": one.light}


@click.command("what-if")
@click.argument("key")
@click.option("--files", type=_FOLDER, help="A folder with the edited files.")
@click.option("--version", type=click.IntRange(1), help="Or a version that is deployed.")
@click.option("--cases", help="Ids or numbers, with commas; without it, all.")
@click.option("--since", type=_INSTANT, help="Registered from this instant.")
@click.option("--until", type=_INSTANT, help="Registered up to this instant.")
@_PROCESSES
@AS_JSON
def what_if(
    key: str,
    *,
    files: Path | None,
    version: int | None,
    cases: str | None,
    since: datetime | None,
    until: datetime | None,
    processes: int,
    as_json: bool,
) -> None:
    """Run past cases again on edited rules; nothing is stored. KEY is a case type."""
    if (files is None) == (version is None):
        raise click.UsageError("give --files or --version")
    named = None if cases is None else tuple(part.strip() for part in cases.split(","))
    with opened() as office:
        _, before = office.engine.library.current(key)
        if files is not None:
            after = edited(before.files, read_edits(files))
        else:
            with office.store.transaction(write=False) as transaction:
                deployment = transaction.deployment(key, version)
                if deployment is None:
                    raise click.UsageError(f"there is no version {version} of {key}")
                after = office.engine.library.get(deployment.sha256, transaction)
        with office.store.transaction(write=False) as transaction:
            chosen = choose(transaction.connection, Chosen(key, named, since, until, sys.maxsize))
        trial = try_cases(
            office.settings,
            after,
            chosen,
            until=office.clock.now(),
            changed=changed_files(before, after),
            processes=processes,
            progress=None if as_json else _progress,
        )
    if as_json:
        print_json(trial_json(trial))
    else:
        click.echo(trial_text(trial))


@click.command("export-log")
@click.argument("form", type=click.Choice(["xes", "ocel", "ocel-sqlite"]))
@click.option("--out", type=_FILE, required=True, help="The file to write.")
@click.option("--type", "case_type", help="Only cases of this type.")
@click.option("--since", type=_INSTANT, help="Registered from this instant.")
@click.option("--until", type=_INSTANT, help="Registered up to this instant.")
@click.option("--all-elements", is_flag=True, help="Every element passed, not only tasks.")
def export_log(
    form: str,
    out: Path,
    case_type: str | None,
    since: datetime | None,
    until: datetime | None,
    *,
    all_elements: bool,
) -> None:
    """Export histories for process mining: XES (IEEE 1849-2023) or OCEL 2.0."""
    detail: Detail = "all" if all_elements else "tasks"
    with opened() as office:
        with office.store.transaction(write=False) as transaction:
            wanted = Wanted(case_type, since, until)
            cases = cases_wanted(transaction.connection, wanted, _EVERYTHING)
        read = logs(office.engine, cases, detail)
        if form == "ocel-sqlite":
            count = write_ocel_sqlite(read, out)
        else:
            with out.open("wb") as file:
                if form == "xes":
                    count = write_xes(read, file, zone=office.settings.zone)
                else:
                    count = write_ocel_json(read, file)
    click.echo(f"{out}: {count} {'cases' if form == 'xes' else 'events'}")


@click.command()
@click.option("--type", "case_type", help="Only cases of this type.")
@_PROCESSES
def figures(case_type: str | None, *, processes: int) -> None:
    """Give frequencies, durations, bottlenecks, rework and paths as JSON."""
    with opened() as office:
        with office.store.transaction(write=False) as transaction:
            cases = cases_wanted(transaction.connection, Wanted(case_type), _EVERYTHING)
        now = office.clock.now()
        print_json(figures_json(figures_together(office.settings, cases, now, processes=processes)))


def _id(office: Office, case: str) -> CaseId:
    with office.store.transaction(write=False) as transaction:
        return CaseId(id_of(transaction.connection, case) or case)


def _progress(done: int, every: int) -> None:
    click.echo(f"\r{done}/{every}", nl=done == every, err=True)
