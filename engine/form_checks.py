"""JSON Schema compiled to checks that name each wrong field.

Only the keywords of `KEYWORDS` and `ANNOTATIONS` and those that begin with ``x-`` may stand in a
schema, so that nothing is skipped without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from engine.errors import FieldError
from engine.expressions import Expression, Names, Setting
from engine.records import Json, parse_instant

ANNOTATIONS = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "default", "examples", "readOnly"}
)

Schema = Mapping[str, Json]
Check = Callable[[Json, str, list[FieldError]], None]
Compiler = Callable[[Json, Schema], Check]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})")
_TYPES: Mapping[str, Callable[[Json], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
}


def compile_schema(schema: Json) -> Check:
    """Make the check of a schema.

    Raises
    ------
    ValueError : an unknown keyword, or one whose value makes no sense.
    """
    if isinstance(schema, bool):
        return _always if schema else _never
    if not isinstance(schema, Mapping):
        message = f"not a schema: {schema!r}"
        raise ValueError(message)
    checks = [
        KEYWORDS[keyword](setting, schema)
        for keyword, setting in schema.items()
        if not _is_beside(keyword)
    ]
    return checks[0] if len(checks) == 1 else _together(checks)


def _is_beside(keyword: str) -> bool:
    if keyword in KEYWORDS:
        return False
    if keyword in ANNOTATIONS | _BESIDE or keyword.startswith("x-"):
        return True
    message = f"unknown keyword {keyword!r}"
    raise ValueError(message)


def _together(checks: list[Check]) -> Check:
    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        for one in checks:
            one(value, path, errors)

    return check


def _always(value: Json, path: str, errors: list[FieldError]) -> None:
    pass


def _never(value: Json, path: str, errors: list[FieldError]) -> None:
    errors.append(FieldError(path, "not_allowed"))


def join(path: str, key: object) -> str:
    """Write the path of a field below another."""
    return f"{path}.{key}" if path else str(key)


def _type(setting: Json, _: Schema) -> Check:
    names = [setting] if isinstance(setting, str) else list(setting)
    tests = [_TYPES[name] for name in names if name in _TYPES]
    if not tests or len(tests) != len(names):
        message = f"unknown type {setting!r}"
        raise ValueError(message)

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if not any(test(value) for test in tests):
            errors.append(FieldError(path, "wrong_type", {"expected": names}))

    return check


def _properties(setting: Json, _: Schema) -> Check:
    fields = [(name, compile_schema(field)) for name, field in setting.items()]

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, dict):
            for name, field in fields:
                if name in value:
                    field(value[name], f"{path}.{name}" if path else name, errors)

    return check


def _additional(setting: Json, schema: Schema) -> Check:
    known = frozenset(schema.get("properties", {}))
    other = None if setting is False else compile_schema(setting)

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if not isinstance(value, dict) or value.keys() <= known:
            return
        for name in sorted(value.keys() - known):
            if other is None:
                errors.append(FieldError(join(path, name), "unknown_field"))
            else:
                other(value[name], join(path, name), errors)

    return check


def _required(setting: Json, _: Schema) -> Check:
    names = tuple(setting)

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, dict):
            for name in names:
                if name not in value:
                    errors.append(FieldError(join(path, name), "required"))

    return check


def _dependent(setting: Json, _: Schema) -> Check:
    wanted = {name: _required(others, {}) for name, others in setting.items()}

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, dict):
            for name, required in wanted.items():
                if name in value:
                    required(value, path, errors)

    return check


def _items(setting: Json, _: Schema) -> Check:
    item = compile_schema(setting)

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, list):
            for index, one in enumerate(value):
                item(one, join(path, index), errors)

    return check


def _unique(setting: Json, _: Schema) -> Check:
    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if setting and isinstance(value, list):
            seen = {_identity(item) for item in value}
            if len(seen) < len(value):
                errors.append(FieldError(path, "not_unique"))

    return check


def _identity(value: Json) -> object:
    if isinstance(value, dict):
        return frozenset((key, _identity(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(_identity(item) for item in value)
    return (isinstance(value, bool), isinstance(value, str), value)


def _contains(setting: Json, schema: Schema) -> Check:
    item = compile_schema(setting)
    least, most = schema.get("minContains", 1), schema.get("maxContains")

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, list):
            count = sum(1 for one in value if _fits(item, one))
            if count < least or (most is not None and count > most):
                errors.append(FieldError(path, "contains", {"min": least, "max": most}))

    return check


def _size(kind: type[list[Json]] | type[str], code: str, fact: str) -> Compiler:
    def compiler(limit: Json, _: Schema) -> Check:
        def check(value: Json, path: str, errors: list[FieldError]) -> None:
            if isinstance(value, kind):
                size = len(value)
                if size > limit if fact == "max" else size < limit:
                    errors.append(FieldError(path, code, {fact: limit, "size": size}))

        return check

    return compiler


def _range(fact: str, outside: Callable[[float, float], bool]) -> Compiler:
    def compiler(limit: Json, _: Schema) -> Check:
        def check(value: Json, path: str, errors: list[FieldError]) -> None:
            if _TYPES["number"](value) and outside(value, limit):
                errors.append(FieldError(path, "out_of_range", {fact: limit}))

        return check

    return compiler


def _pattern(setting: Json, _: Schema) -> Check:
    # The evaluator's regular expressions take linear time; Python's can be made to hang.
    matches = Expression(f"text.matches({_quoted(setting)})")

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, str):
            setting_of = Setting(Names({"text": value}), _NO_HOST, "")
            if matches.evaluate(setting_of) is not True:
                errors.append(FieldError(path, "pattern", {"pattern": setting}))

    _fits(check, "")
    return check


def _format(setting: Json, _: Schema) -> Check:
    formats = {"date": ("bad_date", _is_date), "date-time": ("bad_instant", _is_instant)}
    if setting not in formats:
        message = f"unknown format {setting!r}"
        raise ValueError(message)
    code, fits = formats[setting]

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if isinstance(value, str) and not fits(value):
            errors.append(FieldError(path, code))

    return check


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_instant(text: str) -> bool:
    if not _INSTANT.fullmatch(text):
        return False
    try:
        parse_instant(text)
    except (ValueError, OverflowError):
        return False
    return True


def _enum(setting: Json, _: Schema) -> Check:
    allowed = frozenset(_identity(value) for value in setting)

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if _identity(value) not in allowed:
            errors.append(FieldError(path, "not_in_list", {"allowed": setting}))

    return check


def _const(setting: Json, _: Schema) -> Check:
    expected = _identity(setting)

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if _identity(value) != expected:
            errors.append(FieldError(path, "must_be", {"expected": setting}))

    return check


def _if(setting: Json, schema: Schema) -> Check:
    condition = compile_schema(setting)
    then, otherwise = (
        compile_schema(schema.get("then", True)),
        compile_schema(schema.get("else", True)),
    )

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        (then if _fits(condition, value) else otherwise)(value, path, errors)

    return check


def _all_of(setting: Json, _: Schema) -> Check:
    return _together([compile_schema(part) for part in setting])


def _some_of(least: int, most: int | None) -> Compiler:
    def compiler(setting: Json, _: Schema) -> Check:
        parts = [compile_schema(part) for part in setting]

        def check(value: Json, path: str, errors: list[FieldError]) -> None:
            count = sum(1 for part in parts if _fits(part, value))
            if count < least or (most is not None and count > most):
                errors.append(FieldError(path, "no_alternative"))

        return check

    return compiler


def _not(setting: Json, _: Schema) -> Check:
    part = compile_schema(setting)

    def check(value: Json, path: str, errors: list[FieldError]) -> None:
        if _fits(part, value):
            errors.append(FieldError(path, "not_allowed"))

    return check


def _fits(check: Check, value: Json) -> bool:
    errors: list[FieldError] = []
    check(value, "", errors)
    return not errors


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class _NoHost:
    names: frozenset[str] = frozenset()

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        raise NotImplementedError(function)


_NO_HOST = _NoHost()
_BESIDE = frozenset({"then", "else", "minContains", "maxContains"})
KEYWORDS: Mapping[str, Compiler] = {
    "type": _type,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "dependentRequired": _dependent,
    "items": _items,
    "minItems": _size(list, "too_few", "min"),
    "maxItems": _size(list, "too_many", "max"),
    "uniqueItems": _unique,
    "contains": _contains,
    "minLength": _size(str, "too_short", "min"),
    "maxLength": _size(str, "too_long", "max"),
    "pattern": _pattern,
    "format": _format,
    "minimum": _range("min", lambda value, limit: value < limit),
    "maximum": _range("max", lambda value, limit: value > limit),
    "exclusiveMinimum": _range("above", lambda value, limit: value <= limit),
    "exclusiveMaximum": _range("below", lambda value, limit: value >= limit),
    "enum": _enum,
    "const": _const,
    "if": _if,
    "allOf": _all_of,
    "anyOf": _some_of(1, None),
    "oneOf": _some_of(1, 1),
    "not": _not,
}
