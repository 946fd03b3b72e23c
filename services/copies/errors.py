"""Refusals about copies of an installation."""

from engine.errors import Refused


class CopyExists(Refused):
    """Raised when a copy is to be written where something is already."""

    slug = "copy-exists"


class NotEmpty(Refused):
    """Raised when a copy is to be put where an installation is already."""

    slug = "installation-exists"


class CopyDamaged(Refused):
    """Raised when a copy isn't whole: a file is missing, altered, or one too many."""

    slug = "copy-damaged"


class ToolMissing(Refused):
    """Raised when PostgreSQL's own tool isn't on the path, or failed."""

    slug = "tool-missing"
