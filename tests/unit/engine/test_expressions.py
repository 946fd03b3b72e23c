"""The evaluator: what it computes, what it refuses, and that nothing can be broken out of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EvaluationFailed, Refused
from engine.expressions import (
    MAX_EXPRESSION_LENGTH,
    ExpressionRefused,
    Names,
    Setting,
    compile_expression,
    compile_template,
    evaluate,
    free_names,
    holds,
)
from engine.plain_values import as_text
from engine.records import Json


class Host:
    """Keeps what it was asked."""

    names = frozenset({"within", "refuse", "echo", "broken"})

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Json, ...]]] = []

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        self.asked.append((function, arguments))
        if function == "refuse":
            raise Refused(why="calendar")
        if function == "broken":
            return object()
        return arguments[0] if function == "echo" else "2026-04-01T00:00:00Z"


def setting(host: Host | None = None, **variables: Json) -> Setting:
    return Setting(Names(variables), host or Host(), "2026-03-02T01:00:00Z")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${n + 1}", 4),
        ("${n}", 3),
        ("no ${n} of ${unit}", "no 3 of U1"),
        ("${units}", ["U1", "U2"]),
        ("${units[0]} and ${units}", 'U1 and ["U1","U2"]'),
        ("${{'}': unit}['}']}", "U1"),
        ('${"a\\"}" + unit}', 'a"}U1'),
        ("${now}", "2026-03-02T01:00:00Z"),
        ("${value('absent', 7)}", 7),
        ("${value('nothing', 7)}", 7),
        ("${known('n') && !known('absent') && !known('nothing')}", True),
        ("${within(now, '15 days')}", "2026-04-01T00:00:00Z"),
        ("${timestamp(now)}", "2026-03-02T01:00:00Z"),
        ("${echo({'a': [1, null]})}", {"a": [1, None]}),
        ("${units.map(u, u + '!')}", ["U1!", "U2!"]),
        ("${has(data.x) ? data.x : 0}", 5),
        ("${nothing}", None),
        ("a${nothing}b", "ab"),
    ],
)
def test_a_template_gives_its_value(text: str, value: Json) -> None:
    given_ = setting(n=3, unit="U1", units=["U1", "U2"], nothing=None, data={"x": 5})

    assert evaluate(text, given_) == value


@pytest.mark.parametrize(
    "text",
    [
        "${absent}",
        "${1 / 0}",
        "${1 + 1.5}",
        "${9223372036854775807 + 1}",
        "${nofunction(1)}",
        "${b'bytes'}",
        "${duration('1h')}",
        "${{1: 2}}",
        "${0.0 / 0.0}",
        "${broken(1)}",
        "${echo(duration('1h'))}",
        "${data.absent}",
        "${big}",
        "${many.map(a, many)}",
    ],
)
def test_what_has_no_plain_value_is_refused(text: str) -> None:
    with pytest.raises(EvaluationFailed) as refusal:
        evaluate(text, setting(data={}, big="x" * 20_001, many=[1] * 150))

    assert refusal.value.facts["expression"] == text[2:-1]
    assert refusal.value.facts["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${}",
        "${a",
        "${a +}",
        "${'a}",
        "${" + "(" * 40 + "1" + ")" * 40 + "}",
        "${" + "1+" * MAX_EXPRESSION_LENGTH + "1}",
        "${a.map(x, a.map(y, a.map(z, 1)))}",
        "${__import__('os')}.${",
    ],
)
def test_what_is_no_expression_is_refused_when_read(text: str) -> None:
    with pytest.raises(ExpressionRefused):
        compile_template(text)


def test_an_expression_stands_with_or_without_braces_but_not_between_words() -> None:
    assert compile_expression("${a > 1}").text == compile_expression(" a > 1 ").text == "a > 1"
    for text in ("a ${b}", "${a} ${b}"):
        with pytest.raises(ExpressionRefused):
            compile_expression(text)


def test_only_true_and_false_decide() -> None:
    assert holds("n > 2", setting(n=3))
    values: list[Json] = [1, "true", None, []]
    for value in values:
        with pytest.raises(EvaluationFailed):
            holds("n", setting(n=value))


def test_a_refusal_of_a_host_function_comes_through() -> None:
    with pytest.raises(Refused) as refusal:
        evaluate("${refuse(1)}", setting())

    assert refusal.value.facts == {"why": "calendar"}


def test_a_host_function_gets_plain_values_once() -> None:
    host = Host()

    evaluate("${within(timestamp(now), 'x')}", setting(host))

    assert host.asked == [("within", ("2026-03-02T01:00:00Z", "x"))]


class Failing(Host):
    """Fails whatever it is asked."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self._fault = fault

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        raise self._fault


class Away(Exception):
    """Raised when what a function asks is away, as a database may be."""


@pytest.mark.parametrize(
    "fault", [ValueError("no date"), KeyError("x"), TypeError("None"), AttributeError("None")]
)
def test_a_function_that_is_given_nonsense_leaves_the_expression_without_value(
    fault: Exception,
) -> None:
    with pytest.raises(EvaluationFailed):
        evaluate("${within('x', '5 days')}", setting(Failing(fault)))


@pytest.mark.parametrize("text", ["${within('x', 'y')}", "a ${[1].map(n, within('x', 'y'))}"])
def test_that_the_world_outside_is_away_is_no_fault_of_the_expression(text: str) -> None:
    with pytest.raises(Away):
        evaluate(text, setting(Failing(Away())))


def test_inner_variables_hide_outer_ones() -> None:
    names = Names({"a": 1}, {"a": 2, "b": 3})

    assert (names["a"], names["b"], names.get("c", 9)) == (1, 3, 9)
    assert names.within({"b": 4})["b"] == 4
    assert names.all() == {"a": 1, "b": 3}
    with pytest.raises(KeyError):
        names["c"]


def test_a_text_tells_which_variables_it_reads() -> None:
    assert free_names("${a + b} ${value('c', now)} ${known(\"d\")}") == {"a", "b", "c", "d"}
    assert compile_template("${value(a, 1)}").names is None
    assert compile_expression("units.map(u, u + x)").required == {"units", "x"}


@pytest.mark.parametrize(
    "attack",
    [
        "().__class__",
        "''.__class__.__mro__",
        "within.__globals__",
        "known.__self__",
        "eval('1')",
        "open('/etc/passwd')",
        "lambda x: x",
        "[x for x in y]",
        "9**9**9",
        "a.b.__class__",
        "import os",
        "now.format(within)",
    ],
)
def test_nothing_leads_out_of_an_expression(attack: str) -> None:
    with pytest.raises((ExpressionRefused, EvaluationFailed)):
        evaluate("${" + attack + "}", setting(a={"b": "x"}, y=[1]))


def test_text_of_values_is_stable() -> None:
    assert [as_text(v) for v in ("a", None, True, 1.5, {"b": 1, "a": "é"})] == [
        "a",
        "",
        "true",
        "1.5",
        '{"a":"é","b":1}',
    ]


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        template = compile_template(text)
        template.evaluate(setting(a=1))
    except (ExpressionRefused, EvaluationFailed):
        pass


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON)
def test_values_come_back_as_they_went_in(value: Json) -> None:
    assert evaluate("${v}", setting(v=value)) == value


def test_numbers_that_programs_write_differently_are_refused() -> None:
    for number in (2**80, 2**53, 1e15, 1e-5, float("inf")):
        with pytest.raises(EvaluationFailed):
            evaluate("${v}", setting(v=number))
