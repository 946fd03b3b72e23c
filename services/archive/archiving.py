"""Move closed cases of long ago into archive files.

A file is written, forced to the disk and read back before one transaction takes the bodies out of
the database, so nothing is lost wherever it is killed; a file without its row is written again next
time. Of each event its number, type, instant and hash stay in the database: tree heads and figures
rest on them. The case's own row, the register and all figures stay, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from engine import journal
from engine.ids import CaseId
from engine.records import instant_text
from engine.state import ProcessState, State, apply_to
from engine.store import StoredEvent, Transaction
from services.archive.files import FOLDER, content_of, read_file, sha256_of, write_file
from services.archive.queries import (
    Archived,
    Candidate,
    candidates,
    is_file_of_archive,
    place_of,
    receipts,
    take_out,
)
from services.office import Office

_SHOWN = 12
"""Digits of a file's hash that stand in its name."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A case that was left where it is, and why."""

    case: CaseId
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What was archived, or would be; `size_bytes` is of the files."""

    archived: list[CaseId] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    events: int = 0
    size_bytes: int = 0


def years_before(years: int, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Give the instant before which cases must be closed to be archived; `None`: never.

    Parameters
    ----------
    years : how long closed cases stay in the database; 0 for always.

    Returns
    -------
    The beginning of the same day so many years ago; of 28 February when there is no 29th.
    """
    if years < 1:
        return None
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


def archive(office: Office, closed_before: datetime, *, dry_run: bool = False) -> ArchiveReport:
    """Archive every case that was closed, and saw its last event, before an instant.

    Cases that still go on after closing are left, and so is one whose history isn't whole: it is
    to be looked at before anything is moved.

    Parameters
    ----------
    dry_run : tell what would be archived, and write nothing.
    """
    with office.store.transaction(write=False) as transaction:
        found = candidates(transaction.connection, closed_before)
    report = ArchiveReport()
    count = size = 0
    for one in found:
        with office.store.transaction(write=False) as transaction:
            history = transaction.events(one.case)
            reason = _reason_to_wait(history, closed_before)
            kept = receipts(transaction.connection, one.case)
        proof = None if reason else office.engine.history.verify(one.case, re_execute=False)
        if proof is not None and not proof.ok:
            reason = f"event {proof.first_bad}: {proof.fault}: {proof.detail}"
        if reason is not None:
            report.skipped.append(Skipped(one.case, one.number, reason))
            continue
        content = _content(one, history, kept)
        if not dry_run and not _move(office, one, history, content):
            report.skipped.append(Skipped(one.case, one.number, "it changed meanwhile"))
            continue
        report.archived.append(one.case)
        count, size = count + len(history), size + len(content)
    return ArchiveReport(report.archived, report.skipped, count, size)


def _reason_to_wait(history: Sequence[StoredEvent], closed_before: datetime) -> str | None:
    if not history:
        return "it has no events"
    if history[-1].at >= closed_before:
        return f"its last event is of {instant_text(history[-1].at)}"
    states: dict[type[State], State] = {}
    try:
        for stored in history:
            apply_to(states, journal.read(stored).event)
    except Exception as wrong:  # whatever it is, this event can't be what was written
        return repr(wrong)
    process = states.get(ProcessState)
    is_over = isinstance(process, ProcessState) and process.is_over
    return None if is_over else "it still goes on"


def _content(one: Candidate, history: Sequence[StoredEvent], kept: dict[str, str]) -> bytes:
    facts = {"case": one.case, "number": one.number, "closed_at": instant_text(one.closed_at)}
    return content_of(facts, history, kept)


def _move(office: Office, one: Candidate, history: Sequence[StoredEvent], content: bytes) -> bool:
    """Write the file, prove it, then take out what it holds; tell whether the case held still."""
    root = office.settings.data / FOLDER
    last = history[-1]
    year = one.closed_at.astimezone(office.settings.zone).year
    sha256 = sha256_of(content)
    made = Archived(
        case=one.case,
        number=one.number,
        closed_at=one.closed_at,
        # Of two workers that archive a case at once each writes its own file; one of them counts.
        file=f"{year}/{one.case}-{sha256[:_SHOWN]}.json.gz",
        sha256=sha256,
        seq=last.seq,
        head=last.hash,
        archived_at=office.clock.now(),
    )
    write_file(root, made.file, content)
    _prove(root, made, history)
    with office.store.transaction() as transaction:
        if not _holds_still(transaction, made):
            # Whoever was first may have written the very same bytes.
            if not is_file_of_archive(transaction.connection, made.file):
                (root / made.file).unlink(missing_ok=True)
            return False
        take_out(transaction.connection, made)
    return True


def _prove(root: Path, made: Archived, history: Sequence[StoredEvent]) -> None:
    """Read a file back from the disk and compare it with the history, event by event."""
    found = read_file(root, made.file, made.sha256)
    same = len(found) == len(history) and all(
        (found[one.seq].body, found[one.seq].salts) == (one.body, one.salts) for one in history
    )
    if not same:
        message = f"{made.file} doesn't hold what was written"
        raise RuntimeError(message)


def _holds_still(transaction: Transaction, made: Archived) -> bool:
    head = transaction.lock(made.case)
    is_same = head is not None and (head.seq, head.head) == (made.seq, made.head)
    return is_same and place_of(transaction.connection, made.case) is None
