"""Refusals about proofs."""

from engine.errors import NotFound, Refused


class KeyNotAtHand(Refused):
    """Raised when the private part of the key that has to sign isn't in the folder of keys."""

    slug = "key-not-at-hand"


class KeyUnused(Refused):
    """Raised when a key is to be replaced that hasn't signed any tree head yet."""

    slug = "key-unused"


class SuiteIsFixed(Refused):
    """Raised when an installation that seals with one suite is set up with another."""

    slug = "suite-is-fixed"


class LogIsBroken(Refused):
    """Raised when the log doesn't lead to the newest tree head, so none may be put on top."""

    slug = "log-is-broken"


class HeadNotFound(NotFound):
    """Raised when there is no tree head with this number."""

    slug = "head-not-found"
