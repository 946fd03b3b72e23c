"""What a scenario file says (CONTRIBUTING: scenarios beside the BPMN).

::

    name: 按期办结
    start: {at: 2026-03-02T09:00+08:00, by: registrar, data: {title: …}}
    steps:
      - {complete: approve_registration, by: office_director, at: 2026-03-02T10:00+08:00, data: {…}}
      - {command: extend, by: contact.1, at: …, data: {…}, refused: deadline-passed}
      - {absent: head.1, from: 2026-03-10, until: 2026-03-20}
      - {attach: 现场.png, by: contact.1}     # then photos: [file:现场.png]
      - advance: 2026-03-20T00:00+08:00
      - expect: {status: under_review, open_tasks: [review], light: green, escalation: null}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import yaml

from engine.records import Json, parse_instant

MAX_BYTES = 512 * 1024
MAX_STEPS = 500

Kind = Literal["start", "complete", "command", "absent", "attach", "advance", "expect"]

_OPTIONAL: Mapping[str, frozenset[str]] = {
    "complete": frozenset({"by", "at", "data", "unit", "refused"}),
    "command": frozenset({"by", "at", "data", "refused"}),
    "absent": frozenset({"from", "until"}),
    "attach": frozenset({"by"}),
    "advance": frozenset(),
    "expect": frozenset(),
}


class ScenarioNotUnderstood(Exception):
    """Raised when a file isn't a scenario."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. What `subject` is depends on `kind`: an element, a command, a user, a file."""

    kind: Kind
    subject: str = ""
    by: str = ""
    at: datetime | None = None
    data: Mapping[str, Json]
    unit: str | None = None
    refused: str | None = None
    first_day: date | None = None
    last_day: date | None = None

    def __str__(self) -> str:
        """Say it in a few words, for the report."""
        who = f" by {self.by}" if self.by else ""
        when = f" at {self.at.isoformat()}" if self.at else ""
        return f"{self.kind} {self.subject}".rstrip() + who + when


@dataclass(frozen=True, slots=True)
class Scenario:
    """A case told step by step; the first step starts it."""

    name: str
    steps: tuple[Step, ...]


class _Loader(yaml.SafeLoader):
    """Plain YAML: no dates made of texts, no aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 -- PyYAML's own
        """Refuse aliases: they can blow up a small file."""
        if self.check_event(yaml.events.AliasEvent):
            message = "aliases aren't allowed"
            raise ScenarioNotUnderstood(message)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(content: bytes) -> Json:
    """Read YAML as JSON-plain values; instants and days stay text.

    Raises
    ------
    ScenarioNotUnderstood : it isn't YAML, or too long.
    """
    if len(content) > MAX_BYTES:
        message = f"longer than {MAX_BYTES} bytes"
        raise ScenarioNotUnderstood(message)
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 -- a SafeLoader
    except yaml.YAMLError as wrong:
        raise ScenarioNotUnderstood(str(wrong)) from wrong


def read_scenario(content: bytes) -> Scenario:
    """Read a scenario file.

    Raises
    ------
    ScenarioNotUnderstood : with what is wrong, and in which step.
    """
    told = read_yaml(content)
    if not isinstance(told, dict) or set(told) != {"name", "start", "steps"}:
        message = "a scenario has name, start and steps"
        raise ScenarioNotUnderstood(message)
    if not isinstance(told["steps"], list) or len(told["steps"]) > MAX_STEPS:
        message = f"steps is a list of at most {MAX_STEPS}"
        raise ScenarioNotUnderstood(message)
    return Scenario(str(told["name"]), tuple(_steps(told["start"], told["steps"])))


def _steps(start: Any, told: list[Any]) -> Iterator[Step]:  # noqa: ANN401 -- read from YAML
    yield _checked(0, {"start": "", **start} if isinstance(start, dict) else start)
    for number, step in enumerate(told, start=1):
        yield _checked(number, step)


def _checked(number: int, step: Any) -> Step:  # noqa: ANN401 -- read from YAML
    try:
        return _step(step)
    except (KeyError, TypeError, ValueError) as wrong:
        message = f"step {number}: {wrong!r}"
        raise ScenarioNotUnderstood(message) from wrong


def _step(step: Any) -> Step:  # noqa: ANN401 -- read from YAML
    if "start" in step:
        return Step(
            kind="start", by=step["by"], at=parse_instant(step["at"]), data=dict(step["data"])
        )
    kinds = [kind for kind in _OPTIONAL if kind in step]
    if len(kinds) != 1:
        message = f"one of {', '.join(_OPTIONAL)} in {sorted(step)}"
        raise ValueError(message)
    kind = kinds[0]
    unknown = set(step) - {kind} - _OPTIONAL[kind]
    if unknown:
        message = f"{', '.join(sorted(unknown))} means nothing beside {kind}"
        raise ValueError(message)
    if kind == "advance":
        return Step(kind="advance", at=parse_instant(step["advance"]), data={})
    if kind == "expect":
        return Step(kind="expect", data=dict(step["expect"]))
    if kind == "absent":
        return Step(
            kind="absent",
            subject=step["absent"],
            data={},
            first_day=date.fromisoformat(step["from"]),
            last_day=date.fromisoformat(step["until"]) if "until" in step else None,
        )
    if kind == "attach":
        return Step(kind="attach", subject=step["attach"], by=step["by"], data={})
    return Step(
        kind="complete" if kind == "complete" else "command",
        subject=step[kind],
        by=step["by"],
        at=parse_instant(step["at"]) if "at" in step else None,
        data=dict(step.get("data") or {}),
        unit=step.get("unit"),
        refused=step.get("refused"),
    )
