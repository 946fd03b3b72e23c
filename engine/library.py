"""The definitions that cases run on: kept by hash, parsed once, deployed as versions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from engine.definitions import Definition, hash_of, parse_definition, trusted_definition
from engine.errors import DefinitionNotFound, SamePerson
from engine.store import Deployment, Store, Transaction

KEPT_PARSED = 64


class DefinitionAltered(Exception):
    """Raised when the stored files of a definition aren't those that were deployed."""

    def __init__(self, sha256: str) -> None:
        super().__init__(sha256)


class Library:
    """Gives parsed definitions by hash; the most used stay in memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: OrderedDict[str, Definition] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sha256: str, transaction: Transaction) -> Definition:
        """Give a definition by its hash.

        Raises
        ------
        DefinitionNotFound : the store has no such files.
        DefinitionAltered : the files in the store aren't the ones that were deployed.
        """
        with self._lock:
            found = self._parsed.get(sha256)
            if found is not None:
                self._parsed.move_to_end(sha256)
                return found
        files = transaction.files(sha256)
        if not files:
            raise DefinitionNotFound(sha256=sha256)
        if hash_of(files) != sha256:
            raise DefinitionAltered(sha256)
        return self._keep(trusted_definition(files))

    def check(self, sha256: str, transaction: Transaction) -> None:
        """Prove that the store still has a definition's files as they were deployed.

        What is in memory says nothing about that.

        Raises
        ------
        DefinitionNotFound, DefinitionAltered : as `get`.
        """
        files = transaction.files(sha256)
        if not files:
            raise DefinitionNotFound(sha256=sha256)
        if hash_of(files) != sha256:
            raise DefinitionAltered(sha256)

    def _keep(self, definition: Definition) -> Definition:
        with self._lock:
            self._parsed[definition.sha256] = definition
            while len(self._parsed) > KEPT_PARSED:
                self._parsed.popitem(last=False)
        return definition

    def current(self, key: str) -> tuple[Deployment, Definition]:
        """Give the version on which new cases of this key start.

        Raises
        ------
        DefinitionNotFound : nothing is deployed under this key.
        """
        with self._store.transaction(write=False) as transaction:
            deployment = transaction.deployment(key)
            if deployment is None:
                raise DefinitionNotFound(definition=key)
            return deployment, self.get(deployment.sha256, transaction)

    def deploy(
        self, files: Mapping[str, bytes], by: str, at: datetime, *, active: bool = True
    ) -> Deployment:
        """Make files the newest version of their key; the same files again change nothing.

        Parameters
        ----------
        active : whether new cases may start on it at once, or only when somebody has approved it.

        Raises
        ------
        InvalidDefinition : the files don't make a definition that can run.
        """
        definition = self._keep(parse_definition(files))
        with self._store.transaction() as transaction:
            newest = _newest(definition.key, transaction)
            if newest is None or newest.sha256 != definition.sha256:
                # The counter's row is held until the end: who deploys at the same time waits here.
                transaction.next_number("deployments")
                newest = _newest(definition.key, transaction)
            if newest is not None and newest.sha256 == definition.sha256:
                return newest
            deployment = Deployment(
                definition.key,
                1 if newest is None else newest.version + 1,
                definition.sha256,
                definition.name,
                at,
                by,
                active,
            )
            transaction.deploy(deployment, files)
        return deployment

    def approve(self, key: str, version: int, by: str, at: datetime) -> Deployment:
        """Let new cases start on a proposed version; approving it again changes nothing.

        Raises
        ------
        DefinitionNotFound : there is no such version.
        SamePerson : whoever proposed it can't approve it.
        """
        with self._store.transaction() as transaction:
            proposed = transaction.deployment(key, version)
            if proposed is None:
                raise DefinitionNotFound(definition=key)
            if proposed.active:
                return proposed
            if proposed.deployed_by == by:
                raise SamePerson(element="propose_definition")
            approved = replace(proposed, active=True, approved_at=at, approved_by=by)
            transaction.activate(approved)
        return approved


def _newest(key: str, transaction: Transaction) -> Deployment | None:
    return next(iter(transaction.deployments(key)), None)
