"""Every definition, worked on at random: replay, tables and history agree after every step."""

from __future__ import annotations

from functools import partial

import pytest

from tests.helpers.offices import CASE_TYPES
from tests.helpers.town import memory_town
from tests.stateful.generator import OpenTown, postgres_town, sqlite_town, work_on

IN_MEMORY = 20
IN_DATABASE = 2
WITH_BUNDLES = 2
"""The first case that Hypothesis makes is always the simplest."""


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_a_case_in_memory_holds_together_whatever_comes(case_type: str) -> None:
    work_on(case_type, partial(memory_town, case_type), IN_MEMORY)


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_a_case_on_sqlite_holds_together_whatever_comes(case_type: str) -> None:
    work_on(case_type, sqlite_town, IN_DATABASE)


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_a_case_on_postgresql_holds_together_whatever_comes(case_type: str) -> None:
    work_on(case_type, postgres_town, IN_DATABASE)


@pytest.mark.parametrize("open_town", [sqlite_town, postgres_town])
@pytest.mark.parametrize("case_type", ["leader_instruction", "npc_suggestion"])
def test_a_bundle_of_a_case_verifies_offline_whatever_came(
    case_type: str, open_town: OpenTown
) -> None:
    tally = work_on(case_type, open_town, WITH_BUNDLES, bundles=True)

    assert tally.bundles == tally.cases >= WITH_BUNDLES
