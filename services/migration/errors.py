"""Refusals of migration."""

from engine import Refused


class DefinitionNotApproved(Refused):
    """Raised when cases are to continue on a version that new cases can't start on yet."""

    slug = "definition-not-approved"
