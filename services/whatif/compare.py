"""One past case beside its re-run: same, another path, late, escalated, or it no longer fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from engine import Definition, ProcessState
from engine.records import Json, instant_text
from services.cases.state import CaseState
from services.whatif.answers import Answers, Stated
from services.whatif.outcome import (
    Difference,
    Outcome,
    first_difference,
    outcome_json,
    outcome_of,
    path_of,
)
from services.whatif.recording import Recording
from services.whatif.rerun import Misfit, Rerun

Verdict = Literal[
    "same",
    "other_figures",
    "other_path",
    "late",
    "in_time",
    "escalated",
    "not_escalated",
    "doesnt_fit",
]
VERDICTS: tuple[Verdict, ...] = (
    "same",
    "other_figures",
    "other_path",
    "late",
    "in_time",
    "escalated",
    "not_escalated",
    "doesnt_fit",
)

_NOTHING_RUN = "the definition can't run this case"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What would have become of one case.

    `verdicts` are all that hold: ``same`` alone; ``other_figures`` when only dates or values
    differ; ``late`` or ``in_time``, ``escalated`` or ``not_escalated`` when that is new. A case
    that ``doesnt_fit`` is judged up to the first input that no longer fits, and not beyond.
    """

    case: str
    number: str
    title: str
    verdicts: tuple[Verdict, ...]
    recorded: Outcome
    again: Outcome | None
    difference: Difference | None = None
    misfits: tuple[Misfit, ...] = ()
    only_recorded: tuple[tuple[str, str, int], ...] = ()
    """Process, element and how often more the record passed it than the re-run."""
    only_again: tuple[tuple[str, str, int], ...] = ()
    stated: tuple[Stated, ...] = ()
    assumed: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    erased: bool = False
    """Personal inputs were erased since; whether a form takes them can't be told."""
    error: str | None = None


def try_case(
    recording: Recording, definition: Definition, answers: Answers, until: datetime
) -> CaseResult:
    """Run a recorded case on another definition and compare.

    Parameters
    ----------
    until : the present instant: how far the clock of a case that is still open runs.
    """
    was = outcome_of(recording.states, (e for _, _, e in recording.happened), until)
    rerun = Rerun(definition, recording, answers, until)
    try:
        rerun.play()
    except (LookupError, TypeError, ValueError) as wrong:
        return _failed(recording, was, f"{_NOTHING_RUN}: {wrong!r}")
    events = [event for _, event in rerun.happened]
    now = outcome_of(rerun.case.states, events, until)
    fits = not rerun.misfits or _ends_alike(was, now)
    if not fits and rerun.fitted is not None:
        at = rerun.misfits[0].at
        now = outcome_of(rerun.fitted, [e for then, e in rerun.happened if then <= at], at)
    before = path_of(
        (e for _, _, e in recording.happened), recording.places, recording_key(recording)
    )
    after = path_of(events, rerun.places, definition.key)
    difference = first_difference(recording.happened, rerun.happened)
    case = _case(recording)
    return CaseResult(
        case=recording.case,
        number=case.number,
        title=case.title,
        verdicts=_verdicts(was, now, difference, before == after, fits=fits),
        recorded=was,
        again=now,
        difference=difference,
        misfits=tuple(rerun.misfits),
        only_recorded=_more(before, after),
        only_again=_more(after, before) if fits else (),
        stated=tuple(dict.fromkeys(_hashable(answers.stated))),
        assumed=tuple(rerun.assumed),
        stuck=tuple(rerun.stuck.values()),
        erased=recording.erased,
    )


def recording_key(recording: Recording) -> str:
    """Give the key of the definition that a case ran on."""
    state = recording.states.get(ProcessState)
    return state.definition if isinstance(state, ProcessState) else ""


def _ends_alike(was: Outcome, now: Outcome) -> bool:
    return (was.is_over, was.status, was.waiting) == (now.is_over, now.status, now.waiting)


def _case(recording: Recording) -> CaseState:
    state = recording.states.get(CaseState)
    return state if isinstance(state, CaseState) else CaseState()


def _failed(recording: Recording, was: Outcome, error: str) -> CaseResult:
    case = _case(recording)
    return CaseResult(
        case=recording.case,
        number=case.number,
        title=case.title,
        verdicts=("doesnt_fit",),
        recorded=was,
        again=None,
        error=error,
    )


def _verdicts(
    was: Outcome, now: Outcome, difference: Difference | None, same_path: bool, *, fits: bool
) -> tuple[Verdict, ...]:
    if difference is None and fits:
        return ("same",)
    found: list[Verdict] = [] if fits else ["doesnt_fit"]
    if fits and not same_path:
        found.append("other_path")
    # Before the first misfit a case may already be late; that it isn't says nothing.
    if bool(now.late) and not was.late:
        found.append("late")
    elif fits and was.late and not now.late:
        found.append("in_time")
    if now.escalated and not was.escalated:
        found.append("escalated")
    elif fits and was.escalated and not now.escalated:
        found.append("not_escalated")
    return tuple(found) or ("other_figures",)


def _more(
    these: Counter[tuple[str, str]], those: Counter[tuple[str, str]]
) -> tuple[tuple[str, str, int], ...]:
    left = these - those
    return tuple((process, element, count) for (process, element), count in sorted(left.items()))


def _hashable(stated: Sequence[Stated]) -> list[Stated]:
    return [
        s
        if not isinstance(s.answer, (list, dict))
        else Stated(s.function, s.arguments, str(s.answer))
        for s in stated
    ]


def without_contents(result: CaseResult) -> CaseResult:
    """Leave out what a person may not know who doesn't see the case: its matter and all values."""
    difference = result.difference
    if difference is not None:
        difference = replace(
            difference,
            recorded=_kept(difference.recorded),
            again=_kept(difference.again),
        )
    return replace(result, number="", title="", difference=difference, stated=())


def _kept(shown: Mapping[str, Json] | None) -> Mapping[str, Json] | None:
    if shown is None:
        return None
    return {name: shown[name] for name in ("type", "element") if name in shown}


def result_json(result: CaseResult) -> dict[str, Json]:
    """Give a case's result as JSON-plain values."""
    return {
        "case": result.case,
        "number": result.number,
        "title": result.title,
        "verdicts": list(result.verdicts),
        "recorded": outcome_json(result.recorded),
        "again": None if result.again is None else outcome_json(result.again),
        "first_difference": _difference_json(result.difference),
        "no_longer_fits": [_misfit_json(misfit) for misfit in result.misfits],
        "only_recorded": [_step_json(step) for step in result.only_recorded],
        "only_again": [_step_json(step) for step in result.only_again],
        "answered_now": [
            {"function": s.function, "arguments": list(s.arguments), "answer": s.answer}
            for s in result.stated
        ],
        "assumed_done": list(result.assumed),
        "stuck_timers": list(result.stuck),
        "erased_inputs": result.erased,
        "error": result.error,
    }


def _step_json(step: tuple[str, str, int]) -> dict[str, Json]:
    return {"process": step[0], "element": step[1], "count": step[2]}


def _difference_json(difference: Difference | None) -> Json:
    if difference is None:
        return None
    return {
        "seq": difference.seq,
        "at": instant_text(difference.at),
        "fields": list(difference.fields),
        "recorded": difference.recorded,
        "again": difference.again,
    }


def _misfit_json(misfit: Misfit) -> dict[str, Json]:
    return {
        "seq": misfit.seq,
        "at": instant_text(misfit.at),
        "command": misfit.command,
        "element": misfit.element,
        "reason": misfit.reason,
        "fields": [{"field": field, "code": code} for field, code in misfit.fields],
    }
