"""Which paper follows from what, how it is numbered and who gets copies: ``documents/kinds.toml``.

The file is part of a definition, so a designer changes it; a type's own wins over the shared one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import Definition

FILE = "kinds.toml"


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

    def numbered(self, year: int, count: int, unit_name: str = "") -> str:
        """Write a number."""
        parts = {"{year}": str(year), "{n}": str(count), "{unit}": unit_name}
        written = self.number
        for sign, part in parts.items():
            written = written.replace(sign, part)
        return written

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
    read = tomllib.loads(content.decode())
    kinds = {
        name: Kind(name, entry["name"], entry["number"], tuple(entry.get("copies", ())))
        for name, entry in read["kinds"].items()
    }
    return Rules(read["office"], kinds, tuple(read["causes"]))


def template_of(definition: Definition, kind: str) -> bytes | None:
    """Give the template of a kind; `None` when the definition has none."""
    return definition.documents.get(f"{kind}.docx")
