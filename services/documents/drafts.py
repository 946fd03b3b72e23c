"""Tries the templates of a definition before a case needs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from engine import Definition
from services.documents.errors import TemplateInvalid
from services.documents.facts import Story, Writer
from services.documents.kinds import FILE, Rules, rules_of, template_of
from services.documents.papers import Paper, facts_of_paper
from services.documents.render import Facts, docx_of
from services.documents.state import IssuedDocument

_PAPERS = frozenset({"bulletin", "quarterly_report", "annual_report"})
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with one file among a definition's documents."""

    file: str
    reason: str


def template_problems(definition: Definition, zone: ZoneInfo) -> Iterator[TemplateProblem]:
    """Fill every template with facts that are all empty, and tell which can't be filled."""
    try:
        rules = rules_of(definition)
    except (ValueError, LookupError, TypeError, AttributeError) as wrong:
        yield TemplateProblem(FILE, str(wrong)[:500])
        return
    if rules is None:
        return
    for entry in rules.causes:
        if entry.get("kind") not in rules.kinds:
            yield TemplateProblem(FILE, f"no kind {entry.get('kind')}")
    for name in rules.kinds:
        template = template_of(definition, name)
        if template is None:
            yield TemplateProblem(f"{name}.docx", "missing")
            continue
        try:
            docx_of(template, _empty(definition, rules, name, zone), title="", at=_AT)
        except TemplateInvalid as wrong:
            yield TemplateProblem(f"{name}.docx", str(wrong.facts["reason"]))


def _empty(definition: Definition, rules: Rules, kind: str, zone: ZoneInfo) -> Facts:
    if kind in _PAPERS:
        paper = Paper(id="", kind=kind, title="")
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
