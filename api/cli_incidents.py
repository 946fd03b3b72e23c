"""The command that shows what waits for whoever looks after the service, and asks for it again."""

from dataclasses import asdict

import click

from api.console import AS_JSON, opened, print_json
from engine import Actor
from services.audit.incidents import retry
from services.audit.queries import Incident
from services.audit.queries import incidents as incidents_of
from services.office import Office
from services.pages import LONGEST_PAGE


@click.command()
@click.option("--retry", "again", multiple=True, metavar="ID", help="Ask for it once more.")
@click.option("--by", "user", help="Who asks, by login; an administrator.")
@AS_JSON
def incidents(*, again: tuple[str, ...], user: str | None, as_json: bool) -> None:
    """List stuck timers, failed jobs and documents that couldn't be made; or ask for them again."""
    if again and user is None:
        raise click.UsageError("give --by with --retry")
    with opened() as office:
        for incident in again:
            retry(office.engine, incident, Actor(user or ""), office.clock.now())
            click.echo(f"{incident}: asked for again", err=as_json)
        found = [] if again else _all(office)
    if as_json:
        print_json([asdict(one) | {"since": one.since and one.since.isoformat()} for one in found])
        return
    for one in found:
        since = "" if one.since is None else f"{one.since:%Y-%m-%dT%H:%M:%SZ}"
        click.echo(f"{one.id}  {one.kind}  {one.element}  {since}  {one.reason}")


def _all(office: Office) -> list[Incident]:
    found: list[Incident] = []
    after: tuple[str, ...] | None = None
    with office.store.transaction(write=False) as transaction:
        while True:
            page = incidents_of(transaction.connection, after=after, limit=LONGEST_PAGE)
            found.extend(page.items)
            after = page.after
            if after is None:
                return found
