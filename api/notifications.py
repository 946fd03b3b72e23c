"""How you are told of things beside in the system, and what was sent to you."""

from dataclasses import replace
from typing import Any

from flask import Response
from marshmallow import fields

from api.answers import listed
from api.context import is_first, now, office, person, read_cursor, reading, writing
from api.fields import Answer, Choice, Instant, Query, Request, Switch, Text, Whole
from api.openapi import KEY_PARAMETER, Noun
from api.people import require
from api.schemas import of
from engine import FieldError, Invalid
from services.notices import queries
from services.notices.errors import AddressInvalid, DeliveryNotFound, WebhookNotAllowed
from services.notices.mail import check_address
from services.notices.messages import digest_mail
from services.notices.notifier import Notifier
from services.notices.queries import Wishes
from services.notices.webhooks import check_host, new_secret
from services.notices.words import LANGUAGES
from services.pages import LONGEST_PAGE
from services.people.roles import Role
from services.permissions import Action

notifications = Noun("notifications", __name__, "Being told by mail, webhook and digest.")

DIGESTS = ("none", "daily", "weekly")
STATES = ("waiting", "sending", "sent", "failed", "unsure", "skipped")
CHANNELS = ("email", "webhook")
HTML = "text/html; charset=utf-8"
_LAST_HOUR = 23


class WishesOut(Answer):
    """How somebody is told."""

    email = fields.String(required=True, allow_none=True)
    by_email = fields.Boolean(required=True)
    webhook_url = fields.String(required=True, allow_none=True)
    has_webhook_secret = fields.Boolean(required=True)
    digest = fields.String(required=True)
    digest_hour = fields.Integer(required=True)
    language = fields.String(required=True)
    channels = fields.List(
        fields.String(), required=True, metadata=of("what this installation can do")
    )


class WishesIn(Request):
    """How you want to be told."""

    email = Text(longest=254, load_default=None, allow_none=True)
    by_email = Switch(load_default=True)
    webhook_url = Text(
        longest=500,
        load_default=None,
        allow_none=True,
        metadata=of("its host must be among those the installation allows"),
    )
    digest = Choice(DIGESTS)
    digest_hour = Whole(least=0, most=_LAST_HOUR, load_default=8, strict=True)
    language = Choice(LANGUAGES, load_default="zh")


class SecretOut(Answer):
    """A secret, shown this once."""

    secret = fields.String(required=True)


class DeliveryOut(Answer):
    """Something sent, or to be sent."""

    id = fields.String(required=True)
    user = fields.String(required=True)
    channel = fields.String(required=True)
    cause = fields.String(required=True)
    place = fields.String(required=True, metadata=of("the case, or the period of a digest"))
    created_at = Instant(required=True)
    state = fields.String(required=True)
    attempts = fields.Integer(required=True)
    ended_at = Instant(required=True, allow_none=True)
    last_error = fields.String(required=True, allow_none=True)


class DeliveryPage(Answer):
    """Deliveries, the newest first."""

    items = fields.List(fields.Nested(DeliveryOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class DeliveryQuery(Query):
    """Which deliveries."""

    state = Choice(STATES, load_default=None)
    limit = Whole(least=1, most=LONGEST_PAGE, load_default=50)
    cursor = Text(longest=600, load_default=None)


class DigestQuery(Query):
    """Which digest."""

    kind = Choice(DIGESTS[1:], load_default="daily")
    language = Choice(LANGUAGES, load_default="zh")


@notifications.route("/me/notifications", methods=["GET"])
@notifications.response(200, WishesOut)
def show() -> dict[str, Any]:
    """Show how you are told."""
    with reading() as transaction:
        found = queries.wishes_of(transaction.connection, [person().id])
    return _as_answer(found.get(person().id) or _default())


@notifications.route("/me/notifications", methods=["PUT"])
@notifications.arguments(WishesIn)
@notifications.response(200, WishesOut)
def change(body: dict[str, Any]) -> dict[str, Any]:
    """Say how you want to be told."""
    given = {**body, "email": body["email"] or None, "webhook_url": body["webhook_url"] or None}
    _check(given)
    with writing() as transaction:
        former = queries.wishes_of(transaction.connection, [person().id]).get(person().id)
        wishes = replace(former or _default(), **given)
        queries.save_wishes(transaction.connection, wishes)
    return _as_answer(wishes)


@notifications.route("/me/notifications/webhook-secret", methods=["POST"])
@notifications.doc(parameters=[KEY_PARAMETER])
@notifications.response(201, SecretOut)
def make_secret() -> dict[str, str]:
    """Make the secret that webhooks to you are signed with, in place of the one before."""
    secret = new_secret()
    with writing() as transaction:
        connection = transaction.connection
        former = queries.wishes_of(connection, [person().id]).get(person().id) or _default()
        if not is_first(transaction) and former.webhook_secret is not None:
            secret = former.webhook_secret
        queries.save_wishes(connection, replace(former, webhook_secret=secret))
    return {"secret": secret}


@notifications.route("/me/deliveries", methods=["GET"])
@notifications.arguments(DeliveryQuery, location="query")
@notifications.response(200, DeliveryPage)
def show_own(query: dict[str, Any]) -> dict[str, Any]:
    """List what was sent to you, or is about to be."""
    return _page(query, person().id)


@notifications.route("/me/digest", methods=["GET"])
@notifications.arguments(DigestQuery, location="query")
@notifications.response(200, {"type": "string"}, content_type=HTML)
def show_digest(query: dict[str, Any]) -> Response:
    """Show the digest of now, as it would be sent."""
    outlet = notifier().outlet
    with reading() as transaction:
        found = notifier().digest(transaction, person(), query["kind"], now())
    mail = digest_mail(found, query["language"], outlet.zone, outlet.address)
    answer = Response(mail.html, content_type=HTML)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return answer


@notifications.route("/deliveries", methods=["GET"])
@notifications.arguments(DeliveryQuery, location="query")
@notifications.response(200, DeliveryPage)
def show_all(query: dict[str, Any]) -> dict[str, Any]:
    """List everybody's deliveries, such as those that failed."""
    require(Action.MANAGE_INCIDENTS)
    return _page(query, None)


@notifications.route("/deliveries/<ident:delivery>/retry", methods=["POST"])
@notifications.doc(parameters=[KEY_PARAMETER])
@notifications.response(204)
def retry(delivery: str) -> None:
    """Try again what failed for good; what was sent, or may have been, never is."""
    require(Action.MANAGE_INCIDENTS)
    with writing() as transaction:
        if is_first(transaction) and not queries.retry_delivery(
            transaction.connection, delivery, now()
        ):
            raise DeliveryNotFound(delivery=delivery)


def notifier() -> Notifier:
    """Give what sends for this installation."""
    return office().notifier


def _check(given: dict[str, Any]) -> None:
    wrong = []
    try:
        if given["email"] is not None:
            check_address(given["email"])
    except AddressInvalid:
        wrong.append(FieldError("email", "bad_address"))
    try:
        if given["webhook_url"] is not None:
            check_host(given["webhook_url"], notifier().hosts)
    except WebhookNotAllowed:
        wrong.append(FieldError("webhook_url", "host_not_allowed"))
    if wrong:
        raise Invalid(wrong)


def _default() -> Wishes:
    # Leaders and the head of the office get a digest once they have given an address.
    leads = person().holds(Role.LEADER) or person().holds(Role.OFFICE_DIRECTOR)
    return Wishes(user=person().id, digest="daily" if leads else "none")


def _as_answer(wishes: Wishes) -> dict[str, Any]:
    return {
        "email": wishes.email,
        "by_email": wishes.by_email,
        "webhook_url": wishes.webhook_url,
        "has_webhook_secret": wishes.webhook_secret is not None,
        "digest": wishes.digest,
        "digest_hour": wishes.digest_hour,
        "language": wishes.language,
        "channels": [name for name in CHANNELS if name in notifier().outlet.channels],
    }


def _page(query: dict[str, Any], user: str | None) -> dict[str, Any]:
    after = read_cursor(query["cursor"], 2)
    with reading() as transaction:
        page = queries.deliveries_of(
            transaction.connection,
            user=user,
            state=query["state"],
            after=after,
            limit=query["limit"],
        )
    return listed(page)
