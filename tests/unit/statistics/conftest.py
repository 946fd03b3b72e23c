"""Offices whose figures are counted, and cases written down by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.cases.queries import Glance
from services.permissions import Visibility
from services.statistics.figures import CaseFigures
from tests.helpers.offices import Place, sqlite_place

COUNTED_AS = {"npc_suggestion": "proposal"}

MARCH = datetime(2026, 3, 2, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, 1, tzinfo=UTC)


def case(**known: Any) -> CaseFigures:  # noqa: ANN401 -- fields of CaseFigures
    """Write a case down; what isn't said is as of a case just registered."""
    return CaseFigures(
        **{
            "id": "c",
            "number": "督〔2026〕批示-0001",
            "title": "事项",
            "case_type": "leader_instruction",
            "counted_as": COUNTED_AS.get(known.get("case_type", ""), "matter"),
            "status": "registered",
            "light": "green",
            "unit": None,
            "issuer": None,
            "source_kind": "letter",
            "source": None,
            "urgency": "normal",
            "registered_at": MARCH,
            "deadline": None,
            "closed_at": None,
            "feedback_late": None,
            "answered_at": None,
            "answer_class": None,
            "contacted": False,
            "rating": None,
            "highest_round": 0,
            **known,
        }
    )


def look(place: Place) -> Glance:
    """Look at everything, now."""
    return Glance(Visibility(everything=True), place.clock.now(), lambda due: due)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = sqlite_place(tmp_path)
    yield found
    found.office.close()
