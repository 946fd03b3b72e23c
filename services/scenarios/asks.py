"""Commands to a case as a whole, under the names that people and the HTTP interface give them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from engine import Actor, CaseId, Command
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


class _WithForm(Protocol):
    def __call__(self, *, case: CaseId, by: Actor, at: datetime, data: dict[str, Any]) -> Command:
        """Make the command."""
        ...


ASKS: Mapping[str, _WithForm] = {
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
}


def ask(name: str, case: CaseId, by: str, at: datetime, data: Mapping[str, Json]) -> Command:
    """Make a command of its name and form.

    Raises
    ------
    KeyError : there is no such command.
    """
    return ASKS[name](case=case, by=Actor(by), at=at, data=dict(data))
