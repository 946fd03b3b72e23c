"""Read attachments, and note what was taken in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, exists, insert, or_, select, update

from services.attachments.tables import attachments, case_attachments
from services.cases.queries import visible
from services.cases.tables import register
from services.permissions import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that somebody attached; its id is its SHA-256."""

    sha256: str
    name: str
    media_type: str
    size_bytes: int
    uploaded_by: str
    uploaded_at: datetime


def attachment(
    connection: Connection, sha256: str, visibility: Visibility, user: str
) -> Attachment | None:
    """Read an attachment that a visible case refers to, or that the user took in themselves.

    The name is the user's own for it, else that of whoever attached it first.
    """
    own = attachments.c.uploaded_by == user
    seen = exists().where(
        case_attachments.c.sha256 == attachments.c.sha256,
        case_attachments.c.case_id == register.c.case_id,
        visible(visibility),
    )
    wanted = select(attachments).where(attachments.c.sha256 == sha256)
    mine = exists().where(attachments.c.sha256 == sha256, own)
    ordered = wanted.where(or_(seen, mine)).order_by(
        case((own, 0), else_=1), attachments.c.uploaded_at, attachments.c.uploaded_by
    )
    row = connection.execute(ordered.limit(1)).mappings().one_or_none()
    return None if row is None else Attachment(**row)


def attachments_of(connection: Connection, case_id: str) -> tuple[Attachment, ...]:
    """List what the forms of a case refer to, under the names of those who attached it."""
    ours, taken = case_attachments.c, attachments.c
    wanted = (
        select(attachments)
        .join(
            case_attachments,
            (ours.sha256 == taken.sha256) & (ours.attached_by == taken.uploaded_by),
        )
        .where(ours.case_id == case_id)
        .order_by(ours.attached_at, taken.name)
    )
    return tuple(Attachment(**row) for row in connection.execute(wanted).mappings())


def name_of(connection: Connection, sha256: str) -> str | None:
    """Give the name an attachment was first taken in under; `None` when it never was."""
    found: str | None = connection.execute(
        select(attachments.c.name)
        .where(attachments.c.sha256 == sha256)
        .order_by(attachments.c.uploaded_at)
        .limit(1)
    ).scalar_one_or_none()
    return found


def are_known(connection: Connection, hashes: Collection[str]) -> bool:
    """Tell whether every one of these was taken in."""
    wanted = set(hashes)
    found = select(attachments.c.sha256).where(attachments.c.sha256.in_(wanted)).distinct()
    return set(connection.execute(found).scalars()) == wanted


def note(connection: Connection, taken: Attachment) -> None:
    """Note what somebody took in; the same content again only changes its name."""
    place = (attachments.c.sha256 == taken.sha256) & (
        attachments.c.uploaded_by == taken.uploaded_by
    )
    changed = connection.execute(update(attachments).where(place).values(name=taken.name))
    if changed.rowcount == 0:
        fields = {name: getattr(taken, name) for name in taken.__slots__}
        connection.execute(insert(attachments).values(fields))
