"""Definitions: the hash, what they hold, how folders and uploads become one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from engine.definitions import hash_of, load_folder, parse_definition, trusted_definition
from engine.diagram_files import MAX_FILE_BYTES, XmlRefused, read_processes, read_xml
from engine.errors import DefinitionNotFound, InvalidDefinition
from tests.unit.engine.spiff.diagrams import (
    bpmn,
    call,
    case,
    catch,
    end,
    flows,
    named,
    properties,
    start,
    sub,
    trigger,
    user,
)
from tests.unit.engine.test_decision_tables import dmn

FORM = json.dumps({"type": "object", "additionalProperties": False, "properties": {}}).encode()
FILES = case(
    start(),
    user("a", properties({"unit": "U1"})),
    sub("s", start("in") + call("c", "other") + end("out") + flows("in c out")),
    catch("m", trigger("message", "m")),
    end(),
    flows("start a s m end"),
    around=named("message", "m"),
    other=bpmn(start() + user("a") + end() + flows("start a end"), "other"),
) | {
    "forms/a.json": FORM,
    "shared/forms/b.json": FORM,
    "shared/forms/a.json": FORM + b" ",
    "deadlines.dmn": dmn("FIRST", ["n"], ["x"], [["-", "1"]]),
    "documents/letter.docx": b"own",
    "shared/documents/letter.docx": b"shared",
    "shared/documents/notice.docx": b"shared",
    "scenarios/one.yaml": b"steps: []",
}


def test_a_definition_knows_its_elements_forms_and_tables() -> None:
    definition = parse_definition(FILES)

    assert (definition.key, definition.name) == ("case", "case")
    assert sorted(definition.processes) == ["case", "other"]
    assert definition.elements["case", "c"].container == "s"
    assert definition.elements["other", "a"].file == "shared/other.bpmn"
    assert definition.elements["case", "m"].trigger.name == "m"
    assert definition.form("a") == json.loads(FORM)
    assert definition.form("a") is definition.form("a")
    assert definition.has_form("b")
    assert not definition.has_form("c")
    assert definition.table("deadlines").outputs == ("x",)
    assert definition.table("deadlines") is definition.table("deadlines")
    assert definition.documents == {"letter.docx": b"own", "notice.docx": b"shared"}
    assert list(definition.scenarios) == ["scenarios/one.yaml"]
    for missing in (definition.form, definition.table):
        with pytest.raises(DefinitionNotFound):
            missing("nowhere")


def test_the_hash_is_of_names_and_contents_in_any_order() -> None:
    turned = dict(reversed(FILES.items()))

    assert trusted_definition(turned) == trusted_definition(FILES)
    assert len({trusted_definition(turned), trusted_definition(FILES)}) == 1
    assert hash_of({**FILES, "forms/a.json": FORM + b" "}) != hash_of(FILES)
    assert hash_of({"a": b"x"}) != hash_of({"b": b"x"})
    empty = hashlib.sha256(b"").hexdigest()
    listed = f'[["process.bpmn","{empty}"]]'
    assert hash_of({"process.bpmn": b""}) == hashlib.sha256(listed.encode()).hexdigest()


def test_files_with_errors_are_no_definition() -> None:
    with pytest.raises(InvalidDefinition) as refusal:
        parse_definition({"process.bpmn": bpmn(start())})

    assert {finding["rule"] for finding in refusal.value.facts["findings"]} >= {"no_way_out"}
    assert refusal.value.fields[0].field == "process.bpmn"


def test_a_folder_is_read_with_everything_shared(tmp_path: Path) -> None:
    for name, data in FILES.items():
        path = tmp_path / (name if name.startswith("shared/") else f"type/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / "type" / ".hidden").write_bytes(b"x")

    assert load_folder(tmp_path, "type") == FILES
    with pytest.raises(DefinitionNotFound):
        load_folder(tmp_path, "nowhere")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b'<?xml version="1.0"?><!DOCTYPE a><a/>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>',
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
        b"<a>&unknown;</a>",
        b"<a>" * 400 + b"</a>" * 400,
        b"<a>" + b" " * MAX_FILE_BYTES + b"</a>",
    ],
)
def test_xml_that_reaches_outside_or_is_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(XmlRefused):
        read_xml(data)


def test_too_many_elements_are_refused() -> None:
    with pytest.raises(XmlRefused):
        read_processes(bpmn("<task/>" * 25_000), "process.bpmn")
