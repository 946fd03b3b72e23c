"""Frozen dataclasses as JSON-plain values and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.records import Json, decode, encode, instant_text, parse_instant

Id = NewType("Id", str)
SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A record inside another."""

    id: Id
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    """One field of every kind that commands, events and states have."""

    at: datetime
    day: date
    points: Decimal
    inner: Inner
    maybe: Inner | None
    several: tuple[Inner, ...]
    words: tuple[str, ...]
    by_name: dict[str, Inner]
    days: Mapping[str, date]
    plain: Json
    number: int | None = None
    late: dict[str, str] = field(default_factory=dict)


FULL = Outer(
    at=datetime(2026, 3, 2, 9, tzinfo=SHANGHAI),
    day=date(2026, 3, 2),
    points=Decimal("-0.50"),
    inner=Inner(id=Id("a")),
    maybe=Inner(id=Id("b"), at=datetime(2026, 3, 2, tzinfo=UTC)),
    several=(Inner(id=Id("c")), Inner(id=Id("d"))),
    words=("x", "y"),
    by_name={"e": Inner(id=Id("e"))},
    days={"f": date(2026, 2, 28)},
    plain={"any": [1, None, {"督": True}]},
    number=7,
)


def test_a_record_becomes_plain_values_in_the_order_of_its_fields() -> None:
    plain = encode(FULL)

    assert list(plain)[:3] == ["at", "day", "points"]
    assert plain["at"] == "2026-03-02T01:00:00Z"
    assert plain["day"] == "2026-03-02"
    assert plain["points"] == "-0.50"
    assert plain["several"] == [{"id": "c", "at": None}, {"id": "d", "at": None}]
    assert plain["by_name"] == {"e": {"id": "e", "at": None}}
    assert plain["words"] == ["x", "y"]


def test_a_record_comes_back_as_it_was() -> None:
    assert decode(Outer, encode(FULL)) == FULL


def test_a_record_without_what_is_optional_comes_back_as_it_was() -> None:
    plain = encode(FULL)
    del plain["number"], plain["late"]
    plain["maybe"] = None

    found = decode(Outer, plain)

    assert (found.number, found.late, found.maybe) == (None, {}, None)


def test_a_record_that_lacks_a_field_is_refused() -> None:
    plain = encode(FULL)
    del plain["day"]

    with pytest.raises(TypeError):
        decode(Outer, plain)


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),  # noqa: DTZ001 -- zones come beside
    st.integers(-12 * 60, 14 * 60),
)
def test_an_instant_is_written_in_utc_and_read_back(local: datetime, minutes: int) -> None:
    instant = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    text = instant_text(instant)

    assert parse_instant(text) == instant
    assert text.endswith("Z")
    assert ("." in text) == bool(instant.microsecond)
    assert instant_text(parse_instant(text)) == text


@pytest.mark.parametrize(
    "text", ["2026-03-02T09:00", "2026-03-02", "", "soon", "2026-13-01T00:00Z"]
)
def test_a_text_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)
