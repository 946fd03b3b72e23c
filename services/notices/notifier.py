"""The sweep that sends: digests that are due are noted, then what is noted is sent, once each."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from engine.store import Store, Transaction
from services.deadlines.calendar import Calendar
from services.notices import queries
from services.notices.digests import digest_of, period_due
from services.notices.errors import AddressInvalid, NotSent, TurnedDown, Unsure, WebhookNotAllowed
from services.notices.jobs import Outlet, channels_of, delivery_id, language_of, waiting
from services.notices.mail import SCHEMES, Mailer
from services.notices.messages import Digest, Message, digest_mail, digest_payload
from services.notices.queries import Delivery, Wishes
from services.notices.webhooks import check_host, post
from services.people.queries import Person

LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 8
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
"""Waits grow four times each: after eight attempts more than a day has passed."""

FindPerson = Callable[[str, Transaction], Person | None]


class Notifier:
    """Sends what people chose to be sent.

    Parameters
    ----------
    mailer : the mail server; `None`: no mails.
    hosts : patterns of hosts that webhooks may go to; empty: no webhooks.
    address : where the pages are, for links.
    """

    def __init__(
        self,
        store: Store,
        outlet: Outlet,
        *,
        find_person: FindPerson,
        calendar: Callable[[Any], Calendar],
        mailer: Mailer | None = None,
        hosts: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self.outlet = outlet
        self._find_person = find_person
        self._calendar = calendar
        self._mailer = mailer
        self.hosts = hosts
        self._looked_at: datetime | None = None

    def sweep(self, now: datetime, limit: int = 20) -> int:
        """Note the digests that are due, and send at most `limit` of what is noted.

        A channel whose other side can't be reached is left alone until the next sweep.
        """
        if not self.outlet.channels:
            return 0
        minute = now.replace(second=0, microsecond=0)
        if minute != self._looked_at:
            self._note_digests(now)
            self._looked_at = minute
        with self._store.transaction() as transaction:
            queries.settle_cut_off(transaction.connection, now)
            taken = queries.claim_deliveries(transaction.connection, now, limit, LEASE)
            users = {one.user for one in taken}
            wishes = queries.wishes_of(transaction.connection, users) if users else {}
        unreachable: set[str] = set()
        for delivery in taken:
            self._attend(delivery, wishes.get(delivery.user), now, unreachable)
        return len(taken)

    def digest(self, transaction: Transaction, person: Person, kind: str, now: datetime) -> Digest:
        """Give what a person would be told now."""
        wishes = queries.wishes_of(transaction.connection, [person.id])
        language = language_of(wishes.get(person.id, Wishes(user=person.id)))
        return digest_of(
            transaction.connection, person, kind, now, language=language, zone=self.outlet.zone
        )

    def _note_digests(self, now: datetime) -> None:
        with self._store.transaction(write=False) as transaction:
            connection = transaction.connection
            readers = queries.digest_readers(connection)
            if not readers:
                return
            calendar = self._calendar(connection)
            fresh = [
                wanted
                for wish in readers
                for wanted in self._digests(transaction, wish, now, calendar)
            ]
        if fresh:
            with self._store.transaction() as transaction:
                queries.add_deliveries(transaction.connection, fresh)

    def _digests(
        self, transaction: Transaction, wish: Wishes, now: datetime, calendar: Calendar
    ) -> list[Delivery]:
        period = period_due(wish, now, calendar, self.outlet.zone)
        person = self._find_person(wish.user, transaction) if period is not None else None
        if period is None or person is None or not person.active:
            return []
        ids = {
            channel: delivery_id(channel, wish.user, "digest", period)
            for channel in channels_of(wish, self.outlet)
        }
        missing = [c for c in ids if not queries.is_noted(transaction.connection, ids[c])]
        if not missing:
            return []
        found = self.digest(transaction, person, wish.digest, now)
        made = []
        for channel in missing:
            message = self._message(found, channel, ids[channel], wish)
            noted = waiting(
                ids[channel],
                user=wish.user,
                channel=channel,
                cause="digest",
                place=period,
                message=message,
                at=now,
            )
            made.append(_skipped(noted, now) if found.is_empty else noted)
        return made

    def _message(self, found: Digest, channel: str, delivery: str, wish: Wishes) -> Message:
        if channel == "webhook":
            return digest_payload(found, delivery, wish.user)
        return digest_mail(found, language_of(wish), self.outlet.zone, self.outlet.address)

    def _attend(
        self, delivery: Delivery, wish: Wishes | None, now: datetime, unreachable: set[str]
    ) -> None:
        channel = delivery.channel
        if channel in unreachable:
            self._postpone(delivery, now, None, attempts=delivery.attempts - 1)
            return
        try:
            self._send(delivery, wish, now)
        except (TurnedDown, AddressInvalid, WebhookNotAllowed) as refusal:
            self._end(delivery, "failed", now, str(refusal))
        except Unsure as doubt:
            self._end(delivery, "unsure", now, str(doubt))
        except NotSent as failure:
            if channel == "email":
                unreachable.add(channel)
            if delivery.attempts >= MOST_ATTEMPTS:
                self._end(delivery, "failed", now, str(failure))
            else:
                self._postpone(delivery, now, str(failure), attempts=delivery.attempts)
        else:
            self._end(delivery, "sent", now, None)

    def _send(self, delivery: Delivery, wish: Wishes | None, now: datetime) -> None:
        message = Message.read(delivery.message)
        if delivery.channel == "email":
            if wish is None or wish.email is None or self._mailer is None:
                raise TurnedDown("no address any more")
            self._mailer.send(wish.email, message, delivery.id, now)
            return
        if wish is None or wish.webhook_url is None or wish.webhook_secret is None:
            raise TurnedDown("no address any more")
        url = check_host(wish.webhook_url, self.hosts)
        post(url, wish.webhook_secret, delivery.id, now, message.body.encode())

    def _postpone(
        self, delivery: Delivery, now: datetime, error: str | None, *, attempts: int
    ) -> None:
        wait = min(FIRST_WAIT * 4 ** max(attempts - 1, 0), LONGEST_WAIT)
        with self._store.transaction() as transaction:
            queries.postpone_delivery(
                transaction.connection, delivery.id, now + wait, error, attempts
            )

    def _end(self, delivery: Delivery, state: str, now: datetime, error: str | None) -> None:
        with self._store.transaction() as transaction:
            queries.end_delivery(transaction.connection, delivery.id, state, now, error)


def _skipped(noted: Delivery, now: datetime) -> Delivery:
    """Note a digest that has nothing to tell, so that nobody looks again."""
    return replace(noted, message="", state="skipped", ended_at=now)


def open_notifier(
    store: Store,
    zone: ZoneInfo,
    *,
    find_person: FindPerson,
    calendar: Callable[[Any], Calendar],
    smtp_url: str | None = None,
    mail_from: str | None = None,
    webhook_hosts: Sequence[str] = (),
    public_url: str = "",
) -> Notifier:
    """Make the notifier of an installation from its settings.

    Raises
    ------
    ValueError : the mail server's address can't be understood, or there is no sender.
    """
    mailer = None
    if smtp_url is not None:
        if urlsplit(smtp_url).scheme not in SCHEMES or "@" not in (mail_from or ""):
            message = "smtp_url must be smtp://, smtp+starttls:// or smtps://, with mail_from"
            raise ValueError(message)
        mailer = Mailer(smtp_url, mail_from or "")
    hosts = tuple(webhook_hosts)
    channels = {name for name, there in (("email", mailer), ("webhook", hosts)) if there}
    outlet = Outlet(frozenset(channels), public_url, zone)
    return Notifier(
        store, outlet, find_person=find_person, calendar=calendar, mailer=mailer, hosts=hosts
    )
