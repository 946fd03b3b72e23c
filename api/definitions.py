"""Definitions: the files that say how cases of a type run; two people deploy one."""

from typing import Any

from flask import Response, jsonify, request
from werkzeug.datastructures import FileStorage

from api.answers import read_lookups
from api.context import actor, now, office, reader, reading
from api.definition_schemas import (
    DefinitionOut,
    DeploymentOut,
    DeploymentPage,
    DryRunQuery,
    LintOut,
    VersionOut,
)
from api.openapi import KEY_PARAMETER, Noun
from api.people import require
from api.problems import WrongMediaType
from engine import FieldError, Invalid
from engine.definitions import MAIN_FILE, SHARED
from engine.errors import DefinitionNotFound, InvalidDefinition
from engine.lint import check_in_subprocess
from engine.records import Json
from engine.store import Deployment, Transaction
from services.cases.commands import REGISTER
from services.documents.drafts import check_templates
from services.lookups import NAMES
from services.permissions import Action
from services.tasks.queries import filled_form

definitions = Noun("definitions", __name__, "How cases of each type run: versions and files.")

MAX_UPLOAD_BYTES = 20_000_000
MAX_FILES = 200
_LONGEST_NAME = 200
_HIGHEST_VERSION = 2**31

UPLOAD = {
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "additionalProperties": {"type": "string", "format": "binary"},
                "description": "files by name: `process.bpmn`, `forms/register.json`, …",
            }
        }
    },
    "required": True,
}
DRY_RUN = {
    "in": "query",
    "name": "dry_run",
    "required": False,
    "description": "1: only say what lint finds.",
    "schema": {"type": "boolean"},
}


@definitions.route("/definitions", methods=["GET"])
@definitions.response(200, DeploymentPage)
def show_definitions() -> dict[str, Any]:
    """List the definitions that new cases can start on."""
    with reading() as transaction:
        newest: dict[str, Deployment] = {}
        for one in transaction.deployments():
            if one.active:
                newest.setdefault(one.key, one)
    return {"items": list(newest.values()), "next_cursor": None}


@definitions.route("/definitions/<ident:key>", methods=["GET"])
@definitions.response(200, DefinitionOut)
def show_definition(key: str) -> dict[str, Json]:
    """Show the version that new cases start on, with the form that registers one."""
    deployment, definition = office().engine.library.current(key)
    with reading() as transaction:
        form = filled_form(definition.form(REGISTER), {}, read_lookups(transaction), now())
    shown = {"schema": form.schema, "ui": form.ui}
    return {**_fields(deployment), "form": shown, "data": form.data}


@definitions.route("/definitions/<ident:key>/versions", methods=["GET"])
@definitions.response(200, DeploymentPage)
def show_versions(key: str) -> dict[str, Any]:
    """List the versions of a definition, the newest first."""
    require(Action.READ_DEFINITIONS)
    with reading() as transaction:
        found = transaction.deployments(key)
    if not found:
        raise DefinitionNotFound(definition=key)
    return {"items": found, "next_cursor": None}


@definitions.route("/definitions/<ident:key>/versions/<int:version>", methods=["GET"])
@definitions.response(200, VersionOut)
def show_version(key: str, version: int) -> dict[str, Json]:
    """Show one version with the names of its files."""
    require(Action.READ_DEFINITIONS)
    with reading() as transaction:
        deployment = _version(transaction, key, version)
        files = transaction.files(deployment.sha256)
    return {**_fields(deployment), "files": sorted(files)}


@definitions.route(
    "/definitions/<ident:key>/versions/<int:version>/files/<path:name>", methods=["GET"]
)
@definitions.response(
    200, {"type": "string", "format": "binary"}, content_type="application/octet-stream"
)
def show_file(key: str, version: int, name: str) -> Response:
    """Give one file of a version as it was uploaded."""
    require(Action.READ_DEFINITIONS)
    with reading() as transaction:
        deployment = _version(transaction, key, version)
        content = transaction.files(deployment.sha256).get(name)
    if content is None:
        raise DefinitionNotFound(definition=key, version=version)
    response = Response(content, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = "attachment"
    return response


@definitions.route("/definitions", methods=["POST"])
@definitions.doc(parameters=[KEY_PARAMETER, DRY_RUN], requestBody=UPLOAD)
@definitions.arguments(DryRunQuery, location="query")
@definitions.response(201, DeploymentOut)
@definitions.alt_response(200, schema=LintOut, description="what lint finds (`dry_run=1`)")
def propose(query: dict[str, bool]) -> Any:  # noqa: ANN401 -- one of two answers
    """Propose files as the next version of their definition; another person approves it.

    Files of `shared/` that aren't among those uploaded are those of the definitions in force.
    """
    require(Action.EDIT_DEFINITIONS if query["dry_run"] else Action.PROPOSE_DEFINITION)
    files = _with_shared(_uploaded())
    language = reader().language
    findings = check_in_subprocess(files, functions=NAMES)
    if not any(finding.severity == "error" for finding in findings):
        findings += check_templates(files, office().settings.zone)
    errors = [finding for finding in findings if finding.severity == "error"]
    shown = [finding.as_json(language) for finding in findings]
    if query["dry_run"]:
        return jsonify(LintOut().dump({"ok": not errors, "findings": shown}))
    if errors:
        wrong = [FieldError(f.file, f.rule, {"said": f.message(language)}) for f in errors]
        raise InvalidDefinition(wrong, findings=shown)
    return office().engine.library.deploy(files, actor().user, now(), active=False)


@definitions.route("/definitions/<ident:key>/versions/<int:version>/approve", methods=["POST"])
@definitions.doc(parameters=[KEY_PARAMETER])
@definitions.response(200, DeploymentOut)
def approve(key: str, version: int) -> Deployment:
    """Let new cases start on a version that somebody else proposed."""
    require(Action.APPROVE_DEFINITION)
    return office().engine.library.approve(key, version, actor().user, now())


def _uploaded() -> dict[str, bytes]:
    if request.mimetype != "multipart/form-data":
        raise WrongMediaType(expected="multipart/form-data")
    given = list(request.files.items(multi=True))
    if len(given) > MAX_FILES:
        raise Invalid([FieldError("files", "too_many", {"max": MAX_FILES})])
    files = {_name(field, file): file.read() for field, file in given}
    wrong = [FieldError(name[:_LONGEST_NAME], "not_allowed") for name in files if not _fits(name)]
    if MAIN_FILE not in files:
        wrong.append(FieldError(MAIN_FILE, "required"))
    if wrong:
        raise Invalid(wrong)
    return files


def _name(field: str, file: FileStorage) -> str:
    # A field called like a file names it; otherwise the file's own name does, folders included.
    return field if "." in field or "/" in field else (file.filename or "")


def _fits(name: str) -> bool:
    parts = name.split("/")
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.isprintable()
        and "\\" not in name
        and all(part and not part.startswith(".") for part in parts)
    )


def _with_shared(files: dict[str, bytes]) -> dict[str, bytes]:
    with reading() as transaction:
        active = [one for one in transaction.deployments() if one.active]
        if not active:
            return files
        newest = max(active, key=lambda one: (one.deployed_at, one.version))
        in_force = transaction.files(newest.sha256)
    return {name: c for name, c in in_force.items() if name.startswith(SHARED)} | files


def _version(transaction: Transaction, key: str, version: int) -> Deployment:
    found = transaction.deployment(key, version) if version < _HIGHEST_VERSION else None
    if found is None:
        raise DefinitionNotFound(definition=key, version=version)
    return found


def _fields(deployment: Deployment) -> dict[str, Json]:
    return {name: getattr(deployment, name) for name in Deployment.__slots__}
