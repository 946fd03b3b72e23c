"""Documents go with their case, and are those whose hashes stand in its events."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import CaseId
from engine.chain import canonical
from services.evidence.bundle import make_bundle
from services.evidence.sealing import seal
from services.evidence.verify_bundle import verify
from services.replay.again import report_of
from tests.evidence import independent_verifier
from tests.evidence.mutations import files_of, list_anew, sign_anew, zipped
from tests.helpers.offices import Place, registered_case, sqlite_place

LETTER = "赵家村村民来信".encode()


@pytest.fixture
def papers(tmp_path: Path) -> Iterator[tuple[Place, bytes]]:
    """Open an office whose one case has its papers, and give a bundle of it."""
    place = sqlite_place(tmp_path / "var")
    at = place.clock.now()
    letter = place.office.intake.take([LETTER], "村民来信.txt", by="registrar", at=at)
    case = registered_case(place, attachments=[letter.sha256])
    place.complete(case, "approve_registration", "office_director", decision="approve")
    given = {"lead_unit": "u11", "responsible_person": "张三", "report_content": "情况报告"}
    place.complete(case, "dispatch", "registrar", **given)
    while place.office.documents.sweep(place.clock.now()):
        pass
    seal(place.office)
    yield place, make_bundle(place.office, [case])
    place.office.close()


def enclosed(bundle: bytes, kind: str) -> list[str]:
    names = files_of(bundle)
    return [name for name in names if name.startswith("cases/") and f"/{kind}/" in name]


def documents_in(bundle: bytes) -> list[str]:
    return enclosed(bundle, "documents")


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

    assert documents_in(redacted) == enclosed(redacted, "attachments") == []
    independent_verifier.verify(redacted)
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


@pytest.mark.parametrize("kind", ["documents", "attachments"])
def test_a_file_lost_or_altered_at_the_office_is_named(
    papers: tuple[Place, bytes], kind: str
) -> None:
    place, bundle = papers
    name = enclosed(bundle, kind)[0]
    _, case, _, sha256, _ = name.split("/")
    file = place.office.settings.data / "files" / sha256[:2] / sha256
    file.chmod(0o640)

    file.write_bytes(file.read_bytes() + b" ")
    altered = make_bundle(place.office, [CaseId(case)])
    file.unlink()
    lost = make_bundle(place.office, [CaseId(case)])

    noun = kind.removesuffix("s")
    for made, reason in ((altered, "another content"), (lost, "the office had lost it")):
        assert name not in enclosed(made, kind)
        holds, said = verify(io.BytesIO(made), [])
        assert holds, said
        assert any(f"NOTE {case}: {noun} {sha256}" in line and reason in line for line in said)
        independent_verifier.verify(made)
    report = report_of(place.office, CaseId(case))
    assert (report.ok, report.fault) == (False, "file")
    assert f"{sha256} isn't kept" in (report.detail or "")


def test_attachments_go_with_their_case_under_their_names(papers: tuple[Place, bytes]) -> None:
    _, bundle = papers

    (name,) = enclosed(bundle, "attachments")

    assert name.endswith("/村民来信.txt")
    assert files_of(bundle)[name] == LETTER
    assert name in json.loads(files_of(bundle)["manifest.json"])["files"]


@pytest.mark.parametrize("kind", ["documents", "attachments"])
@pytest.mark.parametrize("hand", ["left out", "said to be erased", "altered", "one too many"])
def test_whoever_meddles_with_what_is_enclosed_is_found_out_even_with_the_key(
    papers: tuple[Place, bytes], kind: str, hand: str
) -> None:
    place, bundle = papers
    files = files_of(bundle)
    name = enclosed(bundle, kind)[0]
    sha256 = name.split("/")[3]
    if hand == "altered":
        files[name] += b"x"
    elif hand == "one too many":
        other = hashlib.sha256(b"forged").hexdigest()
        files[name.replace(sha256, other)] = b"forged"
    else:
        del files[name]
    if hand == "said to be erased":
        manifest = json.loads(files["manifest.json"])
        manifest["missing"][f"{name.split('/')[1]}/{sha256}"] = "erased"
        files["manifest.json"] = f"{canonical(manifest)}\n".encode()
    list_anew(files, "sha256+ed25519")
    sign_anew(files, place.office.settings)

    holds, said = verify(io.BytesIO(zipped(files)), [])

    assert not holds
    assert sha256 in said[-1] or "forged" in said[-1] or "isn't named" in said[-1]
    with pytest.raises(independent_verifier.Refused):
        independent_verifier.verify(zipped(files))
