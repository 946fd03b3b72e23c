"""What people were told, how they want to be told, and what is to be sent or was."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    delete,
    func,
    select,
    text,
    update,
)

from engine.store.tables import Instant
from services.cases.tables import register
from services.notices.tables import deliveries, notice_settings, notices
from services.pages import Page, each, read_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing somebody was told about a case; `kind` is the element that asked for it."""

    id: str
    case: str
    case_number: str | None
    case_title: str | None
    kind: str
    at: datetime
    read_at: datetime | None


def notices_of(
    connection: Connection,
    user: str,
    *,
    unread: bool = False,
    after: tuple[str, ...] | None = None,
    limit: int = 50,
) -> Page[Notice]:
    """List what a user was told, the newest first."""
    table = notices.c
    statement = (
        select(notices, register.c.number, register.c.title)
        .outerjoin(register, register.c.case_id == table.case_id)
        .where(table.user == user)
    )
    if unread:
        statement = statement.where(table.read_at.is_(None))
    return read_page(
        connection, statement, (table.at, table.job), each(_notice), after=after, limit=limit
    )


def _notice(row: RowMapping) -> Notice:
    return Notice(
        id=row["job"],
        case=row["case_id"],
        case_number=row["number"],
        case_title=row["title"],
        kind=row["kind"],
        at=row["at"],
        read_at=row["read_at"],
    )


def count_unread(connection: Connection, user: str) -> int:
    """Count what a user hasn't read yet."""
    statement = (
        select(func.count())
        .select_from(notices)
        .where(notices.c.user == user, notices.c.read_at.is_(None))
    )
    return int(connection.execute(statement).scalar_one())


def mark_read(connection: Connection, user: str, ids: Collection[str], at: datetime) -> int:
    """Note that a user has read notices; those read before keep their instant. Give how many."""
    done = connection.execute(
        update(notices)
        .where(notices.c.user == user, notices.c.job.in_(ids), notices.c.read_at.is_(None))
        .values(read_at=at)
    )
    return done.rowcount


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a person wants to be told beside in the system; `webhook_secret` is never shown again.

    Parameters
    ----------
    digest : none, daily or weekly.
    digest_hour : at which hour of office time it is sent.
    """

    user: str
    email: str | None = None
    by_email: bool = True
    webhook_url: str | None = None
    webhook_secret: str | None = None
    digest: str = "none"
    digest_hour: int = 8
    language: str = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that is to be sent, or was."""

    id: str
    user: str
    channel: str
    cause: str
    place: str
    message: str
    created_at: datetime
    state: str
    attempts: int
    not_before: datetime
    ended_at: datetime | None
    last_error: str | None


def wishes_of(connection: Connection, users: Collection[str]) -> dict[str, Wishes]:
    """Read how people want to be told; who has no row isn't among them."""
    rows = connection.execute(select(notice_settings).where(notice_settings.c.user.in_(users)))
    return {row.user: Wishes(**row._mapping) for row in rows}


def digest_readers(connection: Connection) -> tuple[Wishes, ...]:
    """Read who wants a digest."""
    wanted = select(notice_settings).where(notice_settings.c.digest != "none")
    rows = connection.execute(wanted.order_by(notice_settings.c.user))
    return tuple(Wishes(**row._mapping) for row in rows)


def save_wishes(connection: Connection, wishes: Wishes) -> None:
    """Keep how a person wants to be told, in place of what was there."""
    table = notice_settings
    connection.execute(delete(table).where(table.c.user == wishes.user))
    connection.execute(table.insert(), asdict(wishes))


def add_deliveries(connection: Connection, wanted: Sequence[Delivery]) -> None:
    """Note what is to be sent; what was noted before, sent or not, stays as it is."""
    for one in wanted:
        connection.execute(_ADD, asdict(one) | {"claimed_until": None})


_ADD = text(
    'INSERT INTO deliveries (id, "user", channel, cause, place, message, created_at, state, '
    "attempts, not_before, claimed_until, ended_at, last_error) VALUES (:id, :user, :channel, "
    ":cause, :place, :message, :created_at, :state, :attempts, :not_before, :claimed_until, "
    ":ended_at, :last_error) ON CONFLICT (id) DO NOTHING"
).bindparams(
    *(
        bindparam(name, type_=Instant)
        for name in ("created_at", "not_before", "claimed_until", "ended_at")
    )
)


def is_noted(connection: Connection, delivery: str) -> bool:
    """Tell whether a delivery was noted before."""
    found = select(deliveries.c.id).where(deliveries.c.id == delivery)
    return connection.execute(found).first() is not None


def claim_deliveries(
    connection: Connection, now: datetime, limit: int, lease: timedelta
) -> list[Delivery]:
    """Take what is to be sent now, oldest first, skipping what other workers hold.

    The caller commits before sending: what is found as ``sending`` later was cut off meanwhile.
    """
    table = deliveries.c
    due = (
        select(table.id)
        .where(table.state == "waiting", table.not_before <= now)
        .order_by(table.not_before, table.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(deliveries)
        .where(table.id == due.c.id)
        .values(state="sending", attempts=table.attempts + 1, claimed_until=now + lease)
        .returning(deliveries)
    )
    found = [_delivery(row) for row in connection.execute(statement).mappings()]
    return sorted(found, key=lambda one: (one.not_before, one.id))


def settle_cut_off(connection: Connection, now: datetime) -> int:
    """Settle what a worker was sending when it was cut off; give how many.

    A webhook is sent again under its id, by which the receiver knows it. A mail isn't: nobody can
    say whether it went, and the notice stands in the system anyway.
    """
    table = deliveries.c
    cut_off = (table.state == "sending") & (table.claimed_until < now)
    webhook = table.channel == "webhook"
    again = connection.execute(
        update(deliveries).where(cut_off & webhook).values(state="waiting", claimed_until=None)
    )
    unsure = connection.execute(
        update(deliveries)
        .where(cut_off & ~webhook)
        .values(state="unsure", claimed_until=None, ended_at=now, message="")
    )
    return again.rowcount + unsure.rowcount


def end_delivery(
    connection: Connection, delivery: str, state: str, now: datetime, error: str | None = None
) -> None:
    """Note how a delivery ended; its message is no longer kept once it was sent."""
    values: dict[str, Any] = {
        "state": state,
        "ended_at": now,
        "claimed_until": None,
        "last_error": error,
    }
    if state in ("sent", "unsure"):
        values["message"] = ""
    connection.execute(update(deliveries).where(deliveries.c.id == delivery).values(**values))


def postpone_delivery(
    connection: Connection, delivery: str, not_before: datetime, error: str | None, attempts: int
) -> None:
    """Note that a delivery is tried again later."""
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery)
        .values(
            state="waiting",
            not_before=not_before,
            claimed_until=None,
            last_error=error,
            attempts=attempts,
        )
    )


def retry_delivery(connection: Connection, delivery: str, now: datetime) -> bool:
    """Let what failed for good be tried again; what was sent, or may have been, never is."""
    done = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery, deliveries.c.state == "failed")
        .values(state="waiting", attempts=0, not_before=now, ended_at=None)
    )
    return bool(done.rowcount)


def deliveries_of(
    connection: Connection,
    *,
    user: str | None = None,
    state: str | None = None,
    after: tuple[str, ...] | None = None,
    limit: int = 50,
) -> Page[Delivery]:
    """List deliveries, the newest first; `None` doesn't narrow them."""
    table = deliveries.c
    statement = select(deliveries)
    if user is not None:
        statement = statement.where(table.user == user)
    if state is not None:
        statement = statement.where(table.state == state)
    return read_page(
        connection,
        statement,
        (table.created_at, table.id),
        each(_delivery),
        after=after,
        limit=limit,
    )


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**{name: row[name] for name in _DELIVERY})


_DELIVERY = tuple(field.name for field in fields(Delivery))
