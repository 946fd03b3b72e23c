"""Every definition, worked on at random: replay, tables and history agree after every step."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.helpers.offices import CASE_TYPES
from tests.helpers.town import Town, memory_town
from tests.stateful.machine import Work

STEPS = 30
IN_MEMORY = 12


def setting(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("case_type", CASE_TYPES)
def test_a_case_in_memory_holds_together_whatever_comes(case_type: str) -> None:
    class InMemory(Work):
        def open_town(self) -> AbstractContextManager[Town]:
            return memory_town(case_type)

    InMemory.case_type = case_type
    run_state_machine_as_test(InMemory, settings=setting(IN_MEMORY))
