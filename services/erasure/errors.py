"""Refusals about erasing personal data."""

from engine.errors import Forbidden, Refused


class ErasureOpen(Refused):
    """Raised when an erasure is proposed that waits for its decision already."""

    slug = "erasure-open"


class ErasureNotProposed(Refused):
    """Raised when an erasure is to be decided that nobody proposed."""

    slug = "erasure-not-proposed"


class AlreadyErased(Refused):
    """Raised when the personal data of a case were erased before."""

    slug = "already-erased"


class ProposedErasure(Forbidden):
    """Raised when the person who proposed an erasure is to decide it: four eyes."""

    slug = "proposed-erasure"
