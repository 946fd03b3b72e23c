"""The chain, checked by a small program of its own that shares no code with the engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import Verification, chain, journal
from engine.events import TaskCompleted
from engine.store import StoredEvent
from engine.store.memory import MemoryStore
from engine.testing import NOW, Trial, linear, with_forms

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
FIELDS = {
    "content": {"type": "string", "maxLength": 200, "x-personal": True},
    "people": {
        "type": "array",
        "maxItems": 3,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"na/me": {"type": "string", "maxLength": 20, "x-personal": True}},
        },
    },
    "plain": {"type": "string", "maxLength": 20},
}
DATA: dict[str, Any] = {
    "content": "𠮷 lives here",
    "people": [{"na/me": "王"}, {"na/me": "李"}],
    "plain": "x",
}


def jcs(value: object) -> bytes:
    """RFC 8785 for what these tests write: no fractions, no names beyond the basic plane."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def independent_heads(history: Sequence[StoredEvent]) -> list[str]:
    """Give the hash after each event, from the bodies alone."""
    before, heads = bytes(32), []
    for stored in history:
        assert jcs(json.loads(stored.body)) == stored.body.encode()
        before = hashlib.sha256(before + stored.body.encode()).digest()
        heads.append(f"sha256:{before.hex()}")
    return heads


@pytest.fixture
def trial() -> Trial:
    """Give a case with personal values on record."""
    found = Trial(with_forms(linear("a", "b"), a=FIELDS), store=MemoryStore()).done()
    return found.given(found.complete("a", **DATA)).done("b")


def stored(trial: Trial) -> list[StoredEvent]:
    return trial.engine.history.stored(trial.case)


def completion(trial: Trial) -> StoredEvent:
    return next(one for one in stored(trial) if one.salts is not None)


def test_a_small_program_of_its_own_gets_the_same_hashes(trial: Trial) -> None:
    assert independent_heads(stored(trial)) == [one.hash for one in stored(trial)]


def test_what_is_hashed_holds_no_personal_value(trial: Trial) -> None:
    text = "".join(one.body + (one.salts or "") for one in stored(trial))

    assert "lives here" not in text
    assert "王" not in text
    assert "plain" in text


def test_each_personal_value_stands_as_the_hash_of_salt_and_value(trial: Trial) -> None:
    opened = journal.opened(completion(trial))
    payload: Mapping[str, Any] = json.loads(completion(trial).body)["payload"]

    assert sorted(opened) == ["/data/content", "/data/people/0/na~1me", "/data/people/1/na~1me"]
    people = payload["data"]["people"]
    for pointer, hashed in (
        ("/data/content", payload["data"]["content"]),
        ("/data/people/0/na~1me", people[0]["na/me"]),
        ("/data/people/1/na~1me", people[1]["na/me"]),
    ):
        content = bytes.fromhex(opened[pointer]["salt"]) + opened[pointer]["json"].encode()
        assert hashed == {"salted": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    assert json.loads(opened["/data/content"]["json"]) == DATA["content"]


def test_equal_personal_values_are_salted_apart() -> None:
    trial = Trial(with_forms(linear("a"), a=FIELDS), store=MemoryStore()).done()
    trial.given(trial.complete("a", people=[{"na/me": "王"}, {"na/me": "王"}]))

    payload = json.loads(completion(trial).body)["payload"]

    one, two = payload["data"]["people"]
    assert one["na/me"] != two["na/me"]


def test_a_reader_gets_the_personal_values_back(trial: Trial) -> None:
    done = [r.event for r in trial.history if isinstance(r.event, TaskCompleted)]

    assert done[0].data == DATA


def test_after_its_key_is_destroyed_a_case_still_verifies_without_its_personal_values(
    trial: Trial,
) -> None:
    heads = independent_heads(stored(trial))

    with trial.engine.store.transaction() as transaction:
        transaction.destroy_case_key(trial.case, "admin", NOW + timedelta(days=1))

    proof = trial.engine.history.verify(trial.case)
    assert proof == Verification(case=trial.case, ok=True, events=len(heads))
    assert independent_heads(stored(trial)) == heads
    assert journal.opened(completion(trial)) == {}
    data = next(r.event.data for r in trial.history if isinstance(r.event, TaskCompleted))
    assert data["content"] == "[erased]"
    assert data["plain"] == "x"


@given(PLAIN)
def test_canonical_json_is_read_back_as_it_was_and_is_the_same_again(value: object) -> None:
    text = chain.canonical({"v": value})

    assert chain.parse(text) == {"v": value}
    assert chain.canonical(json.loads(text)) == text
    assert text.encode() == jcs({"v": value})


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}',
        '{"a": 1}',
        '{"a":1,"a":1}',
        '{"a":1.0e0}',
        '{"a":"\\u738b"}',
        "[]",
        "1",
        '{"a":NaN}',
        '{"a":1}\n',
        "",
    ],
)
def test_a_text_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        chain.parse(text)


def test_a_number_that_is_none_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        chain.canonical({"a": float("nan")})


def test_a_link_depends_on_every_hash_before_it() -> None:
    first = chain.link(chain.genesis("sha256"), "{}")
    other = chain.link(chain.genesis("sha256"), '{"a":1}')

    assert chain.link(first, "{}") != chain.link(other, "{}")
    assert chain.algorithm_of(first) == "sha256"


def test_a_link_to_what_is_no_hash_is_refused() -> None:
    for before in ("", "sha256:", "sha256:00", "md5:" + "0" * 64, "0" * 64):
        with pytest.raises(ValueError):
            chain.link(before, "{}")


@pytest.mark.parametrize("pointer", ["/b", "/list/7", "/list/x", "/a/b/c"])
def test_a_pointer_that_leads_nowhere_is_refused(pointer: str) -> None:
    with pytest.raises((LookupError, ValueError, TypeError)):
        chain.value_at({"a": {}, "list": [1]}, pointer)


def test_a_pointer_reads_escaped_names() -> None:
    assert chain.value_at({"a/b": {"~": [7]}}, "/a~1b/~0/0") == 7
