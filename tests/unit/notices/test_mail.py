import threading

import pytest
import sqlalchemy as sa

from services.notices.errors import AddressInvalid
from services.notices.mail import Mailer, check_address
from services.notices.messages import Message
from services.notices.notifier import MOST_ATTEMPTS
from services.notices.tables import deliveries
from tests.unit.notices.conftest import Post


def test_a_notice_comes_as_a_mail_with_text_and_html(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    post.notice()

    post.sweep()

    (mail,) = post.mails.mails
    assert mail["To"] == "contact@example.gov.cn"
    assert mail["Subject"] == "【督办】逾期提醒：督〔2026〕批示-0001 赵家村耕地被占补偿问题"
    assert "督办系统" in str(mail["From"])
    text = mail.get_body(("plain",))
    page = mail.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "办理期限: 2026年3月17日24:00" in text.get_content()
    assert "https://duban.example.gov.cn/cases/case-1" in text.get_content()
    assert "width=device-width" in page.get_content()


def test_a_mail_can_be_in_english(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn", language="en")
    post.notice()

    post.sweep()

    text = post.mails.mails[0].get_body(("plain",))
    assert text is not None
    assert text.get_content().startswith("Overdue")
    assert "17 March 2026, 24:00" in text.get_content()


@pytest.mark.parametrize(
    "chosen",
    [{}, {"email": "a@example.gov.cn", "by_email": False}, {"email": None}],
)
def test_who_chose_no_mail_gets_none_but_is_told_in_the_system(
    post: Post, chosen: dict[str, object]
) -> None:
    post.wish("contact.11", **chosen)
    post.notice()

    post.sweep()

    assert post.mails.mails == []
    assert post.deliveries() == ()


def test_the_same_job_delivered_again_sends_nothing_twice(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    for _ in range(3):
        post.notice()
        post.sweep()

    assert len(post.mails.mails) == 1
    assert [one.state for one in post.deliveries()] == ["sent"]


def test_workers_side_by_side_send_nothing_twice(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    for number in range(12):
        post.notice(f"case-1.j{number}")
    workers = [post.open() for _ in range(4)]
    threads = [threading.Thread(target=post.sweep, args=[worker]) for worker in workers]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [mail["Message-ID"] for mail in post.mails.mails]
    assert len(ids) == len(set(ids)) == 12


def test_a_busy_server_is_tried_again_later_and_later(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    post.notice()
    post.mails.mood = "busy"

    assert post.sweep() == 1
    assert post.sweep() == 0
    post.later(seconds=30)
    assert post.sweep() == 1
    post.later(seconds=119)
    assert post.sweep() == 0
    post.mails.mood = "takes"
    post.later(seconds=1)
    assert post.sweep() == 1

    assert len(post.mails.mails) == 1
    assert [(one.state, one.attempts) for one in post.deliveries()] == [("sent", 3)]


def test_after_the_last_attempt_it_stands_as_failed(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    post.notice()
    post.mails.mood = "busy"

    for _ in range(20):
        post.sweep()
        post.later(hours=6)

    (one,) = post.deliveries()
    assert (one.state, one.attempts) == ("failed", MOST_ATTEMPTS)
    assert "451" in (one.last_error or "")


@pytest.mark.parametrize(("mood", "code"), [("unknown", "550"), ("full", "552")])
def test_what_the_server_will_never_take_isnt_tried_again(post: Post, mood: str, code: str) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    post.notice()
    post.mails.mood = mood

    post.sweep()
    post.later(days=2)

    assert post.sweep() == 0
    (one,) = post.deliveries()
    assert one.state == "failed"
    assert code in (one.last_error or "")


def test_a_mail_that_may_have_gone_isnt_sent_again(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    post.notice()
    post.mails.mood = "drops"

    post.sweep()
    post.mails.mood = "takes"
    post.later(days=2)
    post.sweep()

    assert len(post.mails.mails) == 1
    assert [one.state for one in post.deliveries()] == ["unsure"]


def test_a_worker_killed_while_sending_leaves_nothing_that_goes_twice(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn", webhook_url=post.receiver.url)
    post.notice()
    now = post.place.clock.now()
    with post.place.office.store.transaction() as transaction:
        transaction.connection.execute(
            sa.update(deliveries).values(state="sending", attempts=1, claimed_until=now)
        )

    post.later(minutes=6)
    post.sweep()

    states = {one.channel: one.state for one in post.deliveries()}
    assert states == {"email": "unsure", "webhook": "sent"}
    assert post.mails.mails == []
    assert len(post.receiver.got) == 1


def test_a_server_that_isnt_there_holds_up_nothing_else(post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn", webhook_url=post.receiver.url)
    for number in range(3):
        post.notice(f"case-1.j{number}")
    away = post.open(smtp_url="smtp://127.0.0.1:1")

    post.sweep(away)

    assert len(post.receiver.got) == 3
    mails = [one for one in post.deliveries() if one.channel == "email"]
    assert {one.state for one in mails} == {"waiting"}
    assert sorted(one.attempts for one in mails) == [0, 0, 1]


def test_an_address_changed_meanwhile_is_the_one_that_counts(post: Post) -> None:
    post.wish("contact.11", email="old@example.gov.cn")
    post.notice()
    post.wish("contact.11", email="new@example.gov.cn")

    post.sweep()

    assert post.mails.recipients == ["new@example.gov.cn"]


def test_a_mail_is_the_same_bytes_at_every_attempt(post: Post) -> None:
    mailer = Mailer("smtp://localhost", "督办 <duban@example.gov.cn>")
    message = Message(subject="题", text="文\n", html="<p>文</p>")
    at = post.place.clock.now()

    first = mailer.compose("a@example.gov.cn", message, "d1", at)

    assert mailer.compose("a@example.gov.cn", message, "d1", at) == first
    assert b"\r\nMessage-ID: <d1@example.gov.cn>\r\n" in first


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b.cn",
        "a@b",
        "a b@c.cn",
        "a@b.cn\r\nBcc: x@y.cn",
        "甲@b.cn",
        "a@b.cn, c@d.cn",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(AddressInvalid):
        check_address(address)


@pytest.mark.parametrize(
    ("url", "sender"), [("http://x", "a@b.cn"), ("smtp://x", None), ("smtp://x", "nobody")]
)
def test_a_mail_server_that_cant_be_understood_stops_the_start(
    post: Post, url: str, sender: str | None
) -> None:
    with pytest.raises(ValueError, match="smtp_url"):
        post.open(smtp_url=url, mail_from=sender)
