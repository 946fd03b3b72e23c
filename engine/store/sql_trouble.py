"""Tell a database that is busy or away from a statement that is wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from engine.store import StoreUnavailable

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""SQLite calls a statement that is wrong or a damaged file an operational error, too."""


def tell_trouble_at_once(engine: Engine) -> None:
    """Let statements raise `StoreUnavailable`, so that nobody takes it for what they looked at."""

    @event.listens_for(engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if error is not None and is_trouble(error):
            raise StoreUnavailable(str(context.original_exception)) from error


@contextmanager
def telling_trouble() -> Iterator[None]:
    """Raise `StoreUnavailable` in place of what the driver raises when the database is the cause.

    What is wrong with a statement, such as a table that isn't there, is raised as it is.
    """
    try:
        yield
    except SQLAlchemyError as error:
        if is_trouble(error):
            raise StoreUnavailable(str(getattr(error, "orig", error))) from error
        raise


def is_trouble(error: SQLAlchemyError) -> bool:
    """Tell whether the database was busy or away, so that a retry may do."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return isinstance(error, OperationalError) and code in _PASSING
    return error.connection_invalidated or isinstance(error, OperationalError)
