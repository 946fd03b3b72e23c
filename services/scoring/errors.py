"""Refusals about points."""

from engine import Forbidden, NotFound, Refused


class EntryNotFound(NotFound):
    """Raised when a case has no such entry of points."""

    slug = "entry-not-found"


class NotOwnEntry(Forbidden):
    """Raised when a unit appeals against points of another unit."""

    slug = "not-own-entry"


class AppealNotPossible(Refused):
    """Raised when an entry was appealed already, or is itself a reversal."""

    slug = "appeal-not-possible"


class NoOpenAppeal(Refused):
    """Raised when an appeal is to be decided that nobody filed or that is decided."""

    slug = "no-open-appeal"


class TookPart(Forbidden):
    """Raised when somebody who made or reviewed the finding would decide the appeal (回避)."""

    slug = "took-part"
