"""Two verifiers that share no code refuse every changed bundle."""

from __future__ import annotations

import io
from functools import cache

import pytest

from services.evidence import verify_bundle
from services.evidence.verify_bundle import verify
from tests.evidence import independent_verifier
from tests.evidence.conftest import Made
from tests.evidence.mutations import mutated

MUTATIONS = 1000


def test_no_changed_bundle_is_accepted_and_each_fault_is_named(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same signature comes a thousand times; by whole numbers in Python each takes a while.
    monkeypatch.setattr(verify_bundle, "sm2_is_signed", cache(verify_bundle.sm2_is_signed))
    accepted = []

    for seed in range(MUTATIONS):
        what, bundle = mutated(made, seed)
        holds, said = verify(io.BytesIO(bundle), [])
        if holds or not said[-1].startswith("FAULT "):
            accepted.append(f"seed {seed} by the script: {what}")
        try:
            independent_verifier.verify(bundle)
        except independent_verifier.Refused:
            continue
        accepted.append(f"seed {seed} by the independent verifier: {what}")

    assert not accepted


def test_independent_sm3_is_that_of_the_standard() -> None:
    assert independent_verifier.sm3(b"abc").hex() == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    assert independent_verifier.sm3(b"abcd" * 16).hex() == (
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 1000])
def test_independent_sm3_is_that_of_openssl(length: int) -> None:
    content = bytes(range(256)) * 4

    assert independent_verifier.sm3(content[:length]) == independent_verifier.fast_sm3(
        content[:length]
    )
