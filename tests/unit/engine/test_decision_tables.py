"""Decision tables: cells, hit policies, refusals."""

from __future__ import annotations

import pytest

from engine.decision_tables import TableRefused, parse_test, read_table
from engine.diagram_files import XmlRefused
from engine.errors import EvaluationFailed
from engine.expressions import Names, Setting
from engine.records import Json

HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d">'


class NoHost:
    names: frozenset[str] = frozenset()

    def call(self, function: str, arguments: tuple[Json, ...]) -> Json:
        raise NotImplementedError


def dmn(policy: str, inputs: list[str], outputs: list[str], rules: list[list[str]]) -> bytes:
    columns = "".join(
        f"<input><inputExpression><text>{text}</text></inputExpression></input>" for text in inputs
    )
    columns += "".join(f'<output name="{name}"/>' for name in outputs)
    rows = ""
    for rule in rules:
        cells = [cell.replace("<", "&lt;") for cell in rule]
        rows += "<rule>"
        rows += "".join(f"<inputEntry><text>{c}</text></inputEntry>" for c in cells[: len(inputs)])
        rows += "".join(
            f"<outputEntry><text>{c}</text></outputEntry>" for c in cells[len(inputs) :]
        )
        rows += "</rule>"
    return (
        f'{HEAD}<decision id="deadlines" name="Deadlines"><decisionTable hitPolicy="{policy}">'
        f"{columns}{rows}</decisionTable></decision></definitions>"
    ).encode()


def setting(**variables: Json) -> Setting:
    return Setting(Names(variables), NoHost(), "2026-03-02T01:00:00Z")


DEADLINES = dmn(
    "FIRST",
    ["urgency", "amount"],
    ["period", "level"],
    [
        ['"extra_urgent"', "-", '"3 days"', "1"],
        ['"urgent","quick"', "< 100", '"7 days"', "amount + 1"],
        ["-", "[100..200]", '"15 days"', "null"],
        ['not("normal")', "", '"20 days"', "2.5"],
        ['"normal"', "< 0", "-", ""],
    ],
)


@pytest.mark.parametrize(
    ("urgency", "amount", "outputs", "rule"),
    [
        ("extra_urgent", 5, {"period": "3 days", "level": 1}, 1),
        ("quick", 99, {"period": "7 days", "level": 100}, 2),
        ("normal", 200, {"period": "15 days", "level": None}, 3),
        ("other", 201, {"period": "20 days", "level": 2.5}, 4),
        ("normal", -1, {"period": None, "level": None}, 5),
    ],
)
def test_the_first_rule_that_matches_gives_the_outputs(
    urgency: str, amount: int, outputs: dict[str, Json], rule: int
) -> None:
    decided = read_table(DEADLINES, "deadlines").evaluate(setting(urgency=urgency, amount=amount))

    assert decided.outputs == outputs
    assert decided.rules == (rule,)
    assert decided.inputs == {"urgency": urgency, "amount": amount}


def test_no_rule_and_missing_variables_are_refused() -> None:
    table = read_table(DEADLINES, "deadlines")

    for variables in ({"urgency": "normal", "amount": 1}, {"urgency": "normal"}):
        with pytest.raises(EvaluationFailed):
            table.evaluate(setting(**variables))


@pytest.mark.parametrize(
    ("cell", "yes", "no"),
    [
        ("-", [1, "a", None], []),
        ("3", [3, 3.0], ["3", True, None, 4]),
        ('"a"', ["a"], ["b", None]),
        ("true", [True], [False, 1, "true"]),
        ("null", [None], [0, ""]),
        (">= 3", [3, 4.5], [2, "3", None, True]),
        ("< -1.5", [-2], [-1.5]),
        ('> "b"', ["c"], ["b", 3]),
        ("[3..10]", [3, 10], [2, 11, "5"]),
        ("(3..10)", [4], [3, 10]),
        ("]3..10[", [4], [3, 10]),
        ("[3..10[", [3], [10]),
        ('["a".."f"]', ["c"], ["g"]),
        ("1, 2,3", [1, 3], [4]),
        ('"a,b","c"', ["a,b", "c"], ["a", "b"]),
        ('"say \\"x,y\\""', ['say "x,y"'], ["x"]),
        ("not(1,2)", [3, None], [1, 2]),
        ("not(-)", [], [1]),
        ("not([1..3])", [4], [2]),
    ],
)
def test_a_cell_matches_what_it_says(cell: str, yes: list[Json], no: list[Json]) -> None:
    test = parse_test(cell)

    assert all(test is None or test(value) for value in yes)
    assert not any(test is None or test(value) for value in no)


@pytest.mark.parametrize(
    "cell", ["abc", "= 3", "> true", "> null", "[1..]", "1,,2", "not(", "3 days", "date(1)", "'a'"]
)
def test_other_cells_are_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_test(cell)


def test_unique_allows_one_rule_only_and_any_only_equal_ones() -> None:
    rules = [["> 1", '"a"'], ["> 2", '"a"'], ["> 3", '"b"']]
    unique = read_table(dmn("UNIQUE", ["n"], ["x"], rules), "t")
    any_ = read_table(dmn("ANY", ["n"], ["x"], rules), "t")

    assert unique.evaluate(setting(n=2)).outputs == {"x": "a"}
    assert any_.evaluate(setting(n=3)).rules == (1, 2)
    for table, n in ((unique, 3), (any_, 4), (any_, 0)):
        with pytest.raises(EvaluationFailed):
            table.evaluate(setting(n=n))


def test_collect_gives_lists_and_may_find_nothing() -> None:
    rules = [["> 1", '"a"', "1"], ["> 2", '"b"', "2"]]
    table = read_table(dmn("COLLECT", ["n"], ["x", "y"], rules), "t")

    assert table.evaluate(setting(n=3)).outputs == {"x": ["a", "b"], "y": [1, 2]}
    assert table.evaluate(setting(n=0)).outputs == {"x": [], "y": []}


@pytest.mark.parametrize(
    "data",
    [
        b"<a/>",
        HEAD.encode() + b'<decision id="a"/></definitions>',
        HEAD.encode() + b'<decision id="a"/><decision id="b"/></definitions>',
        dmn("RULE ORDER", ["a"], ["b"], [["1", "1"]]),
        dmn('COLLECT" aggregation="SUM', ["a"], ["b"], [["1", "1"]]),
        dmn("FIRST", ["a"], [""], [["1", "1"]]),
        dmn("FIRST", ["a"], ["b", "b"], [["1", "1", "1"]]),
        dmn("FIRST", ["a"], ["b"], []),
        dmn("FIRST", ["a +"], ["b"], [["1", "1"]]),
        dmn("FIRST", [""], ["b"], [["1", "1"]]),
        dmn("FIRST", ["a"], ["b"], [["1"]]),
        dmn("FIRST", ["a"], ["b"], [["foo", "1"]]),
        dmn("FIRST", ["a"], ["b"], [["1", "1 +"]]),
    ],
)
def test_what_cannot_be_evaluated_is_refused_when_read(data: bytes) -> None:
    with pytest.raises(TableRefused) as refusal:
        read_table(data, "t")

    assert refusal.value.line >= 1


def test_a_document_type_is_refused() -> None:
    with pytest.raises(XmlRefused):
        read_table(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "t")
