"""What commands of the command line share: the installation, kinds of arguments, JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import click

from api.wording import Language, Reader, reader_of_office
from engine import Actor, Clock, Invalid, Problem
from services.office import Office, build_office
from services.permissions import Action, NotAllowed, Reason, may
from services.permit import NotPermitted
from services.settings import load_settings

LANGUAGE = click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


class Instant(click.ParamType[datetime]):
    """An instant with offset, such as ``2026-03-02T09:00+08:00``."""

    name = "instant"

    def convert(
        self,
        value: Any,  # noqa: ANN401 -- click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Read the instant."""
        try:
            instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no instant such as 2026-03-02T09:00+08:00", param, ctx)
        if instant.tzinfo is None:
            self.fail(f"{value!r} has no offset, such as +08:00", param, ctx)
        return instant


class Day(click.ParamType[date]):
    """A day, such as ``2026-03-02``."""

    name = "day"

    def convert(
        self,
        value: Any,  # noqa: ANN401 -- click's own
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> date:
        """Read the day."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day such as 2026-03-02", param, ctx)


@contextmanager
def opened(clock: Clock | None = None) -> Iterator[Office]:
    """Open the installation of the settings; a refusal is told in both languages."""
    office = build_office(load_settings(), clock)
    try:
        yield office
    except Problem as problem:
        raise click.ClickException(_told(office, problem)) from None
    finally:
        office.close()


def speaker(office: Office, language: str) -> Reader:
    """Give whom a command speaks to."""
    spoken: Language = "en" if language == "en" else "zh"
    return reader_of_office(spoken, office.settings.zone, office.clock.now())


def print_json(value: Any) -> None:  # noqa: ANN401 -- anything JSON-plain
    """Answer a program."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def _told(office: Office, problem: Problem) -> str:
    fields = problem.fields if isinstance(problem, Invalid) else ()
    lines = []
    for language in ("zh", "en"):
        reader = speaker(office, language)
        lines.append(reader.problem(problem.slug, problem.facts).detail)
        lines += [f"  {field.field}: {reader.field(field)}" for field in fields]
    return "\n".join(lines)


def require(office: Office, user: str, action: Action) -> Actor:
    """Give who acts, by login, or refuse who may not do something that belongs to no case.

    Raises
    ------
    NotPermitted : with the reason.
    """
    with office.store.transaction(write=False) as transaction:
        person = office.people.find(user, transaction)
    verdict = NotAllowed(Reason.INACTIVE) if person is None else may(person, action)
    if isinstance(verdict, NotAllowed):
        raise NotPermitted(reason=verdict.reason)
    return Actor(user)
