"""Fold, re-execution and live state after every event of generated cases, and of the demo's year.

``python -m bench.agreement --cases 500`` works on that many cases of all types on each database and
prints what it compared; any difference ends it with 1. The seed is printed: the same one gives the
same cases again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import secrets
import sys
import tempfile
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from services.demo.year import play_year
from services.evidence.whole import office_faults
from services.office import build_office
from services.replay.again import report_of, report_text
from services.settings import Settings
from tests import servers
from tests.helpers.agreement import bundle_fault, differences, story_of, witnessed
from tests.helpers.offices import BPMN, CASE_TYPES
from tests.stateful.generator import postgres_town, sqlite_town, work_on
from tests.stateful.machine import Tally

TOWNS = {"sqlite": sqlite_town, "postgresql": postgres_town}
AT_ONCE = 28
"""Cases in one portion of work; one more is made, as the first is always the simplest."""


@dataclass(frozen=True, slots=True)
class Portion:
    """Some cases of one type on one database; a type of `None` is the demo's year."""

    database: str
    case_type: str | None
    cases: int
    seed: int
    bundles: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a portion came to; no faults means that everything agreed."""

    portion: Portion
    tally: Tally
    faults: tuple[str, ...]


def portions(cases: int, seed: int, *, bundles: bool) -> list[Portion]:
    """Share a number of cases out evenly over types, for each database, and the demo last."""
    found = []
    for database in TOWNS:
        for number, case_type in enumerate(CASE_TYPES):
            left = cases // len(CASE_TYPES) + (number < cases % len(CASE_TYPES))
            while left > 0:
                some = min(left, AT_ONCE)
                place = seed + 1_000 * number + left
                found.append(Portion(database, case_type, some, place, bundles))
                left -= some
    return [*found, *(Portion(database, None, 0, seed, bundles) for database in TOWNS)]


def worked(portion: Portion) -> Outcome:
    """Work a portion."""
    try:
        if portion.case_type is None:
            return _demo(portion)
        tally = work_on(
            portion.case_type,
            TOWNS[portion.database],
            portion.cases + 1,
            use_seed=portion.seed,
            bundles=portion.bundles,
        )
    except Exception:  # whatever it is, it goes into the answer
        return Outcome(portion, Tally(), (traceback.format_exc(),))
    short = [] if tally.cases >= portion.cases else [f"only {tally.cases} of {portion.cases} cases"]
    return Outcome(portion, tally, tuple(short))


def _demo(portion: Portion) -> Outcome:
    """Play the year as ``./duban demo`` does and compare after every event of it."""
    url = servers.postgres().create_database() if portion.database == "postgresql" else None
    tally, faults = Tally(), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), database_url=url, definitions=BPMN)
        with witnessed() as witness:
            faults += play_year(settings).faults
        office = build_office(settings)
        try:
            cases = office.store.case_ids()
            for case in cases:
                faults += differences(office.engine, case, witness)
                report = report_of(office, case)
                faults += [] if report.ok else [report_text(report)]
                tally.cases += 1
                tally.events += report.events
                tally.stories.add(story_of(office.engine.history.stored(case)))
            fault = bundle_fault(office, cases)
            tally.bundles += 1
            faults += [] if fault is None else [fault]
            faults += [f"{f.kind} {f.what}: {f.detail}" for f in office_faults(office)]
        finally:
            office.close()
    return Outcome(portion, tally, tuple(faults))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print, and give 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500, help="on each database")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-bundles", action="store_true", help="the demo's bundle alone")
    given = parser.parse_args(arguments)
    start = perf_counter()
    sums = {(database, kind): Tally() for database in TOWNS for kind in ("generated", "demo")}
    wrong = 0
    # Spawned, not forked: each process starts a database server of its own.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.processes, mp_context=context) as pool:
        work = portions(given.cases, given.seed, bundles=not given.no_bundles)
        for done in as_completed([pool.submit(worked, one) for one in work]):
            outcome = done.result()
            where = outcome.portion.database, "generated" if outcome.portion.case_type else "demo"
            _add(sums[where], outcome.tally)
            for fault in outcome.faults:
                wrong += 1
                print(f"DIFFERS {outcome.portion}\n{fault}", flush=True)
    for (database, kind), tally in sums.items():
        print(
            f"{database} {kind}: {tally.cases} cases ({len(tally.stories)} different),"
            f" {tally.commands} commands, {tally.refused} refused, {tally.events} events compared"
            f" after each, {tally.bundles} bundles verified"
        )
    verdict = f"{wrong} DIFFERENCES" if wrong else "no difference"
    print(f"{verdict}; seed {given.seed}; {perf_counter() - start:.0f} s")
    return 1 if wrong else 0


def _add(whole: Tally, part: Tally) -> None:
    whole.cases += part.cases
    whole.commands += part.commands
    whole.refused += part.refused
    whole.events += part.events
    whole.bundles += part.bundles
    whole.stories |= part.stories


if __name__ == "__main__":
    sys.exit(main())
