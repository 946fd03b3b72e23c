"""What belongs to no single case's proof: definitions, keys, tree heads, access log, other files.

Together with the proof of each case (`services.replay.again`) this is everything that is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.errors import DefinitionNotFound
from engine.library import DefinitionAltered
from engine.proof.heads import Code
from engine.store import Transaction
from services.documents import queries as documents
from services.documents.store import open_files
from services.evidence import queries
from services.evidence.checks import head_faults
from services.evidence.errors import KeyNotAtHand
from services.evidence.publishing import published_folder, read_published
from services.evidence.signing_keys import signing_keys
from services.office import Office
from services.replay.kept import NamedFile, file_faults

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "definition": "restore_definition",
        "file": "restore_file",
        "signing key": "restore_key",
        "stray": "look_into",
    }
)
"""What to do about each kind; about all others, take what was there from a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeFault:
    """Something stored that isn't what it was: what kind of thing, which one, what to do."""

    kind: str
    what: str
    detail: str
    remedy: str


def office_faults(office: Office, codes: Iterable[tuple[str, Code]] = ()) -> list[OfficeFault]:
    """Check everything stored that no single case's proof covers.

    Parameters
    ----------
    codes : tree heads kept elsewhere, beside those in the folder of published ones.
    """
    published = [*read_published(published_folder(office.settings)), *codes]
    with office.store.transaction(write=False) as transaction:
        found = [
            *_definition_faults(office, transaction),
            *_stray_faults(transaction),
            *((f.kind, f.what, f.detail) for f in head_faults(transaction, published)),
            *_signing_key_faults(office, transaction),
        ]
        issued = list(documents.office_documents_of(transaction.connection, limit=_ALL))
    found += _file_faults(office, issued)
    return [
        OfficeFault(kind=kind, what=what, detail=detail, remedy=REMEDIES.get(kind, "restore"))
        for kind, what, detail in found
    ]


_ALL = 10**9

_Found = tuple[str, str, str]


def _definition_faults(office: Office, transaction: Transaction) -> Iterator[_Found]:
    for one in transaction.deployments():
        try:
            office.engine.library.check(one.sha256, transaction)
        except (DefinitionNotFound, DefinitionAltered) as wrong:
            yield "definition", f"{one.key} {one.version}", repr(wrong)


def _stray_faults(transaction: Transaction) -> Iterator[_Found]:
    for table, case in queries.strays(transaction.connection):
        yield "stray", case, f"{table} has rows of a case that isn't there"


def _signing_key_faults(office: Office, transaction: Transaction) -> Iterator[_Found]:
    """Check the private key that signs next; where it is kept elsewhere there is none to check."""
    for record in queries.keys(transaction.connection)[-1:]:
        keys = signing_keys(office.settings)
        if not keys.folder.is_dir():
            return
        try:
            keys.find(record)
        except KeyNotAtHand as wrong:
            yield "signing key", str(record.number), f"{wrong.facts['file']} isn't its private key"


def _file_faults(office: Office, issued: Iterable[documents.OfficeDocument]) -> Iterator[_Found]:
    settings = office.settings
    files = open_files(settings.data, office.store, is_embedded=settings.is_embedded)
    for one in issued:
        named = [
            NamedFile(0, f"{one.number} docx", one.docx_sha256),
            NamedFile(0, f"{one.number} pdf", one.pdf_sha256),
        ]
        for fault in file_faults(named, files):
            yield "file", one.id, fault.detail
