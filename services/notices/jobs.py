"""Effects after commit: telling people."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from engine import CaseId, JobId
from engine.pump import Handler
from engine.records import Json
from engine.store import Store
from engine.store.tables import jobs
from services.cases.tables import register
from services.notices.tables import notices
from services.people import queries as people

SEND_NOTICE = "send_notice"

UNIT_ROLES_TOLD = ("unit_contact", "unit_head")
OFFICE_ROLES_TOLD = ("supervisor",)
KINDS_FOR_OFFICE = frozenset({"overdue", "co_opinion_overdue", "rating_missing"})


def send_notice(store: Store, kind_of: Callable[[CaseId, JobId], str]) -> Handler:
    """Make the handler of ``send_notice``: a notice for each person concerned.

    The case's lead unit is told, and the office too when something is late. The job's id makes a
    notice once only, however often it is delivered.
    """

    def handle(case: CaseId, job: JobId, facts: Mapping[str, Any]) -> dict[str, Json]:
        kind = kind_of(case, job)
        with store.transaction() as transaction:
            connection: Connection = transaction.connection
            told = _recipients(connection, case, kind)
            known = set(
                connection.execute(
                    select(notices.c.user).where(notices.c.case_id == case, notices.c.job == job)
                ).scalars()
            )
            fresh = sorted(told - known)
            if fresh:
                connection.execute(
                    notices.insert(),
                    [
                        {
                            "case_id": case,
                            "job": job,
                            "user": user,
                            "kind": kind,
                            "at": facts["now"],
                        }
                        for user in fresh
                    ],
                )
        return {}

    return handle


def _recipients(connection: Connection, case: CaseId, kind: str) -> set[str]:
    unit = connection.execute(
        select(register.c.lead_unit).where(register.c.case_id == case)
    ).scalar_one_or_none()
    told: set[str] = set()
    if unit is not None:
        for role in UNIT_ROLES_TOLD:
            told |= set(people.holders(connection, role, unit))
    if kind in KINDS_FOR_OFFICE:
        for role in OFFICE_ROLES_TOLD:
            told |= set(people.holders(connection, role))
    return told


def kind_from_element(store: Store) -> Callable[[CaseId, JobId], str]:
    """Give what a job is about: the element of the diagram that asked for it."""

    def kind_of(case: CaseId, job: JobId) -> str:
        with store.transaction(write=False) as transaction:
            element: str | None = transaction.connection.execute(
                select(jobs.c.element).where(jobs.c.case_id == case, jobs.c.job == job)
            ).scalar_one_or_none()
        return element or SEND_NOTICE

    return kind_of
