"""Definitions: the immutable, hashed set of files that says how cases of one type run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.decision_tables import DecisionTable, read_table
from engine.diagram_files import read_processes
from engine.diagrams import Element, Process
from engine.errors import DefinitionNotFound, FieldError, InvalidDefinition
from engine.records import Json

MAIN_FILE = "process.bpmn"
SHARED = "shared/"
MAX_FILES = 200


@dataclass(frozen=True, eq=False)
class Definition:
    """One version of a case type's files, all of ``shared/`` included; equal when its hash is."""

    key: str
    sha256: str
    files: Mapping[str, bytes] = field(repr=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Definition) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @property
    def name(self) -> str:
        """The name people see: the main process's."""
        return self.processes[self.key].name

    @cached_property
    def processes(self) -> Mapping[str, Process]:
        """The main process and every one it could call, by id."""
        found: dict[str, Process] = {}
        for file in sorted(self.files):
            if file.endswith(".bpmn"):
                found.update((p.id, p) for p in read_processes(self.files[file], file))
        return MappingProxyType(found)

    @cached_property
    def elements(self) -> Mapping[tuple[str, str], Element]:
        """Every flow node, by process and id."""
        return MappingProxyType(
            {
                (process.id, element.id): element
                for process in self.processes.values()
                for element in process.elements.values()
            }
        )

    @cached_property
    def documents(self) -> Mapping[str, bytes]:
        """The document templates by name; the type's own win over shared ones."""
        found = {
            name.rpartition("documents/")[2]: content
            for prefix in (f"{SHARED}documents/", "documents/")
            for name, content in self.files.items()
            if name.startswith(prefix)
        }
        return MappingProxyType(found)

    @cached_property
    def scenarios(self) -> Mapping[str, bytes]:
        """The scenario files by name."""
        found = {n: c for n, c in self.files.items() if n.startswith("scenarios/")}
        return MappingProxyType(found)

    def has_form(self, name: str) -> bool:
        """Tell whether there is a form of this name."""
        return _own_or_shared(self.files, f"forms/{name}.json") is not None

    def form(self, name: str) -> Mapping[str, Json]:
        """Give a form's JSON Schema, the same object every time.

        Raises
        ------
        DefinitionNotFound : there is no such form.
        """
        return self._forms[name] if name in self._forms else self._read_form(name)

    def table(self, name: str) -> DecisionTable:
        """Give a decision table.

        Raises
        ------
        DefinitionNotFound : there is no such table.
        """
        if name not in self._tables:
            file = _own_or_shared(self.files, f"{name}.dmn")
            if file is None:
                raise DefinitionNotFound(definition=self.key, table=name)
            self._tables[name] = read_table(self.files[file], name)
        return self._tables[name]

    @cached_property
    def _tables(self) -> dict[str, DecisionTable]:
        return {}

    @cached_property
    def _forms(self) -> dict[str, Mapping[str, Any]]:
        return {}

    def _read_form(self, name: str) -> Mapping[str, Any]:
        file = _own_or_shared(self.files, f"forms/{name}.json")
        if file is None:
            raise DefinitionNotFound(definition=self.key, form=name)
        return self._forms.setdefault(name, json.loads(self.files[file]))


def parse_definition(files: Mapping[str, bytes]) -> Definition:
    """Check files and make a definition of them.

    Parameters
    ----------
    files : contents by name: ``process.bpmn``, ``forms/dispatch.json``, ``shared/…``.

    Raises
    ------
    InvalidDefinition : lint found errors; its `findings` fact lists all findings.
    """
    from engine.lint import lint  # noqa: PLC0415 -- lint reads definitions

    findings = lint(files)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        fields = [
            FieldError(f.file, f.rule, {"line": f.line, "element": f.element}) for f in errors
        ]
        raise InvalidDefinition(fields, findings=[finding.as_json() for finding in findings])
    return trusted_definition(files)


def trusted_definition(files: Mapping[str, bytes]) -> Definition:
    """Make a definition of files that passed lint before, such as those of a stored version."""
    kept = MappingProxyType({name: files[name] for name in sorted(files)})
    key = read_processes(kept[MAIN_FILE], MAIN_FILE)[0].id
    return Definition(key, hash_of(kept), kept)


def hash_of(files: Mapping[str, bytes]) -> str:
    """Give the SHA-256 over the canonical JSON list of (name, SHA-256 of the content)."""
    listed = [[name, hashlib.sha256(files[name]).hexdigest()] for name in sorted(files)]
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def load_folder(root: Path, case_type: str) -> dict[str, bytes]:
    """Read one type's files and all shared ones, e.g. from ``bpmn/``.

    Raises
    ------
    DefinitionNotFound : there is no such folder with a ``process.bpmn``.
    """
    own = root / case_type
    if not (own / MAIN_FILE).is_file():
        raise DefinitionNotFound(definition=case_type)
    return {**_read(own, ""), **_read(root / "shared", SHARED)}


def _read(folder: Path, prefix: str) -> dict[str, bytes]:
    return {
        prefix + path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    }


def _own_or_shared(files: Mapping[str, bytes], name: str) -> str | None:
    return next((file for file in (name, SHARED + name) if file in files), None)
