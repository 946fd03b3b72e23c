"""Case management driven by BPMN: commands in, a chained history out. This is its only door."""

from __future__ import annotations

from engine.case import Case
from engine.clock import Clock, SetClock, SystemClock
from engine.commands import (
    CancelCase,
    ClaimTask,
    Command,
    CompleteTask,
    DelegateTask,
    DeliverMessage,
    FailJob,
    FinishJob,
    FireTimer,
    ReleaseTask,
    ResumeCase,
    RetryJob,
    RetryTimer,
    StartCase,
    SuspendCase,
    decides,
    follows,
)
from engine.definitions import Definition
from engine.engine import Engine
from engine.errors import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Refused,
)
from engine.event_types import Event, Recorded, event, lifts
from engine.execute import Receipt
from engine.ids import CASE_SCOPE, CLOCK, OUTBOX, Actor, CaseId, JobId, ScopeId, TaskId, TimerId
from engine.rows import rows
from engine.state import ProcessState, State, States, applies
from engine.verification import Verification

__all__ = [
    "CASE_SCOPE",
    "CLOCK",
    "OUTBOX",
    "Actor",
    "CancelCase",
    "Case",
    "CaseId",
    "ClaimTask",
    "Clock",
    "Command",
    "CompleteTask",
    "Conflict",
    "Definition",
    "DelegateTask",
    "DeliverMessage",
    "Engine",
    "Event",
    "FailJob",
    "FieldError",
    "FinishJob",
    "FireTimer",
    "Forbidden",
    "Invalid",
    "JobId",
    "NotFound",
    "Problem",
    "ProcessState",
    "Receipt",
    "Recorded",
    "Refused",
    "ReleaseTask",
    "ResumeCase",
    "RetryJob",
    "RetryTimer",
    "ScopeId",
    "SetClock",
    "StartCase",
    "State",
    "States",
    "SuspendCase",
    "SystemClock",
    "TaskId",
    "TimerId",
    "Verification",
    "applies",
    "decides",
    "event",
    "follows",
    "lifts",
    "rows",
]
