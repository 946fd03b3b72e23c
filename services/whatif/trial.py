"""A whole set of past cases tried on another definition, over several processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine import CaseId, Definition
from engine.definitions import trusted_definition
from engine.records import Json
from engine.store import Transaction
from services import lookups
from services.people import queries as people
from services.people.queries import Person
from services.replay.parallel import Calendars, chunks, opened, spread
from services.settings import Settings
from services.whatif.answers import COUNTERS, Answers
from services.whatif.compare import VERDICTS, CaseResult, result_json, try_case
from services.whatif.outcome import Difference
from services.whatif.recording import recording_of

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What would have become of a set of cases."""

    key: str
    sha256: str
    files: tuple[str, ...]
    cases: tuple[CaseResult, ...] = field(default=())

    def counts(self) -> dict[str, int]:
        """Count the verdicts; a case may have several."""
        found = Counter(verdict for case in self.cases for verdict in case.verdicts)
        return {verdict: found[verdict] for verdict in VERDICTS}


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the cases, with all that another process needs."""

    settings: Settings
    files: Mapping[str, bytes]
    cases: tuple[CaseId, ...]
    until: datetime


def try_cases(
    settings: Settings,
    definition: Definition,
    cases: Sequence[CaseId],
    *,
    until: datetime,
    changed: Sequence[str] = (),
    processes: int = 2,
    progress: Progress | None = None,
) -> Trial:
    """Run past cases again on a definition; nothing is stored.

    Parameters
    ----------
    until : the present instant, to which the clock of open cases runs.
    changed : the files in which the definition differs, for the report.
    processes : how many may work at once; 1 stays in this one.
    progress : told after each part how many of how many cases are done.
    """
    files = dict(definition.files)
    parts = [_Part(settings, files, chunk, until) for chunk in chunks(cases, processes)]
    results: list[CaseResult] = []
    for found in spread(_try_part, parts, processes=processes, cases=len(cases)):
        results += found
        if progress is not None:
            progress(len(results), len(cases))
    return Trial(definition.key, definition.sha256, tuple(changed), tuple(results))


def _try_part(part: _Part) -> list[CaseResult]:
    definition = trusted_definition(part.files)
    with opened(part.settings) as (_, transaction):
        live = live_lookups(transaction, part.settings, part.until)
        return [_try_one(case, definition, transaction, live, part) for case in part.cases]


def _try_one(
    case: CaseId,
    definition: Definition,
    transaction: Transaction,
    live: Mapping[str, Callable[..., Json]],
    part: _Part,
) -> CaseResult:
    recording = recording_of(case, transaction.events(case))
    answers = Answers(lookups.NAMES, live, recording.lookups_by_question())
    return try_case(recording, definition, answers, part.until)


def live_lookups(
    transaction: Transaction, settings: Settings, now: datetime
) -> dict[str, Callable[..., Json]]:
    """Give look-ups on the office as it is now; those that count up are left out."""
    calendar = Calendars().get(transaction.connection)
    known: dict[str, Person | None] = {}

    def find(user: str, within: Transaction) -> Person | None:
        if user not in known:
            known[user] = people.person(within.connection, user, now)
        return known[user]

    answers = lookups.Lookups(transaction, lambda: calendar, find, settings.zone)
    return {name: f for name, f in answers.functions().items() if name not in COUNTERS}


def trial_json(trial: Trial) -> dict[str, Json]:
    """Give a trial as JSON-plain values: counts first, then each case."""
    return {
        "definition": trial.key,
        "sha256": trial.sha256,
        "changed_files": list(trial.files),
        "cases": len(trial.cases),
        "counts": trial.counts(),
        "results": [result_json(case) for case in trial.cases],
    }


def trial_text(trial: Trial) -> str:
    """Write a trial for people: one line per case that would have gone otherwise."""
    lines = [f"{trial.key} {trial.sha256[:12]}: {', '.join(trial.files) or '-'}"]
    lines += [f"  {verdict:<14}{count:>6}" for verdict, count in trial.counts().items()]
    for case in trial.cases:
        if case.verdicts != ("same",):
            lines.append(f"{case.number or case.case}  {', '.join(case.verdicts)}  {_why(case)}")
    return "\n".join(lines)


def _why(case: CaseResult) -> str:
    if case.error is not None:
        return case.error
    if case.misfits and "doesnt_fit" in case.verdicts:
        first = case.misfits[0]
        fields = "".join(f" {name}:{code}" for name, code in first.fields)
        return (
            f"no longer fits: #{first.seq} {first.element or first.command} {first.reason}{fields}"
        )
    return "" if case.difference is None else _told(case.difference)


def _told(difference: Difference) -> str:
    shown = difference.recorded or difference.again or {}
    parts = [
        f"{name}: {_value(difference.recorded, name)} -> {_value(difference.again, name)}"
        for name in difference.fields[:3]
    ]
    return f"#{difference.seq or '+'} {shown.get('type', '')} {'; '.join(parts)}".rstrip()


def _value(shown: Mapping[str, Json] | None, name: str) -> str:
    outer, _, inner = name.partition(".")
    value: Json = None if shown is None else shown.get(outer)
    if inner:
        value = value.get(inner) if isinstance(value, dict) else None
    return "-" if value is None else str(value)[:60]
