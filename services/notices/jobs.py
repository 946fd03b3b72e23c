"""Effects after commit: telling people, in the system and by what they chose beside."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from engine import CaseId, Definition, JobId
from engine.case import Lookups
from engine.expressions import Names, Setting
from engine.library import Library
from engine.pump import Handler
from engine.records import Json, instant_text
from engine.store import Store, Transaction
from engine.store.tables import jobs
from services.cases.tables import case_people, case_units, register
from services.deadlines.calendar import OFFICE_ZONE
from services.notices import queries
from services.notices.messages import Message, Told, mail_of, payload_of
from services.notices.queries import Delivery, Wishes
from services.notices.tables import notices
from services.notices.words import Language
from services.people import queries as people

SEND_NOTICE = "send_notice"

TABLE = "notices"
"""The decision table that says whom a notice goes to."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """The ways out of the system that this installation has: mail, webhooks or none.

    Parameters
    ----------
    address : where the pages are, for links in mails.
    """

    channels: frozenset[str] = frozenset()
    address: str = ""
    zone: ZoneInfo = OFFICE_ZONE


def send_notice(
    store: Store,
    library: Library,
    kind_of: Callable[[CaseId, JobId], str],
    outlet: Outlet | None = None,
) -> Handler:
    """Make the handler of ``send_notice``: a notice for each person concerned.

    Whom it concerns stands in the table `TABLE` of the definition that the case runs on. The job's
    id makes a notice once only, however often it is delivered; what is to be sent for it is noted
    in the same transaction.
    """
    ways_out = outlet or Outlet()

    def handle(case: CaseId, job: JobId, facts: Mapping[str, Any]) -> dict[str, Json]:
        kind = kind_of(case, job)
        with store.transaction() as transaction:
            tell(transaction, library, case, kind=kind, key=job, at=facts["now"], outlet=ways_out)
        return {}

    return handle


def tell(
    transaction: Transaction,
    library: Library,
    case: CaseId,
    *,
    kind: str,
    key: str,
    at: datetime,
    outlet: Outlet,
) -> int:
    """Leave a notice for everybody it concerns; give how many were told.

    Parameters
    ----------
    key : the same key for the same case tells nobody twice; of a job, its id.

    Raises
    ------
    DefinitionNotFound : the case's definition has no table of notices.
    """
    connection: Connection = transaction.connection
    head = transaction.head(case)
    if head is None:
        return 0
    definition = library.get(head.definition_sha256, transaction)
    form = select(register.c.handling_form).where(register.c.case_id == case)
    audience = audience_of(definition, kind, at, connection.execute(form).scalar_one_or_none())
    told = _recipients(connection, case, key, audience)
    known = select(notices.c.user).where(notices.c.case_id == case, notices.c.job == key)
    fresh = sorted(told - set(connection.execute(known).scalars()))
    if fresh:
        rows = [
            {"case_id": case, "job": key, "user": user, "kind": audience.kind, "at": at}
            for user in fresh
        ]
        connection.execute(notices.insert(), rows)
        told_of = _told(connection, case, audience.kind, at)
        note_notices(connection, key, told_of, fresh, outlet)
    return len(fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a notice goes to, and what it is called.

    Parameters
    ----------
    unit_roles : within the unit it is about, which the diagram names; else the one that leads.
    lead_roles, co_roles : within the unit that leads, within every co-unit.
    """

    kind: str
    unit_roles: tuple[str, ...]
    lead_roles: tuple[str, ...]
    co_roles: tuple[str, ...]
    office_roles: tuple[str, ...]
    proposers: bool


def audience_of(
    definition: Definition, kind: str, at: datetime, handling_form: str | None = None
) -> Audience:
    """Look up whom a notice goes to.

    Parameters
    ----------
    handling_form : how the head of the unit said the case is handled, which sets the tone.

    Raises
    ------
    DefinitionNotFound : the definition has no table of notices.
    """
    setting = Setting(
        Names({"notice": kind, "handling_form": handling_form or ""}),
        Lookups(frozenset()),
        instant_text(at),
    )
    found = definition.table(TABLE).evaluate(setting).outputs
    return Audience(
        kind=found["kind"],
        unit_roles=_roles(found["unit_roles"]),
        lead_roles=_roles(found["lead_roles"]),
        co_roles=_roles(found["co_roles"]),
        office_roles=_roles(found["office_roles"]),
        proposers=bool(found["proposers"]),
    )


def _roles(cell: Json) -> tuple[str, ...]:
    return tuple(role.strip() for role in (cell or "").split(",") if role.strip())


def _recipients(connection: Connection, case: CaseId, key: str, audience: Audience) -> set[str]:
    told: set[str] = set()
    if audience.unit_roles:
        told |= _of_units(connection, [_unit_of(connection, case, key)], audience.unit_roles)
    if audience.lead_roles:
        told |= _of_units(connection, [_lead_of(connection, case)], audience.lead_roles)
    if audience.co_roles:
        table = case_units.c
        others = select(table.unit).where(table.case_id == case, table.part == "co")
        units = connection.execute(others).scalars().all()
        told |= _of_units(connection, units, audience.co_roles)
    if audience.proposers:
        person = case_people.c
        proposers = select(person.user).where(person.case_id == case, person.part == "proposer")
        told |= set(connection.execute(proposers).scalars())
    for role in audience.office_roles:
        told |= set(people.holders(connection, role))
    return told


def _unit_of(connection: Connection, case: CaseId, key: str) -> str | None:
    """Give the unit that a notice is about: the diagram names it, else the one that leads."""
    named = select(jobs.c.unit).where(jobs.c.case_id == case, jobs.c.job == key)
    unit: str | None = connection.execute(named).scalar_one_or_none()
    return unit or _lead_of(connection, case)


def _lead_of(connection: Connection, case: CaseId) -> str | None:
    lead = select(register.c.lead_unit).where(register.c.case_id == case)
    found: str | None = connection.execute(lead).scalar_one_or_none()
    return found


def _of_units(
    connection: Connection, units: Collection[str | None], roles: Sequence[str]
) -> set[str]:
    return {
        user
        for unit in units
        if unit is not None
        for role in roles
        for user in people.holders(connection, role, unit)
    }


def _told(connection: Connection, case: CaseId, kind: str, at: datetime) -> Told:
    row = connection.execute(
        select(register.c.number, register.c.title, register.c.deadline).where(
            register.c.case_id == case
        )
    ).one_or_none()
    return Told(
        case=case,
        number="" if row is None else row.number,
        title="" if row is None else row.title,
        deadline=None if row is None else row.deadline,
        kind=kind,
        at=at,
    )


def note_notices(
    connection: Connection, job: str, told: Told, users: Sequence[str], outlet: Outlet
) -> None:
    """Note what is to be sent of a notice, by what each person chose."""
    if not outlet.channels:
        return
    wishes = queries.wishes_of(connection, users)
    for user in users:
        wish = wishes.get(user)
        for channel in channels_of(wish, outlet) if wish is not None else ():
            delivery = delivery_id(channel, user, "notice", f"{told.case}:{job}")
            message = notice_message(told, channel, delivery, wishes[user], outlet)
            wanted = waiting(
                delivery,
                user=user,
                channel=channel,
                cause="notice",
                place=told.case,
                message=message,
                at=told.at,
            )
            queries.add_deliveries(connection, [wanted])


def channels_of(wish: Wishes, outlet: Outlet) -> tuple[str, ...]:
    """Name the ways that a person chose and the installation has."""
    chosen = []
    if wish.by_email and wish.email:
        chosen.append("email")
    if wish.webhook_url and wish.webhook_secret:
        chosen.append("webhook")
    return tuple(channel for channel in chosen if channel in outlet.channels)


def notice_message(
    told: Told, channel: str, delivery: str, wish: Wishes, outlet: Outlet
) -> Message:
    """Write a notice for a way out."""
    if channel == "webhook":
        return payload_of(told, delivery, wish.user)
    return mail_of(told, language_of(wish), outlet.zone, outlet.address)


def language_of(wish: Wishes) -> Language:
    """Give the language that a person wants to be told in."""
    return "en" if wish.language == "en" else "zh"


def delivery_id(channel: str, user: str, cause: str, place: str) -> str:
    """Give the id of what is sent to a person by a way for a cause: the same for the same."""
    told = "\0".join((channel, user, cause, place))
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def waiting(
    delivery: str,
    *,
    user: str,
    channel: str,
    cause: str,
    place: str,
    message: Message,
    at: datetime,
) -> Delivery:
    """Make the note of something to be sent."""
    return Delivery(
        id=delivery,
        user=user,
        channel=channel,
        cause=cause,
        place=place,
        message=message.kept(),
        created_at=at,
        state="waiting",
        attempts=0,
        not_before=at,
        ended_at=None,
        last_error=None,
    )


def kind_from_element(store: Store) -> Callable[[CaseId, JobId], str]:
    """Give what a job is about: the element of the diagram that asked for it."""

    def kind_of(case: CaseId, job: JobId) -> str:
        with store.transaction(write=False) as transaction:
            element: str | None = transaction.connection.execute(
                select(jobs.c.element).where(jobs.c.case_id == case, jobs.c.job == job)
            ).scalar_one_or_none()
        return element or SEND_NOTICE

    return kind_of
