"""Does what the database holds today agree with the tree heads? What doesn't is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

from engine.ids import CaseId
from engine.proof.algorithms import named, suite_of
from engine.proof.heads import Code, TreeHead, case_leaf, head_fault, key_faults
from engine.proof.merkle import Nodes, Tree, grow, leaf_hash, tree_of
from engine.records import parse_instant
from engine.store import Transaction
from services.audit.trail import access_faults, hashes_of
from services.evidence import queries
from services.evidence.queries import LogLeaf

Kind = Literal[
    "key",
    "tree head",
    "log",
    "register",
    "case",
    "access log",
    "published",
]


@dataclass(frozen=True, slots=True)
class HeadFault:
    """Something that contradicts a tree head: what kind of thing, which one, in what way."""

    kind: Kind
    what: str
    detail: str


def head_faults(
    transaction: Transaction,
    published: Iterable[tuple[str, Code]] = (),
    *,
    registers: bool = True,
) -> list[HeadFault]:
    """Check keys, tree heads, log and register against each other, every case and the access log.

    Parameters
    ----------
    published : heads kept elsewhere, each with what it is called, such as a file's name.
    registers : compute the register's tree at every head, not at the newest alone; takes time in
        proportion to cases × heads.

    Returns
    -------
    What is wrong; nothing when all is well.
    """
    connection = transaction.connection
    heads = queries.heads(connection)
    return [
        *_signature_faults(connection, heads),
        *_log_faults(connection, heads, registers=registers),
        *_case_faults(connection),
        *_access_faults(connection, heads),
        *_published_faults(heads, published),
    ]


def days_since_head(transaction: Transaction, now: datetime) -> int | None:
    """Tell how many whole days ago the newest tree head was made; `None` before the first."""
    newest = queries.newest_head(transaction.connection)
    return None if newest is None else (now - parse_instant(newest.at)).days


def _signature_faults(connection: Any, heads: list[TreeHead]) -> Iterator[HeadFault]:  # noqa: ANN401 -- SQLAlchemy's connection
    keys = queries.keys(connection)
    for number, wrong in key_faults(keys):
        yield HeadFault("key", str(number), wrong)
    by_number = {key.number: key for key in keys}
    expected = 1
    for head in heads:
        while expected < head.number:
            yield HeadFault("tree head", str(expected), "missing")
            expected += 1
        expected = head.number + 1
        wrong_head = head_fault(head, by_number)
        if wrong_head is not None:
            yield HeadFault("tree head", str(head.number), wrong_head)
    for former, head in pairwise(heads):
        if parse_instant(head.at) < parse_instant(former.at):
            yield HeadFault("tree head", str(head.number), f"is dated before head {former.number}")


def _log_faults(
    connection: Any,  # noqa: ANN401 -- SQLAlchemy's connection
    heads: list[TreeHead],
    *,
    registers: bool,
) -> Iterator[HeadFault]:
    """Grow the log's tree leaf by leaf and compare at every head; the first fault ends it."""
    if not heads:
        return
    algorithm = suite_of(heads[0].suite).hash
    tree = _Growing(algorithm)
    standing: dict[CaseId, tuple[int, str]] = {}
    leaves = queries.log_leaves(connection, {head.number: head for head in heads})
    for head in heads:
        wrong = _grow_to(head, tree, leaves, standing)
        if wrong is not None:
            yield HeadFault("log", f"head {head.number}", wrong)
            return
        if registers or head is heads[-1]:
            yield from _register_fault(algorithm, standing, head)
    extra = sum(1 for _ in leaves)
    if extra:
        yield HeadFault("log", f"head {heads[-1].number + 1}", f"{extra} leaves have no tree head")
    yield from _cache_faults(connection, tree, standing)


def _grow_to(
    head: TreeHead,
    tree: _Growing,
    leaves: Iterator[LogLeaf],
    standing: dict[CaseId, tuple[int, str]],
) -> str | None:
    """Append the leaves up to a head's size; give what is wrong with them."""
    while tree.size < head.size:
        leaf = next(leaves, None)
        if leaf is None:
            return f"{head.size - tree.size} leaves are missing at the end"
        if leaf.place != tree.size:
            return f"leaf {tree.size} is missing"
        tree.append(leaf.content)
        if leaf.standing is not None:
            standing[leaf.standing.case] = (leaf.standing.seq, leaf.standing.head)
    return None if tree.root() == head.root else "its leaves were altered"


def _register_fault(
    algorithm: str, standing: dict[CaseId, tuple[int, str]], head: TreeHead
) -> Iterator[HeadFault]:
    tree = tree_of(algorithm, (case_leaf(c, *standing[c]) for c in sorted(standing)))
    root = named(algorithm, tree.root(len(standing)))
    if (root, len(standing)) != (head.register, head.cases):
        detail = f"the log gives {len(standing)} cases, {root}; the head says {head.cases}"
        yield HeadFault("register", f"head {head.number}", detail)


def _cache_faults(
    connection: Any,  # noqa: ANN401 -- SQLAlchemy's connection
    tree: _Growing,
    standing: dict[CaseId, tuple[int, str]],
) -> Iterator[HeadFault]:
    """Check what is kept beside the log to make proofs quickly; it can be computed anew."""
    kept = {s.case: (s.seq, s.head) for s in queries.sealed_cases(connection)}
    for case in sorted({*kept, *standing}):
        if kept.get(case) != standing.get(case):
            detail = f"kept {kept.get(case)}, the log says {standing.get(case)}"
            yield HeadFault("register", case, detail)
    wrong = [
        place
        for place, hash_ in queries.nodes(connection, tree.nodes).items()
        if tree.nodes[place] != hash_
    ]
    if wrong:
        yield HeadFault("log", f"node {min(wrong)}", "differs from what its leaves give")


def _case_faults(connection: Any) -> Iterator[HeadFault]:  # noqa: ANN401 -- SQLAlchemy's connection
    """Name each case whose history isn't what was sealed, by the first entry that shows it."""
    named_already: set[CaseId] = set()
    for entry, now, hash_ in queries.broken_entries(connection):
        sealed = entry.standing
        if sealed.case in named_already:
            continue
        named_already.add(sealed.case)
        if now is None:
            detail = f"the whole case is gone; head {entry.number} sealed {sealed.seq} events"
        elif hash_ is None:
            detail = f"head {entry.number} sealed event {sealed.seq}, which is gone; {now} are left"
        else:
            detail = f"head {entry.number} sealed event {sealed.seq} as {sealed.head}, now {hash_}"
        yield HeadFault("case", sealed.case, detail)


def _access_faults(connection: Any, heads: list[TreeHead]) -> Iterator[HeadFault]:  # noqa: ANN401 -- SQLAlchemy's connection
    """Name what is wrong within the access log, then the first head that it contradicts."""
    for wrong in access_faults(connection):
        yield HeadFault("access log", wrong.entry or wrong.day, wrong.detail)
    sealed = [head for head in heads if head.access_entry is not None]
    now = hashes_of(connection, {str(head.access_entry) for head in sealed})
    before = "the beginning"
    for head in sealed:
        entry = str(head.access_entry)
        found = now.get(entry)
        if found != head.access_hash:
            detail = "is gone" if found is None else f"was {head.access_hash}, now {found}"
            since = f"what was changed lies between {before} and it"
            yield HeadFault("access log", entry, f"head {head.number} sealed it; {detail}; {since}")
            return
        before = entry


def _published_faults(
    heads: list[TreeHead], published: Iterable[tuple[str, Code]]
) -> Iterator[HeadFault]:
    by_number = {head.number: head for head in heads}
    for name, code in published:
        head = by_number.get(code.number)
        if head is None:
            yield HeadFault("published", name, f"tree head {code.number} is gone")
        elif not code.fits(head):
            yield HeadFault("published", name, f"tree head {code.number} is another one now")


class _Growing:
    """A tree that grows leaf by leaf, all in memory."""

    def __init__(self, algorithm: str) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self._algorithm = algorithm
        self._node: Nodes = lambda level, place: self.nodes[level, place]

    def append(self, leaf: bytes) -> None:
        hashed = leaf_hash(self._algorithm, leaf)
        self.nodes.update(grow(self._algorithm, self.size, [hashed], self._node))
        self.size += 1

    def root(self) -> str:
        return named(self._algorithm, Tree(self._algorithm, self._node).root(self.size))
