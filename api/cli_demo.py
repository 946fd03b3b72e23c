"""Commands that show and measure: ``demo``, ``scenario``, ``replay``, ``bench``."""

from __future__ import annotations

import importlib
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from engine import CaseId, NotFound
from engine.records import Json, parse_instant
from services.audit.story import LANGUAGES, Language, Line, Names, Teller
from services.cases.queries import CaseFilter, Glance, cases
from services.demo import city
from services.demo.city_report import city_json, city_tables
from services.demo.drive import Told
from services.demo.errors import PlanFailed
from services.demo.report import year_tables
from services.demo.year import FIRST_DAY, Year, play_year
from services.office import Office, build_office
from services.people import queries as people
from services.permissions import Visibility
from services.scenarios.files import ScenarioFile, scenario_files
from services.scenarios.play import Outcome, Report, play, report_json
from services.scenarios.script import ScenarioNotUnderstood, read_scenario
from services.settings import Settings, load_settings

_FOLLOW_S = 1.0
_WIDTH = 160
"""Of tables that go to a file or a pipe."""
_DAYS = 400
"""The year and the weeks after it in which its last cases end."""

_language = click.option(
    "--lang", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="语言 / language"
)
_as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


class _Part(click.ParamType[Fraction]):
    """A part of a whole, such as ``1/20`` or ``0.05``."""

    name = "part"

    def convert(
        self, value: str | Fraction, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """Read it."""
        try:
            part = Fraction(value)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value} is no part such as 1/20", param, ctx)
        if not 0 < part <= 1:
            self.fail(f"{value} isn't more than 0 and at most 1", param, ctx)
        return part


@click.command("demo")
@click.option("--year", "whole", is_flag=True, help="All items of a city's year, 2,500 cases.")
@click.option("--seed", default=city.SEED, show_default=True, help="The same seed, the same year.")
@click.option("--scale", type=_Part(), default="1", show_default=True, help="So much of the year.")
@click.option("--processes", default=2, show_default=True, help="How many verify the year.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep the data in this empty folder.")
@click.option("--database-url", help="An empty database to play on; otherwise SQLite.")
@_language
@_as_json
def demo(
    *,
    whole: bool,
    seed: int,
    scale: Fraction,
    processes: int,
    data: Path | None,
    database_url: str | None,
    lang: Language,
    as_json: bool,
) -> None:
    """Play a year and prove it: the sample matters in every situation, or a whole city's items."""
    folder = nullcontext(data) if data is not None else tempfile.TemporaryDirectory()
    with folder as place:
        settings = load_settings(data=str(place), database_url=database_url)
        try:
            if whole:
                ok = _city(settings, seed, scale, processes, lang, as_json=as_json)
            else:
                ok = _matters(settings, lang, data, as_json=as_json)
        except PlanFailed as failure:
            raise click.ClickException(str(failure)) from failure
    if not ok:
        raise click.exceptions.Exit(1)


def _matters(settings: Settings, lang: Language, data: Path | None, *, as_json: bool) -> bool:
    with _progress(quiet=as_json) as told:
        year = play_year(settings, told)
    if as_json:
        click.echo(json.dumps(year.as_json(), ensure_ascii=False))
    else:
        _show(year, lang, data)
    return year.ok


def _city(
    settings: Settings, seed: int, scale: Fraction, processes: int, lang: Language, *, as_json: bool
) -> bool:
    with _counting(quiet=as_json) as told:
        year = city.play_city(settings, seed=seed, scale=scale, processes=processes, told=told)
    if as_json:
        click.echo(json.dumps(city_json(year), ensure_ascii=False))
    else:
        _wide_console().print(city_tables(year, lang))
    return year.ok


def _show(year: Year, language: Language, data: Path | None) -> None:
    _wide_console().print(year_tables(year, language))
    if data is not None:
        click.echo(f"DUBAN_DATA={data} ./duban replay {year.cases[0].id}")


def _wide_console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    return console


@contextmanager
def _counting(*, quiet: bool) -> Iterator[city.Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=quiet) as bar:
        tasks = {what: bar.add_task(what, total=None) for what in ("play", "verify")}

        def told(what: str, done: int, of: int) -> None:
            bar.update(tasks[what], completed=done, total=max(done, of))

        yield told


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task(FIRST_DAY.isoformat(), total=_DAYS)

        def told(now: datetime) -> None:
            day = now.date()
            bar.update(task, description=day.isoformat(), completed=(day - FIRST_DAY).days)

        yield told


@click.command("scenario")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@_as_json
def scenario(*, paths: Sequence[Path], as_json: bool) -> None:
    """Play scenarios on throwaway offices: files, or folders with everything below them."""
    roots = paths or (load_settings().definitions,)
    try:
        files = list(scenario_files(roots))
        reports = [(file, _played(file, quiet=as_json)) for file in files]
    except FileNotFoundError as missing:
        raise click.ClickException(f"not found: {missing}") from missing
    ok = all(report.ok for _, report in reports)
    if as_json:
        found = [{"file": str(file.path), **report_json(report)} for file, report in reports]
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
    else:
        passed = sum(report.ok for _, report in reports)
        click.echo(f"{passed} of {len(reports)} scenarios as told")
    if not ok or not reports:
        raise click.exceptions.Exit(1)


def _played(file: ScenarioFile, *, quiet: bool) -> Report:
    try:
        report = play(read_scenario(file.path.read_bytes()), file.definition)
    except ScenarioNotUnderstood as wrong:
        outcome = Outcome(number=0, step="read", ok=False, expected="a scenario", actual=str(wrong))
        report = Report(name=file.label, ok=False, steps=(outcome,), events=0)
    if not quiet:
        click.echo(f"{'ok  ' if report.ok else 'FAIL'} {file.label}  {report.name}")
        if report.failure is not None:
            _explain(report.failure)
    return report


def _explain(failure: Outcome) -> None:
    click.echo(f"     step {failure.number}: {failure.step}")
    click.echo(f"     expected {failure.expected}")
    click.echo(f"     actual   {failure.actual}")


@click.command("replay")
@click.argument("case")
@click.option("--at", help="Tell it up to this instant, such as 2026-03-20T09:00+08:00.")
@click.option("--follow", is_flag=True, help="Go on telling as things happen.")
@click.option("--all", "everything", is_flag=True, help="Every event, not only what matters.")
@_language
@_as_json
def replay(
    *,
    case: str,
    at: str | None,
    follow: bool,
    everything: bool,
    lang: Language,
    as_json: bool,
) -> None:
    """Tell a case's story in plain words, from its history. CASE is its id or its number."""
    until = _instant(at) if at is not None else None
    office = build_office(load_settings())
    try:
        teller = Teller(_names(office), lang, office.settings.zone, everything=everything)
        found = _found(office, case)
        told = _tell(office, found, teller, until, as_json=as_json)
        while follow:
            time.sleep(_FOLLOW_S)
            told = _tell(office, found, teller, until, as_json=as_json, after=told)
    except NotFound as missing:
        raise click.ClickException(f"no such case: {case}") from missing
    except KeyboardInterrupt:
        pass
    finally:
        office.close()


def _found(office: Office, case: str) -> CaseId:
    """Find a case by its id or its number."""
    glance = Glance(Visibility(everything=True), office.clock.now(), lambda due: due)
    with office.store.transaction(write=False) as transaction:
        page = cases(transaction.connection, glance, CaseFilter(text=case))
    return next((CaseId(one.id) for one in page.items if one.number == case), CaseId(case))


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--at") from wrong


def _tell(
    office: Office,
    case: CaseId,
    teller: Teller,
    until: datetime | None,
    *,
    as_json: bool,
    after: int = 0,
) -> int:
    history = office.engine.history.recorded(case, after)
    known = [record for record in history if until is None or record.at <= until]
    for line in teller.tell(known):
        click.echo(json.dumps(_line(line), ensure_ascii=False) if as_json else _said(line, teller))
    return history[-1].seq if history else after


def _said(line: Line, teller: Teller) -> str:
    return f"{teller.when(line.at)}  #{line.seq}  {line.text}"


def _line(line: Line) -> dict[str, Json]:
    return {"seq": line.seq, "at": line.at.isoformat(), "type": line.type, "text": line.text}


def _names(office: Office) -> Names:
    with office.store.transaction(write=False) as transaction:
        connection = transaction.connection
        return Names(
            people={user.id: user.name for user in people.users(connection)},
            units={unit.code: unit.name for unit in people.units(connection)},
        )


@click.command("bench")
@click.option("--only", multiple=True, help="Just the measures whose names begin so.")
@_as_json
def bench(*, only: Sequence[str], as_json: bool) -> None:
    """Measure ratios on this machine: ours divided by a bare version, in the same run."""
    measures = importlib.import_module("bench.run")
    ok: bool = measures.main(tuple(only), as_json=as_json)
    if not ok:
        raise click.exceptions.Exit(1)


COMMANDS = (demo, scenario, replay, bench)
"""What `api.cli` adds to its group."""
