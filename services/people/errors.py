"""Refusals about people and units."""

from engine.errors import Conflict, Forbidden, Invalid, NotFound, Refused


class UserNotFound(NotFound):
    """Raised when there is no user with this login."""

    slug = "user-not-found"


class UnitNotFound(NotFound):
    """Raised when there is no unit with this code."""

    slug = "unit-not-found"


class TokenNotFound(NotFound):
    """Raised when a token to be revoked isn't there."""

    slug = "token-not-found"


class InvalidUser(Invalid):
    """Raised when a user can't be like this; the fields say why."""

    slug = "invalid-user"


class InvalidUnit(Invalid):
    """Raised when a unit can't be like this; the fields say why."""

    slug = "invalid-unit"


class InvalidPassword(Invalid):
    """Raised when a new password is too weak or the old one wrong; the fields say which."""

    slug = "invalid-password"


class InvalidToken(Invalid):
    """Raised when a token can't be made like this; the fields say why."""

    slug = "invalid-token"


class UserExists(Conflict):
    """Raised when the login is taken."""

    slug = "user-exists"


class UnitExists(Conflict):
    """Raised when the code of a unit is taken."""

    slug = "unit-exists"


class UnitNotActive(Refused):
    """Raised when a unit that was dissolved or merged is to be merged."""

    slug = "unit-not-active"


class LoginRefused(Forbidden):
    """Raised when login and password don't belong together; which of them is wrong isn't said."""

    slug = "login-refused"


class TooManyAttempts(Forbidden):
    """Raised when a login was tried in vain too often; it is open again at `retry_at`."""

    slug = "too-many-attempts"
