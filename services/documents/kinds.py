"""Which paper follows from what, how it is numbered and who gets copies: ``documents/kinds.json``.

The file is part of a definition, so a designer changes it; a type's own wins over the shared one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import Definition

FILE = "kinds.json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document.

    Parameters
    ----------
    number : how it is numbered, with ``{year}``, ``{n}`` and, for papers that a unit issues in its
        own name, ``{unit}``: those are counted by unit.
    copies : who gets copies (抄送), beside co-units.
    """

    id: str
    name: str
    number: str
    copies: tuple[str, ...]

    def counter(self, year: int, unit: str | None) -> str:
        """Name the counter of its numbers, which run from 1 each year."""
        own = f":{unit}" if "{unit}" in self.number and unit else ""
        return f"document:{self.id}:{year}{own}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The office as its papers name it, the kinds, and which kind follows from what."""

    office: Mapping[str, str]
    kinds: Mapping[str, Kind]
    causes: tuple[Mapping[str, Any], ...]

    def kind_for(self, cause: str, case_type: str) -> Kind | None:
        """Give the kind of paper for what happened in a case of this type; the first that fits."""
        for entry in self.causes:
            types = entry.get("case_types")
            if entry["cause"] == cause and (types is None or case_type in types):
                return self.kinds.get(entry["kind"])
        return None


def rules_of(definition: Definition) -> Rules | None:
    """Read the rules of a definition; `None` when it has none, and so no documents."""
    content = definition.documents.get(FILE)
    if content is None:
        return None
    read = json.loads(content)
    kinds = {
        name: Kind(name, entry["name"], entry["number"], tuple(entry.get("copies", ())))
        for name, entry in read["kinds"].items()
    }
    return Rules(read["office"], kinds, tuple(read["causes"]))


def template_of(definition: Definition, kind: str) -> bytes | None:
    """Give the template of a kind; `None` when the definition has none."""
    return definition.documents.get(f"{kind}.docx")
