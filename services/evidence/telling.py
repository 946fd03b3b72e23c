"""What a bundle tells people: each case in plain words, and what was filled in at each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from engine.definitions import Definition
from engine.errors import DefinitionNotFound
from engine.event_types import Recorded
from engine.events import TaskCompleted, TaskReached
from engine.ids import CaseId
from engine.records import Json
from services.audit.story import Names, Teller

BLANKED = "[已遮盖]"
"""Stands in a redacted story where a personal value was."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What one person filled in: fields by their titles, in the form's order."""

    seq: int
    when: str
    element: str
    who: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CaseStory:
    """One case told; `lines` are (number of the event, when, sentence)."""

    case: CaseId
    title: str
    events: int
    head: str
    lines: tuple[tuple[int, str, str], ...]
    filled: tuple[Filled, ...]


class Storyteller:
    """Tells cases in Chinese.

    Parameters
    ----------
    redact : blank personal values, and leave out people's names.
    """

    def __init__(self, names: Names, zone: ZoneInfo, *, redact: bool) -> None:
        self._names = replace(names, people={}) if redact else names
        self._zone = zone
        self._redact = redact

    def tell(
        self, case: CaseId, history: Sequence[Recorded], head: str, definition: Definition
    ) -> CaseStory:
        """Tell one case.

        Parameters
        ----------
        head : hash of its last event.
        definition : the one its forms are of.
        """
        told = [_blanked(record) for record in history] if self._redact else list(history)
        teller = Teller(self._names, "zh", self._zone)
        return CaseStory(
            case=case,
            title=definition.name,
            events=len(told),
            head=head,
            lines=tuple((line.seq, teller.when(line.at), line.text) for line in teller.tell(told)),
            filled=tuple(self._filled(told, definition, teller)),
        )

    def _filled(
        self, history: Sequence[Recorded], definition: Definition, teller: Teller
    ) -> Iterator[Filled]:
        reached: dict[str, TaskReached] = {}
        for record in history:
            happened = record.event
            if isinstance(happened, TaskReached):
                reached[happened.task] = happened
            elif isinstance(happened, TaskCompleted) and happened.data:
                task = reached.get(happened.task)
                form = task.form if task is not None else None
                yield Filled(
                    record.seq,
                    teller.when(record.at),
                    task.title if task is not None else happened.element,
                    self._names.people.get(record.by.user, record.by.user),
                    tuple(self._fields(happened.data, _schema(definition, form))),
                )

    def _fields(
        self, data: Mapping[str, Json], schema: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        known: Mapping[str, Any] = schema.get("properties", {})
        for name in (*(n for n in known if n in data), *(n for n in data if n not in known)):
            field = known.get(name, {})
            yield field.get("title", name), self._shown(data[name], field)

    def _shown(self, value: Json, field: Mapping[str, Any]) -> str:
        if value is None or isinstance(value, bool):
            return {None: "—", True: "是", False: "否"}[value]
        if isinstance(value, str):
            labels: Mapping[str, str] = field.get("x-labels", {})
            found = labels.get(value) or self._names.units.get(value)
            return found or self._names.people.get(value, value)
        if isinstance(value, list):
            return "；".join(self._shown(item, field.get("items", {})) for item in value)
        if isinstance(value, dict):
            return "，".join(f"{n}：{v}" for n, v in self._fields(value, field))
        return str(value)


def _blanked(record: Recorded) -> Recorded:
    happened = record.event
    if not isinstance(happened, TaskCompleted) or not happened.personal:
        return record
    pointers = {pointer.removeprefix("/data") for pointer in happened.personal}
    return replace(record, event=replace(happened, data=_without(happened.data, pointers, "")))


def _without(value: Json, pointers: set[str], here: str) -> Json:
    if here in pointers:
        return BLANKED
    if isinstance(value, dict):
        return {
            name: _without(v, pointers, f"{here}/{name.replace('~', '~0').replace('/', '~1')}")
            for name, v in value.items()
        }
    if isinstance(value, list):
        return [_without(v, pointers, f"{here}/{place}") for place, v in enumerate(value)]
    return value


def _schema(definition: Definition, form: str | None) -> Mapping[str, Any]:
    if form is None:
        return {}
    try:
        return definition.form(form)
    except DefinitionNotFound:
        return {}
