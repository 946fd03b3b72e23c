"""Refusals of what-if."""

from engine import Invalid


class NoSuchFile(Invalid):
    """Raised when an edited file belongs to no file of the definition, so it'd change nothing."""

    slug = "no-such-file"


class NothingEdited(Invalid):
    """Raised when what-if is asked without an edited file or another version."""

    slug = "nothing-edited"
