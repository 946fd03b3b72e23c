"""Carries out the rounds of the office's rhythm that are due: one list, one paper a unit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from engine import CLOCK, CaseId, Definition, Engine
from engine.errors import CaseExists, DefinitionNotFound
from engine.records import Json, instant_text
from engine.store import Transaction
from services.deadlines.calendar import Calendar
from services.deadlines.lights import OFFICE_RHYTHM
from services.people.queries import Unit
from services.people.queries import unit as find_unit
from services.rhythm import queries
from services.rhythm.commands import UrgeTogether
from services.rhythm.queries import OpenItem
from services.rhythm.schedule import Round, latest_rounds, lists

LONGEST_LIST = 200
"""Items on one paper; a unit with more gets the first of them, and is told how many there are."""


def list_of(one: Round, unit: str) -> CaseId:
    """Give the id of a unit's list of a round: the same, whoever makes it, however often."""
    key = f"{one.rhythm}:{one.period}:{unit}"
    return CaseId(f"or-{hashlib.sha256(key.encode()).hexdigest()[:20]}")


def keep_rhythm(
    engine: Engine, calendar: Callable[[Transaction], Calendar], now: datetime, zone: ZoneInfo
) -> tuple[CaseId, ...]:
    """Carry out every round that is due and not done; give the lists that were made.

    Broken off in the middle, or done by two at once, each unit still gets one list: its id comes of
    rhythm, month and unit. A round that fell into a standstill is made up for once, about what was
    in the units' hands when it was due.
    """
    try:
        definition = engine.library.current(OFFICE_RHYTHM)[1]
    except DefinitionNotFound:
        return ()
    made: list[CaseId] = []
    for one in _due(engine, definition, calendar, now, zone):
        with engine.store.transaction(write=False) as transaction:
            items = queries.open_items(transaction.connection, one.due_at)
        listed = [item for item in items if lists(definition, one, item)]
        fresh = _make(engine, one, listed, now, zone)
        with engine.store.transaction() as transaction:
            queries.note_done(
                transaction.connection,
                one.rhythm,
                one.period,
                due_at=one.due_at,
                now=now,
                lists=len(fresh),
            )
        made += fresh
    return tuple(made)


def _due(
    engine: Engine,
    definition: Definition,
    calendar: Callable[[Transaction], Calendar],
    now: datetime,
    zone: ZoneInfo,
) -> Sequence[Round]:
    with engine.store.transaction(write=False) as transaction:
        found = latest_rounds(definition, now, calendar(transaction), zone)
        connection = transaction.connection
        return [one for one in found if not queries.is_done(connection, one.rhythm, one.period)]


def _make(
    engine: Engine, one: Round, listed: Iterable[OpenItem], now: datetime, zone: ZoneInfo
) -> list[CaseId]:
    made = []
    for unit, of_unit in groupby(listed, key=lambda item: item.unit):
        items = list(of_unit)
        with engine.store.transaction(write=False) as transaction:
            addressee = find_unit(transaction.connection, unit)
        if addressee is None or not addressee.active:
            continue
        ask = UrgeTogether(
            case=list_of(one, unit),
            by=CLOCK,
            at=now,
            definition=OFFICE_RHYTHM,
            data=_registration(one, addressee, items, now.astimezone(zone)),
        )
        try:
            engine.execute(ask)
        except CaseExists:
            continue
        made.append(ask.case)
    return made


def _registration(
    one: Round, addressee: Unit, items: Sequence[OpenItem], today: datetime
) -> dict[str, Json]:
    return {
        "title": f"{one.label}（{one.period}）：{addressee.name}"[:200],
        "rhythm": one.rhythm,
        "period": one.period,
        "cause": one.cause,
        "due": instant_text(one.due_at),
        "unit": addressee.code,
        "count": len(items),
        "items": [_line(item) for item in items[:LONGEST_LIST]],
        "source_kind": "other",
        "source_date": today.date().isoformat(),
        "content": one.text,
    }


def _line(item: OpenItem) -> dict[str, Json]:
    line: dict[str, Json] = {"case": item.case, "number": item.number, "title": item.title}
    if item.deadline is not None:
        line["deadline"] = instant_text(item.deadline)
    return line
