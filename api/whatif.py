"""What past cases would have come to on another version, or on edited files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import fields

from api.context import now, office, person, reading
from api.fields import Answer, DayOrInstant, Items, Map, Request, Text, Whole
from api.openapi import KEY_PARAMETER, Noun
from api.people import require
from api.schemas import LONGEST_ID, of
from engine import CaseId, Definition, FieldError, Invalid
from engine.errors import DefinitionNotFound
from engine.records import Json
from engine.store import Transaction
from services.cases.queries import is_visible
from services.permissions import Action, Visibility, visible_cases
from services.whatif.compare import CaseResult, without_contents
from services.whatif.edited import changed_files, edited
from services.whatif.queries import Chosen, choose
from services.whatif.trial import Trial, trial_json, try_cases

whatif = Noun("whatif", __name__, "What past cases would have come to on other rules.")

MOST_CASES = 3_000
_MOST_FILES = 50
_LONGEST_FILE = 900_000


class WhatIfIn(Request):
    """The rules to try, and the cases: `cases`, or those registered from `since` to `until`."""

    version = Whole(least=1, most=2**31 - 1, load_default=None)
    files = Map(
        keys=fields.String(),
        values=fields.String(),
        load_default=None,
        metadata=of("texts of edited files by name, such as `deadlines.dmn`"),
    )
    cases = Items(Text(longest=LONGEST_ID), load_default=None)
    since = DayOrInstant(load_default=None)
    until = DayOrInstant(load_default=None)
    limit = Whole(least=1, most=MOST_CASES, load_default=MOST_CASES)


class WhatIfOut(Answer):
    """Counts of verdicts, and each case. Cases not for your eyes come without their contents."""

    definition = fields.String(required=True)
    sha256 = fields.String(required=True)
    changed_files = fields.List(fields.String(), required=True)
    cases = fields.Integer(required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    results = fields.List(fields.Dict(keys=fields.String()), required=True)


@whatif.route("/definitions/<ident:key>/what-if", methods=["POST"])
@whatif.doc(parameters=[KEY_PARAMETER])
@whatif.arguments(WhatIfIn)
@whatif.response(200, WhatIfOut)
def try_definition(body: dict[str, Any], key: str) -> dict[str, Json]:
    """Run past cases again on other rules, in memory; nothing is stored."""
    require(Action.READ_DEFINITIONS)
    with reading() as transaction:
        before = _current(transaction, key)
        definition = _wanted(transaction, before, body)
        cases = choose(
            transaction.connection,
            Chosen(key, _ids(body["cases"]), body["since"], body["until"], body["limit"]),
        )
    trial = try_cases(
        office().settings,
        definition,
        cases,
        until=now(),
        changed=changed_files(before, definition),
    )
    return trial_json(_for_eyes(trial, visible_cases(person())))


def _ids(given: list[str] | None) -> tuple[CaseId, ...] | None:
    return None if given is None else tuple(CaseId(case) for case in given)


def _current(transaction: Transaction, key: str) -> Definition:
    deployment = transaction.deployment(key)
    if deployment is None:
        raise DefinitionNotFound(definition=key)
    return office().engine.library.get(deployment.sha256, transaction)


def _wanted(transaction: Transaction, before: Definition, body: Mapping[str, Any]) -> Definition:
    if (body["version"] is None) == (body["files"] is None):
        raise Invalid([FieldError("version", "required")])
    if body["version"] is not None:
        deployment = transaction.deployment(before.key, body["version"])
        if deployment is None:
            raise DefinitionNotFound(definition=before.key, version=body["version"])
        return office().engine.library.get(deployment.sha256, transaction)
    files: dict[str, str] = body["files"]
    if len(files) > _MOST_FILES or any(len(text) > _LONGEST_FILE for text in files.values()):
        raise Invalid([FieldError("files", "too_many", {"max": _MOST_FILES})])
    return edited(before.files, {name: text.encode() for name, text in files.items()})


def _for_eyes(trial: Trial, visibility: Visibility) -> Trial:
    if visibility.everything:
        return trial
    with reading() as transaction:
        shown = tuple(_shown(result, transaction, visibility) for result in trial.cases)
    return replace(trial, cases=shown)


def _shown(result: CaseResult, transaction: Transaction, visibility: Visibility) -> CaseResult:
    if is_visible(transaction.connection, visibility, result.case):
        return result
    return without_contents(result)
