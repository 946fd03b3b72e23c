"""Passwords: what a good one is, and how one is kept and checked."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import FieldError
from services.people.errors import InvalidPassword

SHORTEST = 10
LONGEST = 200

HASHER = PasswordHasher()


def check_password(login: str, password: str, field: str = "password") -> None:
    """Refuse a password that is too short, too long or contains the login.

    Raises
    ------
    InvalidPassword
        With what is wrong, at `field`.
    """
    wrong = []
    if len(password) < SHORTEST:
        wrong.append(FieldError(field, "too-short", {"minimum": SHORTEST}))
    if len(password) > LONGEST:
        wrong.append(FieldError(field, "too-long", {"maximum": LONGEST}))
    if login and login.casefold() in password.casefold():
        wrong.append(FieldError(field, "contains-login"))
    if wrong:
        raise InvalidPassword(wrong)


def is_password(stored: str | None, password: str, hasher: PasswordHasher = HASHER) -> bool:
    """Check a password against the stored hash; without one it takes as long and is wrong."""
    try:
        hasher.verify(stored if stored is not None else _nobodys(hasher), password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@lru_cache(maxsize=4)
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody's password")
