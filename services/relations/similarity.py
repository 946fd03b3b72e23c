"""How alike two cases are, in a measure that can be explained to whoever has to decide.

A title is taken apart into its pairs of neighbouring signs, spaces and punctuation left out. The
likeness of two titles is the share of pairs they have in common among all pairs of both (Jaccard).
If the same source document stands behind both, the distance to 1 is halved.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

PAIR = 2
_ROUNDING = 1e-9
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
    is_source = _same_as(wanted.source_number)
    anything_near = _look_for(known, least)
    for case, title, kind, number in candidates:
        signs = plain(title)
        same = kind == wanted.source_kind and is_source(number)
        if not same and anything_near(signs) is None:
            continue
        alike = likeness(known, pairs(signs))
        score = (1 + alike) / 2 if same else alike
        if score >= least:
            yield Match(case, score, alike, same)


def _same_as(wanted: str | None) -> Callable[[str | None], bool]:
    """Give the comparison with a number of a source; most lack one of its digits."""
    source = plain(wanted or "")
    digits = "".join(dict.fromkeys(sign for sign in reversed(source) if sign.isdecimal()))

    def is_same(number: str | None) -> bool:
        if not number or not source:
            return False
        for digit in digits:
            if digit not in number and unicodedata.is_normalized("NFKC", number):
                return False
        return plain(number) == source

    return is_same


def _look_for(known: frozenset[str], least: float) -> Callable[[str], object]:
    """Give a quick look at a text that finds nothing only if no title like it is alike enough.

    Who has enough of the pairs can't lack more than the rest of them, so any selection that is
    larger than that rest holds one they have.
    """
    may_lack = len(known) - math.ceil(least * len(known) - _ROUNDING)
    telling = sorted(known)[: may_lack + 1]
    return re.compile("|".join(map(re.escape, telling))).search
