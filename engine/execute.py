"""The path of every command: inbox, lock, load, permit, decide, chain, rows, commit."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from engine import chain, journal
from engine.case import Case, Lookup, Lookups, run
from engine.clock import Clock
from engine.commands import Command
from engine.errors import (
    CaseExists,
    CaseNotFound,
    DefinitionNotFound,
    KeyReused,
    NotFound,
    Problem,
    StaleVersion,
)
from engine.ids import OUTBOX, Actor, CaseId, TaskId
from engine.library import Library
from engine.personal import CaseKey, new_key
from engine.records import Json, decode, encode
from engine.rows import difference
from engine.shelf import Held, Shelf
from engine.state import ProcessState
from engine.store import CaseHead, Rejection, Store, StoredEvent, StoredReceipt, Transaction

SNAPSHOT_EVERY = 8
"""Commands between two snapshots: what a case that isn't in the cache has to run again at most."""


class Permit(Protocol):
    """Says who acts, or that they may not; handed to the engine by the rooms above."""

    def __call__(self, command: Command, case: Case, transaction: Transaction) -> Actor:
        """Give the actor as it goes on the record.

        Raises
        ------
        Forbidden, NotFound : this person may not do this, or may not know of the case.
        """
        ...


BindLookups = Callable[[Transaction, Command], Mapping[str, Lookup]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a command came to: the case's last event, and the tasks it opened."""

    case: CaseId
    seq: int
    head: str
    tasks: tuple[TaskId, ...] = ()
    repeated: bool = False
    """Whether the command had been accepted before under the same key."""


class Executor:
    """Runs commands on a store. One command = one transaction = one run of `execute`.

    Parameters
    ----------
    permit : asked once per command, before it is decided.
    lookups : names of the look-ups that decisions and expressions may ask.
    bind_lookups : gives those look-ups within a transaction.
    entropy : gives random bytes for the salts and keys of personal values.
    algorithm : what new cases are hashed with.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        library: Library,
        *,
        permit: Permit,
        lookups: frozenset[str],
        bind_lookups: BindLookups,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
        algorithm: str = chain.ALGORITHM,
    ) -> None:
        self._store = store
        self._clock = clock
        self._library = library
        self._permit = permit
        self._bind_lookups = bind_lookups
        self._entropy = entropy
        self.shelf = Shelf(library, lookups, algorithm=algorithm)

    def execute(
        self, command: Command, *, key: str | None = None, expect: int | None = None
    ) -> Receipt:
        """Carry out a command, or refuse it and change nothing.

        Parameters
        ----------
        key : idempotency key; the same command under the same key has one effect.
        expect : the case's `seq` as the caller last saw it, `None` when it doesn't matter.

        Raises
        ------
        Problem : any refusal; the history, the tables and the cache are as before.
        """
        try:
            return self._in_transaction(command, key, expect)
        except CaseExists:
            # Two requests with one key raced; the winner's receipt is there now.
            return self._in_transaction(command, key, expect)
        except Problem as refusal:
            self._note(command, refusal)
            raise

    def _in_transaction(self, command: Command, key: str | None, expect: int | None) -> Receipt:
        with self._store.transaction() as transaction:
            head = transaction.lock(command.case, key)
            if head is not None and head.receipt is not None:
                return _repeated(head.receipt, command)
            if head is not None and command.is_start:
                raise CaseExists(case=command.case)
            if head is not None and expect is not None:
                _check_fresh(expect, head, command.case, transaction)
            held = self._load(command, head, transaction)
            receipt = self._carry_out(command, key, held, transaction)
        self.shelf.put_back(held)
        return receipt

    def _load(self, command: Command, head: CaseHead | None, transaction: Transaction) -> Held:
        if head is not None:
            return self.shelf.take(command.case, head, transaction)
        if not command.is_start:
            raise CaseNotFound(case=command.case)
        key = getattr(command, "definition", "")
        deployment = transaction.deployment(key)
        if deployment is None:
            raise DefinitionNotFound(definition=key)
        return self.shelf.begin(command.case, deployment, transaction)

    def _carry_out(
        self, command: Command, key: str | None, held: Held, transaction: Transaction
    ) -> Receipt:
        case = held.case
        was, before = dict(case.states), case[ProcessState].tasks
        case.lookups = Lookups(self.shelf.names, self._bind_lookups(transaction, command))
        decided = replace(command, by=self._permit(command, case, transaction))
        happened = list(run(decided, case))
        payloads = journal.payloads_of(happened)
        recorded = journal.record_command(decided, key, case.lookups.record, payloads)
        sealed = journal.seal(
            decided,
            recorded,
            happened,
            payloads,
            seq=case.seq,
            previous=held.head,
            key=lambda: self._key_of(case.id, held.head, transaction),
            entropy=self._entropy,
        )
        rows, changes = difference(case.id, held.rows, was, case.states)
        receipt = Receipt(
            case=case.id,
            seq=case.seq + len(sealed),
            head=sealed[-1].hash if sealed else held.head,
            tasks=tuple(TaskId(t) for t in case[ProcessState].tasks if t not in before),
        )
        stored = StoredReceipt(fingerprint(command), chain.canonical(encode(receipt)))
        transaction.append(case.id, _head(case, receipt), sealed, changes, key=key, receipt=stored)
        held.moved(receipt.seq, receipt.head, rows)
        if held.commands_since_snapshot >= SNAPSHOT_EVERY:
            transaction.save_snapshot(case.id, self.shelf.snapshot(held))
        return receipt

    def _key_of(self, case: CaseId, head: str, transaction: Transaction) -> CaseKey:
        """Give the key of a case's personal values; the first time, make one."""
        found = transaction.case_key(case)
        if found is None:
            found = new_key(chain.algorithm_of(head), self._entropy)
            transaction.add_case_key(case, found)
        return found

    def _note(self, command: Command, refusal: Problem) -> None:
        if isinstance(refusal, NotFound):
            return
        facts: Json = {name: str(value)[:200] for name, value in refusal.facts.items()}
        self._store.reject(
            Rejection(
                command.case,
                self._entropy(10).hex(),
                self._clock.now(),
                command.by.user,
                command.name,
                refusal.slug,
                chain.canonical(facts),
            )
        )


def _check_fresh(expect: int, head: CaseHead, case: CaseId, transaction: Transaction) -> None:
    """Refuse a caller who hasn't seen the case's last change.

    Answers of machines that opened no task don't count: nobody acts on them, and they come at any
    moment.
    """
    if expect == head.seq:
        return
    unseen = transaction.events(case, after=expect) if expect < head.seq else []
    if not unseen or any(_matters(stored) for stored in unseen):
        raise StaleVersion(expected=expect, actual=head.seq)


def _matters(stored: StoredEvent) -> bool:
    by = journal.envelope_of(stored)["by"]
    return bool(by != OUTBOX.user or stored.type.startswith("task_"))


def fingerprint(command: Command) -> str:
    """Hash what a command asks, without the instant: the same request again has the same."""
    asked = {k: v for k, v in encode(command).items() if k not in ("at", "fired_at")}
    asked["by"] = command.by.user
    return chain.digest(chain.canonical([command.name, asked]).encode())


def _head(case: Case, receipt: Receipt) -> CaseHead:
    state = case[ProcessState]
    return CaseHead(
        receipt.seq,
        receipt.head,
        state.definition,
        state.definition_version,
        state.definition_sha256,
    )


def _repeated(stored: StoredReceipt, command: Command) -> Receipt:
    if stored.digest != fingerprint(command):
        raise KeyReused
    receipt = decode(Receipt, chain.parse(stored.receipt))
    return replace(receipt, repeated=True)
