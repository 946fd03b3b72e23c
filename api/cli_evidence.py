"""Commands about proof: evidence bundles, signed tree heads, checking a bundle."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from api.console import AS_JSON, opened, print_json
from engine import CaseId
from engine.proof.heads import TreeHead, as_json
from engine.records import Json
from services.cases.queries import id_of
from services.evidence import queries, sealing
from services.evidence.bundle import make_bundle
from services.evidence.checks import head_faults
from services.evidence.publishing import (
    printable,
    publish,
    published_folder,
    read_published,
)
from services.evidence.verify_bundle import verify
from services.office import Office

_file = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("cases", nargs=-1, required=True, metavar="CASE…")
@click.option("--redact", is_flag=True, help="Blank personal values; the proofs still hold.")
@click.option("--head", "heads", type=int, multiple=True, help="Lead up to this tree head, too.")
@click.option("--out", type=_file, default=Path("evidence.zip"), show_default=True)
def evidence(cases: Sequence[str], *, redact: bool, heads: Sequence[int], out: Path) -> None:
    """Write everything about some cases to one zip that anybody can check offline."""
    with opened() as office:
        wanted = [_id(office, case) for case in cases]
        content = make_bundle(office, wanted, redact=redact, also=heads)
    out.write_bytes(content)
    click.echo(f"{out}: {len(wanted)} cases, {len(content)} bytes")


@click.command()
@click.option("--seal", is_flag=True, help="Make a new tree head over all cases as they stand.")
@click.option("--rotate-key", is_flag=True, help="Sign with a new key from the next head on.")
@click.option(
    "--publish", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write as files."
)
@click.option("--print", "wants_print", is_flag=True, help="Give the newest as a code for paper.")
@click.option("--check", is_flag=True, help="Compare everything stored with all tree heads.")
@AS_JSON
def heads(
    *,
    seal: bool,
    rotate_key: bool,
    folder: Path | None,
    wants_print: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Show, make, publish or check the signed tree heads."""
    with opened() as office:
        if rotate_key:
            key = sealing.rotate_key(office)
            click.echo(f"key {key.number} {key.fingerprint}", err=True)
        if seal:
            sealing.seal(office)
        found = _heads(office)
        if folder is not None:
            _publish(office, found, folder)
        faults = _faults(office, folder) if check else None
    if as_json:
        print_json({"heads": [_shown(head) for head in found], "faults": faults})
    else:
        click.echo(_told(found, faults, as_code=wants_print))
    sys.exit(1 if faults else 0)


def _told(found: Sequence[TreeHead], faults: list[dict[str, Json]] | None, *, as_code: bool) -> str:
    if faults is not None:
        return "\n".join(f"{f['kind']} {f['what']}: {f['detail']}" for f in faults) or "ok"
    if not found:
        return "no tree head yet"
    if as_code:
        return printable(found[-1])
    return "\n".join(f"{h.number} {h.at} {h.cases} {h.size} {h.code}" for h in found)


@click.command("verify-bundle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--code", "codes", multiple=True, help="A tree head's code that was kept before.")
@click.option("--key", help="Fingerprint of a key that you know to be the office's.")
@AS_JSON
def verify_bundle(file: Path, *, codes: Sequence[str], key: str | None, as_json: bool) -> None:
    """Check an evidence bundle; it needs nothing of this installation."""
    holds, said = verify(file, list(codes), key)
    if as_json:
        print_json({"ok": holds, "found": said})
    else:
        click.echo("\n".join([*said, "OK: the bundle holds" if holds else "NOT OK"]))
    sys.exit(0 if holds else 1)


def _heads(office: Office) -> list[TreeHead]:
    with office.store.transaction(write=False) as transaction:
        return queries.heads(transaction.connection)


def _publish(office: Office, found: Sequence[TreeHead], folder: Path) -> None:
    with office.store.transaction(write=False) as transaction:
        for head in found:
            publish(transaction, head.number, folder)


def _faults(office: Office, folder: Path | None) -> list[dict[str, Json]]:
    folders = {published_folder(office.settings), *([folder] if folder is not None else [])}
    kept = [one for place in folders for one in read_published(place)]
    with office.store.transaction(write=False) as transaction:
        found = head_faults(transaction, kept)
    return [{"kind": f.kind, "what": f.what, "detail": f.detail} for f in found]


def _shown(head: TreeHead) -> dict[str, Json]:
    return {**as_json(head), "code": head.code}


def _id(office: Office, case: str) -> CaseId:
    """Find a case by its number or its id."""
    with office.store.transaction(write=False) as transaction:
        found = id_of(transaction.connection, case)
    return CaseId(found or case)
