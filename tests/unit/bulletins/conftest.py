"""Half a year of a few cases, with a bulletin computed on the day its quarter ended."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import CaseId
from engine.records import parse_instant
from services.bulletins.issuing import Drafted, Editor
from services.bulletins.periods import period_of
from services.bulletins.queries import Bulletin
from tests.helpers.offices import Place, dispatched_case, registered_case, sqlite_place

SPRING = parse_instant("2026-04-01T09:00+08:00")
SUMMER = parse_instant("2026-07-01T09:00+08:00")


class Desk:
    """Writes bulletins of an office."""

    def __init__(self, place: Place) -> None:
        self.place = place
        office = place.office
        self.editor = Editor(office.engine, office.documents, office.settings.zone)

    def compute(self, period: str, as_of: str | None = None) -> Bulletin:
        office = self.place.office
        with office.store.transaction(write=False) as transaction:
            calendar = office.calendar.get(transaction.connection)
        instant = None if as_of is None else parse_instant(as_of)
        return self.editor.compute(period_of(period), self.place.clock.now(), calendar, instant)

    def draft(self, period: str) -> Drafted:
        return self.editor.draft(self.compute(period))

    def at(self, instant: str) -> None:
        self.place.clock.set(parse_instant(instant))
        self.place.sweep()

    def close(self, case: str, unit: int) -> None:
        """Let a dispatched case go all the way."""
        place, found = self.place, CaseId(case)
        place.complete(found, "sign_for", f"contact.{unit}", decision="accept")
        place.complete(found, "unit_instruction", f"head.{unit}", form="section_handles",
                       handler=f"handler.{unit}")  # fmt: skip
        place.complete(found, "handle", f"handler.{unit}", result_class="done",
                       measures="已办", percent=100)  # fmt: skip
        place.complete(found, "sign_off", f"head.{unit}", decision="sign", seal=True)
        place.complete(found, "review", "supervisor", content_gate="pass", format_gate="pass")
        place.complete(found, "report_to_leader", "supervisor", summary="已办结")
        place.complete(found, "answer_report", "leader", decision="accept")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    place = sqlite_place(tmp_path)
    yield Desk(place)
    place.office.close()


@pytest.fixture
def first_quarter(desk: Desk) -> Desk:
    """Five cases of the first quarter, by hand.

    c1 closed in time (u11); c2 overdue, a notice issued (u11); c3 dispatched in late March and
    open (u9); c4 only registered, from the deputy mayor; c5 cancelled.
    """
    place = desk.place
    dispatched_case(place, "c1", unit=11)
    dispatched_case(place, "c2", unit=11)
    registered_case(place, "c4", issuer="副市长", source_kind="hotline")
    registered_case(place, "c5")
    place.complete(CaseId("c5"), "approve_registration", "office_director",
                   decision="reject", reason="不属督查事项")  # fmt: skip
    desk.at("2026-03-10T09:00+08:00")
    desk.close("c1", 11)
    desk.at("2026-03-18T09:00+08:00")
    checks = [{"item": "是否交办", "in_order": False, "finding": "没有动"}]
    place.complete(CaseId("c2"), "inspect", "supervisor", checks=checks,
                   conclusion="not_in_order", reason="没有措施")  # fmt: skip
    place.complete(CaseId("c2"), "unit_statement", "head.11")
    place.complete(CaseId("c2"), "issue_measure", "office_director", decision="issue",
                   text="限期整改")  # fmt: skip
    desk.at("2026-03-27T09:00+08:00")
    dispatched_case(place, "c3", unit=9)
    desk.at("2026-04-01T09:00+08:00")
    return desk


@pytest.fixture
def half_year(first_quarter: Desk) -> Desk:
    """Let the second quarter pass: c3 closed, another case registered."""
    first_quarter.close("c3", 9)
    first_quarter.at("2026-05-06T09:00+08:00")
    registered_case(first_quarter.place, "c6")
    first_quarter.at("2026-07-01T09:00+08:00")
    return first_quarter
