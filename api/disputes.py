"""A points dispute on one page: from an entry to its cause, document, appeal and reversal."""

from typing import Any

from marshmallow import fields

from api.cases import visible_case
from api.context import office, person, reader, reading
from api.documents import DocumentOut
from api.fields import Answer, Instant
from api.identity import PREFIX
from api.openapi import Noun
from api.schemas import of
from api.scores import (
    EXACT,
    ScoreEntryOut,
    calendar_of,
    entry_fields,
    require_statistics,
    scores_link,
)
from engine import CaseId
from engine.records import Json
from engine.store import Transaction
from services.audit.story import Names, Teller
from services.cases.queries import facts
from services.documents import queries as papers
from services.documents.access import kinds_seen
from services.documents.queries import DocumentSummary
from services.people import queries as people
from services.scoring import queries
from services.scoring.dispute import Dispute, dispute_of
from services.scoring.errors import EntryNotFound

disputes = Noun("disputes", __name__, "Points disputes, followed to their end.")


class DisputeStepOut(Answer):
    """One event of a dispute, told in a sentence."""

    part = fields.String(
        required=True,
        metadata=of(
            "cause, entered, document_issued, appealed, decided, document_withdrawn, reversed"
        ),
    )
    seq = fields.Integer(required=True)
    type = fields.String(required=True)
    at = Instant(required=True)
    by = fields.String(required=True)
    acting_for = fields.String(required=True, allow_none=True)
    said = fields.String(required=True)
    event = fields.String(required=True, metadata=of("where the event stands on record"))


class ScoreThenOut(Answer):
    """What the unit's score was at an instant."""

    as_of = Instant(required=True)
    points = fields.String(required=True, metadata=EXACT)
    entries = fields.String(required=True, metadata=of("where the score stands, line by line"))


class DisputeOut(Answer):
    """Everything that belongs to one entry of points, in the order it happened."""

    entry = fields.Nested(ScoreEntryOut, required=True)
    unit = fields.String(required=True)
    unit_name = fields.String(required=True)
    steps = fields.List(fields.Nested(DisputeStepOut), required=True)
    document = fields.Nested(
        DocumentOut, required=True, allow_none=True, metadata=of("the paper that told the unit")
    )
    file = fields.String(required=True, allow_none=True, metadata=of("where its file is"))
    reversal = fields.Nested(ScoreEntryOut, required=True, allow_none=True)
    scores = fields.List(
        fields.Nested(ScoreThenOut),
        required=True,
        metadata=of("just before and at the entry; the same of the reversal, if there is one"),
    )


@disputes.route("/cases/<ident:case>/points/<int:entry>", methods=["GET"])
@disputes.response(200, DisputeOut)
def show_dispute(case: str, entry: int) -> dict[str, Any]:
    """Follow one entry of points to its cause, document, appeal, decision and reversal.

    A reversal is shown with the entry that it takes back.
    """
    visible_case(case)
    with reading() as transaction:
        lines = {one.entry: one for one in queries.entries(transaction.connection, case=case)}
    line = lines.get(entry)
    if line is None:
        raise EntryNotFound(entry=entry)
    require_statistics(line.unit)
    found = dispute_of(office().engine.history.recorded(CaseId(case)), line.reverses or entry)
    line = lines[found.entered.entry]
    with reading() as transaction:
        names, paper = _names(transaction), _paper(transaction, case, line.document)
        return {
            "entry": entry_fields(line),
            "unit": line.unit,
            "unit_name": names.units.get(line.unit, line.unit),
            "steps": _steps(case, found, names),
            "document": paper,
            "file": paper and f"{PREFIX}cases/{case}/documents/{paper.id}/file",
            "reversal": (
                None if line.reversed_by is None else entry_fields(lines[line.reversed_by])
            ),
            "scores": _scores(transaction, found, line.unit, line.year),
        }


def _steps(case: str, found: Dispute, names: Names) -> list[Json]:
    zone = office().settings.zone
    teller = Teller(names, reader().language, zone, everything=True)
    said = {line.seq: line.text for line in teller.tell([step.record for step in found.steps])}
    return [
        {
            "part": step.part,
            "seq": step.record.seq,
            "type": step.record.event.name,
            "at": step.record.at,
            "by": step.record.by.user,
            "acting_for": step.record.by.acting_for,
            "said": said[step.record.seq],
            "event": f"{PREFIX}cases/{case}/events?after={step.record.seq - 1}&limit=1",
        }
        for step in found.steps
    ]


def _paper(transaction: Transaction, case: str, document: str | None) -> DocumentSummary | None:
    if document is None:
        return None
    kinds = kinds_seen(person(), facts(transaction.connection, case))
    found = papers.document(transaction.connection, case, document)
    is_seen = found is not None and (kinds is None or found.kind in kinds)
    return found if is_seen else None


def _scores(transaction: Transaction, found: Dispute, unit: str, year: int) -> list[Json]:
    calendar, zone = calendar_of(transaction), office().settings.zone
    told: list[Json] = []
    for at in found.instants:
        then = queries.score(transaction.connection, unit, year, at, calendar, zone=zone)
        if then is not None:
            link = scores_link(unit, year, at)
            told.append({"as_of": at, "points": str(then.points), "entries": link})
    return told


def _names(transaction: Transaction) -> Names:
    connection = transaction.connection
    return Names(
        people={user.id: user.name for user in people.users(connection)},
        units={unit.code: unit.name for unit in people.units(connection)},
    )
