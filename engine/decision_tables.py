"""Decision tables (DMN) with S-FEEL unary tests.

A cell of an input is ``-`` (anything), a literal, a comparison such as ``>= 3``, an interval such
as ``[3..10[``, ``not(…)``, or several of these with commas between. A cell of an output is a
literal or an expression. Hit policies: UNIQUE, FIRST, ANY, COLLECT (lists, without aggregation).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from engine.diagram_files import line_of, read_xml
from engine.errors import EvaluationFailed
from engine.expressions import Expression, ExpressionRefused, Setting, compile_expression
from engine.records import Json

HIT_POLICIES = frozenset({"UNIQUE", "FIRST", "ANY", "COLLECT"})
MAX_RULES = 1_000

Test = Callable[[Json], bool]

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null')
_COMPARISONS: Mapping[str, Callable[[Json, Json], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_INTERVAL = re.compile(r"([\[\](])(.+?)\.\.(.+)([\[\])])", re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}


class TableRefused(Exception):
    """Raised when a file isn't a decision table that can be evaluated."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason, line)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Decided:
    """What a table gave: outputs, the inputs it looked at, the numbers (from 1) of its rules."""

    outputs: dict[str, Json]
    inputs: dict[str, Json]
    rules: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Input:
    """One column of conditions."""

    text: str
    expression: Expression
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a test per input, a value or an expression per output."""

    tests: tuple[Test | None, ...]
    outputs: tuple[Json, ...]
    line: int


@dataclass(frozen=True, slots=True)
class DecisionTable:
    """One decision, ready to be evaluated."""

    id: str
    name: str
    hit_policy: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    rules: tuple[Rule, ...]

    def evaluate(self, setting: Setting) -> Decided:
        """Look the variables up.

        Raises
        ------
        EvaluationFailed : a variable is missing, no rule matches (but for COLLECT), or several do
            where only one may, or ones with different outputs under ANY.
        """
        values = [column.expression.evaluate(setting) for column in self.inputs]
        inputs = {c.text: value for c, value in zip(self.inputs, values, strict=True)}
        matching = [n for n, rule in enumerate(self.rules, 1) if _matches(rule, values)]
        if self.hit_policy == "FIRST":
            matching = matching[:1]
        rows = [self._outputs_of(number, setting) for number in matching]
        return Decided(self._combined(rows), inputs, tuple(matching))

    def _outputs_of(self, number: int, setting: Setting) -> dict[str, Json]:
        cells = self.rules[number - 1].outputs
        return {
            name: cell.evaluate(setting) if isinstance(cell, Expression) else cell
            for name, cell in zip(self.outputs, cells, strict=True)
        }

    def _combined(self, rows: list[dict[str, Json]]) -> dict[str, Json]:
        if self.hit_policy == "COLLECT":
            return {name: [row[name] for row in rows] for name in self.outputs}
        if not rows:
            raise EvaluationFailed(expression=self.id, reason="no rule matches")
        if len(rows) > 1 and (self.hit_policy == "UNIQUE" or any(r != rows[0] for r in rows)):
            raise EvaluationFailed(expression=self.id, reason="several rules match")
        return rows[0]


def read_table(data: bytes, name: str) -> DecisionTable:
    """Read a DMN file with one decision table.

    Raises
    ------
    TableRefused : no table, more than one, or something in it that can't be evaluated.
    XmlRefused : no XML that may be read.
    """
    root = read_xml(data)
    decisions = list(_children(root, "decision"))
    if len(decisions) != 1:
        raise TableRefused("exactly one decision is needed in a file", 1)
    table = next(_children(decisions[0], "decisionTable"), None)
    if table is None:
        raise TableRefused("no decision table", line_of(decisions[0]))
    policy = table.get("hitPolicy", "UNIQUE")
    if policy not in HIT_POLICIES or table.get("aggregation") is not None:
        raise TableRefused(f"hit policy {policy} with aggregation or unknown", line_of(table))
    inputs = tuple(_input(node) for node in _children(table, "input"))
    outputs = tuple(node.get("name") or "" for node in _children(table, "output"))
    if "" in outputs or len(set(outputs)) != len(outputs) or not outputs:
        raise TableRefused("every output needs a name of its own", line_of(table))
    rules = tuple(_rule(node, len(inputs), len(outputs)) for node in _children(table, "rule"))
    if not 0 < len(rules) <= MAX_RULES:
        raise TableRefused(f"1 to {MAX_RULES} rules are needed", line_of(table))
    return DecisionTable(
        decisions[0].get("id", ""), decisions[0].get("name") or name, policy, inputs, outputs, rules
    )


def parse_test(text: str) -> Test | None:
    """Read the unary tests of one cell; `None` is always true.

    Raises
    ------
    ValueError : it is none of the forms that are understood.
    """
    text = text.strip()
    if text in {"", "-"}:
        return None
    if text.startswith("not(") and text.endswith(")"):
        inner = parse_test(text[4:-1])
        if inner is None:
            return lambda value: False
        return lambda value: not inner(value)
    tests = [_single(part) for part in _by_commas(text)]
    if len(tests) == 1:
        return tests[0]
    return lambda value: any(test(value) for test in tests)


def _single(text: str) -> Test:
    for sign, compare in _COMPARISONS.items():
        if text.startswith(sign):
            return _comparison(compare, _literal(text[len(sign) :].strip()))
    interval = _INTERVAL.fullmatch(text)
    if interval is not None:
        left, low, high, right = interval.groups()
        above = _comparison(operator.ge if left == "[" else operator.gt, _literal(low.strip()))
        below = _comparison(operator.le if right == "]" else operator.lt, _literal(high.strip()))
        return lambda value: above(value) and below(value)
    literal = _literal(text)
    return lambda value: _same(value, literal)


def _comparison(compare: Callable[[Json, Json], bool], bound: Json) -> Test:
    if bound is None or isinstance(bound, bool):
        message = f"can't be compared with: {bound!r}"
        raise ValueError(message)
    return lambda value: _kind(value) == _kind(bound) and compare(value, bound)


def _same(value: Json, literal: Json) -> bool:
    return _kind(value) == _kind(literal) and bool(value == literal)


def _kind(value: Json) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _literal(text: str) -> Json:
    if not _LITERAL.fullmatch(text):
        message = f"not a literal: {text}"
        raise ValueError(message)
    return _WORDS[text] if text in _WORDS else json.loads(text)


def _by_commas(text: str) -> Iterator[str]:
    start, quoted, escaped = 0, False, False
    for index, sign in enumerate(text):
        if quoted:
            quoted = sign != '"' or escaped
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted, escaped = True, False
        elif sign == ",":
            yield text[start:index].strip()
            start = index + 1
    yield text[start:].strip()


def _matches(rule: Rule, values: list[Json]) -> bool:
    return all(test is None or test(value) for test, value in zip(rule.tests, values, strict=True))


def _input(node: etree._Element) -> Input:
    expression = next(_children(node, "inputExpression"), None)
    text = "" if expression is None else _text(expression)
    try:
        return Input(text, compile_expression(text), line_of(node))
    except ExpressionRefused as refused:
        raise TableRefused(f"input {text!r}: {refused.reason}", line_of(node)) from None


def _rule(node: etree._Element, inputs: int, outputs: int) -> Rule:
    cells = [_text(cell) for cell in _children(node, "inputEntry")]
    results = [_text(cell) for cell in _children(node, "outputEntry")]
    if len(cells) != inputs or len(results) != outputs:
        raise TableRefused("a rule doesn't have a cell for each column", line_of(node))
    try:
        tests = tuple(parse_test(cell) for cell in cells)
        return Rule(tests, tuple(_output(text) for text in results), line_of(node))
    except ValueError as error:
        raise TableRefused(str(error), line_of(node)) from None
    except ExpressionRefused as refused:
        raise TableRefused(f"{refused.expression!r}: {refused.reason}", line_of(node)) from None


def _output(text: str) -> Json:
    if text in {"", "-"}:
        return None
    return _literal(text) if _LITERAL.fullmatch(text) else compile_expression(text)


def _text(node: etree._Element) -> str:
    child = next(_children(node, "text"), None)
    return "" if child is None else (child.text or "").strip()


def _children(node: etree._Element, tag: str) -> Iterator[etree._Element]:
    for child in node.iterchildren():
        name = etree.QName(child)
        if name.localname == tag and (name.namespace or "").startswith(_DMN):
            yield child


_DMN = ("http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")
