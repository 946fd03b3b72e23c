"""Bundles to try verifiers on."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine import CaseId
from engine.proof.heads import TreeHead
from engine.proof.signatures import SigningKey
from services.evidence import queries
from services.evidence.bundle import make_bundle
from services.evidence.sealing import rotate_key
from services.evidence.signing_keys import signing_keys
from tests.evidence.places import SUITES, place, three_days


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle of three cases, what it may be compared with, and the key that signed it."""

    suite: str
    content: bytes
    redacted: bytes
    heads: list[TreeHead]
    fingerprint: str
    key: SigningKey


@pytest.fixture(scope="session", params=SUITES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make a bundle in one suite: three days, a key changed, some events after the last head."""
    suite: str = request.param
    with place(tmp_path_factory.mktemp("office"), suite) as opened:
        heads = three_days(opened)
        first = rotate_key(opened.office)
        opened.start("case-7")
        heads.append(opened.seal())
        opened.finish(CaseId("case-3"))
        wanted = [CaseId("case-1"), CaseId("case-3"), CaseId("case-7")]
        with opened.office.store.transaction(write=False) as transaction:
            key = queries.keys(transaction.connection)[-1]
        return Made(
            suite,
            make_bundle(opened.office, wanted, also=[2]),
            make_bundle(opened.office, wanted, redact=True),
            heads,
            first.fingerprint,
            signing_keys(opened.office.settings).find(key),
        )
