"""Tries the templates of a definition before a case needs them.

``python -m services.documents.drafts`` tries files given on standard input, for `check_templates`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine import Definition
from engine.confined import CPU_S, NotAnswered, ask_confined, asked
from engine.definitions import trusted_definition
from engine.lint import Finding
from services.documents.errors import TemplateInvalid
from services.documents.facts import Story, Writer
from services.documents.kinds import FILE, Rules, rules_of, template_of
from services.documents.papers import Paper, PaperSection, PaperTable, facts_of_paper
from services.documents.render import Facts, docx_of
from services.documents.state import IssuedDocument

_PAPERS = frozenset({"bulletin", "quarterly_report", "annual_report"})
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST = 500
_MEMBERS = {"items": {"number": "—", "title": "—", "deadline": "—"}}
"""What a member of a list of groups has: a case that did nothing shows none."""


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with one of a definition's documents; `fact` is one it wrongly names."""

    file: str
    reason: str
    fact: str | None = None


def template_problems(definition: Definition, zone: ZoneInfo) -> Iterator[TemplateProblem]:
    """Fill every template twice, with facts that are all empty and with some, and tell what fails.

    The second time reaches what stands in loops and conditions.
    """
    try:
        rules = rules_of(definition)
    except (ValueError, LookupError, TypeError, AttributeError) as wrong:
        yield TemplateProblem(FILE, str(wrong)[:_LONGEST])
        return
    if rules is None:
        return
    for entry in rules.causes:
        if entry.get("kind") not in rules.kinds:
            yield TemplateProblem(FILE, f"no kind {entry.get('kind')}")
    for name in rules.kinds:
        problem = _tried(definition, rules, name, zone)
        if problem is not None:
            yield problem


def _tried(
    definition: Definition, rules: Rules, kind: str, zone: ZoneInfo
) -> TemplateProblem | None:
    file, template = f"{kind}.docx", template_of(definition, kind)
    if template is None:
        return TemplateProblem(file, "missing")
    empty = _empty(definition, rules, kind, zone)
    try:
        for facts in (empty, _some(empty)):
            docx_of(template, facts, title="", at=_AT)
    except TemplateInvalid as wrong:
        return TemplateProblem(file, str(wrong.facts["reason"]), wrong.facts.get("fact"))
    return None


def check_templates(
    files: Mapping[str, bytes], zone: ZoneInfo, cpu_s: float = CPU_S
) -> list[Finding]:
    """Try the templates among a definition's files from outside, in a process that can be killed.

    Parameters
    ----------
    files : contents by name; lint has found no error in them.
    cpu_s : after so many seconds of processor time the templates count as wrong.
    """
    try:
        found = ask_confined("services.documents.drafts", files, cpu_s, zone=zone.key)
        return [_finding(files, TemplateProblem(**one)) for one in found]
    except (NotAnswered, TypeError):
        return [Finding("took_too_long", f"documents/{FILE}", facts={"seconds": cpu_s})]


def main() -> None:
    """Answer `check_templates`."""
    files, request = asked()
    problems = template_problems(trusted_definition(files), ZoneInfo(request["zone"]))
    sys.stdout.write(
        json.dumps([{"file": p.file, "reason": p.reason, "fact": p.fact} for p in problems])
    )


def _finding(files: Mapping[str, bytes], problem: TemplateProblem) -> Finding:
    own = f"documents/{problem.file}"
    file = own if own in files else f"shared/{own}"
    if problem.fact is not None:
        return Finding("template_unknown_fact", file, facts={"fact": problem.fact})
    return Finding("template_unfillable", file, facts={"reason": problem.reason})


def _empty(definition: Definition, rules: Rules, kind: str, zone: ZoneInfo) -> Facts:
    if kind in _PAPERS:
        table = PaperTable("", [""], [[""]])
        paper = Paper(id="", kind=kind, title="", sections=[PaperSection("", (), table)])
        return facts_of_paper(paper, "", _AT.date(), rules.office, ())
    writer = Writer(
        definition=definition,
        rules=rules,
        kind=rules.kinds[kind],
        zone=zone,
        unit=str,
        user=str,
        file=str,
    )
    document = IssuedDocument(id="d1", cause="", wanted_at=_AT, kind=kind)
    return writer.facts(document, Story())


def _some(value: Any) -> Any:  # noqa: ANN401 -- facts of any shape
    match value:
        case bool():
            return True
        case Mapping():
            return {name: _some(one or _members(name)) for name, one in value.items()}
        case list() | tuple():
            return [_some(one) for one in value] or ["—"]
        case _:
            return value or "—"


def _members(name: str) -> list[Facts] | None:
    return [_MEMBERS[name]] if name in _MEMBERS else None


if __name__ == "__main__":
    main()
