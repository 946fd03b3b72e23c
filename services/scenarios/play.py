"""Plays a scenario on a throwaway office and reports step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine import Actor, CaseId, CompleteTask, Problem, TaskId
from engine.records import Json
from services.asks import ASKS, ask, carry_out
from services.cases.commands import RegisterCase
from services.people import queries as people
from services.people.admin import mark_absent
from services.scenarios.passing import pass_time
from services.scenarios.pictures import FileNotTaken, picture, with_references
from services.scenarios.script import Scenario, Step
from services.scenarios.stage import Stage, stage
from services.scenarios.standing import EXPECTED, differs, standing

CASE = CaseId("scenario")


class NoSuchTask(Exception):
    """Raised when a step completes a task that isn't open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One step as it went: `expected` and `actual` are what differs, or the refusal."""

    number: int
    step: str
    ok: bool
    expected: Json = None
    actual: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A scenario as it went. It ends with the first step that isn't as expected."""

    name: str
    ok: bool
    steps: tuple[Outcome, ...]
    events: int

    @property
    def failure(self) -> Outcome | None:
        """The step that wasn't as expected."""
        return next((outcome for outcome in self.steps if not outcome.ok), None)


def play(
    scenario: Scenario, files: Mapping[str, bytes], *, database_url: str | None = None
) -> Report:
    """Play a scenario on an office of its own, and verify the history it leaves.

    Parameters
    ----------
    files : the definition to play it on.
    database_url : an empty database; `None` means a throwaway SQLite file.
    """
    first = scenario.steps[0].at
    if first is None:
        message = "a scenario starts at an instant"
        raise ValueError(message)
    with stage(files, first, database_url=database_url) as scene:
        outcomes = _outcomes(scenario, scene)
        if all(outcome.ok for outcome in outcomes):
            outcomes.append(_verified(scene, len(outcomes)))
        failed = any(not outcome.ok for outcome in outcomes)
        return Report(
            name=scenario.name,
            ok=not failed,
            steps=tuple(outcomes),
            events=scene.office.store.count_events(),
        )


def _outcomes(scenario: Scenario, scene: Stage) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for number, step in enumerate(scenario.steps):
        outcome = replace(_outcome(step, scene), number=number, step=str(step))
        outcomes.append(outcome)
        if not outcome.ok:
            break
    return outcomes


def _verified(scene: Stage, number: int) -> Outcome:
    proof = scene.office.engine.history.verify(CASE)
    return Outcome(
        number=number,
        step="verify",
        ok=proof.ok,
        expected=None if proof.ok else "a whole history",
        actual=None if proof.ok else f"event {proof.first_bad}: {proof.fault}: {proof.detail}",
    )


def _outcome(step: Step, scene: Stage) -> Outcome:
    if step.kind == "expect":
        return _compared(step.data, scene)
    refusal = None
    try:
        _carry_out(step, scene)
    except Problem as problem:
        refusal = problem
    except FileNotTaken as absent:
        return Outcome(
            number=0, step="", ok=False, expected=f"file:{absent}", actual="no such file"
        )
    except NoSuchTask as missing:
        return Outcome(number=0, step="", ok=False, expected=step.subject, actual=str(missing))
    slug = refusal.slug if refusal is not None else None
    if slug == step.refused:
        return Outcome(number=0, step="", ok=True)
    expected = f"refused: {step.refused}" if step.refused else "accepted"
    return Outcome(
        number=0,
        step="",
        ok=False,
        expected=expected,
        actual=f"refused: {refusal}" if refusal is not None else "accepted",
    )


def _compared(wanted: Mapping[str, Json], scene: Stage) -> Outcome:
    unknown = sorted(set(wanted) - EXPECTED)
    if unknown:
        return Outcome(number=0, step="", ok=False, expected=unknown, actual="nobody can say")
    found = standing(scene.office, CASE)
    wrong = [name for name in wanted if differs(name, wanted[name], found[name])]
    return Outcome(
        number=0,
        step="",
        ok=not wrong,
        expected={name: wanted[name] for name in wrong} or None,
        actual={name: _plain(found[name], scene) for name in wrong} or None,
    )


def _plain(value: Json, scene: Stage) -> Json:
    if hasattr(value, "astimezone"):
        return value.astimezone(scene.office.settings.zone).isoformat(timespec="minutes")
    return value


def _carry_out(step: Step, scene: Stage) -> None:
    office = scene.office
    if step.at is not None:
        pass_time(office, scene.clock, step.at)
    if step.kind == "absent":
        with office.store.transaction() as transaction:
            mark_absent(transaction.connection, step.subject, step.first_day, step.last_day)
        office.people.forget()
    elif step.kind == "attach":
        kept = office.intake.take(
            [picture(step.subject)], step.subject, by=step.by, at=scene.clock.now()
        )
        scene.taken[step.subject] = kept.sha256
    elif step.kind == "start":
        office.engine.execute(
            RegisterCase(
                case=CASE,
                by=Actor(step.by),
                at=scene.clock.now(),
                definition=scene.case_type,
                data=with_references(dict(step.data), scene.taken),
            )
        )
    elif step.kind == "command":
        if step.subject not in ASKS:
            message = f"no such command; there are {', '.join(ASKS)}"
            raise NoSuchTask(message)
        data = with_references(step.data, scene.taken)
        carry_out(office.engine, ask(step.subject, CASE, step.by, scene.clock.now(), data))
    elif step.kind == "complete":
        office.engine.execute(
            CompleteTask(
                case=CASE,
                by=Actor(step.by),
                at=scene.clock.now(),
                task=_task(step, scene),
                data=with_references(dict(step.data), scene.taken),
            )
        )


def _task(step: Step, scene: Stage) -> TaskId:
    """Find the open task: of several of one element, the one that waits for this person's unit."""
    with scene.office.store.transaction(write=False) as transaction:
        found = transaction.rows(CASE, "tasks")
        user = people.user(transaction.connection, step.by)
    same = [task for task in found if task["element"] == step.subject]
    if not same:
        message = f"open: {', '.join(sorted(task['element'] for task in found)) or 'nothing'}"
        raise NoSuchTask(message)
    unit = step.unit or (user.unit if user is not None else None)
    return TaskId(_nearest(same, step.by, unit)["task"])


def _nearest(tasks: Sequence[dict[str, Json]], user: str, unit: str | None) -> dict[str, Json]:
    return min(tasks, key=lambda task: (task["assignee"] != user, task["unit"] != unit))


def report_json(report: Report) -> dict[str, Json]:
    """Give a report as JSON-plain values."""
    return {
        "name": report.name,
        "ok": report.ok,
        "events": report.events,
        "steps": [
            {
                "number": outcome.number,
                "step": outcome.step,
                "ok": outcome.ok,
                "expected": outcome.expected,
                "actual": outcome.actual,
            }
            for outcome in report.steps
        ],
    }
