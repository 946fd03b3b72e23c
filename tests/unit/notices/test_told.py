"""Who is told of what, in the system."""

import pytest
import sqlalchemy as sa

from services.notices.messages import Message
from services.notices.tables import notices
from services.notices.words import KINDS, kind_word
from tests.helpers.offices import BPMN, dispatched_case
from tests.unit.notices.conftest import Post


def told(post: Post) -> set[str]:
    with post.place.office.store.transaction(write=False) as transaction:
        return set(transaction.connection.execute(sa.select(notices.c.user)).scalars())


@pytest.mark.parametrize(
    ("kind", "users"),
    [
        ("notify_early", {"contact.11", "head.11"}),
        ("notify_overdue", {"contact.11", "head.11", "supervisor", "supervisor2"}),
        ("copy_to_office", {"supervisor", "supervisor2"}),
        ("something_new", {"contact.11", "head.11"}),
    ],
)
def test_the_unit_is_told_and_the_office_when_something_is_late(
    post: Post, kind: str, users: set[str]
) -> None:
    post.notice(kind=kind)

    assert told(post) == users


def test_a_silent_co_unit_is_told_itself(post: Post) -> None:
    dispatched_case(post.place, "case-2", co_units=["u9"])

    post.notice(kind="notify_co_opinion_late")
    assert "contact.9" not in told(post)

    from tests.unit.notices import conftest  # noqa: PLC0415 -- the case is a constant there

    conftest.CASE = "case-2"
    try:
        post.notice("case-2.j1", kind="notify_co_opinion_late")
    finally:
        conftest.CASE = "case-1"
    assert {"contact.9", "head.9"} <= told(post)


def test_every_notice_of_the_diagrams_has_words() -> None:
    text = "".join(path.read_text("utf-8") for path in BPMN.rglob("*.bpmn"))
    asked = {
        part.split('"')[1]
        for part in text.split("<bpmn:serviceTask ")[1:]
        if 'camunda:topic="send_notice"' in part.partition(">")[0]
    }

    assert asked <= KINDS.keys()
    assert kind_word("something_new", "zh") == "督办提醒"


def test_a_message_is_read_as_it_was_kept() -> None:
    message = Message(subject="题𠮷", text="文", html="<p>", body="{}")

    assert Message.read(message.kept()) == message
