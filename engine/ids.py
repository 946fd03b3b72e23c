"""Which case, task, timer, job or scope is meant, and who acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

CaseId = NewType("CaseId", str)
TaskId = NewType("TaskId", str)
TimerId = NewType("TimerId", str)
JobId = NewType("JobId", str)
ScopeId = NewType("ScopeId", str)

CASE_SCOPE = ScopeId("")
"""The scope of the case itself; call activities and instances have scopes of their own below it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user, or a part of the service such as the clock; `acting_for` names an absent A.

    The record of a command always shows "B for A" (domain.md §2).
    """

    user: str
    acting_for: str | None = None


CLOCK = Actor("clock")
OUTBOX = Actor("outbox")
