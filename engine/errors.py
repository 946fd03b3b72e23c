"""Refusals, by who must act.

::

    Problem                     a request that can't be carried out; nothing was changed
    ├── Refused        409      the rules or the state of the case say no
    ├── Invalid        422      the input is wrong; `fields` says where
    ├── Forbidden      403      this person may not
    ├── NotFound       404      no such thing, or not for this person's eyes
    └── Conflict       412      somebody else was first; read again and retry

Anything else that is raised is a bug. Sentences for people live in ``api/messages``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import ClassVar

from engine.records import Json


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the input.

    `field` is a path such as ``figures.0.value``; `code` a stable word such as ``required``;
    `facts` fill the sentence that a person reads.
    """

    field: str
    code: str
    facts: dict[str, Json] = dataclass_field(default_factory=dict)


class Problem(Exception):
    """Base of every refusal. Facts are keyword arguments."""

    slug: ClassVar[str] = "problem"

    def __init__(self, **facts: Json) -> None:
        super().__init__(self.slug, facts)
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.slug} {self.facts}" if self.facts else self.slug


class Refused(Problem):
    """Raised when the rules or the state of a case say no."""

    slug = "refused"


class Invalid(Problem):
    """Raised when the input is wrong; `fields` says where."""

    slug = "invalid"

    def __init__(self, fields: Sequence[FieldError] = (), **facts: Json) -> None:
        super().__init__(**facts)
        self.fields = tuple(fields)

    def __str__(self) -> str:
        return f"{super().__str__()} {[(f.field, f.code, f.facts) for f in self.fields]}"


class Forbidden(Problem):
    """Raised when this person may not do this."""

    slug = "forbidden"


class NotFound(Problem):
    """Raised when there is no such thing, or it isn't for this person's eyes."""

    slug = "not-found"


class Conflict(Problem):
    """Raised when somebody else was first."""

    slug = "conflict"


class StaleVersion(Conflict):
    """Raised when the case has moved on since the caller read it."""

    slug = "stale-version"


class KeyReused(Conflict):
    """Raised when an idempotency key comes again with another request."""

    slug = "key-reused"


class CaseExists(Conflict):
    """Raised when a case is started under an id that is taken."""

    slug = "case-exists"


class CaseNotFound(NotFound):
    """Raised when there is no case with this id."""

    slug = "case-not-found"


class TaskNotFound(NotFound):
    """Raised when there never was a task with this id."""

    slug = "task-not-found"


class DefinitionNotFound(NotFound):
    """Raised when there is no definition with this key or version."""

    slug = "definition-not-found"


class DefinitionAltered(Refused):
    """Raised when the stored files of a definition aren't those that were deployed."""

    slug = "definition-altered"


class TaskNotOpen(Refused):
    """Raised when a task was completed or withdrawn already."""

    slug = "task-not-open"


class TaskTaken(Refused):
    """Raised when somebody else has claimed the task."""

    slug = "task-taken"


class TimerNotOpen(Refused):
    """Raised when a timer fired already or was cancelled."""

    slug = "timer-not-open"


class JobNotOpen(Refused):
    """Raised when a job was answered already or is no longer wanted."""

    slug = "job-not-open"


class CaseEnded(Refused):
    """Raised when a case is over and something is asked of it."""

    slug = "case-ended"


class CaseIsSuspended(Refused):
    """Raised when the clock of a case stands still and something needs it running."""

    slug = "case-suspended"


class CaseNotSuspended(Refused):
    """Raised when a case is to be resumed that isn't suspended."""

    slug = "case-not-suspended"


class NotWaiting(Refused):
    """Raised when nothing in the case waits for this message."""

    slug = "not-waiting"


class ErrorNotCaught(Refused):
    """Raised when a BPMN error is thrown that no boundary event catches."""

    slug = "error-not-caught"


class EvaluationFailed(Refused):
    """Raised when an expression of the definition has no value for this case."""

    slug = "evaluation-failed"


class ProcessStuck(Refused):
    """Raised when the diagram leaves no way on, such as a gateway without a true condition."""

    slug = "process-stuck"


class SamePerson(Forbidden):
    """Raised when the rule of four eyes wants another person than the one who did `element`."""

    slug = "same-person"


class InvalidDefinition(Invalid):
    """Raised when uploaded files aren't a definition that can run; `findings` lists the reasons."""

    slug = "invalid-definition"
