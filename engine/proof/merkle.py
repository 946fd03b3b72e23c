"""Trees of hashes as in RFC 6962: roots, and proofs of inclusion and of growth by appending alone.

``hash of a leaf = H(00 ‖ leaf)``, ``hash of a node = H(01 ‖ left ‖ right)``; a tree of n leaves
splits at the largest power of two smaller than n. A node whose subtree is full never changes, so
it is kept under (level, place) and looked up: roots and proofs of a tree of any size, past or
present, read a few dozen nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from engine.proof.algorithms import HASHES

Place = tuple[int, int]
Nodes = Callable[[int, int], bytes]
"""Gives a full subtree's hash by level (0 = leaves) and place from the left."""

_LEAF, _NODE = b"\0", b"\1"


class Tree:
    """One tree at every size it ever had.

    Parameters
    ----------
    algorithm : name of the hash function.
    nodes : gives the hashes of full subtrees.
    """

    def __init__(self, algorithm: str, nodes: Nodes) -> None:
        self._hash = HASHES[algorithm]
        self._nodes = nodes

    def root(self, size: int) -> bytes:
        """Give the root over the first `size` leaves; without leaves it is H of nothing."""
        return self._subtree(0, size) if size else self._hash(b"")

    def inclusion(self, place: int, size: int) -> list[bytes]:
        """Give the path that proves the leaf at `place` to be in the tree of `size` leaves.

        Raises
        ------
        IndexError : the tree of that size has no such leaf.
        """
        if not 0 <= place < size:
            message = f"no leaf {place} in a tree of {size}"
            raise IndexError(message)
        return self._path(place, 0, size)

    def consistency(self, former: int, size: int) -> list[bytes]:
        """Give the path that proves the tree of `size` leaves to begin with that of `former`.

        Raises
        ------
        IndexError : `former` isn't between 1 and `size`.
        """
        if not 0 < former <= size:
            message = f"no tree of {former} leaves before that of {size}"
            raise IndexError(message)
        return self._growth(former, 0, size, is_whole=True)

    def _path(self, place: int, low: int, high: int) -> list[bytes]:
        if high - low == 1:
            return []
        middle = low + _split(high - low)
        if place < middle:
            return [*self._path(place, low, middle), self._subtree(middle, high)]
        return [*self._path(place, middle, high), self._subtree(low, middle)]

    def _growth(self, former: int, low: int, high: int, *, is_whole: bool) -> list[bytes]:
        if former == high:
            return [] if is_whole else [self._subtree(low, high)]
        middle = low + _split(high - low)
        if former <= middle:
            rest = self._subtree(middle, high)
            return [*self._growth(former, low, middle, is_whole=is_whole), rest]
        return [
            *self._growth(former, middle, high, is_whole=False),
            self._subtree(low, middle),
        ]

    def _subtree(self, low: int, high: int) -> bytes:
        size = high - low
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            return self._nodes(level, low >> level)
        middle = low + _split(size)
        return self._hash(_NODE + self._subtree(low, middle) + self._subtree(middle, high))


def leaf_hash(algorithm: str, leaf: bytes) -> bytes:
    """Hash a leaf."""
    return HASHES[algorithm](_LEAF + leaf)


def grow(algorithm: str, size: int, leaves: Iterable[bytes], nodes: Nodes) -> dict[Place, bytes]:
    """Append leaves' hashes to a tree of `size`, giving every node that became full."""
    hash_, added = HASHES[algorithm], dict[Place, bytes]()
    for place, leaf in enumerate(leaves, start=size):
        added[0, place] = current = leaf
        level, here = 0, place
        while here & 1:
            left = added.get((level, here - 1))
            current = hash_(_NODE + (left or nodes(level, here - 1)) + current)
            level, here = level + 1, here >> 1
            added[level, here] = current
    return added


def tree_of(algorithm: str, leaves: Iterable[bytes]) -> Tree:
    """Make a tree of leaves that are all at hand."""
    nodes = grow(algorithm, 0, (leaf_hash(algorithm, leaf) for leaf in leaves), _nothing)
    return Tree(algorithm, lambda level, place: nodes[level, place])


def places_read(read: Callable[[Tree], object], algorithm: str) -> set[Place]:
    """Tell which nodes `read` will look up, so that they can be fetched at once."""
    wanted: set[Place] = set()

    def note(level: int, place: int) -> bytes:
        wanted.add((level, place))
        return b""

    read(Tree(algorithm, note))
    return wanted


def is_included(
    algorithm: str, leaf: bytes, where: tuple[int, int], path: Sequence[bytes], root: bytes
) -> bool:
    """Check an inclusion path (RFC 9162, 2.1.3.2) of the leaf at `where`: its place, the size."""
    place, size = where
    if not 0 <= place < size:
        return False
    hash_, here, last = HASHES[algorithm], place, size - 1
    current = leaf_hash(algorithm, leaf)
    for step in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            current = hash_(_NODE + step + current)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            current = hash_(_NODE + current + step)
        here, last = here >> 1, last >> 1
    return last == 0 and current == root


def is_consistent(
    algorithm: str,
    sizes: tuple[int, int],
    roots: tuple[bytes, bytes],
    path: Sequence[bytes],
) -> bool:
    """Check a consistency path between a former and a later tree (RFC 9162, 2.1.4.2)."""
    former, size = sizes
    if not 0 < former <= size:
        return False
    if former == size:
        return not path and roots[0] == roots[1]
    steps = [roots[0], *path] if former & (former - 1) == 0 else list(path)
    return bool(steps) and _climbs(HASHES[algorithm], former - 1, size - 1, steps, roots)


def _climbs(
    hash_: Callable[[bytes], bytes],
    here: int,
    last: int,
    steps: Sequence[bytes],
    roots: tuple[bytes, bytes],
) -> bool:
    while here & 1:
        here, last = here >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            old, new = hash_(_NODE + step + old), hash_(_NODE + step + new)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            new = hash_(_NODE + new + step)
        here, last = here >> 1, last >> 1
    return last == 0 and (old, new) == roots


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def _nothing(level: int, place: int) -> bytes:
    raise KeyError(level, place)
