"""What clients send and get about definitions."""

from marshmallow import fields

from api.fields import Answer, Instant, Query, Switch
from api.schemas import FormOut, of


class DeploymentOut(Answer):
    """One version of a definition."""

    key = fields.String(required=True)
    version = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    title = fields.String(required=True)
    active = fields.Boolean(required=True, metadata=of("new cases may start on it"))
    deployed_at = Instant(required=True)
    deployed_by = fields.String(required=True)
    approved_at = Instant(required=True, allow_none=True)
    approved_by = fields.String(required=True, allow_none=True)


class DeploymentPage(Answer):
    """Definitions or their versions."""

    items = fields.List(fields.Nested(DeploymentOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class VersionOut(DeploymentOut):
    """One version with the names of its files."""

    files = fields.List(fields.String(), required=True)


class DefinitionOut(DeploymentOut):
    """The version that new cases start on, with the form that registers one."""

    form = fields.Nested(FormOut, required=True)
    data = fields.Dict(keys=fields.String(), required=True)


class FindingOut(Answer):
    """Something lint found in an uploaded file."""

    rule = fields.String()
    severity = fields.String()
    file = fields.String(allow_none=True)
    line = fields.Integer(allow_none=True)
    element = fields.String(allow_none=True)
    message = fields.String()
    hint = fields.String(allow_none=True)


class LintOut(Answer):
    """What lint says about uploaded files."""

    ok = fields.Boolean(required=True)
    findings = fields.List(fields.Nested(FindingOut), required=True)


class DryRunQuery(Query):
    """Whether only to look."""

    dry_run = Switch(load_default=False)
