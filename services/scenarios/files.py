"""Finds scenario files and the definition each belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from engine.definitions import load_folder

SCENARIOS = "scenarios"


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario file beside its diagram: ``<root>/<case type>/scenarios/<name>.yaml``."""

    path: Path
    definition: Mapping[str, bytes] = field(repr=False)

    @property
    def label(self) -> str:
        """Type and name, such as ``leader_instruction/on_time``."""
        return f"{self.path.parent.parent.name}/{self.path.stem}"


def scenario_files(paths: Iterable[Path]) -> Iterator[ScenarioFile]:
    """Find scenarios: files as they are, folders with everything below them.

    Raises
    ------
    FileNotFoundError : a path isn't there, or a file lies beside no definition.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(path)
        found = sorted(path.rglob(f"{SCENARIOS}/*.yaml")) if path.is_dir() else [path]
        if path.is_dir() and path.name == SCENARIOS:
            found = sorted(path.glob("*.yaml"))
        for file in found:
            folder = file.resolve().parent.parent
            if not (folder / "process.bpmn").is_file():
                message = f"no process.bpmn beside {file.parent}"
                raise FileNotFoundError(message)
            yield ScenarioFile(file, _definition(folder))


@cache
def _definition(folder: Path) -> Mapping[str, bytes]:
    return load_folder(folder.parent, folder.name)
