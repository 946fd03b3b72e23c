"""What an endpoint needs of its request: the office, the instant, who asks, and the headers."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from flask import current_app, g, request

from api.wording import Reader, choose, reader_of_office
from engine import Actor, CaseId, FieldError, Invalid
from engine.store import Transaction
from services.audit.queries import note_key
from services.cases.queries import Glance
from services.deadlines.lights import task_yellow_from
from services.office import Office
from services.people.queries import Person
from services.permissions import visible_cases

_ETAG = re.compile(r'"?(\d{1,9})"?')
_KEY = re.compile(r"[\x21-\x7e]{1,120}")
_CASE_ID_LENGTH = 20


def office() -> Office:
    """Give the installation that this application serves."""
    return cast("Office", current_app.extensions["duban"])


def now() -> datetime:
    """Give the instant at which the request arrived."""
    if "now" not in g:
        g.now = office().clock.now()
    return cast("datetime", g.now)


def reader() -> Reader:
    """Give whom answers are written for."""
    language = choose(request.accept_languages.best_match)
    return reader_of_office(language, office().settings.zone, now())


def person() -> Person:
    """Give who asks; `api.identity` has made sure that somebody does."""
    return cast("Person", g.person)


def actor() -> Actor:
    """Give who acts; for whom, the engine finds out."""
    return Actor(person().id)


@contextmanager
def reading() -> Iterator[Transaction]:
    """Read in one transaction that waits for nobody."""
    with office().store.transaction(write=False) as transaction:
        yield transaction


@contextmanager
def writing() -> Iterator[Transaction]:
    """Write in one transaction, outside any case: people, calendar, notices."""
    with office().store.transaction() as transaction:
        yield transaction
    office().people.forget()
    current_app.extensions["duban-identities"].forget()


def glance(transaction: Transaction) -> Glance:
    """Give how lists look at things: with this person's eyes, at this instant."""
    yellow_from = task_yellow_from(
        office().engine.library,
        transaction,
        lambda: office().calendar.get(transaction.connection),
        now(),
        office().settings.zone,
    )
    return Glance(visible_cases(person()), now(), yellow_from)


def idempotency_key() -> str | None:
    """Give the key of this request, of this user only; `None` without one.

    Raises
    ------
    MalformedHeader : longer than 120 signs, or signs that aren't printable ASCII.
    """
    given = request.headers.get("Idempotency-Key")
    if given is None:
        return None
    if not _KEY.fullmatch(given):
        raise malformed("Idempotency-Key")
    return f"http:{person().id}:{given}"


def is_first(transaction: Transaction) -> bool:
    """Tell whether a request outside any case comes for the first time under its key.

    To be asked in the transaction that has the effect.

    Raises
    ------
    KeyReused : another request came under this key.
    """
    key = idempotency_key()
    if key is None:
        return True
    asked = b"\0".join([request.method.encode(), request.path.encode(), request.get_data()])
    digest = hashlib.sha256(asked).hexdigest()
    return note_key(transaction.connection, key, digest, now())


def secret_of_key() -> str | None:
    """Give a secret that is the same again under the same key; `None` without a key."""
    key = idempotency_key()
    if key is None:
        return None
    digest = hmac.digest(office().secret.encode(), key.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def if_match() -> int | None:
    """Give the case's `seq` that the client saw last; `None` when it doesn't matter.

    Raises
    ------
    MalformedHeader : it isn't one number, with or without quotation marks, or ``*``.
    """
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return None
    found = _ETAG.fullmatch(given.strip())
    if found is None:
        raise malformed("If-Match")
    return int(found[1])


def new_case_id() -> CaseId:
    """Give the id of a case to register: from user and key, so that it is the same again."""
    key = idempotency_key()
    seed = key.encode() if key is not None else secrets.token_bytes(32)
    digest = base64.b32encode(hashlib.sha256(seed).digest()).decode().lower()
    return CaseId(f"c{digest[:_CASE_ID_LENGTH]}")


def read_cursor(text: str | None, parts: int) -> tuple[str, ...] | None:
    """Read where a page of a list continues.

    Raises
    ------
    Invalid : the text didn't come from this list.
    """
    if text is None:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        if not isinstance(place, list) or len(place) != parts:
            raise ValueError(place)
        if parts > 1 and datetime.fromisoformat(place[0]).tzinfo is None:
            raise ValueError(place)
        return tuple(_text(part) for part in place)
    except (ValueError, TypeError, RecursionError):
        raise Invalid([FieldError("cursor", "bad_cursor")]) from None


def write_cursor(after: tuple[str, ...] | None) -> str | None:
    """Give where the next page continues, as text."""
    if after is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(after).encode()).decode("ascii")


def _text(part: Any) -> str:  # noqa: ANN401 -- whatever stood in the cursor
    if not isinstance(part, str) or "\0" in part or not part.isprintable():
        raise ValueError(part)
    return part


def malformed(header: str) -> Exception:
    """Give the problem of a header that can't be read."""
    from api.problems import MalformedHeader  # noqa: PLC0415 -- problems need this module

    return MalformedHeader(header=header)
