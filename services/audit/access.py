"""Write down who saw what, and who tried to see what isn't for their eyes (domain.md §10).

Reads are kept for a moment and written together, so that looking at something costs no write. Each
day is a chain of hashes that begins with the last hash of the day before (UTC): an entry that was
altered, deleted, inserted or moved shows, see `services.audit.trail`.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from engine.chain import ALGORITHM, canonical, genesis, link
from engine.records import instant_text
from engine.store import Store, Transaction
from services.audit.tables import access_days, access_log

NOT_VISIBLE = "not_visible"
"""The person was told that there is no such case."""

SHOWN = "shown"
"""The person got what was asked for."""

KINDS = (
    "access_log",
    "bulletin",
    "case",
    "denied",
    "documents",
    "erasures",
    "evidence",
    "export",
    "history",
    "incidents",
    "notices",
    "person",
    "rebuild",
    "register",
    "rejections",
    "scores",
    "search",
    "state",
    "statistics",
    "task",
    "verification",
)
"""What can have been read; ``denied`` is an attempt on somebody else's case, and ``rebuild`` no
reading at all: what follows from a history was written anew."""

LONGEST = 200
"""Signs kept of a request, of what was searched for, and of a purpose."""

DELAY_S = 1.0
MOST_WAITING = 10_000

log = structlog.get_logger("duban.audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One look at something.

    Parameters
    ----------
    request : what was asked, e.g. ``GET /…``.
    subject : whom or what was searched for, or what a list was narrowed to.
    purpose : why, in the person's own words.
    """

    at: datetime
    user: str
    kind: str
    request: str
    case: str | None = None
    outcome: str = SHOWN
    subject: str | None = None
    purpose: str | None = None


def note_denied(
    transaction: Transaction,
    case: str,
    user: str,
    request: str,
    at: datetime,
    *,
    algorithm: str = ALGORITHM,
) -> None:
    """Keep an attempt on a case that exists; `request` says what was asked, e.g. ``GET /…``."""
    tried = Access(at=at, user=user, kind="denied", request=request, case=case, outcome=NOT_VISIBLE)
    append(transaction, [tried], algorithm)


def append(
    transaction: Transaction, accesses: Sequence[Access], algorithm: str = ALGORITHM
) -> None:
    """Chain entries onto the log, in a transaction that writes.

    Parameters
    ----------
    algorithm : what a log that is still empty is hashed with; it stays its own.
    """
    # The counter's row is held until the end: whoever else appends waits, and reads what is then.
    transaction.next_number("access_log")
    connection = transaction.connection
    newest = connection.execute(
        access_days.select().order_by(access_days.c.day.desc()).limit(1)
    ).one_or_none()
    before = genesis(algorithm) if newest is None else newest.hash
    day = accesses[0].at.astimezone(UTC).date().isoformat()
    if newest is not None and day <= newest.day:
        # Days never go back, also when a clock does.
        day, first, number = newest.day, newest.before, newest.count
    else:
        first, number = before, 0
        connection.execute(
            access_days.insert(), {"day": day, "before": before, "count": 0, "hash": before}
        )
    rows = []
    for number, access in enumerate(accesses, start=number + 1):  # noqa: B020 -- it goes on counting
        row = _row(f"{day}.{number:07d}", access)
        before = row["hash"] = link(before, text_of(row))
        rows.append(row)
    connection.execute(access_log.insert(), rows)
    end = {"before": first, "count": number, "hash": before}
    connection.execute(access_days.update().where(access_days.c.day == day).values(end))


def _row(entry: str, access: Access) -> dict[str, Any]:
    return {
        "id": entry,
        "case_id": access.case,
        "at": access.at,
        "user": access.user,
        "kind": access.kind,
        "request": access.request[:LONGEST],
        "outcome": access.outcome,
        "subject": access.subject and access.subject[:LONGEST],
        "purpose": access.purpose and access.purpose[:LONGEST],
    }


def text_of(row: Mapping[str, Any]) -> str:
    """Give what is hashed of an entry: all its columns but the hash, in canonical JSON."""
    told = {name: value for name, value in row.items() if name not in ("at", "hash")}
    return canonical({**told, "at": instant_text(row["at"])})


class AccessLog:
    """Keeps entries for a moment and writes them together: after `delay_s`, when full, or asked.

    What waits when a process is killed is lost; one that ends in order writes it.

    Parameters
    ----------
    delay_s : how long an entry waits at most.
    """

    def __init__(
        self, store: Store, *, algorithm: str = ALGORITHM, delay_s: float = DELAY_S
    ) -> None:
        self._store = store
        self._algorithm = algorithm
        self._delay_s = delay_s
        self._waiting: list[Access] = []
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def note(self, access: Access) -> None:
        """Put an access on record soon; when too many wait, at once, or the look fails."""
        with self._lock:
            self._waiting.append(access)
            is_full = len(self._waiting) >= MOST_WAITING
            if self._timer is None:
                # No daemon: a process that ends waits until it has fired.
                self._timer = threading.Timer(self._delay_s, self._fire)
                self._timer.start()
        if is_full:
            self.flush()

    def flush(self) -> None:
        """Write what waits; when that fails it goes on waiting, and the failure is raised."""
        with self._writing:
            with self._lock:
                taken, self._waiting = self._waiting, []
                timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            if not taken:
                return
            try:
                with self._store.transaction() as transaction:
                    append(transaction, taken, self._algorithm)
            except BaseException:
                with self._lock:
                    self._waiting[:0] = taken
                raise

    def _fire(self) -> None:
        try:
            self.flush()
        except Exception as wrong:  # tried again with the next entry
            log.warning("access_not_written", error=repr(wrong))
