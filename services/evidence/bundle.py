"""Evidence bundles: everything about some cases in one zip that anybody can check offline.

docs/evidence-format.md describes every file in it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

from engine import chain, journal
from engine.errors import CaseNotFound
from engine.ids import CaseId
from engine.proof.algorithms import digest, suite_of
from engine.proof.heads import MANIFEST, as_json
from engine.records import Json
from engine.store import Transaction
from services.audit.story import Names
from services.evidence.enclosures import History, enclosures
from services.evidence.proving import Proofs, prove
from services.evidence.signing_keys import signing_keys
from services.evidence.story import html_of, pdf_of
from services.evidence.telling import CaseStory, Storyteller
from services.office import Office
from services.people import queries as people

FORMAT = "duban-evidence/1"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_READABLE = 0o644 << 16
BundleFiles = dict[str, bytes]


def make_bundle(
    office: Office,
    cases: Iterable[CaseId],
    *,
    redact: bool = False,
    also: Iterable[int] = (),
) -> bytes:
    """Make a zip of some cases; the same bytes for the same cases and the same newest tree head.

    Parameters
    ----------
    redact : blank personal values, and leave documents and attachments out; the proofs still hold.
    also : numbers of tree heads to lead up to, such as one that was published before.

    Raises
    ------
    CaseNotFound : one of them isn't there.
    HeadNotFound : there is no tree head of a number in `also`.
    KeyNotAtHand : the key that signs the manifest isn't where this process can read it.
    """
    wanted = sorted(set(cases))
    with office.store.transaction(write=False) as transaction:
        # Proofs first: what they say of a case can then only be about events that are read.
        proofs = prove(transaction.connection, wanted, also)
        histories = [_history(transaction, case) for case in wanted]
        files = _definitions(transaction, histories)
        names = _names(transaction)
        enclosed = {} if redact else enclosures(transaction.connection, histories)
    missing: dict[str, str] = {}
    for history in histories:
        files.update(_case_files(history, proofs, redact=redact))
        for enclosure in enclosed.get(history.case, ()):
            content = enclosure.content(office.files)
            if isinstance(content, bytes):
                files[enclosure.place(history.case)] = content
            else:
                missing[f"{history.case}/{enclosure.sha256}"] = content
    if proofs is not None:
        heads = [as_json(head) for head in proofs.heads]
        files["proofs/keys.json"] = _json([as_json(key) for key in proofs.keys])
        files["proofs/heads.json"] = _json({"growth": list(proofs.growth), "heads": heads})
    stories = _stories(office, histories, names, redact=redact)
    files.update(_readable(stories, histories, proofs, redact=redact))
    manifest = {"cases": wanted, "missing": missing, "redacted": redact}
    return _zipped(_manifested(office, files, manifest, proofs))


def _history(transaction: Transaction, case: CaseId) -> History:
    events = transaction.events(case)
    if not events:
        raise CaseNotFound(case=case)
    return History(case, tuple(events))


def _definitions(transaction: Transaction, histories: Sequence[History]) -> BundleFiles:
    wanted = sorted({sha256 for history in histories for sha256 in history.definitions})
    return {
        f"definitions/{sha256}/{name}": content
        for sha256 in wanted
        for name, content in transaction.files(sha256).items()
    }


def _case_files(history: History, proofs: Proofs | None, *, redact: bool) -> BundleFiles:
    place = f"cases/{history.case}"
    lines = (f"{event.hash} {event.body}\n" for event in history.events)
    files = {f"{place}/events.txt": "".join(lines).encode()}
    opened = {str(e.seq): o for e in history.events if (o := journal.opened(e))}
    if opened and not redact:
        files[f"{place}/personal.json"] = _json(opened)
    if proofs is not None:
        files[f"{place}/proof.json"] = _json(proofs.cases[history.case])
    return files


def _names(transaction: Transaction) -> Names:
    connection: Any = transaction.connection
    return Names(
        people={user.id: user.name for user in people.users(connection)},
        units={unit.code: unit.name for unit in people.units(connection)},
    )


def _stories(
    office: Office, histories: Sequence[History], names: Names, *, redact: bool
) -> list[CaseStory]:
    teller = Storyteller(names, office.settings.zone, redact=redact)
    stories = []
    with office.store.transaction(write=False) as transaction:
        for history in histories:
            *_, newest = history.definitions
            recorded = [journal.read(event) for event in history.events]
            definition = office.engine.library.get(newest, transaction)
            stories.append(teller.tell(history.case, recorded, history.events[-1].hash, definition))
    return stories


def _readable(
    stories: Sequence[CaseStory],
    histories: Sequence[History],
    proofs: Proofs | None,
    *,
    redact: bool,
) -> BundleFiles:
    head = proofs.heads[-1] if proofs is not None else None
    at = max(history.events[-1].at for history in histories)
    room = resources.files("services.evidence")
    return {
        "story.html": html_of(stories, head, redacted=redact),
        "story.pdf": pdf_of(stories, head, at, redacted=redact),
        "README.txt": (room / "README.txt").read_bytes(),
        "verify_bundle.py": (room / "verify_bundle.py").read_bytes(),
    }


def _manifested(
    office: Office,
    files: BundleFiles,
    about: Mapping[str, Json],
    proofs: Proofs | None,
) -> BundleFiles:
    """Add the list of all files, and sign it if there is a key.

    Parameters
    ----------
    about : which cases, what is missing of them, whether it is redacted.
    """
    suite = office.settings.proof_suite if proofs is None else proofs.heads[-1].suite
    algorithm = suite_of(suite).hash
    manifest = {
        "format": FORMAT,
        "suite": suite,
        "head": None if proofs is None else proofs.heads[-1].number,
        **about,
        "files": {name: digest(algorithm, content) for name, content in files.items()},
    }
    content = _json(manifest)
    signed = {**files, "manifest.json": content}
    if proofs is not None:
        key = signing_keys(office.settings).find(proofs.keys[-1])
        signature = key.sign(MANIFEST + content.rstrip(b"\n"))
        signed["manifest.sig"] = _json({"key": proofs.keys[-1].number, "signature": signature})
    return signed


def _json(value: Json) -> bytes:
    return f"{chain.canonical(value)}\n".encode()


def _zipped(files: BundleFiles) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            info.external_attr = _READABLE
            archive.writestr(info, files[name])
    return written.getvalue()
