"""Documents go with their case, and are those whose hashes stand in its events."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import CaseId
from services.evidence.bundle import make_bundle
from services.evidence.sealing import seal
from services.evidence.verify_bundle import verify
from tests.evidence import independent_verifier
from tests.evidence.mutations import files_of, list_anew, sign_anew, zipped
from tests.helpers.offices import Place, dispatched_case, sqlite_place


@pytest.fixture
def papers(tmp_path: Path) -> Iterator[tuple[Place, bytes]]:
    """Open an office whose one case has its papers, and give a bundle of it."""
    place = sqlite_place(tmp_path / "var")
    case = dispatched_case(place)
    while place.office.documents.sweep(place.clock.now()):
        pass
    seal(place.office)
    yield place, make_bundle(place.office, [case])
    place.office.close()


def documents_in(bundle: bytes) -> list[str]:
    names = files_of(bundle)
    return [name for name in names if name.startswith("cases/") and "/documents/" in name]


def test_documents_are_in_the_bundle_and_verify(papers: tuple[Place, bytes]) -> None:
    _, bundle = papers

    holds, said = verify(io.BytesIO(bundle), [])

    assert holds, said
    independent_verifier.verify(bundle)
    endings = {name.rpartition(".")[2] for name in documents_in(bundle)}
    assert endings == {"docx", "pdf"}


def test_a_redacted_bundle_leaves_documents_out(papers: tuple[Place, bytes]) -> None:
    place, bundle = papers
    (case,) = {name.split("/")[1] for name in documents_in(bundle)}

    redacted = make_bundle(place.office, [CaseId(case)], redact=True)

    assert documents_in(redacted) == []
    assert verify(io.BytesIO(redacted), [])[0]


@pytest.mark.parametrize("change", ["content", "name"])
def test_another_document_in_its_place_is_named(papers: tuple[Place, bytes], change: str) -> None:
    place, bundle = papers
    files = files_of(bundle)
    name = documents_in(bundle)[0]
    if change == "content":
        files[name] += b" "
    else:
        files[name.replace(name.split("/")[3], "0" * 64)] = files.pop(name)
    list_anew(files, "sha256+ed25519")
    sign_anew(files, place.office.settings)

    holds, said = verify(io.BytesIO(zipped(files)), [])

    assert not holds
    assert "differs from the hash in its name" in said[-1]
    with pytest.raises(independent_verifier.Refused):
        independent_verifier.verify(zipped(files))


def test_a_file_lost_from_the_store_is_left_out(papers: tuple[Place, bytes]) -> None:
    place, bundle = papers
    lost = documents_in(bundle)[0]
    (case,) = {name.split("/")[1] for name in documents_in(bundle)}
    sha256 = lost.split("/")[3]
    (place.office.settings.data / "files" / sha256[:2] / sha256).unlink()

    again = make_bundle(place.office, [CaseId(case)])

    assert lost not in documents_in(again)
    assert verify(io.BytesIO(again), [])[0]
