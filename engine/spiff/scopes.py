"""The variables of a case: scopes inside scopes, owned by the Process and not by SpiffWorkflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.expressions import Names
from engine.records import Json

CASE = ""


@dataclass(slots=True)
class Scope:
    """One scope.

    `variables` is `None` when it has none of its own; `sealed` scopes don't see outer variables.
    """

    id: str
    parent: str | None
    element: str
    process: str | None
    variables: dict[str, Json] | None
    sealed: bool = False


class Scopes:
    """All open scopes of one case."""

    def __init__(self) -> None:
        self.by_id: dict[str, Scope] = {CASE: Scope(CASE, None, "", None, {})}

    def __getitem__(self, scope: str) -> Scope:
        return self.by_id[scope]

    def add(self, scope: Scope) -> None:
        """Open a scope."""
        self.by_id[scope.id] = scope

    def remove(self, scope: str) -> Scope:
        """Close a scope."""
        return self.by_id.pop(scope)

    def owner(self, scope: str) -> Scope:
        """Find the nearest scope that has variables of its own: writes go there."""
        found = self.by_id[scope]
        while found.variables is None:
            found = self.by_id[found.parent or CASE]
        return found

    def names(self, scope: str) -> Names:
        """Give what an expression in this scope sees."""
        return Names(*self._visible(scope))

    def set(self, scope: str, values: dict[str, Json]) -> Scope:
        """Write variables; gives the scope that got them."""
        owner = self.owner(scope)
        owner.variables = {**(owner.variables or {}), **values}
        return owner

    def _visible(self, scope: str) -> Iterator[dict[str, Json]]:
        at: str | None = scope
        while at is not None:
            found = self.by_id[at]
            if found.variables is not None:
                yield found.variables
            at = None if found.sealed else found.parent
