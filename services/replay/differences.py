"""What changed in a case between two instants: as data, and in lines to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine import Engine, Recorded
from engine.journal import read
from engine.records import Json, encode, instant_text
from services.replay.moment import Moment, moment
from services.replay.words import due_text

_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed: where, and what stood there before and after.

    `place` is the name of a state and the way to the value in it. Of lists, what went has no
    `after` and what came has no `before`.
    """

    place: tuple[str, ...]
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """All that changed from one event to a later one, and the events between them."""

    case: str
    from_seq: int
    from_at: datetime
    to_seq: int
    to_at: datetime
    changes: tuple[Change, ...]
    events: tuple[Recorded, ...]


def differences(engine: Engine, before: Moment, after: Moment) -> Differences:
    """Compare two moments of one case; the later one may be given first."""
    if before.seq > after.seq:
        before, after = after, before
    stored = engine.history.stored(after.case, before.seq, after.seq)
    kinds = sorted({*before.states, *after.states}, key=lambda kind: kind.__name__)
    changes: list[Change] = []
    for kind in kinds:
        was, now = before.states.get(kind) or kind(), after.states.get(kind) or kind()
        if was != now:
            changes += _changed((kind.__name__,), encode(was), encode(now))
    return Differences(
        case=after.case,
        from_seq=before.seq,
        from_at=before.at,
        to_seq=after.seq,
        to_at=after.at,
        changes=tuple(changes),
        events=tuple(read(event) for event in stored),
    )


def between(
    engine: Engine,
    first: Moment,
    *,
    seq: int | None = None,
    at: datetime | None = None,
) -> Differences:
    """Compare a moment with another of the same case; without either, with the last one."""
    return differences(engine, first, moment(engine, first.case, seq=seq, at=at))


def _changed(place: tuple[str, ...], was: Json, now: Json) -> Iterator[Change]:
    if was == now:
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for name in dict.fromkeys((*was, *now)):
            yield from _changed((*place, str(name)), was.get(name), now.get(name))
    elif isinstance(was, list) and isinstance(now, list):
        yield from (Change(place, item, None) for item in _without(was, now))
        yield from (Change(place, None, item) for item in _without(now, was))
    else:
        yield Change(place, was, now)


def _without(items: Sequence[Json], taken: Sequence[Json]) -> list[Json]:
    left = list(taken)
    found = []
    for item in items:
        if item in left:
            left.remove(item)
        else:
            found.append(item)
    return found


def differences_json(found: Differences) -> dict[str, Json]:
    """Give differences as JSON-plain values."""
    return {
        "case": found.case,
        "from": {"seq": found.from_seq, "at": instant_text(found.from_at)},
        "to": {"seq": found.to_seq, "at": instant_text(found.to_at)},
        "changes": [
            {"place": list(change.place), "before": change.before, "after": change.after}
            for change in found.changes
        ],
        "events": [
            {
                "seq": event.seq,
                "at": instant_text(event.at),
                "type": event.event.name,
                "by": event.by.user,
                "acting_for": event.by.acting_for,
            }
            for event in found.events
        ],
    }


def differences_text(found: Differences, zone: ZoneInfo) -> str:
    """Write differences in lines: ``-`` what went, ``+`` what came, ``~`` what changed."""
    lines = [
        f"{found.case}  #{found.from_seq} {due_text(found.from_at, zone, year=True)}"
        f" -> #{found.to_seq} {due_text(found.to_at, zone, year=True)}"
        f"  ({len(found.events)} events)"
    ]
    return "\n".join([*lines, *(_line(change) for change in found.changes)])


def _line(change: Change) -> str:
    place = ".".join(change.place)
    if change.before is None:
        return f"+ {place}: {_short(change.after)}"
    if change.after is None:
        return f"- {place}: {_short(change.before)}"
    return f"~ {place}: {_short(change.before)} -> {_short(change.after)}"


def _short(value: Json) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{name}={inner}" for name, inner in value.items() if inner is not None)
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
