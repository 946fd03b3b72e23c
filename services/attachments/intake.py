"""Takes a file in: counted while it comes, looked into, then kept under its hash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from engine.store import Store
from services.attachments import queries
from services.attachments.checks import Limits, check
from services.attachments.errors import AttachmentNotFound, AttachmentTooLarge
from services.attachments.queries import Attachment
from services.attachments.types import safe_name
from services.documents.store import Files, TooLong, receive
from services.people.queries import Person
from services.permissions import visible_cases

LIMIT_BYTES = 50 << 20


class Intake:
    """Keeps attachments.

    Parameters
    ----------
    limit_bytes : the longest file that is taken.
    limits : how much an archive may hold.
    """

    def __init__(
        self,
        store: Store,
        files: Files,
        *,
        limit_bytes: int = LIMIT_BYTES,
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._files = files
        self._limits = limits
        self.limit_bytes = limit_bytes

    def take(
        self,
        parts: Iterable[bytes],
        name: str,
        *,
        by: str,
        at: datetime,
        announced_bytes: int | None = None,
    ) -> Attachment:
        """Take a file in, or refuse it with the reason.

        Parameters
        ----------
        announced_bytes : how long the sender says it is; too long is refused before a byte is read.

        Raises
        ------
        AttachmentTooLarge : longer than the limit, by announcement or in fact.
        Invalid : see `services.attachments.checks.check`.
        """
        if announced_bytes is not None and announced_bytes > self.limit_bytes:
            raise self._too_large()
        try:
            with receive(parts, self.limit_bytes) as incoming:
                kind = check(incoming.path, name, self._limits)
                taken = Attachment(
                    sha256=incoming.sha256,
                    name=safe_name(name, kind),
                    media_type=kind.media_type,
                    size_bytes=incoming.size_bytes,
                    uploaded_by=by,
                    uploaded_at=at,
                )
                self._files.keep_incoming(incoming)
        except TooLong:
            raise self._too_large() from None
        with self._store.transaction() as transaction:
            queries.note(transaction.connection, taken)
        return taken

    def _too_large(self) -> AttachmentTooLarge:
        return AttachmentTooLarge(limit_mb=self.limit_bytes >> 20)

    def open(self, sha256: str, person: Person) -> tuple[Attachment, Iterator[bytes]]:
        """Give an attachment that this person may see, through a case or as their own.

        Raises
        ------
        AttachmentNotFound : otherwise.
        """
        with self._store.transaction(write=False) as transaction:
            found = queries.attachment(
                transaction.connection, sha256, visible_cases(person), person.id
            )
        if found is None:
            raise AttachmentNotFound(attachment=sha256)
        try:
            return found, self._files.read(sha256)
        except LookupError:
            raise AttachmentNotFound(attachment=sha256) from None

    def name_of(self, sha256: str) -> str:
        """Give the name of an attachment for a document's list; the reference when unknown."""
        with self._store.transaction(write=False) as transaction:
            return queries.name_of(transaction.connection, sha256) or sha256
