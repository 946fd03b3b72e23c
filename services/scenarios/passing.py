"""How time passes in a scenario or a demonstration: from one due instant to the next."""

from __future__ import annotations

from datetime import datetime

from engine import SetClock
from services.office import Office

SWEEP = 200


def sweep(office: Office) -> int:
    """Fire what is due by the office's clock and deliver jobs until nothing is left to do.

    Returns
    -------
    How many timers fired and jobs were delivered.
    """
    count = 0
    while True:
        fired = office.engine.fire_due(limit=SWEEP)
        delivered = office.engine.deliver_jobs(office.handlers, limit=SWEEP)
        count += fired + delivered
        if not fired and not delivered:
            return count


def pass_time(office: Office, clock: SetClock, until: datetime) -> int:
    """Let the clock run to an instant; every timer on the way fires when it is due.

    Returns
    -------
    How many timers fired and jobs were delivered.
    """
    count = 0
    due = office.store.next_due()
    while due is not None and due <= until:
        clock.set(max(due, clock.now()))
        swept = sweep(office)
        count += swept
        following = office.store.next_due()
        if not swept or following == due:
            break
        due = following
    clock.set(max(until, clock.now()))
    return count + sweep(office)
