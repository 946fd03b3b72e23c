"""Personal data of a case that is over are erased by two people, for good, and on record."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from engine import Actor, CaseId, Invalid
from engine.erasure import CaseNotOver
from engine.errors import CaseNotFound, Problem
from engine.store.tables import metadata
from services.archive.archiving import archive
from services.audit.story import Names, Teller
from services.cases.commands import CancelSupervision
from services.erasure import queries
from services.erasure.commands import DecideErasure, ProposeErasure
from services.erasure.erasing import decide, finish
from services.erasure.errors import (
    AlreadyErased,
    ErasureNotProposed,
    ErasureOpen,
    ProposedErasure,
)
from services.erasure.grounds import Ground
from services.erasure.queries import erasures_of, unfinished
from services.evidence.bundle import make_bundle
from services.evidence.sealing import seal
from services.evidence.verify_bundle import verify
from services.evidence.whole import office_faults
from services.people.admin import set_roles
from services.people.queries import Grant
from services.people.roles import Role
from services.permissions import Action, is_open_to
from services.permit import NotPermitted
from services.replay.again import report_of
from tests.evidence import independent_verifier
from tests.helpers.offices import Place, postgres_place, registration, sqlite_place

CASE, OTHER = CaseId("case-1"), CaseId("case-2")
NAME, PHONE, STORY = "赵小明龘", "0431-5550101-77", "补偿款一直没有到位七三九"
OTHERS = ("钱大力犇", "0431-5550202-88")
CERTIFICATE = "赵小明龘的身份证明.txt"
REASON = "诉求人来函要求删除个人信息"
SECRETS = (NAME, PHONE, STORY, CERTIFICATE)


@dataclass(slots=True)
class Town:
    """An office with one concern that is over, and one that goes on."""

    place: Place
    attachment: str
    shared: str

    def attach(self, name: str, text: str, by: str = "registrar") -> str:
        parts = [text.encode()]
        at = self.place.clock.now()
        return self.place.office.intake.take(parts, name, by=by, at=at).sha256

    def propose(
        self,
        by: str = "admin",
        case: CaseId = CASE,
        *,
        ground: str = Ground.CONSENT_WITHDRAWN,
        reason: str = REASON,
    ) -> None:
        at = self.place.clock.now()
        ask = ProposeErasure(case=case, by=Actor(by), at=at, ground=ground, reason=reason)
        self.place.execute(ask)

    def decide(self, by: str = "office_director", *, erase: bool = True) -> None:
        at = self.place.clock.now()
        ask = DecideErasure(
            case=CASE, by=Actor(by), at=at, erase=erase, reason="依法清除，已核对身份"
        )
        decide(self.place.office, ask)

    def erase(self) -> None:
        self.propose()
        self.decide()

    def stored(self) -> str:
        """Give all rows of all tables as text, and all files there are."""
        with self.place.office.store.transaction(write=False) as transaction:
            rows = [
                str(tuple(row))
                for table in metadata.sorted_tables
                for row in transaction.connection.execute(sa.select(table))
            ]
        return "\n".join(rows) + "\n".join(
            path.read_bytes().decode("utf-8", "replace") for path in self.files()
        )

    def files(self) -> list[Path]:
        found = self.place.office.settings.data.rglob("*")
        return [path for path in found if path.is_file()]


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    make = {"sqlite": sqlite_place, "postgresql": postgres_place}[request.param]
    place = make(tmp_path / "var")
    found = Town(place, "", "")
    found.attachment = found.attach(CERTIFICATE, f"兹证明 {NAME} {PHONE}")
    found.shared = found.attach("通知.txt", "公开的通知")
    concern(place, CASE, NAME, PHONE, [found.attachment, found.shared])
    concern(place, OTHER, *OTHERS, [found.shared])
    cancel(place, CASE)
    while place.office.documents.sweep(place.clock.now()):
        pass
    seal(place.office)
    yield found
    place.office.close()


def concern(place: Place, case: CaseId, name: str, contact: str, attachments: list[str]) -> None:
    place.execute(
        registration(
            place,
            case,
            "public_concern",
            source_kind="hotline",
            content=STORY if case == CASE else "路灯不亮",
            citizen={"name": name, "contact": contact},
            attachments=attachments,
        ),
        key=f"register-{case}",
    )


def cancel(place: Place, case: CaseId) -> None:
    at = place.clock.now()
    ask = CancelSupervision(
        case=case, by=Actor("office_director"), at=at, data={"reason": "重复登记"}
    )
    place.execute(ask)


def content_of(town: Town, case: CaseId) -> dict[str, object]:
    recorded = town.place.office.engine.history.recorded(case)
    return next(dict(r.event.data) for r in recorded if r.event.name == "task_completed")  # type: ignore[attr-defined]  # of that name


def test_before_it_is_erased_all_is_read_as_it_was_given(town: Town) -> None:
    form = content_of(town, CASE)

    assert form["content"] == STORY
    assert form["citizen"] == {"name": NAME, "contact": PHONE}
    assert NAME in town.stored()


def test_two_people_erase_and_nothing_is_left_in_tables_and_files(town: Town) -> None:
    town.erase()

    stored = town.stored()
    for secret in SECRETS:
        assert secret not in stored
    form = content_of(town, CASE)
    assert form["content"] == "[erased]"
    assert form["citizen"] == {"name": "[erased]", "contact": "[erased]"}


def test_what_belongs_to_other_cases_stays(town: Town) -> None:
    town.erase()

    assert content_of(town, OTHER)["citizen"] == {"name": OTHERS[0], "contact": OTHERS[1]}
    assert b"".join(town.place.office.files.read(town.shared)).decode() == "公开的通知"
    with pytest.raises(LookupError):
        town.place.office.files.read(town.attachment)


def test_history_tables_heads_and_files_still_verify(town: Town) -> None:
    town.erase()
    seal(town.place.office)

    for case in (CASE, OTHER):
        report = report_of(town.place.office, case)
        assert report.ok, report
    assert office_faults(town.place.office) == []


def test_a_bundle_says_what_was_erased_and_holds(town: Town) -> None:
    town.erase()
    seal(town.place.office)

    bundle = make_bundle(town.place.office, [CASE, OTHER])

    holds, said = verify(io.BytesIO(bundle), [])
    assert holds, said
    assert f"NOTE {CASE}: attachment {town.attachment} was erased" in said
    independent_verifier.verify(bundle)


def test_the_story_says_who_erased_and_why_in_both_languages(town: Town) -> None:
    town.erase()
    recorded = town.place.office.engine.history.recorded(CASE)

    told = {
        language: [
            line.text
            for line in Teller(Names(), language, ZoneInfo("Asia/Shanghai")).tell(recorded)
        ]
        for language in ("zh", "en")
    }

    assert told["zh"][-1].startswith("office_director批准清除个人信息，已清除（个人撤回同意")
    assert (
        "the personal data are erased (consent was withdrawn; PIPL art. 47 (3); proposed by"
        in (told["en"][-1])
    )
    assert REASON in told["zh"][-2]


@pytest.mark.parametrize("user", ["registrar", "auditor", "leader", "contact.1", "designer"])
def test_others_may_neither_propose_nor_decide(town: Town, user: str) -> None:
    with pytest.raises((NotPermitted, CaseNotFound)):
        town.propose(user)
    town.propose()
    with pytest.raises((NotPermitted, CaseNotFound)):
        town.decide(user)

    assert content_of(town, CASE)["content"] == STORY


def test_an_administrator_alone_erases_nothing(town: Town) -> None:
    town.propose()

    with pytest.raises((NotPermitted, CaseNotFound)):
        town.decide("admin")
    assert content_of(town, CASE)["content"] == STORY


def test_who_holds_both_roles_cannot_confirm_their_own_proposal(town: Town) -> None:
    with town.place.office.store.transaction() as transaction:
        grants = [Grant(Role.OFFICE_DIRECTOR), Grant(Role.ADMIN)]
        set_roles(transaction.connection, "office_director", grants)
    town.place.office.people.forget()
    town.propose("office_director")

    with pytest.raises(ProposedErasure):
        town.decide("office_director")
    assert content_of(town, CASE)["content"] == STORY


def test_a_declined_proposal_erases_nothing_and_may_be_made_again(town: Town) -> None:
    town.propose()
    town.decide(erase=False)

    assert content_of(town, CASE)["content"] == STORY
    town.propose(ground=Ground.RETENTION_OVER)
    town.decide()
    assert content_of(town, CASE)["content"] == "[erased]"


def test_a_case_that_goes_on_is_not_erased(town: Town) -> None:
    before = town.place.office.engine.history.stored(OTHER)

    with pytest.raises(CaseNotOver):
        town.propose(case=OTHER)

    assert town.place.office.engine.history.stored(OTHER) == before


@pytest.mark.parametrize(
    ("ground", "reason", "field"),
    [("because", REASON, "ground"), (Ground.UNLAWFUL, "短", "reason")],
)
def test_a_proposal_names_an_item_of_the_law_and_a_reason(
    town: Town, ground: str, reason: str, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        town.propose(ground=ground, reason=reason)

    assert [one.field for one in refusal.value.fields] == [field]


def test_each_step_is_taken_once(town: Town) -> None:
    with pytest.raises(ErasureNotProposed):
        town.decide()
    town.propose()
    with pytest.raises(ErasureOpen):
        town.propose()
    town.decide()
    with pytest.raises(AlreadyErased):
        town.propose()
    with pytest.raises(AlreadyErased):
        town.decide()


def test_killed_after_the_decision_the_next_sweep_carries_it_out(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.propose()
    for step in ("own_files", "forget_beside", "note_carried_out"):
        with monkeypatch.context() as patch:
            patch.setattr(queries, step, lambda *_: 1 // 0)
            with pytest.raises((ZeroDivisionError, Problem)):
                town.decide() if step == "own_files" else finish(town.place.office)
        with town.place.office.store.transaction(write=False) as transaction:
            assert [case for case, _ in unfinished(transaction.connection)] == [CASE]

    assert finish(town.place.office) == [CASE]
    assert finish(town.place.office) == []

    stored = town.stored()
    assert all(secret not in stored for secret in SECRETS)
    assert report_of(town.place.office, CASE).ok


def test_an_archived_case_is_erased_where_it_lies(town: Town) -> None:
    town.place.clock.set(town.place.clock.now() + timedelta(days=800))
    report = archive(town.place.office, town.place.clock.now() - timedelta(days=30))
    assert report.archived == [CASE]

    town.erase()

    assert content_of(town, CASE)["content"] == "[erased]"
    stored = town.stored()
    assert all(secret not in stored for secret in SECRETS)
    assert town.place.office.engine.history.verify(CASE).ok


def test_erasures_are_listed_with_who_and_why(town: Town) -> None:
    town.propose()
    with town.place.office.store.transaction(write=False) as transaction:
        (waiting,) = erasures_of(transaction.connection, is_open=True).items
    town.decide()
    with town.place.office.store.transaction(write=False) as transaction:
        assert erasures_of(transaction.connection, is_open=True).items == ()
        (done,) = erasures_of(transaction.connection).items

    assert (waiting.case, waiting.ground, waiting.decision) == (CASE, "consent_withdrawn", None)
    assert (done.decision, done.proposed_by, done.decided_by) == (
        "erase",
        "admin",
        "office_director",
    )
    assert done.carried_out_at == town.place.clock.now()


def test_administrators_propose_and_directors_decide(town: Town) -> None:
    proposing, deciding = set(), set()
    with town.place.office.store.transaction(write=False) as transaction:
        for login in ("admin", "office_director", "registrar", "supervisor", "leader", "auditor"):
            person = town.place.office.people.find(login, transaction)
            assert person is not None
            proposing |= {login} if is_open_to(person, Action.PROPOSE_ERASURE) else set()
            deciding |= {login} if is_open_to(person, Action.DECIDE_ERASURE) else set()

    assert (proposing, deciding) == ({"admin"}, {"office_director"})
