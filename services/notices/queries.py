"""Read what somebody was told."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, tuple_, update

from services.cases.queries import LONGEST_PAGE, Page
from services.cases.tables import register
from services.notices.tables import notices


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
    if after is not None:
        place = (datetime.fromisoformat(after[0]), after[1])
        statement = statement.where(tuple_(table.at, table.job) < place)
    limit = min(limit, LONGEST_PAGE)
    rows = connection.execute(
        statement.order_by(table.at.desc(), table.job.desc()).limit(limit + 1)
    ).all()
    items = tuple(
        Notice(
            id=row.job,
            case=row.case_id,
            case_number=row.number,
            case_title=row.title,
            kind=row.kind,
            at=row.at,
            read_at=row.read_at,
        )
        for row in rows[:limit]
    )
    more = len(rows) > limit
    return Page(items, (items[-1].at.isoformat(), items[-1].id) if more else None)


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
