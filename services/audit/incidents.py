"""Incidents are closed by asking again for what failed."""

from datetime import datetime

from engine import Actor, CaseId, Engine, JobId, NotFound, RetryJob, RetryTimer, TimerId
from engine.errors import CaseNotFound
from services.documents.queries import try_again


class IncidentNotFound(NotFound):
    """Raised when there is no incident with this id."""

    slug = "incident-not-found"


def retry(engine: Engine, incident: str, by: Actor, at: datetime, key: str | None = None) -> None:
    """Ask once more for a timer, job or document that failed; the worker does it at once.

    Parameters
    ----------
    incident : its id, as `queries.incidents` lists it.
    by : who asks; a right to do so is only asked for a timer or job, whose case notes it.

    Raises
    ------
    IncidentNotFound : there is no such incident.
    TimerNotOpen, JobNotOpen : it isn't one (any more).
    """
    case, _, short = incident.rpartition(".")
    if short.startswith("d"):
        with engine.store.transaction() as transaction:
            if not try_again(transaction.connection, case, short):
                raise IncidentNotFound(incident=incident)
        return
    ask: RetryJob | RetryTimer
    if short.startswith("j"):
        ask = RetryJob(case=CaseId(case), by=by, at=at, job=JobId(incident))
    else:
        ask = RetryTimer(case=CaseId(case), by=by, at=at, timer=TimerId(incident))
    try:
        engine.execute(ask, key=key)
    except CaseNotFound:
        raise IncidentNotFound(incident=incident) from None
