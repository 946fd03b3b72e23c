"""Write down who tried to see what isn't for their eyes (domain.md §10, case 37)."""

import secrets
from datetime import datetime

from engine.store import Transaction
from services.audit.tables import access_log

NOT_VISIBLE = "not_visible"
"""The person was told that there is no such case."""

_LONGEST_REQUEST = 200


def note_denied(transaction: Transaction, case: str, user: str, request: str, at: datetime) -> None:
    """Keep an attempt on a case that exists; `request` says what was asked, e.g. ``GET /…``."""
    transaction.connection.execute(
        access_log.insert(),
        {
            "case_id": case,
            "id": secrets.token_hex(10),
            "at": at,
            "user": user,
            "request": request[:_LONGEST_REQUEST],
            "outcome": NOT_VISIBLE,
        },
    )
