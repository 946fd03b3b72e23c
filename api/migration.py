"""Running cases moved to a newer version of their definition: a plan first, then for good."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from api.context import actor, office
from api.fields import Answer, Items, Query, Request, Switch, Text, Whole
from api.openapi import KEY_PARAMETER, Noun
from api.people import require
from engine import CaseId
from engine.records import Json
from services.migration.migrating import Migration, migrate, plan_migration
from services.migration.plans import CasePlan, Reason
from services.permissions import Action

migration = Noun("migration", __name__, "Running cases and the version they run on.")

MAX_CASES = 5000
_LONGEST_ID = 40
_HIGHEST_VERSION = 2**31 - 1


class MigrationQuery(Query):
    """Whether only to show what would become of the cases."""

    plan = Switch(load_default=False, metadata={"description": "1: change nothing"})


class MigrationIn(Request):
    """The version to go to, and which cases go."""

    to_version = Whole(required=True, strict=True, least=1, most=_HIGHEST_VERSION)
    cases = Items(
        Text(shortest=1, longest=_LONGEST_ID),
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(max=MAX_CASES, error="too_many?max={max}"),
        metadata={"description": "all that run on an earlier version, unless given"},
    )


class MisfitField(Answer):
    """A field of a form filled in long ago that the version wants otherwise."""

    field = fields.String(required=True)
    code = fields.String(required=True)


class ReasonOut(Answer):
    """Why a case stays: what was recorded has no place on the version."""

    code = fields.String(required=True)
    seq = fields.Integer(required=True, allow_none=True, metadata={"description": "of the event"})
    command = fields.String(required=True, allow_none=True)
    element = fields.String(required=True, allow_none=True)
    fields_ = fields.List(fields.Nested(MisfitField), required=True, data_key="fields")


class CasePlanOut(Answer):
    """One case: whether it goes, and what is open afterwards."""

    case = fields.String(required=True)
    number = fields.String(required=True)
    from_version = fields.Integer(required=True)
    fits = fields.Boolean(required=True)
    reason = fields.Nested(ReasonOut, required=True, allow_none=True)
    open = fields.List(fields.String(), required=True, metadata={"description": "elements"})
    begun = fields.List(fields.String(), required=True)
    withdrawn = fields.List(fields.String(), required=True)


class MigrationOut(Answer):
    """What becomes, or became, of the cases."""

    definition = fields.String(required=True)
    to_version = fields.Integer(required=True)
    applied = fields.Boolean(required=True)
    fitting = fields.Integer(required=True)
    items = fields.List(fields.Nested(CasePlanOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


@migration.route("/definitions/<ident:key>/migrate", methods=["POST"])
@migration.doc(parameters=[KEY_PARAMETER])
@migration.arguments(MigrationQuery, location="query")
@migration.arguments(MigrationIn)
@migration.response(200, MigrationOut)
def migrate_cases(query: dict[str, bool], body: dict[str, Any], key: str) -> dict[str, Json]:
    """Move running cases to a newer version; those that don't fit stay, with the reason.

    With `plan=1` it is only shown what would become of them. Asked twice, it has one effect.
    """
    require(Action.APPROVE_DEFINITION)
    named: list[str] | None = body["cases"]
    cases = None if named is None else [CaseId(case) for case in named]
    if query["plan"]:
        return _shown(plan_migration(office(), key, body["to_version"], cases))
    return _shown(migrate(office(), key, body["to_version"], actor(), cases))


def _shown(found: Migration) -> dict[str, Json]:
    # Designers see no case content: no titles here (domain.md §12).
    return {
        "definition": found.key,
        "to_version": found.to_version,
        "applied": found.applied,
        "fitting": found.fitting,
        "items": [_case(plan) for plan in found.cases],
        "next_cursor": None,
    }


def _case(plan: CasePlan) -> dict[str, Json]:
    return {
        "case": plan.case,
        "number": plan.number,
        "from_version": plan.from_version,
        "fits": plan.fits,
        "reason": None if plan.reason is None else _reason(plan.reason),
        "open": plan.open,
        "begun": plan.begun,
        "withdrawn": plan.withdrawn,
    }


def _reason(reason: Reason) -> dict[str, Json]:
    return {
        "code": reason.code,
        "seq": reason.seq,
        "command": reason.command,
        "element": reason.element,
        "fields_": [{"field": field, "code": code} for field, code in reason.fields],
    }
