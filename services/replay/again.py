"""Re-execution told for people: how far the recorded commands give the recorded events again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from engine import CaseId, Verification
from engine.errors import CaseNotFound
from engine.history import History
from engine.journal import envelope_of
from engine.library import Library
from engine.records import Json
from engine.store import Store
from services import lookups
from services.documents.store import Files, open_files
from services.office import Office
from services.replay.kept import file_faults, named_files
from services.replay.parallel import chunks, opened, spread
from services.settings import Settings

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Whether all of a case is whole; if not, its first bad event with both values.

    `recorded` and `again` are filled when running the command again gave something else; `command`
    and `element` say what was being done. Beside the faults of `Verification` there is ``file``: a
    document or attachment that the event names isn't kept as it was. `remedy` says what to do.
    """

    case: str
    ok: bool
    events: int
    first_bad: int | None = None
    fault: str | None = None
    detail: str | None = None
    type: str | None = None
    command: str | None = None
    element: str | None = None
    fields: tuple[str, ...] = ()
    """The fields of the event that differ, such as ``payload.handler``."""
    recorded: str | None = None
    again: str | None = None
    table: str | None = None
    remedy: str | None = None


def report_of(office: Office, case: CaseId) -> Report:
    """Verify everything about a case and name the first difference.

    Raises
    ------
    CaseNotFound : there is no such case.
    """
    return _whole_report(office.engine.history, _kept(office.settings, office.store), case)


def _kept(settings: Settings, store: Store) -> Files:
    return open_files(settings.data, store, is_embedded=settings.is_embedded)


def _whole_report(history: History, files: Files, case: CaseId) -> Report:
    proof = history.verify(case)
    if proof.ok:
        fault = next(file_faults(named_files(history.recorded(case)), files), None)
        if fault is not None:
            proof = replace(
                proof,
                ok=False,
                first_bad=fault.named.seq,
                fault="file",
                detail=fault.detail,
                remedy="restore_file",
            )
    return _report(history, proof)


def _report(history: History, proof: Verification) -> Report:
    place = _place(history, proof.case, proof.first_bad) if proof.first_bad is not None else {}
    recorded, again = _both(proof.detail) if proof.fault == "re-execution" else (None, None)
    return Report(
        case=proof.case,
        ok=proof.ok,
        events=proof.events,
        first_bad=proof.first_bad,
        fault=proof.fault,
        detail=proof.detail,
        type=place.get("type"),
        command=place.get("command"),
        element=place.get("element"),
        fields=_fields(recorded, again),
        recorded=recorded,
        again=again,
        table=proof.table,
        remedy=proof.remedy,
    )


def _fields(recorded: str | None, again: str | None) -> tuple[str, ...]:
    """Name what differs; nothing when the values are too long to have been kept whole."""
    try:
        before, after = json.loads(recorded or ""), json.loads(again or "")
    except ValueError:
        return ()
    return tuple(_differing("", before, after))


def _differing(place: str, before: Json, after: Json) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            yield from _differing(f"{place}.{name}", before.get(name), after.get(name))
    elif before != after:
        yield place.removeprefix(".")


def _both(detail: str | None) -> tuple[str | None, str | None]:
    before, separator, after = (detail or "").partition("; again ")
    if not separator:
        return None, detail
    return before.removeprefix("recorded "), after


def _place(history: History, case: CaseId, seq: int) -> dict[str, str | None]:
    """Say what stood at an event, as far as it can still be read."""
    command = element = kind = None
    for stored in history.stored(case, until=seq):
        try:
            envelope = envelope_of(stored)
            if envelope["command"] is not None:
                command, element = envelope["command"]["name"], None
            element = envelope["payload"].get("element", element)
            kind = envelope["type"]
        except (LookupError, TypeError, ValueError):
            kind = stored.type
    return {"type": kind, "command": command, "element": element}


@dataclass(frozen=True, slots=True)
class _Part:
    settings: Settings
    cases: tuple[CaseId, ...]


def verify_all(
    settings: Settings,
    cases: Sequence[CaseId],
    *,
    processes: int = 2,
    progress: Progress | None = None,
) -> list[Report]:
    """Verify many cases over several processes.

    Parameters
    ----------
    progress : told after each part how many of how many cases are done.
    """
    found: list[Report] = []
    parts = [_Part(settings, chunk) for chunk in chunks(cases, processes)]
    for reports in spread(_verify_part, parts, processes=processes, cases=len(cases)):
        found += reports
        if progress is not None:
            progress(len(found), len(cases))
    return found


def _verify_part(part: _Part) -> list[Report]:
    with opened(part.settings) as (store, _):
        history = History(store, Library(store), lookups.NAMES)
        files = _kept(part.settings, store)
        return [_verified(history, files, case) for case in part.cases]


def _verified(history: History, files: Files, case: CaseId) -> Report:
    try:
        return _whole_report(history, files, case)
    except CaseNotFound:
        return Report(
            case=case,
            ok=False,
            events=0,
            first_bad=1,
            fault="missing",
            detail="no such case",
            remedy="restore",
        )


def report_json(report: Report) -> dict[str, Json]:
    """Give a report as JSON-plain values."""
    return {**asdict(report), "fields": list(report.fields)}


def report_text(report: Report) -> str:
    """Write a report in lines."""
    if report.ok:
        return f"{report.case}: ok, {report.events} events"
    lines = [
        f"{report.case}: {report.fault} at event {report.first_bad} of {report.events}"
        f" ({report.type}; command {report.command}; element {report.element})"
    ]
    if report.fields:
        lines.append(f"  differs   {', '.join(report.fields)}")
    if report.recorded is None and report.again is None:
        lines.append(f"  {report.detail}")
    else:
        lines += [f"  recorded  {report.recorded}", f"  again     {report.again}"]
    return "\n".join(lines)
