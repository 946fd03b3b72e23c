"""Answers that several nouns give: receipts of commands, pages of lists, ETags."""

from dataclasses import dataclass
from typing import Any

from flask import url_for

from api.context import glance, office, reading, write_cursor
from engine import CaseId, Receipt, States
from engine.case import Lookup
from engine.store import Transaction
from services import lookups
from services.cases import queries as cases
from services.cases.queries import CaseSummary, TaskSummary
from services.pages import Page

REPLAYED = "Idempotency-Replayed"

_WRITING_LOOKUPS = frozenset({"next_number"})


@dataclass(frozen=True, slots=True)
class Answered:
    """What a command came to, with the tasks it opened and all that are open now."""

    case: str
    seq: int
    head: str
    status: str
    tasks: tuple[TaskSummary, ...]
    open_tasks: tuple[TaskSummary, ...]


def listed(page: Page[Any]) -> dict[str, Any]:
    """Give a page of a list as clients get it."""
    return {"items": page.items, "next_cursor": write_cursor(page.after)}


def etag(seq: int) -> dict[str, str]:
    """Give the header that names a case's last event."""
    return {"ETag": f'"{seq}"'}


def receipt_of(receipt: Receipt) -> tuple[Answered, dict[str, str]]:
    """Answer a command; the same command again under its key gets the same answer."""
    summary = case_after(receipt)
    opened = tuple(task for task in summary.open_tasks if task.id in receipt.tasks)
    answered = Answered(
        receipt.case, receipt.seq, receipt.head, summary.status, opened, summary.open_tasks
    )
    return answered, _headers(receipt)


def registered(receipt: Receipt) -> tuple[CaseSummary, dict[str, str]]:
    """Answer the registration of a case."""
    location = url_for("cases.show", case=receipt.case)
    return case_after(receipt), {**_headers(receipt), "Location": location}


def case_after(receipt: Receipt) -> CaseSummary:
    """Give the case as the command left it, whatever has happened to it since."""
    with reading() as transaction:
        looking = glance(transaction)
        if not receipt.repeated:
            found = cases.case(transaction.connection, looking, receipt.case)
            if found is not None and found.seq == receipt.seq:
                return found
        _, _, states = office().engine.history.states(receipt.case, seq=receipt.seq)
        return cases.case_as_of(receipt.case, receipt.seq, receipt.head, states, looking)


def states_of(case: str) -> States:
    """Fold a case as it stands now."""
    return office().engine.history.states(CaseId(case))[2]


def read_lookups(transaction: Transaction) -> dict[str, Lookup]:
    """Give the look-ups that default values of forms may ask: those that only read."""
    answers = lookups.Lookups(
        transaction,
        lambda: office().calendar.get(transaction.connection),
        office().people.find,
        office().settings.zone,
    )
    functions = answers.functions()
    return {name: functions[name] for name in functions if name not in _WRITING_LOOKUPS}


def _headers(receipt: Receipt) -> dict[str, str]:
    replayed = {REPLAYED: "true"} if receipt.repeated else {}
    return {**etag(receipt.seq), **replayed}
