"""A bundle proves its cases to anybody, or names what is wrong with it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from engine import CaseId
from engine.errors import CaseNotFound
from services.evidence.bundle import make_bundle
from services.evidence.errors import HeadNotFound
from services.evidence.verify_bundle import main, verify
from tests.evidence import independent_verifier
from tests.evidence.conftest import Made
from tests.evidence.places import PERSONAL, place, three_days


def files_of(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_both_verifiers_accept_a_bundle_with_a_code_and_a_fingerprint_kept_before(
    made: Made,
) -> None:
    code = made.heads[1].code

    holds, said = verify(io.BytesIO(made.content), [code], made.fingerprint)

    assert holds, said
    independent_verifier.verify(made.content, code, made.fingerprint)


def test_a_redacted_bundle_still_verifies_and_holds_no_personal_value(made: Made) -> None:
    holds, said = verify(io.BytesIO(made.redacted), [made.heads[3].code])

    assert holds, said
    assert any("personal values are blanked" in line for line in said)
    independent_verifier.verify(made.redacted, made.heads[3].code)
    for name, content in files_of(made.redacted).items():
        for value in PERSONAL.values():
            assert value.encode() not in content, name


def test_events_after_the_newest_tree_head_are_told_apart(made: Made) -> None:
    _, said = verify(io.BytesIO(made.content), [])

    assert any(line.startswith("NOTE case-3:") and "aren't sealed yet" in line for line in said)


def test_the_same_cases_give_the_same_bytes(tmp_path: Path) -> None:
    with place(tmp_path) as opened:
        three_days(opened)
        cases = [CaseId("case-2"), CaseId("case-1")]

        assert make_bundle(opened.office, cases) == make_bundle(opened.office, reversed(cases))


def test_the_script_in_the_bundle_runs_alone(made: Made, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(made.content)
    script = tmp_path / "verify_bundle.py"
    script.write_bytes(files_of(made.content)["verify_bundle.py"])

    run = [sys.executable, "-I", str(script), str(bundle), "--code", made.heads[1].code]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, check=False)  # noqa: S603

    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(b"OK: the bundle holds\n")


def test_a_code_of_another_tree_head_is_named(made: Made) -> None:
    other = replace(made.heads[1], cases=made.heads[1].cases + 1).code

    holds, said = verify(io.BytesIO(made.content), [other])

    assert not holds
    assert said[-1] == "FAULT tree head 2: isn't the one that the code was printed of"
    with pytest.raises(independent_verifier.Refused):
        independent_verifier.verify(made.content, other)


def test_a_code_whose_tree_head_the_bundle_does_not_lead_up_to_is_named(tmp_path: Path) -> None:
    with place(tmp_path) as opened:
        heads = three_days(opened)
        bundle = make_bundle(opened.office, [CaseId("case-6")])

    holds, said = verify(io.BytesIO(bundle), [heads[0].code])

    assert not holds
    assert said[-1].startswith("FAULT tree head 1: isn't in the bundle")


def test_a_mistyped_code_is_named_before_anything_is_compared(made: Made) -> None:
    code = made.heads[1].code
    mistyped = code[:-1] + ("0" if code[-1] != "0" else "1")

    holds, said = verify(io.BytesIO(made.content), [mistyped])

    assert not holds
    assert "a digit is wrong" in said[-1]


def test_an_unknown_key_is_named(made: Made) -> None:
    holds, said = verify(io.BytesIO(made.content), [], "sha256:" + "0" * 64)

    assert not holds
    assert said[-1].startswith("FAULT proofs/keys.json: there is no key")


def test_before_the_first_tree_head_the_chain_alone_is_checked(tmp_path: Path) -> None:
    with place(tmp_path) as opened:
        opened.start("case-1")
        bundle = make_bundle(opened.office, [CaseId("case-1")])

    holds, said = verify(io.BytesIO(bundle), [])

    assert holds, said
    assert any(line.startswith("NOTE no tree head yet") for line in said)
    independent_verifier.verify(bundle)


def test_the_story_tells_what_was_filled_in_and_is_a_pdf_too(made: Made) -> None:
    files = files_of(made.content)

    assert PERSONAL["statement"] in files["story.html"].decode()
    assert b"<script" not in files["story.html"]
    assert files["story.pdf"].startswith(b"%PDF")


def test_text_of_a_case_is_never_markup(tmp_path: Path) -> None:
    with place(tmp_path) as opened:
        case = opened.start("case-1")
        opened.complete(case, {"result": '<script>alert("1")</script> #panic("x") \\ " $'})
        opened.seal()

        files = files_of(make_bundle(opened.office, [case]))

    assert b"<script" not in files["story.html"]
    assert b"&lt;script&gt;" in files["story.html"]


def test_a_case_that_is_not_there_has_no_bundle(tmp_path: Path) -> None:
    with place(tmp_path) as opened, pytest.raises(CaseNotFound):
        make_bundle(opened.office, [CaseId("nobody")])


def test_a_tree_head_that_is_not_there_cannot_be_led_up_to(tmp_path: Path) -> None:
    with place(tmp_path) as opened:
        opened.start("case-1")
        opened.seal()

        with pytest.raises(HeadNotFound):
            make_bundle(opened.office, [CaseId("case-1")], also=[9])


def test_the_manifest_names_every_file(made: Made) -> None:
    files = files_of(made.content)

    listed = json.loads(files["manifest.json"])["files"]

    assert set(listed) == set(files) - {"manifest.json", "manifest.sig"}


@pytest.mark.parametrize("suite", ["sha256+ed25519", "sm3+sm2"])
def test_the_script_says_what_it_checked_and_names_the_first_fault(
    suite: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with place(tmp_path / "office", suite) as opened:
        three_days(opened)
        content = make_bundle(opened.office, [CaseId("case-1")])
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(content)
    bad.write_bytes(content[: len(content) // 2])

    assert main([str(good)]) == 0
    assert main([str(bad)]) == 1

    said = capsys.readouterr().out
    assert "OK: the bundle holds\n" in said
    assert said.endswith("FAULT malformed: BadZipFile: File is not a zip file\nNOT OK\n")
