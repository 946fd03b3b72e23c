"""How cases relate: possible duplicates, what stands below a case, what was promised."""

from typing import Any

from marshmallow import fields

from api.cases import visible_case
from api.context import glance, now, office, reading
from api.fields import Answer, Choice, Day, Instant, Query, Text, Whole
from api.openapi import Noun
from api.schemas import of
from services.relations import queries
from services.relations.similarity import Wanted

relations = Noun("relations", __name__, "Duplicates, cases below a case, and promises.")

KEPT = {"no": False, "yes": True, "all": None}


class SimilarQuery(Query):
    """How many suggestions, and how alike they must be."""

    least = Whole(least=1, most=100, load_default=50, metadata=of("alike at least, in percent"))
    limit = Whole(least=1, most=50, load_default=10)


class DuplicateQuery(SimilarQuery):
    """A matter that isn't registered yet."""

    title = Text(required=True, longest=200)
    source_kind = Text(longest=40, load_default=None)
    source_number = Text(longest=100, load_default=None)


class SimilarOut(Answer):
    """A case that may be about the same matter, and why."""

    id = fields.String(required=True, attribute="case")
    number = fields.String(required=True)
    title = fields.String(required=True)
    type = fields.String(required=True, attribute="case_type")
    status = fields.String(required=True)
    issuer = fields.String(required=True, allow_none=True)
    score = fields.Float(required=True, metadata=of("from 0 to 1"))
    title_likeness = fields.Float(
        required=True, metadata=of("pairs of neighbouring signs in common, of all: 0 to 1")
    )
    same_source = fields.Boolean(required=True, metadata=of("the same source document"))


class SimilarList(Answer):
    """Suggestions, the most alike first."""

    items = fields.List(fields.Nested(SimilarOut), required=True)


class FamilyOut(Answer):
    """What stands above and below a case, and whom it answers."""

    parent = fields.String(required=True, allow_none=True)
    children = fields.Integer(required=True, metadata=of("list them by `/cases?parent=`"))
    open = fields.Integer(required=True)
    closed = fields.Integer(required=True)
    cancelled = fields.Integer(required=True)
    issuers = fields.List(
        fields.String(), required=True, metadata=of("leaders, merged duplicates' among them")
    )
    proposers = fields.List(fields.String(), required=True)


class CommitmentQuery(Query):
    """Which promises."""

    kept = Choice(tuple(KEPT), load_default="no")
    unit = Text(longest=40, load_default=None)


class CommitmentOut(Answer):
    """A promise of a class B answer."""

    case = fields.String(required=True)
    number = fields.String(required=True)
    title = fields.String(required=True)
    type = fields.String(required=True, attribute="case_type")
    unit = fields.String(required=True)
    planned_date = Day(required=True, allow_none=True)
    promised_at = Instant(required=True)
    kept_at = Instant(required=True, allow_none=True)
    renewals = fields.Integer(required=True)
    overdue = fields.Boolean(required=True)


class CommitmentList(Answer):
    """The ledger of commitments, the earliest date first."""

    items = fields.List(fields.Nested(CommitmentOut), required=True)


@relations.route("/duplicates", methods=["GET"])
@relations.arguments(DuplicateQuery, location="query")
@relations.response(200, SimilarList)
def suggest_duplicates(query: dict[str, Any]) -> dict[str, Any]:
    """Suggest cases about the same matter as one that isn't registered yet."""
    wanted = Wanted(query["title"], query["source_kind"], query["source_number"])
    return _suggested(wanted, query, None)


@relations.route("/cases/<ident:case>/duplicates", methods=["GET"])
@relations.arguments(SimilarQuery, location="query")
@relations.response(200, SimilarList)
def show_duplicates(query: dict[str, Any], case: str) -> dict[str, Any]:
    """Suggest cases that may be about the same matter as this one."""
    visible_case(case)
    with reading() as transaction:
        wanted = queries.matter_of(transaction.connection, case)
    return _suggested(wanted, query, case)


@relations.route("/cases/<ident:case>/family", methods=["GET"])
@relations.response(200, FamilyOut)
def show_family(case: str) -> dict[str, Any]:
    """Show what stands above and below a case, and whom it answers."""
    visible_case(case)
    with reading() as transaction:
        found = queries.family(transaction.connection, case)
        answered = queries.recipients(transaction.connection, case)
    return {
        "parent": found.parent,
        "children": found.children,
        "open": found.open,
        "closed": found.closed,
        "cancelled": found.cancelled,
        "issuers": answered.issuers,
        "proposers": answered.proposers,
    }


@relations.route("/commitments", methods=["GET"])
@relations.arguments(CommitmentQuery, location="query")
@relations.response(200, CommitmentList)
def show_commitments(query: dict[str, Any]) -> dict[str, Any]:
    """List what class B answers promised (承诺事项), in the cases you may see."""
    today = now().astimezone(office().settings.zone).date()
    with reading() as transaction:
        items = queries.promised(
            transaction.connection,
            glance(transaction).visibility,
            today,
            kept=KEPT[query["kept"]],
            unit=query["unit"],
        )
    return {"items": items}


def _suggested(wanted: Wanted, query: dict[str, Any], leave_out: str | None) -> dict[str, Any]:
    with reading() as transaction:
        items = queries.similar(
            transaction.connection,
            glance(transaction).visibility,
            wanted,
            leave_out=leave_out,
            least=query["least"] / 100,
            limit=query["limit"],
        )
    return {"items": items}
