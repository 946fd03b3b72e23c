"""A set of running cases moved to a newer version: all shown first, then each one recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine import Actor, CaseId, Problem
from engine.commands import MigrateCase
from engine.definitions import trusted_definition
from engine.errors import CaseNotFound, DefinitionNotFound, StaleVersion
from engine.store import Deployment
from services.migration.errors import DefinitionNotApproved
from services.migration.plans import CasePlan, Reason, plan_case
from services.migration.queries import running_before
from services.office import Office
from services.replay.parallel import chunks, opened, spread
from services.settings import Settings
from services.whatif.trial import live_lookups

ATTEMPTS = 3
"""How often a case is planned again that moved on between its plan and the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What becomes, or became, of a set of cases."""

    key: str
    to_version: int
    applied: bool
    cases: tuple[CasePlan, ...]

    @property
    def fitting(self) -> int:
        """How many cases can go, or went."""
        return sum(case.fits for case in self.cases)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the cases, with all that another process needs."""

    settings: Settings
    files: Mapping[str, bytes]
    cases: tuple[CaseId, ...]
    now: datetime


def plan_migration(
    office: Office,
    key: str,
    version: int,
    cases: Sequence[CaseId] | None = None,
    *,
    processes: int = 2,
) -> Migration:
    """Show what would become of running cases on a version; nothing changes.

    Parameters
    ----------
    cases : `None` means all that run on an earlier version.

    Raises
    ------
    DefinitionNotFound, CaseNotFound : there is no such version or case.
    DefinitionNotApproved : new cases can't start on it yet.
    """
    target, files, chosen = _chosen(office, key, version, cases)
    found = _plans(office, files, chosen, processes)
    return Migration(key=key, to_version=target.version, applied=False, cases=tuple(found))


def migrate(
    office: Office,
    key: str,
    version: int,
    by: Actor,
    cases: Sequence[CaseId] | None = None,
    *,
    processes: int = 2,
) -> Migration:
    """Move running cases to a version. One that doesn't fit stays; the others aren't kept waiting.

    Asked again after it broke off, it goes on with those that are left.

    Raises
    ------
    DefinitionNotFound, CaseNotFound, DefinitionNotApproved : as `plan_migration`.
    """
    target, files, chosen = _chosen(office, key, version, cases)
    done = [
        _carry_out(office, plan, target, files, by)
        for plan in _plans(office, files, chosen, processes)
    ]
    return Migration(key=key, to_version=target.version, applied=True, cases=tuple(done))


def _chosen(
    office: Office, key: str, version: int, cases: Sequence[CaseId] | None
) -> tuple[Deployment, Mapping[str, bytes], tuple[CaseId, ...]]:
    with office.store.transaction(write=False) as transaction:
        target = transaction.deployment(key, version)
        if target is None:
            raise DefinitionNotFound(definition=key, version=version)
        if not target.active:
            raise DefinitionNotApproved(definition=key, version=version)
        for case in cases or ():
            if transaction.head(case) is None:
                raise CaseNotFound(case=case)
        chosen = (
            running_before(transaction.connection, key, version)
            if cases is None
            else tuple(dict.fromkeys(cases))
        )
        return target, transaction.files(target.sha256), chosen


def _plans(
    office: Office, files: Mapping[str, bytes], cases: tuple[CaseId, ...], processes: int
) -> Iterator[CasePlan]:
    now = office.clock.now()
    parts = [_Part(office.settings, files, some, now) for some in chunks(cases, processes)]
    for found in spread(_plan_part, parts, processes=processes, cases=len(cases)):
        yield from found


def _plan_part(part: _Part) -> list[CasePlan]:
    definition = trusted_definition(part.files)
    with opened(part.settings) as (_, transaction):
        live = live_lookups(transaction, part.settings, part.now)
        return [plan_case(case, transaction.events(case), definition, live) for case in part.cases]


def _carry_out(
    office: Office, plan: CasePlan, target: Deployment, files: Mapping[str, bytes], by: Actor
) -> CasePlan:
    for _ in range(ATTEMPTS):
        if plan.standing is None:
            return plan
        try:
            office.engine.execute(_command(plan, target, by, office.clock.now()))
        except StaleVersion:
            # Somebody was at work on the case meanwhile: it stands elsewhere now.
            (plan,) = _plan_part(_Part(office.settings, files, (plan.case,), office.clock.now()))
        except Problem as refusal:
            return _refused(plan, refusal.slug)
        else:
            return plan
    return _refused(plan, StaleVersion.slug)


def _command(plan: CasePlan, target: Deployment, by: Actor, at: datetime) -> MigrateCase:
    return MigrateCase(
        case=plan.case,
        by=by,
        at=at,
        definition_version=target.version,
        definition_sha256=target.sha256,
        after_seq=plan.seq,
        **dict(plan.standing or {}),
    )


def _refused(plan: CasePlan, code: str) -> CasePlan:
    return CasePlan(
        case=plan.case,
        number=plan.number,
        title=plan.title,
        from_version=plan.from_version,
        seq=plan.seq,
        reason=Reason(code=code),
    )
