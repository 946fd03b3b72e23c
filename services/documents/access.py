"""Who sees which documents: whoever sees the case, proposers the answers alone (domain.md §12)."""

from __future__ import annotations

from dataclasses import replace

from services.people.queries import Person
from services.permissions import CaseFacts, sees, visible_cases

FOR_PROPOSERS = frozenset({"answer_letter"})


def kinds_seen(person: Person, facts: CaseFacts) -> frozenset[str] | None:
    """Give the kinds of documents of a case that a person sees; `None` for every kind."""
    visibility = visible_cases(person)
    if sees(replace(visibility, proposed_by=frozenset()), facts):
        return None
    return FOR_PROPOSERS if sees(visibility, facts) else frozenset()
