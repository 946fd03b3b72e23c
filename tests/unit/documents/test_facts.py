from datetime import UTC, datetime

import pytest

from engine.definitions import load_folder, trusted_definition
from services.documents.access import FOR_PROPOSERS, kinds_seen
from services.documents.drafts import template_problems
from services.documents.facts import Writer
from services.documents.kinds import Kind, Rules, rules_of, template_of
from services.documents.templates import KINDS
from services.people.queries import OFFICE_ZONE, Person
from services.permissions import CaseFacts
from tests.unit.documents.conftest import ROOT, Desk

FACTS = CaseFacts(units=frozenset({"u2"}), proposer_users=frozenset({"deputy.1"}))


def person(user: str, role: str, unit: str | None = None) -> Person:
    return Person(user, user, frozenset({role}), unit)


def writer(desk: Desk) -> Writer:
    definition = desk.office.engine.library.current("leader_instruction")[1]
    rules = rules_of(definition)
    assert rules is not None
    return Writer(
        definition=definition,
        rules=rules,
        kind=rules.kinds["reminder"],
        zone=desk.office.settings.zone,
        unit=str,
        user=str,
        file=str,
    )


@pytest.mark.parametrize(
    ("instant", "written"),
    [
        (datetime(2026, 11, 24, 16, tzinfo=UTC), "2026年11月24日24时"),
        (datetime(2026, 3, 2, 1, tzinfo=UTC), "2026年3月2日9时"),
        (datetime(2026, 3, 2, 1, 30, tzinfo=UTC), "2026年3月2日9时30分"),
        (None, ""),
    ],
)
def test_the_end_of_a_day_is_written_as_24_of_that_day(
    desk: Desk, instant: datetime | None, written: str
) -> None:
    assert writer(desk).instant(instant) == written


def test_every_kind_that_follows_from_something_has_a_template_and_a_name(desk: Desk) -> None:
    definition = desk.office.engine.library.current("leader_instruction")[1]
    rules = rules_of(definition)

    assert rules is not None
    assert set(rules.kinds) == set(KINDS)
    for name, kind in rules.kinds.items():
        assert template_of(definition, name) is not None
        assert kind.name
    assert {entry["kind"] for entry in rules.causes} <= set(rules.kinds)


def test_papers_a_unit_issues_are_counted_by_unit() -> None:
    own = Kind("answer_letter", "答复函", "{unit}函〔{year}〕{n}号", ())
    offices = Kind("reminder", "催办单", "督〔{year}〕{n}号", ())

    assert own.numbered(2026, 3, "教育局") == "教育局函〔2026〕3号"
    assert own.counter(2026, "u1") != own.counter(2026, "u2")
    assert offices.counter(2026, "u1") == offices.counter(2026, "u2")


def test_a_type_may_have_its_own_paper_for_the_same_cause() -> None:
    kinds = {name: Kind(name, name, "{n}", ()) for name in ("a", "b")}
    causes = (
        {"cause": "dispatched", "case_types": ["meeting_decision"], "kind": "a"},
        {"cause": "dispatched", "kind": "b"},
    )
    rules = Rules({}, kinds, causes)

    assert rules.kind_for("dispatched", "meeting_decision") == kinds["a"]
    assert rules.kind_for("dispatched", "other") == kinds["b"]
    assert rules.kind_for("unknown", "other") is None


def test_deputies_see_answers_only_and_strangers_nothing() -> None:
    assert kinds_seen(person("deputy.1", "deputy"), FACTS) == FOR_PROPOSERS
    assert kinds_seen(person("deputy.2", "deputy"), FACTS) == frozenset()
    assert kinds_seen(person("x", "unit_contact", "u2"), FACTS) is None
    assert kinds_seen(person("x", "unit_contact", "u3"), FACTS) == frozenset()
    assert kinds_seen(person("x", "auditor"), FACTS) is None


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("reminder.docx", b"no docx", "reminder.docx"),
        ("kinds.toml", b"not = [toml", "kinds.toml"),
        ("kinds.toml", b"[office]\n", "kinds.toml"),
        ("kinds.toml", b'causes = [{cause = "x", kind = "y"}]\n[office]\n[kinds]\n', "kinds.toml"),
        (
            "kinds.toml",
            b'causes = []\n[office]\n[kinds.memo]\nname = "m"\nnumber = "{n}"\n',
            "memo.docx",
        ),
    ],
)
def test_a_template_that_cannot_be_filled_is_found_before_a_case_needs_it(
    file: str, content: bytes, found: str
) -> None:
    files = load_folder(ROOT / "bpmn", "leader_instruction")
    whole = trusted_definition(files)
    broken = trusted_definition(files | {f"shared/documents/{file}": content})

    assert list(template_problems(whole, OFFICE_ZONE)) == []
    assert [problem.file for problem in template_problems(broken, OFFICE_ZONE)] == [found]
