"""Proofs read from the log and the register: that a case is in them, that the log only grew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from engine.ids import CaseId
from engine.proof.algorithms import suite_of
from engine.proof.heads import KeyRecord, TreeHead, case_leaf
from engine.proof.merkle import Tree, places_read, tree_of
from engine.records import Json
from services.evidence import queries
from services.evidence.errors import HeadNotFound
from services.evidence.queries import Entry, Standing

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a bundle says about the tree heads; JSON-plain but for the records.

    `cases` maps a case to its place in the newest head's register and its entries in the log, each
    with its path; `growth` are the consistency paths from each of `heads` to the next.
    """

    keys: tuple[KeyRecord, ...]
    heads: tuple[TreeHead, ...]
    growth: tuple[dict[str, Json], ...]
    cases: dict[CaseId, dict[str, Json]]


def prove(connection: Any, cases: Sequence[CaseId], also: Iterable[int] = ()) -> Proofs | None:  # noqa: ANN401 -- SQLAlchemy's connection
    """Prove where cases stand, as of the newest tree head; `None` before the first one.

    Parameters
    ----------
    also : numbers of tree heads to lead up to, beside those that sealed the cases.

    Raises
    ------
    HeadNotFound : there is no tree head of a number in `also`.
    """
    newest = queries.newest_head(connection)
    if newest is None:
        return None
    register, newest = _register(connection, newest)
    entries = {
        case: [entry for entry in found if entry.place < newest.size]
        for case, found in queries.entries(connection, cases).items()
    }
    numbers = {newest.number, *also}
    numbers.update(entry.number for found in entries.values() for entry in found)
    heads = _heads(connection, numbers)
    tree = _log(connection, newest, entries, heads)
    return Proofs(
        keys=tuple(queries.keys(connection)),
        heads=tuple(heads),
        growth=tuple(
            {
                "from": one.number,
                "to": next_.number,
                "path": _hex(tree.consistency(one.size, next_.size)),
            }
            for one, next_ in pairwise(heads)
        ),
        cases={
            case: {
                "case": case,
                "register": register.place_of(case),
                "log": [_entry(entry, tree, newest) for entry in entries[case]],
            }
            for case in cases
        },
    )


def consistency(connection: Any, former: TreeHead, newer: TreeHead) -> list[str]:  # noqa: ANN401 -- SQLAlchemy's connection
    """Give the path that proves the log of `newer` to begin with that of `former`."""
    algorithm = suite_of(newer.suite).hash

    def read(tree: Tree) -> list[bytes]:
        return tree.consistency(former.size, newer.size)

    nodes = queries.nodes(connection, places_read(read, algorithm))
    return _hex(read(Tree(algorithm, lambda level, place: nodes[level, place])))


class _Register:
    """The tree over all cases as the newest head has it."""

    def __init__(self, sealed: Sequence[Standing], algorithm: str) -> None:
        self._places = {standing.case: place for place, standing in enumerate(sealed)}
        self._sealed = sealed
        self._tree = tree_of(algorithm, (case_leaf(s.case, s.seq, s.head) for s in sealed))

    def root(self) -> str:
        return self._tree.root(len(self._sealed)).hex()

    def place_of(self, case: CaseId) -> dict[str, Json] | None:
        place = self._places.get(case)
        if place is None:
            return None
        standing = self._sealed[place]
        path = self._tree.inclusion(place, len(self._sealed))
        return {
            "place": place,
            "seq": standing.seq,
            "head": standing.head,
            "path": _hex(path),
        }


def _register(connection: Any, newest: TreeHead) -> tuple[_Register, TreeHead]:  # noqa: ANN401 -- SQLAlchemy's connection
    for _ in range(_TRIES):
        register = _Register(queries.sealed_cases(connection), suite_of(newest.suite).hash)
        # Between two statements somebody may have sealed anew.
        again = queries.newest_head(connection)
        if again is None or again.number == newest.number:
            break
        newest = again
    return register, newest


def _heads(connection: Any, numbers: set[int]) -> list[TreeHead]:  # noqa: ANN401 -- SQLAlchemy's connection
    found = {head.number: head for head in queries.heads(connection)}
    missing = sorted(numbers - set(found))
    if missing:
        raise HeadNotFound(head=missing[0])
    return [found[number] for number in sorted(numbers)]


def _log(
    connection: Any,  # noqa: ANN401 -- SQLAlchemy's connection
    newest: TreeHead,
    entries: dict[CaseId, list[Entry]],
    heads: Sequence[TreeHead],
) -> Tree:
    """Give the log's tree with all nodes at hand that these proofs read."""
    algorithm = suite_of(newest.suite).hash

    def read(tree: Tree) -> None:
        for found in entries.values():
            for entry in found:
                tree.inclusion(entry.place, newest.size)
        for one, next_ in pairwise(heads):
            tree.consistency(one.size, next_.size)

    nodes = queries.nodes(connection, places_read(read, algorithm))
    return Tree(algorithm, lambda level, place: nodes.get((level, place), b""))


def _entry(entry: Entry, tree: Tree, newest: TreeHead) -> dict[str, Json]:
    return {
        "place": entry.place,
        "number": entry.number,
        "seq": entry.standing.seq,
        "head": entry.standing.head,
        "path": _hex(tree.inclusion(entry.place, newest.size)),
    }


def _hex(path: Sequence[bytes]) -> list[str]:
    return [step.hex() for step in path]
