"""Evidence for others: bundles that verify offline, and the signed tree heads they rest on."""

from collections.abc import Iterator
from typing import Any

from flask import Response
from marshmallow import fields

from api.attachments import file_answer
from api.context import office, read_cursor, reading, write_cursor
from api.fields import Answer, Query, Switch, Whole
from api.openapi import Noun
from api.replay import require_record
from api.schemas import PageQuery, of
from engine import CaseId
from engine.proof.heads import TreeHead
from services.evidence import queries
from services.evidence.bundle import make_bundle
from services.permissions import Action

evidence = Noun("evidence", __name__, "Bundles that verify offline; signed tree heads.")

_MOST_HEADS = 2**31 - 1


class EvidenceQuery(Query):
    """What to leave out, and which tree head to lead up to."""

    redact = Switch(load_default=False, metadata=of("blank personal values; proofs still hold"))
    head = Whole(
        least=1,
        most=_MOST_HEADS,
        load_default=None,
        metadata=of("a tree head published before, to lead up to"),
    )


class TreeHeadOut(Answer):
    """A signed tree head; docs/evidence-format.md says what its signature covers."""

    number = fields.Integer(required=True)
    at = fields.String(required=True)
    size = fields.Integer(required=True, metadata=of("entries of the log"))
    root = fields.String(required=True, metadata=of("root of the log"))
    cases = fields.Integer(required=True)
    register = fields.String(required=True, metadata=of("root over all cases"))
    access_entry = fields.String(
        required=True, allow_none=True, metadata=of("last entry of the access log")
    )
    access_hash = fields.String(
        required=True, allow_none=True, metadata=of("its hash, which covers all entries before")
    )
    suite = fields.String(required=True)
    key = fields.Integer(required=True, metadata=of("number of the key that signed"))
    signature = fields.String(required=True)
    code = fields.String(required=True, metadata=of("for paper: number and hash of the head"))


class TreeHeadPage(Answer):
    """Tree heads."""

    items = fields.List(fields.Nested(TreeHeadOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@evidence.route("/cases/<ident:case>/evidence", methods=["GET"])
@evidence.arguments(EvidenceQuery, location="query")
@evidence.response(200, {"type": "string", "format": "binary"}, content_type="application/zip")
def show_evidence(query: dict[str, Any], case: str) -> Response:
    """Give everything about a case in one zip that anybody can check offline."""
    require_record(case, Action.EVIDENCE)
    also = () if query["head"] is None else (query["head"],)
    content = make_bundle(office(), [CaseId(case)], redact=query["redact"], also=also)
    name = f"evidence-{case}{'-redacted' if query['redact'] else ''}.zip"
    return file_answer(iter([content]), name, "application/zip", size_bytes=len(content))


@evidence.route("/heads", methods=["GET"])
@evidence.arguments(PageQuery, location="query")
@evidence.response(200, TreeHeadPage)
def show_heads(query: dict[str, Any]) -> dict[str, Any]:
    """List signed tree heads, the oldest first: keep their codes, and nobody rewrites the past."""
    cursor, limit = read_cursor(query["cursor"], 1), query["limit"]
    after = int(cursor[0]) if cursor is not None and cursor[0].isdecimal() else 0
    with reading() as transaction:
        found = queries.heads(transaction.connection, after, limit + 1)
    page = found[:limit]
    more = (str(page[-1].number),) if len(found) > limit else None
    return {"items": list(_shown(page)), "next_cursor": write_cursor(more)}


def _shown(heads: list[TreeHead]) -> Iterator[dict[str, Any]]:
    for head in heads:
        yield {
            "number": head.number,
            "at": head.at,
            "size": head.size,
            "root": head.root,
            "cases": head.cases,
            "register": head.register,
            "access_entry": head.access_entry,
            "access_hash": head.access_hash,
            "suite": head.suite,
            "key": head.key,
            "signature": head.signature,
            "code": head.code,
        }
