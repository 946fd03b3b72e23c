"""Both exports are read by pm4py, every warning of its an error."""

import io
import json
import sqlite3
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from services.mining.figures import directly_follows
from services.mining.log import CaseLog, Detail
from services.mining.ocel_json import write_ocel_json
from services.mining.ocel_sqlite import write_ocel_sqlite
from services.mining.reading import all_cases, logs
from services.mining.xes import write_xes
from tests.unit.replay.past import Past

ZONE = ZoneInfo("Asia/Shanghai")
DETAILS: tuple[Detail, ...] = ("tasks", "all")
READERS = ("chunk_regex", "iterparse", "line_by_line")
"""The first is what pm4py takes when it isn't told."""


@contextmanager
def strictly() -> Iterator[Any]:
    with warnings.catch_warnings():
        import pm4py  # noqa: PLC0415 -- it takes a second, and only two tests need it

        warnings.simplefilter("error")
        # Its readers don't close their files; that is no word about what they read.
        warnings.simplefilter("ignore", ResourceWarning)
        yield pm4py


def read(past: Past, detail: Detail) -> Iterator[CaseLog]:
    return logs(past.office.engine, all_cases(past.office.store), detail)


def written(past: Past, folder: Path, detail: Detail) -> Path:
    file = folder / "log.xes"
    with file.open("wb") as out:
        assert write_xes(read(past, detail), out, zone=ZONE) == len(past.cases)
    return file


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("reader", READERS)
def test_pm4py_reads_xes_and_counts_what_follows_what_as_we_do(
    past: Past, tmp_path: Path, detail: Detail, reader: str
) -> None:
    file = written(past, tmp_path, detail)

    with strictly() as pm4py:
        log = pm4py.read_xes(str(file), variant=reader)
        counted, starts, _ = pm4py.discover_dfg(log)

    assert Counter(counted) == directly_follows(read(past, detail))
    assert sum(starts.values()) == len(past.cases)
    assert str(log["time:timestamp"].dtype).startswith("datetime64")


@pytest.mark.parametrize("detail", DETAILS)
def test_pm4py_reads_ocel_and_counts_what_follows_what_in_cases_as_we_do(
    past: Past, tmp_path: Path, detail: Detail
) -> None:
    file = tmp_path / "log.jsonocel"
    with file.open("wb") as out:
        count = write_ocel_json(read(past, detail), out)

    with strictly() as pm4py:
        log = pm4py.read_ocel2_json(str(file))
        flat = pm4py.ocel_flattening(log, "case")
        counted, _, _ = pm4py.discover_dfg(flat)

    assert len(log.events) == count
    assert {"case", "task", "unit", "person"} == set(log.objects["ocel:type"])
    assert Counter(counted) == directly_follows(read(past, detail))


def test_pm4py_reads_ocel_from_sqlite(past: Past, tmp_path: Path) -> None:
    file = tmp_path / "log.sqlite"
    count = write_ocel_sqlite(read(past, "tasks"), file)

    with strictly() as pm4py:
        log = pm4py.read_ocel2_sqlite(str(file))

    assert len(log.events) == count
    with closing(sqlite3.connect(file)) as connection:
        links = connection.execute("SELECT count(*) FROM event_object").fetchone()[0]
    assert len(log.relations) == links
    with pytest.raises(FileExistsError):
        write_ocel_sqlite(read(past, "tasks"), file)


def test_xes_names_its_standard_and_its_extensions(past: Past, tmp_path: Path) -> None:
    root = etree.parse(written(past, tmp_path, "tasks")).getroot()

    assert root.get("xes.version") == "1849.2023"
    prefixes = {node.get("prefix") for node in root if etree.QName(node).localname == "extension"}
    assert prefixes == {"concept", "time", "lifecycle", "org"}
    declared = prefixes | {None}
    for node in root.iter():
        key = node.get("key") or ""
        assert (key.partition(":")[0] if ":" in key else None) in declared


def test_a_task_tells_who_did_it_and_for_which_unit(past: Past, tmp_path: Path) -> None:
    root = etree.parse(written(past, tmp_path, "tasks")).getroot()

    signed = [
        {child.get("key"): child.get("value") for child in node}
        for node in root.iter("{*}event")
        if any(child.get("value") == "sign_off" for child in node)
    ]

    assert {(one["org:resource"], one["org:group"]) for one in signed} == {
        ("head.1", "u1"),
        ("head.2", "u2"),
        ("head.4", "u4"),
    }
    assert all(one["lifecycle:transition"] == "complete" for one in signed)


def test_what_was_withdrawn_is_told_only_where_everything_is(past: Past, tmp_path: Path) -> None:
    few = written(past, tmp_path, "tasks").read_text("utf-8")
    every = written(past, tmp_path, "all").read_text("utf-8")

    assert 'value="withdraw"' not in few
    assert 'value="withdraw"' in every


def test_every_object_that_an_event_names_is_there(past: Past) -> None:
    out = io.BytesIO()
    write_ocel_json(read(past, "all"), out)
    log = json.loads(out.getvalue())

    known = {one["id"] for one in log["objects"]}
    ids = [one["id"] for one in log["events"]]

    assert len(known) == len(log["objects"])
    assert len(set(ids)) == len(ids)
    named = {link["objectId"] for one in log["events"] for link in one["relationships"]}
    assert named <= known
    types = {one["name"]: {a["name"] for a in one["attributes"]} for one in log["eventTypes"]}
    for one in log["events"]:
        assert {attribute["name"] for attribute in one["attributes"]} <= types[one["type"]]


def test_nothing_makes_an_empty_log() -> None:
    out = io.BytesIO()

    assert write_xes([], out, zone=ZONE) == 0
    assert etree.fromstring(out.getvalue()).findall("{*}trace") == []
