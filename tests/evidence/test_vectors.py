"""What the published vectors say stays true: proofs made today verify in ten years."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest

from engine.proof.algorithms import parse_hash
from engine.proof.heads import KeyRecord, TreeHead, head_fault, key_faults, parse_code
from engine.proof.merkle import is_consistent, is_included, tree_of
from engine.proof.signatures import load_key
from services.evidence.verify_bundle import verify
from tests.evidence import independent_verifier
from tests.evidence.make_vectors import VECTORS


def read(name: str) -> Any:  # noqa: ANN401 -- JSON
    return json.loads((VECTORS / name).read_text("utf-8"))


BUNDLES = read("bundles.json")
SUITES = sorted(read("signatures.json"))


@pytest.mark.parametrize("algorithm", ["sha256", "sm3"])
def test_trees(algorithm: str) -> None:
    given = read("trees.json")[algorithm]
    leaves = [leaf.encode() for leaf in given["leaves"]]
    roots = [parse_hash(root)[1] for root in given["roots"]]
    tree = tree_of(algorithm, leaves)

    assert [tree.root(size) for size in range(len(leaves) + 1)] == roots
    for proof in given["inclusion"]:
        place, size = proof["place"], proof["size"]
        path = [bytes.fromhex(step) for step in proof["path"]]
        assert is_included(algorithm, leaves[place], (place, size), path, roots[size])
        computed = independent_verifier.root_by_inclusion(
            algorithm, leaves[place], place, size, path
        )
        assert computed == roots[size]
    for proof in given["growth"]:
        sizes = (proof["from"], proof["to"])
        path = [bytes.fromhex(step) for step in proof["path"]]
        pair = (roots[sizes[0]], roots[sizes[1]])
        assert is_consistent(algorithm, sizes, pair, path)
        computed_pair = independent_verifier.roots_by_consistency(algorithm, *sizes, path, pair[0])
        assert computed_pair == pair


@pytest.mark.parametrize("suite", SUITES)
def test_signatures(suite: str) -> None:
    given = read("signatures.json")[suite]
    keys = [KeyRecord(**key) for key in given["keys"]]
    head = TreeHead(**given["head"])

    assert list(key_faults(keys)) == []
    assert head_fault(head, {key.number: key for key in keys}) is None
    assert [key.fingerprint for key in keys] == given["fingerprints"]
    assert head.code == given["code"]
    assert parse_code(given["code"]).fits(head)
    for key, private in zip(keys, given["private"], strict=True):
        signer = load_key(suite.partition("+")[2], bytes.fromhex(private))
        assert signer.public == key.public
    assert signer.sign(head.content()) == head.signature


@pytest.mark.parametrize("given", BUNDLES, ids=lambda given: given["suite"])
@pytest.mark.parametrize("kind", ["plain", "redacted"])
def test_bundles(given: dict[str, Any], kind: str) -> None:
    content = (VECTORS / given["files"][kind]).read_bytes()

    holds, said = verify(io.BytesIO(content), [given["code"]], given["fingerprint"])

    assert holds, said
    independent_verifier.verify(content, given["code"], given["fingerprint"])


@pytest.mark.parametrize("given", BUNDLES, ids=lambda given: given["suite"])
def test_a_chain_by_hand(given: dict[str, Any]) -> None:
    import zipfile  # noqa: PLC0415 -- as a reader of section 2 does it

    content = (VECTORS / given["files"]["plain"]).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        lines = archive.read("cases/case-1/events.txt").decode().splitlines()

    current = bytes(32)
    for line in lines:
        stated, text = line.split(" ", 1)
        algorithm, value = stated.split(":")
        current = hashlib.new(algorithm, current + text.encode()).digest()
        assert current.hex() == value
