"""Which cases run on which version."""

from sqlalchemy import Connection, or_, select

from engine import CaseId
from engine.store.tables import cases, jobs, tasks, timers


def running_before(connection: Connection, key: str, version: int) -> tuple[CaseId, ...]:
    """Give the running cases of a definition that are on an earlier version."""
    open_somewhere = or_(
        *(
            select(table.c.case_id).where(table.c.case_id == cases.c.case_id).exists()
            for table in (tasks, timers, jobs)
        )
    )
    found = connection.execute(
        select(cases.c.case_id)
        .where(cases.c.definition == key, cases.c.definition_version < version, open_somewhere)
        .order_by(cases.c.case_id)
    )
    return tuple(CaseId(case) for case in found.scalars())
