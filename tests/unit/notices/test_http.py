from dataclasses import replace

import pytest

from tests.unit.notices.conftest import Post
from tests.unit.statistics.door import Door

WISHES = {"email": "leader@example.gov.cn", "digest": "weekly", "digest_hour": 7}


@pytest.fixture
def door(post: Post) -> Door:
    office = replace(post.place.office, notifier=post.notifier)
    return Door(replace(post.place, office=office), "leader", "contact.11", "admin", "supervisor")


def test_everybody_says_for_themselves_how_they_are_told(door: Door) -> None:
    before = door.get("/me/notifications").json
    changed = door.send("PUT", "/me/notifications", "leader", WISHES)

    assert (before["email"], before["digest"]) == (None, "daily")
    assert before["channels"] == ["email", "webhook"]
    assert changed.status_code == 200, changed.text
    assert door.get("/me/notifications").json["digest_hour"] == 7
    assert door.get("/me/notifications", "contact.11").json["digest"] == "none"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"email": "nobody"}, "email", "bad_address"),
        ({"webhook_url": "http://127.0.0.1:1/"}, "webhook_url", "host_not_allowed"),
        ({"digest": "hourly"}, "digest", "not_in_list"),
        ({"digest_hour": 24}, "digest_hour", "out_of_range"),
    ],
)
def test_what_cant_be_is_refused_at_its_field(
    door: Door, body: dict[str, object], field: str, code: str
) -> None:
    refused = door.send("PUT", "/me/notifications", "leader", body)

    assert refused.status_code == 422
    assert [(e["field"], e["code"]) for e in refused.json["errors"]] == [(field, code)]


def test_a_secret_is_shown_once_and_kept_when_settings_change(door: Door, post: Post) -> None:
    body = {"webhook_url": post.receiver.url}
    door.send("PUT", "/me/notifications", "contact.11", body)
    first = door.send("POST", "/me/notifications/webhook-secret", "contact.11", None, "key-1")
    again = door.send("POST", "/me/notifications/webhook-secret", "contact.11", None, "key-1")
    door.send("PUT", "/me/notifications", "contact.11", body)
    post.receiver.secret = first.json["secret"]

    post.notice()
    post.sweep()

    assert again.json == first.json
    shown = door.get("/me/notifications", "contact.11")
    assert shown.json["has_webhook_secret"]
    assert first.json["secret"] not in shown.text
    assert len(post.receiver.got) == 1


def test_what_was_sent_can_be_looked_up_and_what_failed_tried_again(door: Door, post: Post) -> None:
    post.wish("contact.11", email="contact@example.gov.cn")
    post.notice()
    post.mails.mood = "unknown"
    post.sweep()

    (failed,) = door.get("/deliveries?state=failed", "admin").json["items"]
    post.mails.mood = "takes"
    again = door.send("POST", f"/deliveries/{failed['id']}/retry", "admin", None)
    post.sweep()

    assert again.status_code == 204
    (sent,) = door.get("/me/deliveries", "contact.11").json["items"]
    assert (sent["state"], sent["place"]) == ("sent", "case-1")
    assert door.get("/me/deliveries").json["items"] == []
    refused = door.send("POST", f"/deliveries/{failed['id']}/retry", "admin", None)
    assert refused.status_code == 404
    assert len(post.mails.mails) == 1


def test_everybodys_deliveries_are_for_operations(door: Door) -> None:
    for user in ("leader", "supervisor", "contact.11"):
        assert door.get("/deliveries", user).status_code == 403
        assert door.send("POST", "/deliveries/x/retry", user, None).status_code == 403


def test_the_digest_of_now_can_be_looked_at(door: Door) -> None:
    shown = door.get("/me/digest?kind=weekly&language=en")

    assert shown.content_type.startswith("text/html")
    assert "Weekly digest" in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]


def test_without_mail_server_nothing_is_offered(post: Post) -> None:
    closed = post.open(smtp_url=None, webhook_hosts=())

    assert closed.sweep(post.place.clock.now()) == 0
    assert closed.outlet.channels == frozenset()
