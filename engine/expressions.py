"""The only evaluator: CEL expressions of definitions over the variables of a case.

A text of a diagram is a *template*: plain text with ``${…}`` parts. A template that is one single
``${…}`` keeps the type of its value; anything else becomes text. Inside an expression stand the
variables of the scope and of those around it, ``now`` (the instant of the command as text),
``known("x")`` and ``value("x", default)`` (null counts as unknown) and the functions of the `Host`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import cel

from engine.errors import EvaluationFailed
from engine.plain_values import as_text, plain
from engine.records import Json

MAX_EXPRESSION_LENGTH = 1_000
MAX_NESTING = 32
MAX_MACROS = 2

_FAULTS = (
    RuntimeError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
)
"""What an expression that doesn't fit its case raises, and a function that it gave nonsense to."""

logging.getLogger("cel").setLevel(logging.CRITICAL)  # a refusing host function isn't a fault

_MACRO = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(")
_BOUND_NAME = re.compile(r"\.\s*(?:map|filter|all|exists|exists_one)\s*\(\s*([A-Za-z_]\w*)\s*,")
_ASKED_NAME = re.compile(r"\b(?:known|value)\s*\(\s*(?:\"([^\"\\]*)\"|'([^'\\]*)'|([^)\s]))")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_OWN_FUNCTIONS = frozenset({"known", "value"})


class ExpressionRefused(Exception):
    """Raised when a text isn't an expression that may stand in a definition."""

    def __init__(self, expression: str, reason: str) -> None:
        super().__init__(expression, reason)
        self.expression = expression
        self.reason = reason


class Host(Protocol):
    """Functions that services offer to expressions; a call is recorded with its command."""

    @property
    def names(self) -> frozenset[str]:
        """The names of all functions."""

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        """Give a function's value for JSON-plain arguments."""


class Names:
    """Variables by name, the innermost scope first."""

    __slots__ = ("_scopes",)

    def __init__(self, *scopes: Mapping[str, Json]) -> None:
        self._scopes = scopes

    def __contains__(self, name: str) -> bool:
        return any(name in scope for scope in self._scopes)

    def __getitem__(self, name: str) -> Json:
        for scope in self._scopes:
            if name in scope:
                return scope[name]
        raise KeyError(name)

    def get(self, name: str, default: Json = None) -> Json:
        """Give a variable, or `default` when there is none."""
        for scope in self._scopes:
            if name in scope:
                return scope[name]
        return default

    def within(self, scope: Mapping[str, Json]) -> Names:
        """Put one more scope in front of all others."""
        return Names(scope, *self._scopes)

    def all(self) -> dict[str, Json]:
        """Give every visible variable."""
        return {k: v for scope in reversed(self._scopes) for k, v in scope.items()}


@dataclass(frozen=True, slots=True)
class Setting:
    """What an expression is evaluated in; `now` is the instant of the command as text."""

    names: Names
    host: Host
    now: str


class Expression:
    """One compiled CEL expression; made by `compile_expression` only."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._program = _compile(text)
        self._variables = tuple(v for v in self._program.variables() if v != "now")
        self._asks_now = "now" in self._program.variables()
        self._functions = tuple(self._program.functions())

    @cached_property
    def names(self) -> frozenset[str] | None:
        """The variables that can matter, `None` when that can't be told from the text."""
        asked = _ASKED_NAME.findall(self.text)
        if any(computed for _, _, computed in asked):
            return None
        return frozenset(self._variables) | {double or single for double, single, _ in asked}

    @cached_property
    def required(self) -> frozenset[str]:
        """The variables it can't do without, as far as the text tells."""
        bound = set(_BOUND_NAME.findall(self.text))
        return frozenset(self._variables) - bound

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions and operators it calls, operators as ``_+_``."""
        return self._functions

    def evaluate(self, setting: Setting) -> Json:
        """Give the JSON-plain value.

        Raises
        ------
        EvaluationFailed : a name is missing, types don't fit, or the value isn't JSON-plain.
        Problem : what a function of the host raised; and whatever else it raised that no argument
            can be blamed for, such as a database that is away.
        """
        raised: list[Exception] = []
        try:
            return plain(self._program.execute(self._context(setting, raised)))
        except _FAULTS as error:
            if raised:
                raise raised[0] from None
            raise EvaluationFailed(expression=self.text, reason=_brief(error)) from None

    def _context(self, setting: Setting, raised: list[Exception]) -> dict[str, Json]:
        names = setting.names
        context: dict[str, Json] = {}
        for name in self._variables:
            if name in names:
                context[name] = names[name]
        if self._asks_now:
            context["now"] = setting.now
        for function in self._functions:
            if function == "known":
                context["known"] = _known_in(names)
            elif function == "value":
                context["value"] = _value_of(names)
            elif function in setting.host.names:
                context[function] = _function_of(setting.host, function, raised)
        return context


class Template:
    """Plain text with ``${…}`` parts; made by `compile_template` only."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts: tuple[str | Expression, ...] = tuple(_split(text))

    @property
    def is_literal(self) -> bool:
        """Whether the text stands for itself."""
        return not any(isinstance(part, Expression) for part in self.parts)

    @cached_property
    def names(self) -> frozenset[str] | None:
        """The variables that can matter, `None` when that can't be told from the text."""
        found: frozenset[str] = frozenset()
        for part in self.expressions:
            if part.names is None:
                return None
            found |= part.names
        return found

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The parts that are computed."""
        return tuple(part for part in self.parts if isinstance(part, Expression))

    def evaluate(self, setting: Setting) -> Json:
        """Give the value: of the only expression as it is, otherwise text."""
        parts = self.parts
        if len(parts) == 1:
            only = parts[0]
            return only if isinstance(only, str) else only.evaluate(setting)
        return "".join(
            part if isinstance(part, str) else as_text(part.evaluate(setting)) for part in parts
        )

    def text_in(self, setting: Setting) -> str:
        """Give the value as text."""
        return as_text(self.evaluate(setting))


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Read CEL, with or without ``${…}`` around it.

    Raises
    ------
    ExpressionRefused : too long, too deep, too many loops, or no CEL.
    """
    stripped = text.strip()
    if stripped.startswith("${"):
        parts = tuple(_split(stripped))
        if len(parts) != 1 or not isinstance(parts[0], Expression):
            raise ExpressionRefused(text, "text around ${…}")
        return parts[0]
    return Expression(stripped)


@lru_cache(maxsize=4096)
def compile_template(text: str) -> Template:
    """Read plain text with ``${…}`` parts.

    Raises
    ------
    ExpressionRefused : a part is no expression, or a ``${`` is never closed.
    """
    return Template(text)


def evaluate(text: str, setting: Setting) -> Json:
    """Give the value of a template."""
    return compile_template(text).evaluate(setting)


def holds(text: str, setting: Setting) -> bool:
    """Tell whether a condition is true.

    Raises
    ------
    EvaluationFailed : it has no value, or one that is neither true nor false.
    """
    value = compile_expression(text).evaluate(setting)
    if not isinstance(value, bool):
        raise EvaluationFailed(expression=text, reason="neither true nor false")
    return value


def free_names(text: str) -> frozenset[str]:
    """Give the variables that the ``${…}`` parts of a text can read."""
    return compile_template(text).names or frozenset()


def _value_of(names: Names) -> Callable[[str, Json], Json]:
    def value(name: str, default: Json) -> Json:
        found = names.get(name)
        return default if found is None else found

    return value


def _known_in(names: Names) -> Callable[[str], bool]:
    return lambda name: names.get(name) is not None


def _function_of(host: Host, function: str, raised: list[Exception]) -> Callable[..., Json]:
    def call(*arguments: object) -> Json:
        try:
            return host.call(function, tuple(plain(argument) for argument in arguments))
        except _FAULTS:
            raise
        except Exception as other:
            raised.append(other)
            raise

    return call


def _compile(text: str) -> cel.Program:
    if not text:
        raise ExpressionRefused(text, "empty")
    if len(text) > MAX_EXPRESSION_LENGTH:
        raise ExpressionRefused(text, f"longer than {MAX_EXPRESSION_LENGTH}")
    if _nesting(text) > MAX_NESTING:
        raise ExpressionRefused(text, f"brackets deeper than {MAX_NESTING}")
    if len(_MACRO.findall(text)) > MAX_MACROS:
        raise ExpressionRefused(text, f"more than {MAX_MACROS} of map, filter, all, exists")
    try:
        return cel.compile(text)
    except ValueError as error:
        raise ExpressionRefused(text, _brief(error)) from None


def _brief(error: Exception) -> str:
    """Give the first line of what the evaluator says, without its repetition of the text."""
    return str(error).rpartition("ERROR: <input>:")[2].partition("\n")[0]


def _nesting(text: str) -> int:
    deepest = depth = 0
    for sign in text:
        depth += _BRACKETS.get(sign, 0)
        deepest = max(deepest, depth)
    return deepest


def _split(text: str) -> Sequence[str | Expression]:
    parts: list[str | Expression] = []
    at = 0
    while (start := text.find("${", at)) >= 0:
        if start > at:
            parts.append(text[at:start])
        end = _closing_brace(text, start + 2)
        parts.append(Expression(text[start + 2 : end].strip()))
        at = end + 1
    if at < len(text) or not parts:
        parts.append(text[at:])
    return parts


def _closing_brace(text: str, at: int) -> int:
    depth = 1
    for index, sign in _outside_quotes(text, at):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth == 0:
            return index
    raise ExpressionRefused(text, "${ without }")


def _outside_quotes(text: str, at: int) -> Iterable[tuple[int, str]]:
    quote = ""
    escaped = False
    for index in range(at, len(text)):
        sign = text[index]
        if quote:
            if sign == quote and not escaped:
                quote = ""
            escaped = sign == "\\" and not escaped
        elif sign in "\"'":
            quote, escaped = sign, False
        else:
            yield index, sign


def own_functions() -> frozenset[str]:
    """Give the functions that every expression may call, whatever the host offers."""
    return _OWN_FUNCTIONS
