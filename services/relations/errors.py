"""Refusals about how cases relate."""

from engine import Refused


class ChildrenOpen(Refused):
    """Raised when a case would close before the cases that it was decomposed into."""

    slug = "children-open"


class DecompositionOpen(Refused):
    """Raised when a case is to be decomposed while a proposal for it waits for confirmation."""

    slug = "decomposition-open"


class PartNotConfirmed(Refused):
    """Raised when a part is to be registered that no leader confirmed."""

    slug = "part-not-confirmed"


class NotMergeable(Refused):
    """Raised when a case can't be merged: it is over, or it is the very same one."""

    slug = "not-mergeable"


class NotTransferable(Refused):
    """Raised when a case of this type can't be passed on; only its lead unit can be changed."""

    slug = "not-transferable"


class NotACoSigner(Refused):
    """Raised when somebody would take a proposal over who isn't among its other signers."""

    slug = "not-a-co-signer"
