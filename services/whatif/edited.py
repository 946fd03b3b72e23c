"""The definition that past cases are tried on: a stored version with some files edited."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine import Definition, FieldError
from engine.definitions import MAIN_FILE, SHARED, parse_definition
from services.whatif.errors import NoSuchFile, NothingEdited

_TOUCHING = (".bpmn", ".dmn", ".json")


def edited(base: Mapping[str, bytes], edits: Mapping[str, bytes]) -> Definition:
    """Lay edited files over those of a definition.

    A name such as ``deadlines.dmn`` means the shared file of that name when the type has none of
    its own. A new form or table is taken as the type's own.

    Raises
    ------
    NothingEdited : no file differs from the definition's.
    NoSuchFile : a file is neither part of a definition nor could be.
    InvalidDefinition : together they don't make a definition that can run.
    """
    named = {_place(base, name): content for name, content in edits.items()}
    unknown = [name for name in named if name not in base and not name.endswith(_TOUCHING)]
    if unknown:
        raise NoSuchFile([FieldError(f"files.{name}", "unknown_file") for name in unknown])
    if all(base.get(name) == content for name, content in named.items()):
        raise NothingEdited([FieldError("files", "same")])
    return parse_definition({**base, **named})


def changed_files(before: Definition, after: Definition) -> list[str]:
    """List the files in which two definitions differ."""
    names = sorted({*before.files, *after.files})
    return [name for name in names if before.files.get(name) != after.files.get(name)]


def read_edits(folder: Path) -> dict[str, bytes]:
    """Read edited files: a folder laid out like ``bpmn/<type>``, with ``shared/`` in it or not.

    Raises
    ------
    FileNotFoundError : there is no such folder, or it is empty.
    """
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    }
    if not found:
        raise FileNotFoundError(folder)
    return found


def _place(base: Mapping[str, bytes], name: str) -> str:
    shared = SHARED + name
    if name not in base and name != MAIN_FILE and shared in base:
        return shared
    return name
