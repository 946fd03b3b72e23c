"""Commands to a case as a whole, under the names that people and the HTTP interface give them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine import Actor, CaseId, Command, Engine, Receipt
from engine.records import Json
from services.cases.commands import (
    CancelSupervision,
    ChangeLeadUnit,
    InstructAgain,
    ReportProgress,
    Urge,
    WithdrawProposal,
)
from services.deadlines.commands import RequestExtension, ResumeSupervision, SuspendSupervision
from services.escalation.commands import OrderEscalation
from services.relations.commands import AbsorbDuplicate, Decompose, TakeOver, TransferCase
from services.relations.merging import end_duplicate
from services.scoring.commands import AppealPoints, DecideAppeal

ASKS: Mapping[str, type[Any]] = {
    "urge": Urge,
    "progress": ReportProgress,
    "instruct": InstructAgain,
    "reassign": ChangeLeadUnit,
    "cancel": CancelSupervision,
    "withdraw": WithdrawProposal,
    "extend": RequestExtension,
    "suspend": SuspendSupervision,
    "resume": ResumeSupervision,
    "escalate": OrderEscalation,
    "decompose": Decompose,
    "merge": AbsorbDuplicate,
    "transfer": TransferCase,
    "take_over": TakeOver,
    "appeal": AppealPoints,
    "decide_appeal": DecideAppeal,
}
"""Commands to a case as a whole, by the name that clients use."""

FORMS: Mapping[str, str] = {"extend": "request_extension"}
"""Forms that aren't called like their command."""


def ask(name: str, case: CaseId, by: str, at: datetime, data: Mapping[str, Json]) -> Command:
    """Make a command of its name and form.

    Raises
    ------
    KeyError : there is no such command.
    """
    made: Command = ASKS[name](case=case, by=Actor(by), at=at, data=dict(data))
    return made


def carry_out(
    engine: Engine, asked: Command, *, key: str | None = None, expect: int | None = None
) -> Receipt:
    """Carry out a command made here; a merger also ends the duplicate.

    Raises
    ------
    Problem : as `Engine.execute`.
    """
    receipt = engine.execute(asked, key=key, expect=expect)
    if isinstance(asked, AbsorbDuplicate):
        end_duplicate(engine, asked, key=key)
    return receipt
