"""An office that can send, and who takes what it sends."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine import CaseId, JobId
from services.notices import queries
from services.notices.jobs import send_notice
from services.notices.notifier import Notifier, open_notifier
from services.notices.queries import Delivery, Wishes
from services.notices.webhooks import new_secret
from tests.helpers.offices import Place, dispatched_case, sqlite_place
from tests.unit.notices.servers import MailServer, Receiver, serving

CASE = "case-1"


class Post:
    """An office with one dispatched case, its notifier and the other sides."""

    def __init__(self, place: Place, mails: MailServer, receiver: Receiver) -> None:
        self.place, self.mails, self.receiver = place, mails, receiver
        self.secret = receiver.secret = new_secret()
        self.notifier = self.open()
        dispatched_case(place, CASE)

    def open(self, **changed: object) -> Notifier:
        """Open a notifier, as another worker would."""
        office = self.place.office
        given: dict[str, object] = {
            "smtp_url": self.mails.url,
            "mail_from": "督办系统 <duban@example.gov.cn>",
            "webhook_hosts": (self.receiver.place,),
            "public_url": "https://duban.example.gov.cn",
            **changed,
        }
        return open_notifier(
            office.store,
            office.settings.zone,
            find_person=office.people.find,
            calendar=office.calendar.get,
            **given,  # type: ignore[arg-type]  # settings
        )

    def wish(self, user: str, **chosen: object) -> None:
        """Choose how somebody is told."""
        wishes = replace(Wishes(user=user, webhook_secret=self.secret), **chosen)  # type: ignore[arg-type]  # fields
        with self.place.office.store.transaction() as transaction:
            queries.save_wishes(transaction.connection, wishes)

    def notice(self, job: str = "case-1.j1", kind: str = "notify_overdue") -> None:
        """Tell of something, as the outbox does."""
        handler = send_notice(
            self.place.office.store,
            self.place.office.engine.library,
            lambda _case, _job: kind,
            self.notifier.outlet,
        )
        handler(CaseId(CASE), JobId(job), {"now": self.place.clock.now()})

    def sweep(self, notifier: Notifier | None = None) -> int:
        self.receiver.now = self.place.clock.now()
        return (notifier or self.notifier).sweep(self.place.clock.now())

    def later(self, **by: float) -> None:
        self.place.clock.set(self.place.clock.now() + timedelta(**by))

    def deliveries(self, user: str | None = None) -> tuple[Delivery, ...]:
        with self.place.office.store.transaction(write=False) as transaction:
            return queries.deliveries_of(transaction.connection, user=user).items


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    place = sqlite_place(tmp_path)
    mails, receiver = MailServer(), Receiver(place.clock.now())
    with serving(mails), serving(receiver):
        yield Post(place, mails, receiver)
    place.office.close()
