from datetime import datetime

import pytest

from engine.records import parse_instant
from services.deadlines.calendar import OFFICE_ZONE
from services.deadlines.queries import load_calendar
from services.notices.digests import period_due
from services.notices.queries import Wishes
from tests.helpers.offices import registered_case
from tests.unit.notices.conftest import Post


def go_to(post: Post, instant: str) -> None:
    post.place.clock.set(parse_instant(instant))
    post.place.sweep()


def test_a_leader_gets_the_digest_of_each_working_day_once(post: Post) -> None:
    post.wish("leader", email="leader@example.gov.cn", digest="daily")

    for hour in ("07:59", "08:00", "08:01", "12:00", "23:59"):
        go_to(post, f"2026-03-03T{hour}+08:00")
        post.sweep()
        post.sweep(post.open())

    (mail,) = post.mails.mails
    assert mail["Subject"] == "【督办】督办每日简报 2026年3月3日08:00"


def test_the_digest_says_what_is_open_late_and_waiting(post: Post) -> None:
    post.wish("leader", email="leader@example.gov.cn", digest="daily")
    registered_case(post.place, "case-2", title="<b>不是标签</b>&")
    go_to(post, "2026-03-18T08:00+08:00")

    post.sweep()

    mail = post.mails.mails[-1]
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    told = text.get_content()
    assert "在办: 2" in told
    assert "红灯: 1" in told
    assert "督〔2026〕批示-0001 赵家村耕地被占补偿问题" in told
    assert "逾期较多的单位" in told
    shown = page.get_content()
    assert "max-width:600px" in shown
    assert "width=device-width" in shown
    assert "<script" not in shown
    assert "<b>不是标签" not in shown


def test_a_unit_is_told_of_its_own_cases_only(post: Post) -> None:
    post.wish("head.9", email="head@example.gov.cn", digest="daily")
    post.wish("head.11", email="head11@example.gov.cn", digest="daily")
    go_to(post, "2026-03-03T09:00+08:00")

    post.sweep()

    assert [mail["To"] for mail in post.mails.mails] == ["head11@example.gov.cn"]
    assert {one.user: one.state for one in post.deliveries()} == {
        "head.9": "skipped",
        "head.11": "sent",
    }


def test_a_digest_also_goes_to_a_machine(post: Post) -> None:
    post.wish("leader", webhook_url=post.receiver.url, digest="daily")
    go_to(post, "2026-03-03T09:00+08:00")

    post.sweep()

    ((_, body),) = post.receiver.got
    assert b'"counts":{"closed":0,"new":1,"open":1,"red":0,"yellow":0}' in body


@pytest.mark.parametrize(
    ("kind", "at", "due"),
    [
        ("daily", "2026-03-02T08:00+08:00", "daily:2026-03-02"),
        ("daily", "2026-03-02T07:59+08:00", None),
        ("daily", "2026-03-07T09:00+08:00", None),  # a Saturday
        ("daily", "2026-02-14T09:00+08:00", "daily:2026-02-14"),  # a working Saturday
        ("daily", "2026-02-17T09:00+08:00", None),  # Spring Festival
        ("weekly", "2026-03-02T09:00+08:00", "weekly:2026-W10"),
        ("weekly", "2026-03-03T09:00+08:00", None),
        ("weekly", "2026-02-24T09:00+08:00", "weekly:2026-W09"),  # Monday was a holiday
        ("weekly", "2026-02-25T09:00+08:00", None),
        ("weekly", "2027-01-04T09:00+08:00", "weekly:2027-W01"),
        ("none", "2026-03-02T09:00+08:00", None),
    ],
)
def test_when_a_digest_is_due(post: Post, kind: str, at: str, due: str | None) -> None:
    with post.place.office.store.transaction(write=False) as transaction:
        calendar = load_calendar(transaction.connection)
    now: datetime = parse_instant(at)

    assert period_due(Wishes(user="leader", digest=kind), now, calendar, OFFICE_ZONE) == due
