"""Effects after commit: telling people, in the system and by what they chose beside."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from engine import CaseId, JobId
from engine.pump import Handler
from engine.records import Json
from engine.store import Store
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

UNIT_ROLES_TOLD = ("unit_contact", "unit_head")
OFFICE_ROLES_TOLD = ("supervisor",)

LEAD, CO_UNITS, PROPOSERS, OFFICE = "lead", "co", "proposers", "office"

TOLD: Mapping[str, tuple[str, ...]] = {
    "notify_overdue": (LEAD, OFFICE),
    "notify_report_late": (LEAD, OFFICE),
    "notify_sign_late": (LEAD, OFFICE),
    "notify_first_response": (LEAD, OFFICE),
    "notify_co_opinion_late": (CO_UNITS, LEAD, OFFICE),
    "notify_rate": (PROPOSERS, OFFICE),
    "notify_inspection_late": (OFFICE,),
    "copy_to_office": (OFFICE,),
}
"""Who is told of what, beside the unit that answers for the case, which is told of all others."""


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
    store: Store, kind_of: Callable[[CaseId, JobId], str], outlet: Outlet | None = None
) -> Handler:
    """Make the handler of ``send_notice``: a notice for each person concerned.

    The job's id makes a notice once only, however often it is delivered; what is to be sent for it
    is noted in the same transaction.
    """
    ways_out = outlet or Outlet()

    def handle(case: CaseId, job: JobId, facts: Mapping[str, Any]) -> dict[str, Json]:
        kind = kind_of(case, job)
        with store.transaction() as transaction:
            connection: Connection = transaction.connection
            told = _recipients(connection, case, kind)
            known = set(
                connection.execute(
                    select(notices.c.user).where(notices.c.case_id == case, notices.c.job == job)
                ).scalars()
            )
            fresh = sorted(told - known)
            if fresh:
                at: datetime = facts["now"]
                rows = [
                    {"case_id": case, "job": job, "user": user, "kind": kind, "at": at}
                    for user in fresh
                ]
                connection.execute(notices.insert(), rows)
                note_notices(connection, job, _told(connection, case, kind, at), fresh, ways_out)
        return {}

    return handle


def _recipients(connection: Connection, case: CaseId, kind: str) -> set[str]:
    groups = TOLD.get(kind, (LEAD,))
    told: set[str] = set()
    if LEAD in groups:
        lead = select(register.c.lead_unit).where(register.c.case_id == case)
        told |= _of_units(connection, connection.execute(lead).scalars().all())
    if CO_UNITS in groups:
        table = case_units.c
        others = select(table.unit).where(table.case_id == case, table.part == CO_UNITS)
        told |= _of_units(connection, connection.execute(others).scalars().all())
    if PROPOSERS in groups:
        person = case_people.c
        proposers = select(person.user).where(person.case_id == case, person.part == "proposer")
        told |= set(connection.execute(proposers).scalars())
    if OFFICE in groups:
        for role in OFFICE_ROLES_TOLD:
            told |= set(people.holders(connection, role))
    return told


def _of_units(connection: Connection, units: Collection[str | None]) -> set[str]:
    return {
        user
        for unit in units
        if unit is not None
        for role in UNIT_ROLES_TOLD
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
