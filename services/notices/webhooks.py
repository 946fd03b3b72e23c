"""Signed webhooks (Standard Webhooks): HMAC-SHA256 over id, timestamp and body.

A receiver checks the signature, refuses a timestamp more than five minutes off, and remembers the
ids of as long: so nothing forged or recorded gets through, and what comes again is known again.
"""

import base64
import fnmatch
import hashlib
import hmac
import http.client
import secrets
import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from services.notices.errors import NotSent, TurnedDown, WebhookNotAllowed

TIMEOUT_S = 10.0
TOLERANCE = timedelta(minutes=5)
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_SECRET = "whsec_"  # noqa: S105 -- how secrets begin
_GONE = 410
_TAKEN = range(200, 300)
_MOST_ANSWER_BYTES = 2000


def new_secret() -> str:
    """Make a secret that both sides keep."""
    return _SECRET + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(secret: str, delivery: str, at: datetime, body: bytes) -> dict[str, str]:
    """Give the headers that prove where a body comes from, and when."""
    stamp = str(int(at.timestamp()))
    return {
        ID: delivery,
        TIMESTAMP: stamp,
        SIGNATURE: f"v1,{_signature(secret, delivery, stamp, body)}",
    }


def is_genuine(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    seen: Collection[str] = (),
) -> bool:
    """Tell whether a body is ours, fresh and not seen before: what a receiver does.

    Parameters
    ----------
    headers : by lower-case name.
    seen : ids received within the last `TOLERANCE`.
    """
    delivery, stamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not delivery or not stamp.isascii() or not stamp.isdigit() or len(stamp) > len("9" * 12):
        return False
    expected = _signature(secret, delivery, stamp, body)
    given = [one.removeprefix("v1,") for one in headers.get(SIGNATURE, "").split(" ")]
    ours = any(hmac.compare_digest(expected, one) for one in given if one.isascii())
    fresh = abs(now - datetime.fromtimestamp(int(stamp), UTC)) <= TOLERANCE
    return ours and fresh and delivery not in seen


def check_host(url: str, allowed: Collection[str]) -> str:
    """Give an address that webhooks may go to.

    Parameters
    ----------
    allowed : patterns of hosts, with a port where it isn't the usual one, such as ``oa.gov.cn``,
        ``*.gov.cn``, ``10.1.2.3:8443``; whom nobody allowed can't be reached.

    Raises
    ------
    WebhookNotAllowed : it isn't http or https, or its host isn't allowed.
    """
    try:
        parts = urlsplit(url)
        place = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        place = ""
    usual = parts.scheme in ("http", "https") if place else False
    if not usual or parts.username or not url.isascii() or not url.isprintable():
        raise WebhookNotAllowed(url[:200])
    if not any(fnmatch.fnmatchcase(place.lower(), pattern.lower()) for pattern in allowed):
        raise WebhookNotAllowed(url[:200])
    return url


def post(url: str, secret: str, delivery: str, at: datetime, body: bytes) -> None:
    """Send a body. Nothing is followed elsewhere, and no proxy is asked.

    Raises
    ------
    NotSent : no answer, or none that says it was taken.
    TurnedDown : the other side says it is gone for good.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        **signed(secret, delivery, at, body),
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "duban",
    }
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        answer.read(_MOST_ANSWER_BYTES)
    except (OSError, http.client.HTTPException) as failure:
        raise NotSent(repr(failure)[:500]) from failure
    finally:
        connection.close()
    if answer.status == _GONE:
        raise TurnedDown(f"{answer.status} {answer.reason}"[:500])
    if answer.status not in _TAKEN:
        raise NotSent(f"{answer.status} {answer.reason}"[:500])


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)


def _signature(secret: str, delivery: str, stamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_SECRET))
    told = f"{delivery}.{stamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, told, hashlib.sha256)).decode()
