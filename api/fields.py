"""Fields of requests and answers; they say what is wrong in codes, `api.wording` in words.

A message of a field is a code, with its facts behind a question mark: ``too_long?max=200``.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import marshmallow as ma

from api.context import office
from services.deadlines.calendar import end_of_day

_Messages = dict[str, str | list[Any] | dict[Any, Any]]

_CODES: _Messages = {
    "required": "required",
    "null": "required",
    "validator_failed": "invalid",
    "invalid": "wrong_type",
    "invalid_utf8": "bad_text",
    "too_large": "bad_number",
    "special": "bad_number",
}
_SCHEMA_CODES = {"unknown": "unknown_field", "type": "wrong_type?expected=object"}
_UNSOUND = re.compile("[\ud800-\udfff\0]")
LONGEST_QUERY = 200
FIRST_YEAR, LAST_YEAR = 1949, 9999


def _with(**codes: str) -> _Messages:
    return {**_CODES, **codes}


class Request(ma.Schema):
    """Base of what clients send; a field nobody knows is an error."""

    error_messages = _SCHEMA_CODES

    class Meta:
        """Refuse unknown fields."""

        unknown = ma.RAISE


class Query(Request):
    """Base of query strings; parameters nobody knows are left alone."""

    class Meta:
        """Ignore unknown parameters."""

        unknown = ma.EXCLUDE


class Answer(ma.Schema):
    """Base of what clients get."""


class Text(ma.fields.String):
    """Text of bounded length without characters that can't be kept."""

    default_error_messages = _with(invalid="wrong_type?expected=string")

    def __init__(self, *, longest: int = 200, shortest: int = 0, **settings: Any) -> None:  # noqa: ANN401
        length = ma.validate.Length(shortest or None, longest, error="too_long?max={max}")
        validators: list[Any] = [length]
        if shortest:
            least = ma.validate.Length(min=shortest, error="too_short?min={min}")
            validators = [least, ma.validate.Length(max=longest, error="too_long?max={max}")]
        super().__init__(validate=[*validators, _check_text], **settings)


class Choice(ma.fields.String):
    """One of a few words."""

    default_error_messages = _with(invalid="wrong_type?expected=string")

    def __init__(self, words: Sequence[str], **settings: Any) -> None:  # noqa: ANN401
        one_of = ma.validate.OneOf(tuple(words), error=f"not_in_list?allowed={', '.join(words)}")
        super().__init__(validate=one_of, **settings)


class Whole(ma.fields.Integer):
    """A whole number within bounds."""

    default_error_messages = _with(invalid="wrong_type?expected=integer")

    def __init__(
        self,
        *,
        least: int | None = None,
        most: int | None = None,
        strict: bool = False,
        **settings: Any,  # noqa: ANN401
    ) -> None:
        facts = {"min": least, "max": most}
        known = "&".join(f"{name}={limit}" for name, limit in facts.items() if limit is not None)
        bounds = ma.validate.Range(least, most, error=f"out_of_range?{known}")
        super().__init__(validate=bounds, strict=strict, **settings)


class Switch(ma.fields.Boolean):
    """A yes or no."""

    default_error_messages = _with(invalid="not_a_switch")


class Map(ma.fields.Dict):
    """An object whose fields are checked elsewhere, such as by a form."""

    default_error_messages = _with(invalid="wrong_type?expected=object")


class Items(ma.fields.List[Any]):
    """A list."""

    default_error_messages = _with(invalid="wrong_type?expected=array")


class Part(ma.fields.Nested):
    """An object within an object."""

    default_error_messages = _with(type="wrong_type?expected=object")


class Day(ma.fields.Date):
    """A day, such as ``2026-03-02``."""

    default_error_messages = _with(invalid="bad_date", format="bad_date")


class Instant(ma.fields.DateTime):
    """An instant with offset; shown in office time."""

    default_error_messages = _with(invalid="bad_instant")

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:  # noqa: ANN401
        if value is None:
            return None
        shown: str = value.astimezone(office().settings.zone).isoformat()
        return shown

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> datetime:
        try:
            # In query strings a plus sign that nobody escaped arrives as a blank.
            instant = datetime.fromisoformat(value.strip().replace(" ", "+"))
            if instant.tzinfo is None:
                raise ValueError(value)
            return _within_calendar(instant)
        except (ValueError, AttributeError, TypeError, OverflowError):
            raise self.make_error("invalid", input=value, obj_type="datetime") from None


class DayOrInstant(Instant):
    """An instant, or a day that means its 24:00 in office time."""

    def _deserialize(
        self,
        value: Any,  # noqa: ANN401
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> datetime:
        try:
            return _within_calendar(end_of_day(date.fromisoformat(value), office().settings.zone))
        except (ValueError, TypeError, OverflowError):
            return super()._deserialize(value, attr, data, **kwargs)


def _within_calendar(instant: datetime) -> datetime:
    # Before there were time zones, offsets had seconds, which RFC 3339 doesn't know.
    if not FIRST_YEAR < instant.year < LAST_YEAR:
        raise ValueError(instant)
    return instant


def _check_text(value: str) -> None:
    if _UNSOUND.search(value):
        raise ma.ValidationError("bad_text")
