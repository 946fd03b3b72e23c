"""Commands that prove what is stored, and write anew what follows from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from api.console import AS_JSON, LANGUAGE, opened, print_json, speaker
from api.startup import SYSTEM
from api.wording import Reader
from engine import CaseId
from engine.records import Json
from services.cases.queries import id_of
from services.evidence.whole import OfficeFault, office_faults
from services.mining.reading import all_cases
from services.office import Office
from services.replay import rebuilding
from services.replay.again import Report, report_json, report_text, verify_all
from services.replay.rebuilding import Rebuilt

_PROCESSES = click.option(
    "--processes", type=click.IntRange(1, 64), default=os.cpu_count() or 1, show_default=True
)


@click.command()
@click.argument("case", required=False)
@click.option("--all", "every", is_flag=True, help="Everything stored, all cases first.")
@_PROCESSES
@AS_JSON
@LANGUAGE
def verify(case: str | None, *, every: bool, processes: int, as_json: bool, lang: str) -> None:
    """Prove a case or everything: hashes, running the commands again, tables, files, heads."""
    if (case is None) != every:
        raise click.UsageError("name one case, or --all")
    with opened() as office:
        cases = list(all_cases(office.store)) if case is None else [_id(office, case)]
        found = verify_all(
            office.settings, cases, processes=processes, progress=None if as_json else _progress
        )
        beside = office_faults(office) if every else []
        reader = speaker(office, lang)
    if as_json:
        print_json(_verified(found, beside))
    else:
        click.echo("\n".join(_told(found, beside, reader)))
    sys.exit(0 if _is_whole(found, beside) else 1)


def _is_whole(found: Sequence[Report], beside: Sequence[OfficeFault]) -> bool:
    return all(report.ok for report in found) and not beside


def _told(found: Sequence[Report], beside: Sequence[OfficeFault], reader: Reader) -> list[str]:
    said = "ok" if _is_whole(found, beside) else "NOT OK"
    lines = [f"{said}: {len(found)} cases, {sum(one.events for one in found)} events"]
    for one in found:
        if not one.ok:
            lines += [report_text(one), f"  {_remedy(reader, one.remedy, one.case, one.table)}"]
    for fault in beside:
        lines.append(f"{fault.kind} {fault.what}: {fault.detail}")
        lines.append(f"  {_remedy(reader, fault.remedy, fault.what)}")
    return lines


def _remedy(reader: Reader, remedy: str | None, case: str, table: str | None = None) -> str:
    return reader.console(f"remedy-{remedy or 'look_into'}", case=case, table=table or "")


def _verified(found: Sequence[Report], beside: Sequence[OfficeFault]) -> dict[str, Json]:
    bad = [report_json(report) for report in found if not report.ok]
    return {
        "ok": _is_whole(found, beside),
        "cases": len(found),
        "events": sum(report.events for report in found),
        "first_bad": {**bad[0], "seq": bad[0]["first_bad"]} if bad else None,
        "bad": bad,
        "beside": [asdict(fault) for fault in beside],
    }


@click.command()
@click.argument("cases", nargs=-1, metavar="CASE…")
@click.option("--all", "every", is_flag=True, help="All cases.")
@AS_JSON
@LANGUAGE
def rebuild(cases: Sequence[str], *, every: bool, as_json: bool, lang: str) -> None:
    """Write tables, snapshots and receipts anew where they don't follow from the history.

    Only over histories that verify; what was written goes into the access log.
    """
    if bool(cases) == every:
        raise click.UsageError("name cases, or --all")
    with opened() as office:
        wanted = all_cases(office.store) if every else (_id(office, case) for case in cases)
        found = [rebuilding.rebuild(office, case, SYSTEM) for case in wanted]
        reader = speaker(office, lang)
    if as_json:
        print_json([_rebuilt_json(one) for one in found])
    else:
        for one in found:
            if one.wrong or not one.proof.ok or not every:
                click.echo(_rebuilt_told(one, reader))
    sys.exit(0 if all(one.proof.ok for one in found) else 1)


def _rebuilt_told(one: Rebuilt, reader: Reader) -> str:
    if not one.proof.ok:
        proof = one.proof
        said = reader.console("not-rebuilt", case=proof.case)
        return f"{said}\n  {proof.fault} {proof.first_bad}: {proof.detail}"
    if not one.wrong:
        return reader.console("rebuilt-nothing", case=one.proof.case)
    tables = ", ".join(f"{table} {count}" for table, count in one.tables.items())
    lines = [reader.console("rebuilt", case=one.proof.case, tables=tables)]
    return "\n".join([*lines, *(f"  {wrong.detail}" for wrong in one.wrong)])


def _rebuilt_json(one: Rebuilt) -> dict[str, Json]:
    return {
        "case": one.proof.case,
        "ok": one.proof.ok,
        "fault": one.proof.fault,
        "first_bad": one.proof.first_bad,
        "rebuilt": one.tables,
        "details": [wrong.detail for wrong in one.wrong],
    }


def _id(office: Office, case: str) -> CaseId:
    with office.store.transaction(write=False) as transaction:
        return CaseId(id_of(transaction.connection, case) or case)


def _progress(done: int, every: int) -> None:
    click.echo(f"\r{done}/{every}", nl=done == every, err=True)
