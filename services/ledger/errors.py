"""Refusals about ledgers."""

from engine import Invalid


class SheetUnreadable(Invalid):
    """Raised when a file is no ledger that can be read."""

    slug = "sheet-unreadable"


class RowsRejected(Invalid):
    """Raised when rows of an import are wrong; `fields` names each by row and column."""

    slug = "rows-rejected"
