from collections.abc import Callable

import pytest
from sqlalchemy import update

from engine import OUTBOX, Actor, CaseId
from engine.commands import Command
from services.cases.commands import Urge
from services.documents.commands import (
    NumberDocument,
    RecordDocument,
    RecordMarkedCopies,
    WithdrawDocument,
)
from services.documents.errors import DocumentNotFound, DocumentWithdrawnAlready
from services.documents.render import text_of
from services.documents.state import DocumentsState
from services.documents.tables import documents
from services.escalation.commands import OrderEscalation
from services.permit import NotPermitted
from tests.unit.documents.conftest import CASE, ROOT, Desk

OTHER = CaseId("c2")


def run(desk: Desk, command: Command) -> None:
    desk.office.engine.execute(command)


def withdraw(desk: Desk, document: str = "d1", by: str = "office_director") -> WithdrawDocument:
    return WithdrawDocument(
        case=CASE, by=Actor(by), at=desk.clock.now(), document=document, reason="复核撤销"
    )


def test_each_step_that_wants_a_paper_gets_one(desk: Desk) -> None:
    desk.close()

    desk.sweep()

    assert [(p.kind, p.number) for p in desk.papers()] == [
        ("supervision_notice", "盘政督办〔2026〕1号"),
        ("feedback_form", "市水利局督反〔2026〕1号"),
        ("special_report", "盘政督报〔2026〕1号"),
    ]
    assert all(p.issued_at is not None and p.problem is None for p in desk.papers())
    assert desk.office.engine.history.verify(CASE).ok


def test_numbers_run_without_gaps_over_cases(desk: Desk) -> None:
    for number in range(1, 4):
        desk.dispatch(CaseId(f"c{number}"))

    desk.sweep()

    numbers = [desk.papers(CaseId(f"c{n}"))[0].number for n in range(1, 4)]
    assert sorted(filter(None, numbers)) == [f"盘政督办〔2026〕{n}号" for n in range(1, 4)]


def test_a_reminder_keeps_the_number_it_was_sent_under(desk: Desk) -> None:
    desk.dispatch()
    run(desk, Urge(case=CASE, by=Actor("supervisor"), at=desk.clock.now(), data={}))

    desk.sweep()

    assert desk.papers()[1].number == "督〔2026〕催办-0001"


def test_a_sweep_that_runs_again_makes_nothing_again(desk: Desk) -> None:
    desk.dispatch()
    desk.sweep()
    before, history = desk.papers(), desk.office.engine.history.recorded(CASE)

    assert desk.sweep() == 0

    assert desk.papers() == before
    assert desk.office.engine.history.recorded(CASE) == history


def test_a_document_numbered_before_a_crash_keeps_its_number(desk: Desk) -> None:
    desk.dispatch()
    desk.dispatch(OTHER)
    ask = NumberDocument(case=OTHER, by=OUTBOX, at=desk.clock.now(), document="d1")
    run(desk, ask)

    desk.sweep()

    assert desk.papers(OTHER)[0].number == "盘政督办〔2026〕1号"
    assert desk.papers()[0].number == "盘政督办〔2026〕2号"


def test_the_first_files_on_record_stand(desk: Desk) -> None:
    desk.dispatch()
    desk.sweep()
    before = desk.papers()

    run(
        desk,
        RecordDocument(
            case=CASE,
            by=OUTBOX,
            at=desk.clock.now(),
            document="d1",
            docx_sha256="0" * 64,
            pdf_sha256="0" * 64,
            template_sha256="0" * 64,
        ),
    )
    run(desk, NumberDocument(case=CASE, by=OUTBOX, at=desk.clock.now(), document="d1"))
    run(
        desk,
        RecordMarkedCopies(
            case=CASE,
            by=OUTBOX,
            at=desk.clock.now(),
            document="d1",
            docx_sha256="0" * 64,
            pdf_sha256="0" * 64,
        ),
    )

    assert desk.papers() == before


def test_case_21_a_withdrawn_document_is_marked_on_copies_and_stays_itself(desk: Desk) -> None:
    desk.dispatch()
    desk.sweep()
    original = desk.papers()[0]

    run(desk, withdraw(desk))
    desk.sweep()

    paper = desk.papers()[0]
    assert (paper.docx_sha256, paper.pdf_sha256) == (original.docx_sha256, original.pdf_sha256)
    assert paper.withdrawn_reason == "复核撤销"
    assert paper.marked_pdf_sha256 not in (None, paper.pdf_sha256)
    assert desk.read(paper.pdf_sha256)[:5] == b"%PDF-"
    assert desk.read(paper.marked_pdf_sha256)[:5] == b"%PDF-"
    assert desk.office.engine.history.verify(CASE).ok


def test_a_document_withdrawn_before_it_was_made_is_made_and_marked(desk: Desk) -> None:
    desk.dispatch()
    run(desk, withdraw(desk))

    desk.sweep()

    paper = desk.papers()[0]
    assert paper.issued_at is not None
    assert paper.marked_docx_sha256 is not None


def test_only_director_and_leader_withdraw_and_only_once(desk: Desk) -> None:
    desk.dispatch()
    with pytest.raises(NotPermitted):
        run(desk, withdraw(desk, by="registrar"))
    with pytest.raises(DocumentNotFound):
        run(desk, withdraw(desk, "d9"))
    run(desk, withdraw(desk))
    history = desk.office.engine.history.recorded(CASE)

    with pytest.raises(DocumentWithdrawnAlready):
        run(desk, withdraw(desk))

    assert desk.office.engine.history.recorded(CASE) == history


def test_a_definition_without_templates_makes_no_documents(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk({"shared/documents/kinds.toml": b"causes = []\n[office]\n[kinds]\n"})
    desk.dispatch()

    desk.sweep()

    assert desk.papers() == ()
    assert desk.sweep() == 0
    state = desk.office.engine.history.states(CASE)[2][DocumentsState]
    assert isinstance(state, DocumentsState)
    assert [d.dropped for d in state.documents] == [True]


def test_a_types_own_template_wins_over_the_shared_one(make_desk: Callable[..., Desk]) -> None:
    own = (ROOT / "bpmn/shared/documents/reminder.docx").read_bytes()
    desk = make_desk({"documents/supervision_notice.docx": own})
    desk.dispatch()

    desk.sweep()

    words = text_of(desk.read(desk.papers()[0].docx_sha256))
    assert "催　办　单" in words
    assert "督办通知单" not in words


def test_a_template_that_names_no_fact_leaves_the_document_open_with_the_reason(
    make_desk: Callable[..., Desk],
) -> None:
    desk = make_desk({"shared/documents/supervision_notice.docx": b"no docx at all"})
    desk.dispatch()

    desk.sweep()

    paper = desk.papers()[0]
    assert paper.number == "盘政督办〔2026〕1号"
    assert paper.issued_at is None
    assert "template-invalid" in (paper.problem or "")
    assert desk.sweep() == 0


def test_a_character_without_a_glyph_is_named_and_never_drawn_as_a_box(desk: Desk) -> None:
    desk.dispatch(title="村民\U0003134a反映的问题")

    desk.sweep()

    paper = desk.papers()[0]
    assert paper.issued_at is None
    assert "U+3134A" in (paper.problem or "")


def test_what_failed_is_tried_again_after_a_while(desk: Desk) -> None:
    desk.dispatch()
    with desk.office.store.transaction() as transaction:
        transaction.connection.execute(
            update(documents).values(
                not_before=desk.clock.now(), attempts=3, last_error="disk full"
            )
        )

    assert desk.sweep() == 1

    assert desk.papers()[0].problem is None


def test_every_measure_is_a_paper_under_its_own_number(desk: Desk) -> None:
    desk.dispatch()
    desk.complete("sign_for", "contact.2", {"decision": "accept"})
    ordered = OrderEscalation(
        case=CASE, by=Actor("supervisor"), at=desk.clock.now(), data={"reason": "进度严重滞后。"}
    )
    run(desk, ordered)
    check = {"item": "是否转办", "in_order": False, "finding": "无措施"}
    found = {"checks": [check], "conclusion": "not_in_order", "reason": "未按期办理。"}
    desk.complete("inspect", "supervisor", found)
    desk.complete("unit_statement", "head.2", {"statement": "情况复杂。"})
    desk.complete("issue_measure", "office_director", {"decision": "issue"})

    desk.sweep()

    paper = desk.papers()[-1]
    assert (paper.kind, paper.number) == ("rectification_notice", "督〔2026〕整改-0001")
    words = text_of(desk.read(paper.docx_sha256))
    assert "第一次督查" in words
    assert "（1）是否转办：无措施" in words
    assert "于2026年3月9日24时前书面报告整改结果" in words
