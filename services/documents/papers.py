"""Bulletins and reports: numbered papers of the office itself, that belong to no single case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from engine import Definition
from engine.store import Store
from services.documents import queries
from services.documents.errors import TemplateInvalid
from services.documents.jobs import DocumentMaker
from services.documents.kinds import rules_of, template_of
from services.documents.queries import OfficeDocument
from services.documents.render import Picture


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table: its title, the head and the rows, all of the same length."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class PaperSection:
    """A section with its heading, paragraphs, and perhaps a table and a chart."""

    heading: str
    lines: Sequence[str] = ()
    table: PaperTable | None = None
    chart: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a bulletin or report says.

    Parameters
    ----------
    id : the same for the same paper: asked for twice, it is made once.
    kind : bulletin, quarterly_report or annual_report.
    as_of : the instant its figures are of; `None` when they are of when it is made.
    """

    id: str
    kind: str
    title: str
    addressee: str = ""
    opening: Sequence[str] = ()
    sections: Sequence[PaperSection] = field(default=())
    period_from: date | None = None
    period_until: date | None = None
    as_of: datetime | None = None


def issue_paper(
    maker: DocumentMaker,
    store: Store,
    definition: Definition,
    paper: Paper,
    *,
    by: str,
    at: datetime,
    zone: ZoneInfo,
) -> OfficeDocument:
    """Issue a paper under a number; what was issued under its id before stays as it is.

    The number is held in the transaction that also keeps the paper: undone, it is free again.

    Raises
    ------
    TemplateInvalid : the definition has no such template, or it can't be filled.
    GlyphMissing : no font has some character.
    """
    rules, template = rules_of(definition), template_of(definition, paper.kind)
    if rules is None or template is None or paper.kind not in rules.kinds:
        raise TemplateInvalid(reason=f"no template {paper.kind}")
    kind, day = rules.kinds[paper.kind], at.astimezone(zone).date()
    with store.transaction() as transaction:
        count = transaction.next_number(kind.counter(day.year, None))
        # The counter's row is held now, so whoever asks for the same paper waits here.
        known = queries.office_document(transaction.connection, paper.id)
        if known is None:
            number = kind.numbered(day.year, count)
            facts = facts_of_paper(paper, number, day, rules.office, kind.copies)
            made = maker.make(template, facts, title=f"{paper.title} {number}", at=at)
            issued = OfficeDocument(
                id=paper.id,
                kind=kind.id,
                name=kind.name,
                title=paper.title,
                number=number,
                period_from=paper.period_from,
                period_until=paper.period_until,
                as_of=paper.as_of,
                issued_at=at,
                issued_by=by,
                docx_sha256=made.docx_sha256,
                pdf_sha256=made.pdf_sha256,
            )
            queries.add_office_document(transaction.connection, issued)
            return issued
        queries.give_back_number(transaction.connection, kind.counter(day.year, None))
    return known


def facts_of_paper(
    paper: Paper, number: str, day: date, office: Mapping[str, str], copies: Sequence[str]
) -> dict[str, Any]:
    """Give what the template of a bulletin or report may name."""
    return {
        "document": {
            "number": number,
            "name": paper.title,
            "title": paper.title,
            "addressee": paper.addressee,
            "date": f"{day.year}年{day.month}月{day.day}日",
            "copies": list(copies),
        },
        "office": dict(office),
        "case": {"urgency_mark": ""},
        "report": {
            "opening": list(paper.opening),
            "sections": [_section(section) for section in paper.sections],
        },
    }


def _section(section: PaperSection) -> dict[str, Any]:
    table = section.table
    drawn = table and {
        "title": table.title,
        "head": list(table.head),
        "rows": [list(row) for row in table.rows],
    }
    return {
        "heading": section.heading,
        "lines": list(section.lines),
        "table": drawn,
        "chart": section.chart or "",
    }
