"""How a joint proposal passes from its leading proposer to a co-signer."""

from collections.abc import Iterator

from engine import Case, Command, Event
from engine.events import TaskDelegated
from engine.state import ProcessState
from services.cases.state import CaseState
from services.relations.events import LeadProposerChanged


def passing_on(case: Case, lead: str, reason: str, ask: Command) -> Iterator[Event]:
    """Let a co-signer lead a proposal on, and answer what waited for the former leader."""
    former = case[CaseState].proposers[0]
    yield LeadProposerChanged(former=former, lead=lead, reason=reason, at=ask.at)
    yield from case.assign({"lead_proposer": lead})
    for task in case[ProcessState].tasks.values():
        if task.assignee == former:
            yield TaskDelegated(task=task.task, former=former, assignee=lead)
