"""What a process imports first may not show in what it records."""

import subprocess
import sys

TOLD = """
import {first}
import services.office
from engine.commands import FOLLOWERS
from engine.state import save_states
from services.cases.state import CaseState
from services.deadlines.state import DeadlineState

for kind in sorted(FOLLOWERS, key=lambda kind: kind.__name__):
    print(kind.__name__, [f"{{f.__module__}}.{{f.__qualname__}}" for f in FOLLOWERS[kind]])
for kinds in ((CaseState, DeadlineState), (DeadlineState, CaseState)):
    print(list(save_states({{kind: kind() for kind in kinds}})))
"""


def told(first: str) -> str:
    run = [sys.executable, "-c", TOLD.format(first=first)]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout  # noqa: S603


def test_reactions_and_snapshots_are_the_same_whichever_room_is_imported_first() -> None:
    usual = told("services.office")

    assert "TaskCompleted" in usual
    assert told("services.worktasks.elements") == usual
    assert told("services.documents.jobs") == usual
    first, second = usual.splitlines()[-2:]
    assert first == second
