"""Writes tests/evidence/vectors anew: ``python -m tests.evidence.make_vectors``.

Only when the format gets a new version: the vectors are there so that old proofs keep verifying.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

from engine import CaseId
from engine.proof.algorithms import SUITES, named, suite_of
from engine.proof.heads import KeyRecord, TreeHead, as_json, signed_head, signed_key
from engine.proof.merkle import tree_of
from engine.proof.signatures import generate_key
from services.evidence.bundle import make_bundle
from services.evidence.sealing import rotate_key
from tests.evidence.places import place, three_days

VECTORS = Path(__file__).parent / "vectors"
SIZES = range(1, 10)


def main() -> None:
    """Write all vectors."""
    _write("trees.json", {suite.hash: _trees(suite.hash) for suite in SUITES.values()})
    _write("signatures.json", {name: _signatures(name) for name in SUITES})
    _write("bundles.json", [_bundles(name) for name in SUITES])


def _trees(algorithm: str) -> dict[str, Any]:
    leaves = [f"leaf {number}" for number in range(len(SIZES))]
    tree = tree_of(algorithm, (leaf.encode() for leaf in leaves))
    return {
        "leaves": leaves,
        "roots": [named(algorithm, tree.root(size)) for size in (0, *SIZES)],
        "inclusion": [
            {"place": p, "size": size, "path": [step.hex() for step in tree.inclusion(p, size)]}
            for size in SIZES
            for p in range(size)
        ],
        "growth": [
            {
                "from": former,
                "to": size,
                "path": [step.hex() for step in tree.consistency(former, size)],
            }
            for size in SIZES
            for former in range(1, size + 1)
        ],
    }


def _signatures(suite: str) -> dict[str, Any]:
    rnd = random.Random(suite)  # noqa: S311 -- keys of vectors are no secret
    first, second = (generate_key(suite_of(suite).signature, rnd.randbytes) for _ in range(2))
    keys = [
        KeyRecord(
            number=1, suite=suite, public=first.public, from_head=1, at="2026-03-02T01:00:00Z"
        ),
        KeyRecord(
            number=2, suite=suite, public=second.public, from_head=8, at="2026-03-09T01:00:00Z"
        ),
    ]
    root = named(suite_of(suite).hash, bytes(range(32)))
    head = TreeHead(
        number=8,
        at="2026-03-09T10:00:00Z",
        size=41,
        root=root,
        cases=17,
        register=root,
        suite=suite,
        key=2,
    )
    signed = [signed_key(key, first) for key in keys]
    return {
        "private": [first.private.hex(), second.private.hex()],
        "keys": [as_json(key) for key in signed],
        "fingerprints": [key.fingerprint for key in signed],
        "head": as_json(signed_head(head, second)),
        "code": head.code,
    }


def _bundles(suite: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, place(Path(folder), suite) as opened:
        heads = three_days(opened)
        key = rotate_key(opened.office)
        opened.start("case-7")
        heads.append(opened.seal())
        opened.finish(CaseId("case-3"))
        wanted = [CaseId("case-1"), CaseId("case-3"), CaseId("case-7")]
        made = {
            "plain": make_bundle(opened.office, wanted, also=[2]),
            "redacted": make_bundle(opened.office, wanted, redact=True, also=[2]),
        }
    files = {kind: f"{suite.replace('+', '-')}-{kind}.zip" for kind in made}
    for kind, content in made.items():
        (VECTORS / files[kind]).write_bytes(content)
    return {
        "suite": suite,
        "files": files,
        "code": heads[1].code,
        "fingerprint": key.fingerprint,
    }


def _write(name: str, content: Any) -> None:  # noqa: ANN401 -- JSON
    VECTORS.mkdir(exist_ok=True)
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (VECTORS / name).write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
