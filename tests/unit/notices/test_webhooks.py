import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from services.notices.errors import WebhookNotAllowed
from services.notices.notifier import MOST_ATTEMPTS
from services.notices.webhooks import check_host, is_genuine, new_secret, signed
from tests.unit.notices.conftest import Post

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)


def test_a_notice_comes_signed(post: Post) -> None:
    post.wish("contact.11", webhook_url=post.receiver.url)
    post.notice()

    post.sweep()

    ((delivery, body),) = post.receiver.got
    told = json.loads(body)
    assert told == {
        "id": delivery,
        "type": "notice",
        "kind": "notify_overdue",
        "case": "case-1",
        "number": "督〔2026〕批示-0001",
        "title": "赵家村耕地被占补偿问题",
        "deadline": "2026-03-17T16:00:00Z",
        "at": "2026-03-02T01:00:00Z",
        "user": "contact.11",
    }


def test_the_signature_is_that_of_standard_webhooks() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()

    headers = signed(secret, "d1", NOW, b"{}")

    mac = hmac.new(b"k" * 32, b"d1.1772413200.{}", hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "d1",
        "webhook-timestamp": "1772413200",
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "d2"},
        {"webhook-timestamp": "1772413201"},
        {"webhook-timestamp": "x"},
        {"webhook-timestamp": "9" * 30},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1,甲"},
        {"webhook-signature": ""},
        {"webhook-id": ""},
    ],
)
def test_nothing_forged_is_taken_for_genuine(change: dict[str, str]) -> None:
    secret = new_secret()
    headers = signed(secret, "d1", NOW, b"{}")

    assert is_genuine(secret, headers, b"{}", NOW)
    assert not is_genuine(secret, headers | change, b"{}", NOW)
    assert not is_genuine(secret, headers, b"{ }", NOW)
    assert not is_genuine(new_secret(), headers, b"{}", NOW)


def test_nothing_recorded_is_taken_again() -> None:
    secret = new_secret()
    headers = signed(secret, "d1", NOW, b"{}")

    assert is_genuine(secret, headers, b"{}", NOW + timedelta(minutes=5))
    assert not is_genuine(secret, headers, b"{}", NOW + timedelta(minutes=5, seconds=1))
    assert not is_genuine(secret, headers, b"{}", NOW - timedelta(minutes=6))
    assert not is_genuine(secret, headers, b"{}", NOW, seen={"d1"})


@pytest.mark.parametrize("status", [500, 404, 429, 302])
def test_what_wasnt_taken_comes_again_under_its_id_with_a_fresh_signature(
    post: Post, status: int
) -> None:
    post.wish("contact.11", webhook_url=post.receiver.url)
    post.notice()
    post.receiver.status = status

    post.sweep()
    post.receiver.status = 204
    post.later(minutes=10)
    post.sweep()

    assert len(post.receiver.got) == 1
    ids = {headers["webhook-id"] for headers in post.receiver.headers}
    stamps = {headers["webhook-timestamp"] for headers in post.receiver.headers}
    assert (len(ids), len(stamps)) == (1, 2)
    assert [one.state for one in post.deliveries()] == ["sent"]


def test_a_receiver_that_never_answers_well_is_given_up(post: Post) -> None:
    post.wish("contact.11", webhook_url=post.receiver.url)
    post.notice()
    post.receiver.status = 500

    for _ in range(20):
        post.sweep()
        post.later(hours=6)

    assert len(post.receiver.headers) == MOST_ATTEMPTS
    assert [one.state for one in post.deliveries()] == ["failed"]


def test_a_receiver_that_is_gone_is_given_up_at_once(post: Post) -> None:
    post.wish("contact.11", webhook_url=post.receiver.url)
    post.notice()
    post.receiver.status = 410

    post.sweep()

    assert [(one.state, one.attempts) for one in post.deliveries()] == [("failed", 1)]


def test_a_host_that_is_allowed_no_more_gets_nothing(post: Post) -> None:
    post.wish("contact.11", webhook_url=post.receiver.url)
    post.notice()

    post.sweep(post.open(webhook_hosts=("elsewhere.gov.cn",)))

    assert post.receiver.headers == []
    assert [one.state for one in post.deliveries()] == ["failed"]


@pytest.mark.parametrize(
    "url",
    [
        "https://oa.gov.cn/hook",
        "https://OA.gov.cn/hook?a=b",
        "http://10.1.2.3:8443/",
        "https://a.b.example.cn/",
    ],
)
def test_hosts_that_are_allowed(url: str) -> None:
    assert check_host(url, ("oa.gov.cn", "10.1.2.3:8443", "*.example.cn")) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.cn/",
        "https://oa.gov.cn.evil.cn/",
        "https://evil.cn/#oa.gov.cn",
        "https://oa.gov.cn@evil.cn/",
        "https://user:pass@oa.gov.cn/",
        "https://oa.gov.cn:22/",
        "http://10.1.2.3/",
        "file:///etc/passwd",
        "ftp://oa.gov.cn/",
        "oa.gov.cn",
        "https://[::1]/",
        "https://oa.gov.cn:x/",
        "https://oa.gov.cn/\r\nX: y",
        "",
    ],
)
def test_hosts_that_are_not(url: str) -> None:
    with pytest.raises(WebhookNotAllowed):
        check_host(url, ("oa.gov.cn", "10.1.2.3:8443", "*.example.cn"))
