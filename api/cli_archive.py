"""The command that moves closed cases of long ago into archive files."""

from datetime import date, datetime, time

import click

from api.console import AS_JSON, Day, opened, print_json
from services.archive.archiving import archive as move


@click.command()
@click.option("--closed-before", "day", type=Day(), required=True, help="A day, not included.")
@click.option("--dry-run", is_flag=True, help="Tell what would be moved, and move nothing.")
@AS_JSON
def archive(day: date, *, dry_run: bool, as_json: bool) -> None:
    """Move closed cases into compressed files; they stay readable and verifiable."""
    with opened() as office:
        before = datetime.combine(day, time(), office.settings.zone)
        report = move(office, before, dry_run=dry_run)
    if as_json:
        print_json(
            {
                "archived": report.archived,
                "skipped": [
                    {"case": one.case, "number": one.number, "reason": one.reason}
                    for one in report.skipped
                ],
                "events": report.events,
                "size_bytes": report.size_bytes,
                "dry_run": dry_run,
            }
        )
        return
    for one in report.skipped:
        click.echo(f"left {one.number}: {one.reason}")
    said = "would be archived" if dry_run else "archived"
    click.echo(
        f"{len(report.archived)} cases {said}: {report.events} events, {report.size_bytes} bytes"
    )
