"""How alike two cases are, in a measure that can be explained to whoever has to decide.

A title is taken apart into its pairs of neighbouring signs, spaces and punctuation left out. The
likeness of two titles is the share of pairs they have in common among all pairs of both (Jaccard).
If the same source document stands behind both, the distance to 1 is halved.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PAIR = 2
_NOT_A_SIGN = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Give the signs of a text that count: wide and narrow forms alike, no punctuation."""
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    return (text if text.isalnum() else _NOT_A_SIGN.sub("", text)).casefold()


def pairs(signs: str) -> frozenset[str]:
    """Give the pairs of neighbouring signs of a `plain` text; a single sign is its own pair."""
    if len(signs) < PAIR:
        return frozenset({signs} if signs else ())
    return frozenset(signs[n : n + PAIR] for n in range(len(signs) - 1))


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Give the share of common pairs among all pairs, from 0 to 1."""
    if not one or not other:
        return 0.0
    common = len(one & other)
    return common / (len(one) + len(other) - common)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What others are compared with."""

    title: str
    source_kind: str | None = None
    source_number: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A case that may be a duplicate, and why."""

    case: str
    score: float
    title_likeness: float
    same_source: bool


Candidate = tuple[str, str, str, str | None]
"""Case id, title, kind and number of the source."""


def matches(wanted: Wanted, candidates: Iterable[Candidate], least: float) -> Iterator[Match]:
    """Give the candidates that are at least so alike, from 0 to 1."""
    known = pairs(plain(wanted.title))
    source = plain(wanted.source_number or "")
    for case, title, kind, number in candidates:
        same = bool(number and source and kind == wanted.source_kind and plain(number) == source)
        signs = plain(title)
        # Only with this likeness of the titles the score can be `least`; and it can't be more than
        # the share of wanted pairs that are there, which is quicker to count.
        needed = 2 * least - 1 if same else least
        if sum(pair in signs for pair in known) < needed * len(known):
            continue
        alike = likeness(known, pairs(signs))
        score = (1 + alike) / 2 if same else alike
        if score >= least:
            yield Match(case, score, alike, same)
