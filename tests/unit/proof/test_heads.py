"""Keys follow each other, heads are signed in turn, codes survive people."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.proof.algorithms import SUITES, digest, parse_hash, raw_digest, suite_of
from engine.proof.heads import (
    KeyRecord,
    TreeHead,
    head_fault,
    key_faults,
    parse_code,
    signed_head,
    signed_key,
)
from engine.proof.signatures import generate_key, is_signed, load_key

AT = "2026-03-02T01:00:00Z"
RND = random.Random(5)  # noqa: S311 -- the same keys every time
SIGNERS = {
    name: [generate_key(suite.signature, RND.randbytes) for _ in range(3)]
    for name, suite in SUITES.items()
}


def keys_of(suite: str) -> list[KeyRecord]:
    """Give three keys, each signed by the one before; they begin at heads 1, 4 and 9."""
    signers = SIGNERS[suite]
    unsigned = [
        KeyRecord(number=n, suite=suite, public=signer.public, from_head=from_head, at=AT)
        for n, signer, from_head in zip((1, 2, 3), signers, (1, 4, 9), strict=True)
    ]
    by = (signers[0], signers[0], signers[1])
    return [signed_key(key, signer) for key, signer in zip(unsigned, by, strict=True)]


def head_of(suite: str, number: int, key: int) -> TreeHead:
    root = digest(suite_of(suite).hash, b"root")
    head = TreeHead(
        number=number,
        at=AT,
        size=7,
        root=root,
        cases=3,
        register=root,
        suite=suite,
        key=key,
    )
    return signed_head(head, SIGNERS[suite][key - 1])


@pytest.fixture(params=sorted(SUITES))
def suite(request: pytest.FixtureRequest) -> str:
    """Give each suite in turn."""
    found: str = request.param
    return found


def test_keys_that_follow_each_other_have_no_fault(suite: str) -> None:
    assert list(key_faults(keys_of(suite))) == []


def test_a_key_signed_by_itself_alone_is_named(suite: str) -> None:
    keys = keys_of(suite)
    keys[1] = signed_key(keys[1], SIGNERS[suite][1])

    assert list(key_faults(keys)) == [(2, "isn't signed by the key before it")]


def test_a_key_that_is_missing_is_named(suite: str) -> None:
    first, _, third = keys_of(suite)

    assert list(key_faults([first, third])) == [(2, "missing")]


def test_a_key_that_begins_too_early_is_named(suite: str) -> None:
    keys = keys_of(suite)
    keys[2] = signed_key(replace(keys[2], from_head=4), SIGNERS[suite][1])

    assert list(key_faults(keys)) == [(3, "begins before the key before it")]


def test_a_key_of_an_unknown_suite_is_named(suite: str) -> None:
    keys = keys_of(suite)
    keys[2] = replace(keys[2], suite="md5+rsa")

    assert list(key_faults(keys)) == [(3, "has no suite 'md5+rsa'")]


@pytest.mark.parametrize(("number", "key"), [(1, 1), (3, 1), (4, 2), (8, 2), (9, 3), (90, 3)])
def test_a_head_signed_in_turn_holds(suite: str, number: int, key: int) -> None:
    known = {k.number: k for k in keys_of(suite)}

    assert head_fault(head_of(suite, number, key), known) is None


@pytest.mark.parametrize(("number", "key"), [(3, 2), (4, 1), (9, 2)])
def test_a_head_signed_out_of_turn_is_named(suite: str, number: int, key: int) -> None:
    known = {k.number: k for k in keys_of(suite)}

    assert head_fault(head_of(suite, number, key), known) == f"key {key} wasn't to sign it"


def test_an_altered_head_is_named(suite: str) -> None:
    known = {k.number: k for k in keys_of(suite)}
    head = head_of(suite, 1, 1)

    for change in ({"size": 8}, {"cases": 2}, {"at": "2026-03-03T01:00:00Z"}, {"number": 2}):
        assert head_fault(replace(head, **change), known) == "the signature is wrong"
    assert head_fault(replace(head, key=7), known) == "there is no key 7"


def test_fingerprints_are_written_with_the_suites_hash(suite: str) -> None:
    first, second, _ = keys_of(suite)

    assert parse_hash(first.fingerprint)[0] == suite_of(suite).hash
    assert first.fingerprint != second.fingerprint


def test_a_code_reads_back_however_it_was_typed(suite: str) -> None:
    head = head_of(suite, 123, 3)

    assert len(head.code.replace("-", "")) == 42
    for typed in (head.code, head.code.lower(), head.code.replace("-", " "), f" {head.code}\n"):
        code = parse_code(typed)
        assert (code.suite, code.number) == (suite, 123)
        assert code.fits(head)
    assert parse_code(head.code.replace("0", "O").replace("1", "l")).fits(head)
    assert not parse_code(head.code).fits(head_of(suite, 124, 3))


@given(place=st.integers(0, 41), other=st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_digit_shows(place: int, other: str) -> None:
    plain = head_of("sha256+ed25519", 12, 1).code.replace("-", "")
    mistyped = plain[:place] + other + plain[place + 1 :]

    if mistyped != plain:
        with pytest.raises(ValueError, match="wrong"):
            parse_code(mistyped)


@given(place=st.integers(0, 40))
def test_two_digits_that_changed_places_show(place: int) -> None:
    plain = head_of("sm3+sm2", 12, 1).code.replace("-", "")
    swapped = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]

    if swapped != plain:
        with pytest.raises(ValueError, match="wrong"):
            parse_code(swapped)


@pytest.mark.parametrize("text", ["", "0", "U" * 42, "0" * 43])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="code"):
        parse_code(text)


@pytest.mark.parametrize("text", ["sha256:00", "md5:" + "0" * 64, "sha256:" + "G" * 64, "", "sm3"])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hash|hex"):
        parse_hash(text)


def test_unknown_algorithms_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="md5"):
        raw_digest("md5", b"")
    with pytest.raises(ValueError, match="rsa"):
        generate_key("rsa", RND.randbytes)
    with pytest.raises(ValueError, match="rsa"):
        load_key("rsa", b"")
    with pytest.raises(ValueError, match="no proof suite"):
        suite_of("md5+rsa")
    assert not is_signed("rsa", "00", b"", "00")
    assert not is_signed("ed25519", "zz", b"", "00")


def test_sm3_is_that_of_the_standard() -> None:
    # GB/T 32905-2016, A.1
    assert digest("sm3", b"abc") == (
        "sm3:66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )


def test_sm3_comes_from_elsewhere_when_openssl_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = digest("sm3", b"abc")

    def lacking(name: str, content: bytes) -> None:
        raise ValueError(name, content)

    monkeypatch.setattr("engine.proof.algorithms.hashlib.new", lacking)

    assert digest("sm3", b"abc") == expected
