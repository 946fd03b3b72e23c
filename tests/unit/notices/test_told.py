"""Who is told of what, in the system."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine import CaseId
from engine.definitions import load_folder
from services.notices.messages import Message
from services.notices.tables import notices
from services.notices.words import KINDS, kind_word
from services.scenarios.passing import pass_time
from tests.helpers.offices import BPMN, dispatched_case
from tests.unit.notices.conftest import CASE, Post


def told(post: Post, kind: str | None = None, case: str | None = None) -> set[str]:
    wanted = sa.select(notices.c.user)
    if kind is not None:
        wanted = wanted.where(notices.c.kind == kind)
    if case is not None:
        wanted = wanted.where(notices.c.case_id == case)
    with post.place.office.store.transaction(write=False) as transaction:
        return set(transaction.connection.execute(wanted).scalars())


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


def test_only_the_co_unit_that_is_silent_is_told_and_who_waits_for_it(post: Post) -> None:
    case = dispatched_case(post.place, "case-2", co_units=["u9", "u27"])
    post.place.complete(case, "co_opinion", "contact.9", opinion="同意，资金已列入年度预算。")

    office, clock = post.place.office, post.place.clock
    pass_time(office, clock, clock.now() + timedelta(days=8))

    late = told(post, "notify_co_opinion_late")
    assert late == {"contact.27", "head.27", "contact.11", "head.11", "supervisor", "supervisor2"}


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("leader_coordinates", "notify_early_tactful"),
        ("section_handles", "notify_early_direct"),
        ("supervisor_handles", "notify_early_act"),
    ],
)
def test_the_form_of_handling_sets_the_tone_of_the_early_reminder(
    post: Post, form: str, kind: str
) -> None:
    case = CaseId(CASE)
    post.place.complete(case, "sign_for", "contact.11", decision="accept")
    post.place.complete(case, "unit_instruction", "head.11", form=form, handler="handler.11")

    post.notice(kind="notify_early")

    assert told(post, kind) == {"contact.11", "head.11"}


def test_a_designer_says_who_is_told(post: Post) -> None:
    files = dict(load_folder(BPMN, "leader_instruction"))
    table = files["shared/notices.dmn"].decode()
    files["shared/notices.dmn"] = table.replace("unit_contact,unit_head", "unit_head").encode()
    place = post.place
    place.office.engine.library.deploy(files, "designer", place.clock.now())
    dispatched_case(place, "case-3")

    pass_time(place.office, place.clock, place.clock.now() + timedelta(days=3))

    # The case before began on the version that tells the contact too, and still does.
    assert told(post, "notify_sign_late", "case-3") == {"head.11", "supervisor", "supervisor2"}
    assert "contact.11" in told(post, "notify_sign_late", CASE)


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
