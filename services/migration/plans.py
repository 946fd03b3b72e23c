"""What would become of a running case on another version: what is open then, or why it can't go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine import CaseId, Definition, Problem, ProcessState
from engine.case import Lookup
from engine.migration import standing
from engine.records import Json
from engine.spiff.codec import renamed
from engine.store import StoredEvent
from services import lookups
from services.cases.state import CaseState
from services.migration.matching import Naming
from services.migration.rehearsal import Rehearsal
from services.whatif.answers import Answers
from services.whatif.recording import Recording, recording_of
from services.whatif.rerun import Misfit

OVER = "over"
ANOTHER_DEFINITION = "another-definition"
THERE_ALREADY = "there-already"
WOULD_BE_OVER = "would-be-over"
STUCK_TIMER = "stuck-timer"
CANT_RUN = "cant-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a case stays on its version: what was recorded there has no place on the other.

    `code` is the slug of a refusal, or one of this module's; `seq` and `element` say what was done
    that doesn't fit; `fields` are the errors of a form.
    """

    code: str
    seq: int | None = None
    command: str | None = None
    element: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePlan:
    """One case: whether it fits, and what is open afterwards, newly open, and no longer.

    `standing` is what `MigrateCase` needs; `None` when the case stays.
    """

    case: CaseId
    number: str
    title: str
    from_version: int
    seq: int
    reason: Reason | None = None
    open: tuple[str, ...] = ()
    begun: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    standing: Mapping[str, Json] | None = None

    @property
    def fits(self) -> bool:
        """Whether the case can go."""
        return self.reason is None


def plan_case(
    case: CaseId,
    history: Sequence[StoredEvent],
    definition: Definition,
    live: Mapping[str, Lookup],
) -> CasePlan:
    """Run a case's recorded commands on another version, and say where it would stand.

    Parameters
    ----------
    live : look-ups on the office as it is now, for what only the other version asks.
    """
    recording = recording_of(case, history)
    state = recording.states[ProcessState]
    known = recording.states.get(CaseState)
    if not isinstance(state, ProcessState):
        message = f"case {case} has no process"
        raise TypeError(message)
    plan = CasePlan(
        case=case,
        number=known.number if isinstance(known, CaseState) else "",
        title=known.title if isinstance(known, CaseState) else "",
        from_version=state.definition_version,
        seq=recording.happened[-1][0],
    )
    reason = _unfit(state, definition)
    if reason is None:
        return _rehearsed(plan, recording, state, definition, live)
    return _staying(plan, Reason(code=reason))


def _unfit(state: ProcessState, definition: Definition) -> str | None:
    if state.is_over:
        return OVER
    if state.definition != definition.key:
        return ANOTHER_DEFINITION
    return THERE_ALREADY if state.definition_sha256 == definition.sha256 else None


def _rehearsed(
    plan: CasePlan,
    recording: Recording,
    old: ProcessState,
    definition: Definition,
    live: Mapping[str, Lookup],
) -> CasePlan:
    answers = Answers(lookups.NAMES, live, recording.lookups_by_question())
    until = max(at for _, at, _ in recording.happened)
    rehearsal = Rehearsal(definition, recording, answers, until)
    try:
        rehearsal.play()
    except (LookupError, TypeError, ValueError, Problem) as wrong:
        return _staying(plan, Reason(code=CANT_RUN, command=repr(wrong)[:200]))
    reason = _reason(rehearsal, old)
    if reason is not None:
        return _staying(plan, reason)
    naming = Naming(plan.case, max(_numbers(recording), default=0))
    new = naming.match(old, rehearsal.case[ProcessState])
    process = renamed(rehearsal.case.process.save(), naming.names, naming.last)
    return CasePlan(
        case=plan.case,
        number=plan.number,
        title=plan.title,
        from_version=plan.from_version,
        seq=plan.seq,
        open=tuple(sorted(task.element for task in new.tasks.values())),
        begun=_elements(new, set(new.tasks) - set(old.tasks)),
        withdrawn=_elements(old, set(old.tasks) - set(new.tasks)),
        standing={"process": process, **standing(new)},
    )


def _reason(rehearsal: Rehearsal, old: ProcessState) -> Reason | None:
    if rehearsal.misfits:
        return _reason_of(rehearsal.misfits[0])
    if rehearsal.stuck:
        element = next(iter(rehearsal.stuck.values())).partition(":")[0]
        return Reason(code=STUCK_TIMER, element=element)
    if rehearsal.case[ProcessState].status != old.status:
        return Reason(code=WOULD_BE_OVER)
    return None


def _reason_of(misfit: Misfit) -> Reason:
    return Reason(
        code=misfit.reason,
        seq=misfit.seq,
        command=misfit.command,
        element=misfit.element,
        fields=misfit.fields,
    )


def _staying(plan: CasePlan, reason: Reason) -> CasePlan:
    return CasePlan(
        case=plan.case,
        number=plan.number,
        title=plan.title,
        from_version=plan.from_version,
        seq=plan.seq,
        reason=reason,
    )


def _elements(state: ProcessState, tasks: set[str]) -> tuple[str, ...]:
    return tuple(sorted(state.tasks[task].element for task in tasks))


def _numbers(recording: Recording) -> Iterator[int]:
    """Give the numbers of all ids that the case ever gave out."""
    for id in (*recording.places.of, *recording.places.processes):
        yield int(id.rpartition(".")[2][1:])
