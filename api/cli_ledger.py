"""The ledger on the command line: ``import-register`` and ``export-register``."""

import sys
from pathlib import Path

import click

from api.console import AS_JSON, LANGUAGE, opened, print_json, speaker
from engine.records import Json
from services import lookups
from services.cases.queries import CaseFilter, Glance
from services.ledger import exporting, queries
from services.ledger.importing import Importer, summary
from services.ledger.words import labels_of
from services.office import Office
from services.people import queries as people
from services.permissions import Visibility

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import-register")
@click.argument("file", type=_file)
@click.option("--by", "user", required=True, help="Who registers the cases: a login.")
@click.option("--dry-run", is_flag=True, help="Only check.")
@click.option("--skip-bad", is_flag=True, help="Register the good rows although others are bad.")
@AS_JSON
@LANGUAGE
def import_register(
    *, file: Path, user: str, dry_run: bool, skip_bad: bool, as_json: bool, lang: str
) -> None:
    """Register the rows of an Excel or CSV file: all of them, or none if any is bad."""
    with opened() as office:
        at = office.clock.now()
        result = _importer(office).run(
            file.read_bytes(), user, at, dry_run=dry_run, skip_bad=skip_bad
        )
        if as_json:
            print_json(summary(result))
        else:
            reader = speaker(office, lang)
            for error in result.rejected:
                click.echo(f"{error.facts.get('cell', error.field)}: {reader.field(error)}")
            click.echo(
                f"{result.rows} rows, {len(result.registered)} registered, "
                f"{len(result.already)} before, {result.rows - result.good} bad"
            )
    sys.exit(1 if result.rejected else 0)


@click.command("export-register")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--type", "case_type", help="Only cases of this type.")
@click.option("--status", help="Only cases of this status.")
@click.option("--unit", help="Only cases that this unit leads or contributes to.")
@LANGUAGE
def export_register(
    *, file: Path, case_type: str | None, status: str | None, unit: str | None, lang: str
) -> None:
    """Write the register to FILE, as CSV or Excel by its ending."""
    wanted = CaseFilter(case_type=case_type, status=status, unit=unit)
    with opened() as office, office.store.transaction(write=False) as transaction:
        connection = transaction.connection
        language = speaker(office, lang).language
        glance = Glance(Visibility(everything=True), office.clock.now(), lambda due: due)
        rows = exporting.rows_of(
            queries.every_case(connection, glance, wanted),
            {one.code: one.name for one in people.units(connection)},
            labels_of(office.engine, language),
            office.settings.zone,
        )
    make = exporting.as_csv if file.suffix.lower() == ".csv" else exporting.excel
    file.write_bytes(make(rows, language))
    click.echo(f"{file}: {len(rows)}")


def _importer(office: Office) -> Importer:
    def is_known(kind: str, value: Json) -> bool:
        with office.store.transaction(write=False) as transaction:
            answers = lookups.Lookups(
                transaction,
                lambda: office.calendar.get(transaction.connection),
                office.people.find,
                office.settings.zone,
            )
            return bool(answers.functions()[f"is_{kind}"](value))

    return Importer(office.engine, office.settings.zone, is_known)
