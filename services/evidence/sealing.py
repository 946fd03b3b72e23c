"""Seal what stands: append the cases that moved to the log, sign a tree head over everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from engine.proof.algorithms import named, suite_of
from engine.proof.heads import (
    KeyRecord,
    TreeHead,
    case_leaf,
    closing_leaf,
    log_leaf,
    signed_head,
    signed_key,
)
from engine.proof.merkle import Nodes, Place, Tree, grow, leaf_hash, tree_of
from engine.proof.signatures import SigningKey
from engine.records import instant_text, parse_instant
from engine.store import Transaction
from services.audit.trail import last_access
from services.evidence import queries
from services.evidence.errors import KeyUnused, LogIsBroken, SuiteIsFixed
from services.evidence.publishing import publish, published_folder
from services.evidence.queries import Standing
from services.evidence.signing_keys import signing_keys
from services.evidence.tables import MOVE_CASE, proof_cases, proof_heads, proof_keys, proof_log
from services.evidence.tables import proof_nodes as node_table
from services.office import Office


def make_head(office: Office) -> TreeHead:
    """Sign a new tree head over all cases as they stand; once a day, or as often as wanted.

    Raises
    ------
    KeyNotAtHand : the private key isn't where this process can read it.
    LogIsBroken : the log doesn't lead to the head before; see `services.evidence.checks`.
    SuiteIsFixed : the settings name another suite than the one this log was begun with.
    """
    with office.store.transaction() as transaction:
        # Whoever makes heads or keys waits here for whoever was first.
        transaction.next_number("proof")
        record, signer = _current_key(office, transaction)
        former = queries.newest_head(transaction.connection)
        at = instant_text(office.clock.now().replace(microsecond=0))
        if former is not None:
            at = max(at, former.at)  # a clock set back mustn't make the newer head the older one
        return _Sealing(transaction, record, former).head(signer, at)


def seal(office: Office, *, once_a_day: bool = False) -> TreeHead | None:
    """Make a tree head and write it to the folder of published ones, outside the database.

    Parameters
    ----------
    once_a_day : do nothing when the newest head is of this day of office time already.

    Returns
    -------
    The new head, `None` without one.
    """
    if once_a_day:
        with office.store.transaction(write=False) as transaction:
            newest = queries.newest_head(transaction.connection)
        zone = office.settings.zone
        today = office.clock.now().astimezone(zone).date()
        if newest is not None and parse_instant(newest.at).astimezone(zone).date() >= today:
            return None
    head = make_head(office)
    with office.store.transaction(write=False) as transaction:
        publish(transaction, head.number, published_folder(office.settings))
    return head


def rotate_key(office: Office) -> KeyRecord:
    """Put a new key in place of the current one, which signs it.

    Raises
    ------
    KeyNotAtHand : the current private key isn't where this process can read it.
    KeyUnused : the current key hasn't signed anything yet.
    """
    with office.store.transaction() as transaction:
        transaction.next_number("proof")
        record, signer = _current_key(office, transaction)
        newest = queries.newest_head(transaction.connection)
        if newest is None or newest.key != record.number:
            raise KeyUnused(key=record.number)
        new = signing_keys(office.settings).create(record.suite)
        succeeding = KeyRecord(
            number=record.number + 1,
            suite=record.suite,
            public=new.public,
            from_head=newest.number + 1,
            at=instant_text(office.clock.now()),
        )
        signed = signed_key(succeeding, signer)
        transaction.connection.execute(proof_keys.insert(), asdict(signed))
        return signed


def _current_key(office: Office, transaction: Transaction) -> tuple[KeyRecord, SigningKey]:
    """Give the key to sign with; the first time, make one."""
    suite, held = office.settings.proof_suite, signing_keys(office.settings)
    known = queries.keys(transaction.connection)
    if known:
        if known[-1].suite != suite:
            raise SuiteIsFixed(suite=known[-1].suite, asked=suite)
        return known[-1], held.find(known[-1])
    key = held.create(suite)
    record = KeyRecord(
        number=1,
        suite=suite,
        public=key.public,
        from_head=1,
        at=instant_text(office.clock.now()),
    )
    signed = signed_key(record, key)
    transaction.connection.execute(proof_keys.insert(), asdict(signed))
    return signed, key


class _Sealing:
    """One head in the making, in one transaction."""

    def __init__(self, transaction: Transaction, key: KeyRecord, former: TreeHead | None) -> None:
        self._connection = transaction.connection
        self._key = key
        self._algorithm = suite_of(key.suite).hash
        self._number = transaction.next_number("tree_head")
        self._size = 0 if former is None else former.size
        if queries.log_size(self._connection) != self._size:
            raise LogIsBroken(head=self._number - 1)
        if former is not None and self._root(self._size, self._node) != former.root:
            raise LogIsBroken(head=former.number)

    def head(self, signer: SigningKey, at: str) -> TreeHead:
        moved = queries.unsealed(self._connection)
        self._move(moved)
        register, cases = self._register()
        entry, entry_hash = last_access(self._connection)
        unsigned = TreeHead(
            number=self._number,
            at=at,
            size=self._size + len(moved) + 1,
            root="",
            cases=cases,
            register=register,
            access_entry=entry,
            access_hash=entry_hash,
            suite=self._key.suite,
            key=self._key.number,
        )
        leaves = [log_leaf(self._number, m.case, m.seq, m.head) for m in moved]
        root = self._append([*leaves, closing_leaf(unsigned)])
        head = signed_head(TreeHead(**{**asdict(unsigned), "root": root}), signer)
        self._write(moved, head)
        return head

    def _move(self, moved: Sequence[Standing]) -> None:
        known = {sealed.case for sealed in queries.sealed_cases(self._connection)}
        self._execute(
            proof_cases.insert(),
            [
                {"case_id": m.case, "seq": m.seq, "head": m.head}
                for m in moved
                if m.case not in known
            ],
        )
        self._execute(
            MOVE_CASE,
            [
                {"moved": m.case, "new_seq": m.seq, "new_head": m.head}
                for m in moved
                if m.case in known
            ],
        )

    def _register(self) -> tuple[str, int]:
        sealed = queries.sealed_cases(self._connection)
        tree = tree_of(self._algorithm, (case_leaf(s.case, s.seq, s.head) for s in sealed))
        return named(self._algorithm, tree.root(len(sealed))), len(sealed)

    def _append(self, leaves: Sequence[bytes]) -> str:
        hashed = (leaf_hash(self._algorithm, leaf) for leaf in leaves)
        added = grow(self._algorithm, self._size, hashed, self._node)
        self._execute(
            node_table.insert(),
            [
                {"level": level, "place": place, "hash": hash_}
                for (level, place), hash_ in added.items()
            ],
        )
        return self._root(
            self._size + len(leaves),
            lambda level, place: added.get((level, place)) or self._node(level, place),
        )

    def _write(self, moved: Sequence[Standing], head: TreeHead) -> None:
        rows: list[dict[str, Any]] = [
            {"number": head.number, "case_id": m.case, "seq": m.seq, "head": m.head} for m in moved
        ]
        rows.append({"number": head.number, "case_id": None, "seq": None, "head": None})
        self._execute(
            proof_log.insert(),
            [{"place": place, **row} for place, row in enumerate(rows, start=self._size)],
        )
        self._execute(proof_heads.insert(), [asdict(head)])

    def _root(self, size: int, nodes: Nodes) -> str:
        return named(self._algorithm, Tree(self._algorithm, nodes).root(size))

    def _node(self, level: int, place: int) -> bytes:
        wanted: Place = (level, place)
        return queries.nodes(self._connection, [wanted]).get(wanted, b"")

    def _execute(self, statement: object, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            execute: Callable[..., object] = self._connection.execute
            execute(statement, rows)
