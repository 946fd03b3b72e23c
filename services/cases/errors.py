"""Refusals about a case as a whole."""

from engine import Refused


class RefusalTooLate(Refused):
    """Raised when a unit says it isn't competent after the time for saying so."""

    slug = "refusal-too-late"


class RefusalOverruledAlready(Refused):
    """Raised when a unit refuses again although the office has insisted."""

    slug = "refusal-overruled-already"


class NotDispatched(Refused):
    """Raised when something is asked of a unit before the case went to one."""

    slug = "not-dispatched"


class CaseIsClosed(Refused):
    """Raised when a case is closed and something is asked that only an open one can do."""

    slug = "case-is-closed"


class NotAProposal(Refused):
    """Raised when a case that no deputy filed is to be withdrawn."""

    slug = "not-a-proposal"
