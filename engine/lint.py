"""Checks of a definition before it can be used: one function per rule.

What SpiffWorkflow or this engine would drop, misread or only find out about in the middle of a case
is an error here. ``python -m engine.lint`` checks files given on standard input, for
`check_in_subprocess`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from engine.confined import CPU_S, NotAnswered, ask_confined, asked
from engine.decision_tables import DecisionTable, TableRefused, read_table
from engine.diagram_files import MAX_FILE_BYTES, XmlRefused, read_processes, read_xml
from engine.diagrams import MAX_ELEMENTS, Process
from engine.lint_texts import TEXTS, Severity
from engine.records import Json

MAX_FILES = 200
MAX_SET_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `facts` fill the sentence of its rule."""

    rule: str
    file: str
    line: int = 1
    element: str | None = None
    facts: Mapping[str, Json] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """Whether it stops the definition."""
        return TEXTS[self.rule].severity

    def message(self, language: str = "en") -> str:
        """Say what is wrong."""
        text = TEXTS[self.rule]
        return (text.zh if language == "zh" else text.en).format_map(_Facts(self.facts))

    def hint(self, language: str = "en") -> str:
        """Say how to mend it."""
        text = TEXTS[self.rule]
        return (text.hint_zh if language == "zh" else text.hint_en).format_map(_Facts(self.facts))

    def as_json(self, language: str = "en") -> dict[str, Json]:
        """Give it as JSON-plain values: rule, severity, file, line, element, message, hint."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "element": self.element,
            "message": self.message(language),
            "hint": self.hint(language),
        }


@dataclass(frozen=True, slots=True)
class Draft:
    """The files of a definition as far as they could be read."""

    files: Mapping[str, bytes]
    functions: frozenset[str] | None
    variables: frozenset[str] | None
    processes: Mapping[str, Process]
    tables: Mapping[str, DecisionTable]
    forms: Mapping[str, Any]
    """Forms by file name."""

    def own_or_shared(self, name: str) -> str | None:
        """Find a file of the type itself, else a shared one."""
        return next((file for file in (name, f"shared/{name}") if file in self.files), None)


Rule = Callable[[Draft], Iterable[Finding]]


def lint(
    files: Mapping[str, bytes],
    functions: Iterable[str] | None = None,
    variables: Iterable[str] | None = None,
) -> list[Finding]:
    """Check the files of a definition.

    Parameters
    ----------
    files : contents by name, see `engine.definitions.parse_definition`.
    functions : names of the host's functions; `None` lets every function name pass.
    variables : names that commands and rules of the service set; `None` lets every name pass.

    Returns
    -------
    Everything found, by file and line.
    """
    from engine.lint_content import CONTENT_RULES  # noqa: PLC0415 -- the rules use Finding
    from engine.lint_diagram import DIAGRAM_RULES  # noqa: PLC0415

    findings = list(_sizes(files))
    if findings:
        return findings
    offered = None if functions is None else frozenset(functions)
    given = None if variables is None else frozenset(variables)
    draft = Draft(files, offered, given, *_read(files, findings))
    for rule in (*DIAGRAM_RULES, *CONTENT_RULES):
        findings.extend(rule(draft))
    unique = {(f.file, f.line, f.rule, f.element, str(f.facts)): f for f in findings}
    return sorted(unique.values(), key=lambda f: (f.file, f.line, f.rule, f.element or ""))


def check_in_subprocess(
    files: Mapping[str, bytes],
    cpu_s: float = CPU_S,
    functions: Iterable[str] | None = None,
    variables: Iterable[str] | None = None,
) -> list[Finding]:
    """Check files from outside: lint and a dry construction in a process that can be killed."""
    try:
        found = ask_confined(
            "engine.lint",
            files,
            cpu_s,
            functions=None if functions is None else sorted(functions),
            variables=None if variables is None else sorted(variables),
        )
        return [Finding(**finding) for finding in found]
    except (NotAnswered, TypeError):
        return [Finding("took_too_long", "process.bpmn", facts={"seconds": cpu_s})]


def main() -> None:
    """Answer `check_in_subprocess`."""
    files, request = asked()
    sys.stdout.write(json.dumps(answer(files, **request)))


def answer(
    files: Mapping[str, bytes],
    functions: Iterable[str] | None,
    variables: Iterable[str] | None,
) -> list[dict[str, Json]]:
    """Check files and construct what they define, without running it."""
    findings = lint(files, functions, variables)
    if not any(finding.severity == "error" for finding in findings):
        _construct(files)
    return [
        {"rule": f.rule, "file": f.file, "line": f.line, "element": f.element, "facts": f.facts}
        for f in findings
    ]


def _construct(files: Mapping[str, bytes]) -> None:
    from engine.definitions import trusted_definition  # noqa: PLC0415 -- definitions use lint
    from engine.ids import CaseId  # noqa: PLC0415
    from engine.spiff.process import Process as Live  # noqa: PLC0415

    definition = trusted_definition(files)
    Live.restore(CaseId("dry"), definition, Live.new(CaseId("dry"), definition).save())


class _Facts(dict[str, Json]):
    def __missing__(self, key: str) -> str:
        return "?"


def _sizes(files: Mapping[str, bytes]) -> Iterator[Finding]:
    """too_large: limits on the number and size of files."""
    if len(files) > MAX_FILES:
        yield Finding("too_large", "process.bpmn", facts={"reason": f"{len(files)} files"})
    if sum(map(len, files.values())) > MAX_SET_BYTES:
        yield Finding("too_large", "process.bpmn", facts={"reason": "all files together"})
    for name, data in files.items():
        if len(data) > MAX_FILE_BYTES and not _is_document(name):
            yield Finding("too_large", name, facts={"reason": f"{len(data)} bytes"})
        if not _is_known(name):
            yield Finding("unknown_file", name)


def _is_document(name: str) -> bool:
    return name.removeprefix("shared/").startswith("documents/")


def _is_known(name: str) -> bool:
    path = PurePosixPath(name.removeprefix("shared/"))
    folder, ending = str(path.parent), path.suffix
    places = {".": {".bpmn", ".dmn", ".md"}, "forms": {".json"}, "scenarios": {".yaml", ".yml"}}
    if path.is_absolute() or ".." in path.parts:
        return False
    if folder == "." and ending == ".bpmn" and not name.startswith("shared/"):
        return name == "process.bpmn"
    return ending in places.get(folder, set()) or folder.partition("/")[0] == "documents"


def _read(
    files: Mapping[str, bytes], findings: list[Finding]
) -> tuple[dict[str, Process], dict[str, DecisionTable], dict[str, Any]]:
    processes: dict[str, Process] = {}
    tables: dict[str, DecisionTable] = {}
    forms: dict[str, Any] = {}
    if "process.bpmn" not in files:
        findings.append(Finding("no_main_process", "process.bpmn"))
    for name in sorted(files):
        try:
            if name.endswith(".bpmn"):
                _read_diagram(name, files[name], processes, findings)
            elif name.endswith(".dmn"):
                tables[name] = read_table(files[name], PurePosixPath(name).stem)
            elif name.endswith(".json"):
                forms[name] = json.loads(files[name])
        except (XmlRefused, TableRefused, ValueError, RecursionError) as error:
            findings.append(_unreadable(name, error))
    if sum(len(process.elements) for process in processes.values()) > MAX_ELEMENTS:
        findings.append(Finding("too_large", "process.bpmn", facts={"reason": "too many elements"}))
    return processes, tables, forms


def _unreadable(name: str, error: Exception) -> Finding:
    if isinstance(error, XmlRefused):
        return Finding("bad_xml", name, error.line, facts={"reason": error.reason})
    if isinstance(error, TableRefused):
        return Finding("bad_table", name, error.line, facts={"reason": error.reason})
    return Finding("bad_form", name, facts={"reason": str(error)})


def _read_diagram(
    name: str, data: bytes, processes: dict[str, Process], findings: list[Finding]
) -> None:
    found = read_processes(data, name)
    for process in found:
        if process.id in processes:
            facts = {"id": process.id}
            findings.append(Finding("duplicate_id", name, process.line, process.id, facts))
        processes.setdefault(process.id, process)
    ids = [node.get("id") for node in read_xml(data).iter() if node.get("id") is not None]
    for twice in sorted({str(id) for id in ids if ids.count(id) > 1}):
        findings.append(Finding("duplicate_id", name, element=twice, facts={"id": twice}))
    fits = len(found) == 1 and found[0].executable
    if fits and name != "process.bpmn":
        fits = found[0].id == PurePosixPath(name).stem
    if not fits:
        line = found[0].line if found else 1
        findings.append(Finding("one_process", name, line))


if __name__ == "__main__":
    main()
