"""The calendar on the command line: ``calendar show`` and ``calendar publish``."""

import sys
from collections.abc import Mapping
from datetime import date
from typing import IO

import click

from api.console import LANGUAGE, opened, require, speaker
from api.wording import Reader
from services.deadlines.calendar import DayKind
from services.deadlines.publication import Plan, PublishedSchedule, plan_publication, publish
from services.deadlines.queries import schedule
from services.permissions import Action


@click.group()
def calendar() -> None:
    """Show and publish the yearly schedules."""


@calendar.command("show")
@click.argument("year", type=int)
def show_calendar(year: int) -> None:
    """Show the days of a year that differ from an ordinary week."""
    with opened() as office, office.store.transaction(write=False) as transaction:
        found = schedule(transaction.connection, year)
    click.echo(f"{year} {found.notice or '-'}")
    for day, kind in found.days:
        click.echo(f"{day.isoformat()} {kind}")


@calendar.command("publish")
@click.argument("year", type=int)
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--title", required=True, help="Title or number of the notice that published it.")
@click.option("--by", "user", required=True, help="Who publishes it: a login.")
@click.option("--plan", is_flag=True, help="Only show which open deadlines it would move.")
@click.option(
    "--give-notice", is_flag=True, help="Deadlines may come nearer, and their units are told."
)
@LANGUAGE
def publish_calendar(
    *, year: int, file: IO[str], title: str, user: str, plan: bool, give_notice: bool, lang: str
) -> None:
    """Put a schedule in force: lines such as ``2027-01-01 holiday`` or ``2027-01-09 make_up``.

    Open deadlines are computed anew, each on its case's record.
    """
    published = PublishedSchedule(year=year, days=_days(file.read()), title=title)
    with opened() as office:
        by = require(office, user, Action.MANAGE_CALENDAR)
        now, zone = office.clock.now(), office.settings.zone
        if plan:
            with office.store.transaction(write=False) as transaction:
                found = plan_publication(transaction, published, now, notice=give_notice, zone=zone)
            failed: tuple[tuple[str, str], ...] = ()
        else:
            done = publish(
                office.engine,
                published,
                by,
                now,
                notice=give_notice,
                zone=zone,
                outlet=office.notifier.outlet,
            )
            found, failed = done.plan, done.failed
        _show(found, speaker(office, lang))
    for case, reason in failed:
        click.echo(f"{case}: {reason}", err=True)
    sys.exit(1 if failed else 0)


def _days(text: str) -> Mapping[date, DayKind]:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    try:
        return {date.fromisoformat(day): DayKind(kind) for day, kind in lines}
    except ValueError as wrong:
        message = f"a line isn't DAY KIND: {wrong}"
        raise click.ClickException(message) from None


def _show(plan: Plan, say: Reader) -> None:
    for move in plan.moves:
        click.echo(
            say.console(
                "deadline_move",
                number=move.number,
                title=move.title,
                before=move.before,
                after=move.after,
                verdict=move.verdict,
            )
        )
    click.echo(say.console("schedule_touches", count=len(plan.cases)))
