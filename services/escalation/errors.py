"""Refusals about the rounds."""

from engine import Refused


class EscalationOpen(Refused):
    """Raised when the rounds are ordered on a case that is in them already."""

    slug = "escalation-open"
