"""Effects after commit: a confirmed decomposition becomes cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine import Actor, CaseId, CompleteTask, Engine, JobId, Problem, ProcessState
from engine.pump import Handler
from engine.records import Json
from services.cases.state import CaseState
from services.relations.commands import RegisterPart
from services.relations.state import Part, RelationsState

REGISTER_PARTS = "register_parts"

WITH_ITS_SOURCE = "随上级事项一并确认"
"""Why a part's deadline isn't the table's: the leader confirmed it with the source."""


def register_parts(engine: Engine) -> Handler:
    """Make the handler of ``register_parts``: register and dispatch every confirmed part.

    Every step has a key of its own, so a repeated delivery goes on where the last one stopped. A
    part that can't be dispatched as confirmed waits at its dispatch task; the result names it.
    """

    def handle(case: CaseId, _job: JobId, facts: Mapping[str, Any]) -> dict[str, Json]:
        states = engine.history.states(case)[2]
        parts, source = states[RelationsState], states[CaseState]
        if not isinstance(parts, RelationsState) or not isinstance(source, CaseState):
            raise TypeError(parts)
        waiting = [
            part.number
            for part in parts.parts_of("confirmed")
            if not _registered(engine, case, part, parts.registration, facts["now"])
        ]
        return {"parts_not_dispatched": waiting}

    return handle


def _registered(
    engine: Engine, source: CaseId, part: Part, common: Mapping[str, Json], now: datetime
) -> bool:
    child = child_of(source, part.number)
    register = RegisterPart(
        case=child,
        by=Actor(part.proposed_by),
        at=now,
        definition=part.definition,
        parent=source,
        part=part.number,
        deadline=str(part.data["deadline"]),
        data=_registration(engine, source, part, common),
    )
    engine.execute(register, key=f"part:{child}")
    states = engine.history.states(child)[2]
    process = states[ProcessState]
    if not isinstance(process, ProcessState):
        raise TypeError(process)
    waiting = [task for task in process.tasks.values() if task.element == "dispatch"]
    if not waiting:
        return True
    dispatch = CompleteTask(
        case=child,
        by=Actor(part.proposed_by),
        at=now,
        task=waiting[0].task,
        data=_only_known(engine, part.definition, "dispatch", _dispatch(part)),
    )
    try:
        engine.execute(dispatch, key=f"part:{child}:dispatch")
    except Problem:
        return False
    return True


def child_of(source: CaseId, part: int) -> CaseId:
    """Give the id of the case that a part becomes."""
    return CaseId(f"{source}-{part}")


def _registration(
    engine: Engine, source: CaseId, part: Part, common: Mapping[str, Json]
) -> dict[str, Json]:
    deadline = part.data["deadline"]
    given = {
        **common,
        **part.data,
        "parent": source,
        "is_source": False,
        "targets": part.data.get("targets") or [{"by": deadline, "percent": 100}],
    }
    return _only_known(engine, part.definition, "register", given)


def _dispatch(part: Part) -> dict[str, Json]:
    return {
        "report_content": part.data["title"],
        "deadline_reason": WITH_ITS_SOURCE,
        **part.data,
    }


def _only_known(
    engine: Engine, definition: str, form: str, given: Mapping[str, Json]
) -> dict[str, Json]:
    fields = engine.library.current(definition)[1].form(form)["properties"]
    return {name: value for name, value in given.items() if name in fields}
