"""Trees of RFC 6962: roots, and proofs that hold for the tree they are of and no other."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from engine.proof.merkle import (
    Tree,
    grow,
    is_consistent,
    is_included,
    leaf_hash,
    places_read,
    tree_of,
)

LEAVES = [str(number).encode() for number in range(40)]
SIZES = range(1, len(LEAVES) + 1)


def root_by_definition(leaves: Sequence[bytes]) -> bytes:
    """Compute a root as RFC 6962, 2.1 writes it down."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = root_by_definition(leaves[:split]), root_by_definition(leaves[split:])
    return hashlib.sha256(b"\1" + left + right).digest()


ROOTS = [root_by_definition(LEAVES[:size]) for size in range(len(LEAVES) + 1)]
TREE = tree_of("sha256", LEAVES)


def test_a_root_is_that_of_the_definition_at_every_size() -> None:
    assert [TREE.root(size) for size in range(len(LEAVES) + 1)] == ROOTS


def test_the_roots_of_certificate_transparency_come_out() -> None:
    # The published test data of RFC 6962's first implementation.
    leaves = [
        bytes.fromhex(text)
        for text in (
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        )
    ]
    tree = tree_of("sha256", leaves)

    assert tree.root(1).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert tree.root(8).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_inclusion_holds_for_every_leaf_at_every_size() -> None:
    for size in SIZES:
        for place in range(size):
            path = TREE.inclusion(place, size)
            assert is_included("sha256", LEAVES[place], (place, size), path, ROOTS[size])


def test_inclusion_holds_for_no_other_place_leaf_or_root() -> None:
    for size in SIZES:
        for place in range(size):
            path = TREE.inclusion(place, size)
            assert not is_included("sha256", b"other", (place, size), path, ROOTS[size])
            assert not is_included("sha256", LEAVES[place], (place, size), path, ROOTS[0])
            assert not is_included(
                "sha256", LEAVES[place], (place, size), [*path, b"x" * 32], ROOTS[size]
            )
            assert not any(
                is_included("sha256", LEAVES[place], (other, size), path, ROOTS[size])
                for other in range(-1, size + 1)
                if other != place
            )


def test_growth_holds_between_all_sizes() -> None:
    for size in SIZES:
        for former in range(1, size + 1):
            path = TREE.consistency(former, size)
            assert is_consistent("sha256", (former, size), (ROOTS[former], ROOTS[size]), path)


def test_growth_holds_between_no_other_roots() -> None:
    other = b"x" * 32
    for size in SIZES:
        for former in range(1, size):
            path = TREE.consistency(former, size)
            sizes = (former, size)
            assert not is_consistent("sha256", sizes, (other, ROOTS[size]), path)
            assert not is_consistent("sha256", sizes, (ROOTS[former], other), path)
            assert not is_consistent("sha256", sizes, (ROOTS[former], ROOTS[size]), path[:-1])
            assert not is_consistent("sha256", sizes, (ROOTS[former], ROOTS[size]), [*path, other])


@pytest.mark.parametrize("sizes", [(0, 3), (4, 3)])
def test_growth_never_holds_between_sizes_that_make_no_sense(sizes: tuple[int, int]) -> None:
    assert not is_consistent("sha256", sizes, (ROOTS[3], ROOTS[3]), [])


def test_a_tree_grown_in_portions_is_the_same_tree() -> None:
    nodes: dict[tuple[int, int], bytes] = {}
    for start, end in ((0, 1), (1, 7), (7, 7), (7, 40)):
        hashed = [leaf_hash("sha256", leaf) for leaf in LEAVES[start:end]]
        nodes.update(grow("sha256", start, hashed, lambda level, place: nodes[level, place]))

    grown = Tree("sha256", lambda level, place: nodes[level, place])

    assert [grown.root(size) for size in range(41)] == ROOTS


def test_proofs_read_few_nodes_and_these_can_be_told_beforehand() -> None:
    wanted = places_read(lambda tree: tree.inclusion(5, 40), "sha256")

    nodes = grow("sha256", 0, (leaf_hash("sha256", leaf) for leaf in LEAVES), lambda *_: b"")
    few = Tree("sha256", lambda level, place: {w: nodes[w] for w in wanted}[level, place])

    assert len(wanted) <= 8
    assert few.inclusion(5, 40) == TREE.inclusion(5, 40)


def test_a_leaf_that_is_not_there_has_no_path() -> None:
    with pytest.raises(IndexError):
        TREE.inclusion(3, 3)
    with pytest.raises(IndexError):
        TREE.consistency(0, 3)
