"""Erasure of personal data: proposed by an administrator, decided by the director, on record."""

from typing import Any

from marshmallow import fields

from api.answers import etag, listed
from api.context import actor, idempotency_key, if_match, now, office, read_cursor, reading
from api.fields import Answer, Choice, Instant, Request, Switch, Text
from api.openapi import KEY_PARAMETER, MATCH_PARAMETER, Noun
from api.people import require
from api.schemas import PageQuery, of
from engine import CaseId, Receipt
from services.erasure import queries
from services.erasure.commands import LONGEST_REASON, DecideErasure, ProposeErasure
from services.erasure.erasing import decide
from services.erasure.grounds import Ground
from services.permissions import Action

erasures = Noun("erasures", __name__, "Personal data erased for good; histories still verify.")


class ErasureIn(Request):
    """Why personal data are to be erased: an item of art. 47 of the law, and the reason."""

    ground = Choice([ground.value for ground in Ground], required=True)
    reason = Text(longest=LONGEST_REASON, required=True)


class ErasureDecision(Request):
    """Whether the data are erased."""

    decision = Choice(["erase", "keep"], required=True)
    reason = Text(longest=LONGEST_REASON, required=True)


class ErasureQuery(PageQuery):
    """Which erasures."""

    open = Switch(load_default=False, metadata=of("only those that wait for a decision"))


class ErasureRecord(Answer):
    """What was recorded; nothing about the case is shown."""

    case = fields.String(required=True)
    seq = fields.Integer(required=True)


class ErasureOut(Answer):
    """An erasure; without `decision` it waits for one."""

    case = fields.String(required=True)
    number = fields.String(required=True, allow_none=True)
    ground = fields.String(required=True)
    reason = fields.String(required=True)
    proposed_by = fields.String(required=True)
    proposed_at = Instant(required=True)
    decision = fields.String(required=True, allow_none=True, metadata=of("erase or keep"))
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    decision_reason = fields.String(required=True)
    carried_out_at = Instant(
        required=True, allow_none=True, metadata=of("when key and files were destroyed")
    )


class ErasurePage(Answer):
    """Erasures, the last proposed first."""

    items = fields.List(fields.Nested(ErasureOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@erasures.route("/cases/<ident:case>/erasure", methods=["POST"])
@erasures.doc(parameters=[KEY_PARAMETER, MATCH_PARAMETER])
@erasures.arguments(ErasureIn)
@erasures.response(201, ErasureRecord)
def propose(body: dict[str, str], case: str) -> tuple[Receipt, dict[str, str]]:
    """Propose to erase the personal data of a case that is over."""
    ask = ProposeErasure(
        case=CaseId(case), by=actor(), at=now(), ground=body["ground"], reason=body["reason"]
    )
    receipt = office().engine.execute(ask, key=idempotency_key(), expect=if_match())
    return receipt, etag(receipt.seq)


@erasures.route("/cases/<ident:case>/erasure/decision", methods=["POST"])
@erasures.doc(parameters=[KEY_PARAMETER])
@erasures.arguments(ErasureDecision)
@erasures.response(200, ErasureRecord)
def decide_proposal(body: dict[str, str], case: str) -> tuple[Receipt, dict[str, str]]:
    """Confirm an erasure, which destroys the data for good, or keep them; not one's own."""
    ask = DecideErasure(
        case=CaseId(case),
        by=actor(),
        at=now(),
        erase=body["decision"] == "erase",
        reason=body["reason"],
    )
    receipt = decide(office(), ask, key=idempotency_key())
    return receipt, etag(receipt.seq)


@erasures.route("/erasures", methods=["GET"])
@erasures.arguments(ErasureQuery, location="query")
@erasures.response(200, ErasurePage)
def show_erasures(query: dict[str, Any]) -> dict[str, Any]:
    """List erasures, proposed, declined and carried out."""
    require(Action.READ_ADMIN)
    after = read_cursor(query["cursor"], 2)
    with reading() as transaction:
        page = queries.erasures_of(
            transaction.connection, is_open=query["open"], after=after, limit=query["limit"]
        )
    return listed(page)
