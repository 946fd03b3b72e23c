"""Forms: every wrong field is named; marked fields are found; the verdict is JSON Schema's."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import forms
from engine.errors import EvaluationFailed, Invalid
from engine.form_checks import compile_schema
from engine.records import Json

FORM: dict[str, Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "派发",
    "additionalProperties": False,
    "required": ["decision", "lead_unit"],
    "properties": {
        "decision": {"enum": ["approve", "return"], "x-route": True},
        "reason": {"type": "string", "minLength": 10, "maxLength": 20},
        "lead_unit": {"type": "string", "maxLength": 40, "x-route": True, "x-refers-to": "unit"},
        "co_units": {
            "type": "array",
            "items": {"type": "string", "x-refers-to": "unit"},
            "maxItems": 3,
            "uniqueItems": True,
            "x-route": True,
        },
        "proposers": {
            "type": "array",
            "minItems": 1,
            "contains": {"properties": {"leading": {"const": True}}, "required": ["leading"]},
            "maxContains": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {
                    "name": {"type": "string", "x-personal": True},
                    "leading": {"type": "boolean"},
                },
            },
        },
        "when": {"type": "string", "format": "date", "x-default": "${deadline}"},
        "at": {"type": "string", "format": "date-time"},
        "copies": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
        "share": {"type": ["number", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "number": {"type": "string", "pattern": "^[A-Z]{2}-\\d+$"},
        "seal": {"const": True},
        "a~b/c": {"type": "string", "x-personal": True},
    },
    "if": {"properties": {"decision": {"const": "return"}}, "required": ["decision"]},
    "then": {"required": ["reason"]},
    "else": {"properties": {"reason": False}},
    "dependentRequired": {"seal": ["copies"]},
}
GOOD: dict[str, Json] = {
    "decision": "approve",
    "lead_unit": "U1",
    "co_units": ["U2", "U3"],
    "proposers": [{"name": "王", "leading": True}, {"name": "李"}],
    "when": "2026-02-28",
    "at": "2026-03-02T09:00:00+08:00",
    "copies": 3,
    "share": 0.5,
    "number": "AB-12",
    "seal": True,
    "a~b/c": "𠮷䶮",
}


def errors(data: Json, schema: dict[str, Json] = FORM) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refusal:
        forms.validate(schema, data)
    return [(error.field, error.code) for error in refusal.value.fields]


def test_good_data_passes() -> None:
    forms.validate(FORM, GOOD)
    forms.validate({}, {"anything": [1]})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"decision": None}, ("decision", "not_in_list")),
        ({"other": 1}, ("other", "unknown_field")),
        ({"decision": "return"}, ("reason", "required")),
        ({"decision": "return", "reason": "short"}, ("reason", "too_short")),
        ({"decision": "return", "reason": "x" * 21}, ("reason", "too_long")),
        ({"reason": "not wanted here"}, ("reason", "not_allowed")),
        ({"lead_unit": 5}, ("lead_unit", "wrong_type")),
        ({"co_units": ["a", "b", "c", "d"]}, ("co_units", "too_many")),
        ({"co_units": ["a", "a"]}, ("co_units", "not_unique")),
        ({"co_units": "a"}, ("co_units", "wrong_type")),
        ({"proposers": [{"name": "a"}]}, ("proposers", "contains")),
        (
            {"proposers": [{"name": "a", "leading": True}, {"leading": True, "name": "b"}]},
            ("proposers", "contains"),
        ),
        (
            {"proposers": [{"name": "a", "leading": True}, {"age": 1, "name": "x"}]},
            ("proposers.1.age", "unknown_field"),
        ),
        ({"when": "2026-02-29"}, ("when", "bad_date")),
        ({"when": "20260228"}, ("when", "bad_date")),
        ({"at": "2026-03-02T09:00:00"}, ("at", "bad_instant")),
        ({"at": "2026-03-02T25:00:00Z"}, ("at", "bad_instant")),
        ({"copies": 11}, ("copies", "out_of_range")),
        ({"copies": 0}, ("copies", "out_of_range")),
        ({"copies": True}, ("copies", "wrong_type")),
        ({"share": 1}, ("share", "out_of_range")),
        ({"number": "AB-"}, ("number", "pattern")),
        ({"seal": False}, ("seal", "must_be")),
        ({"a~b/c": "\ud800"}, ("a~b/c", "bad_text")),
        ({"a~b/c": "x\0"}, ("a~b/c", "bad_text")),
        ({"share": float("nan")}, ("share", "bad_number")),
        ({"share": float("inf")}, ("share", "bad_number")),
        ({"share": 1e-5}, ("share", "bad_number")),
        ({"copies": 2**60}, ("copies", "bad_number")),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Json], error: tuple[str, str]) -> None:
    assert errors({**GOOD, **change}) == [error]


def test_every_wrong_field_is_named_at_once() -> None:
    found = errors({"decision": "return", "copies": 11, "co_units": ["a"] * 4})

    assert sorted(found) == [
        ("co_units", "not_unique"),
        ("co_units", "too_many"),
        ("copies", "out_of_range"),
        ("lead_unit", "required"),
        ("reason", "required"),
    ]


def test_facts_fill_the_sentence() -> None:
    with pytest.raises(Invalid) as refusal:
        forms.validate(FORM, {**GOOD, "copies": 11, "decision": "x"})

    assert {e.field: e.facts for e in refusal.value.fields} == {
        "copies": {"max": 10},
        "decision": {"allowed": ["approve", "return"]},
    }


def test_depth_and_size_are_bounded() -> None:
    deep: Json = 1
    for _ in range(40):
        deep = [deep]

    assert errors({"a": deep}, {})[0][1] == "too_deep"
    assert errors({"a": [0] * 20_000}, {})[0][1] == "too_deep"


def test_other_ways_of_saying_things() -> None:
    schema: dict[str, Json] = {
        "allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "integer"}}}],
        "anyOf": [{"required": ["b"]}, {"required": ["c"]}],
        "oneOf": [{"properties": {"b": {"const": 1}}}, {"properties": {"b": {"const": 2}}}],
        "not": {"required": ["d"]},
        "additionalProperties": {"type": "integer"},
    }

    forms.validate(schema, {"a": 1, "b": 2})
    assert errors({"a": "x", "b": 3, "d": "y"}, schema) == [
        ("a", "wrong_type"),
        ("", "no_alternative"),
        ("", "not_allowed"),
        ("a", "wrong_type"),
        ("d", "wrong_type"),
    ]


def test_routed_fields_become_variables() -> None:
    assert forms.routed(FORM, GOOD) == {
        "decision": "approve",
        "lead_unit": "U1",
        "co_units": ["U2", "U3"],
    }
    assert forms.routed(FORM, {"lead_unit": "U1"}) == {"lead_unit": "U1"}


def test_personal_values_and_references_are_found() -> None:
    assert forms.personal_pointers(FORM, GOOD) == (
        "/proposers/0/name",
        "/proposers/1/name",
        "/a~0b~1c",
    )
    assert forms.references(FORM, GOOD) == [
        ("/lead_unit", "unit", "U1"),
        ("/co_units/0", "unit", "U2"),
        ("/co_units/1", "unit", "U3"),
    ]


def test_a_form_begins_with_defaults() -> None:
    def evaluate(text: str) -> Json:
        assert text == "${deadline}"
        return "2026-05-01"

    def fail(text: str) -> Json:
        raise EvaluationFailed(expression=text, reason="missing")

    assert forms.prefill(FORM, evaluate) == {"when": "2026-05-01", "copies": 1}
    assert forms.prefill(FORM, fail) == {"copies": 1}


@pytest.mark.parametrize(
    "schema",
    [
        3,
        {"type": "text"},
        {"type": []},
        {"format": "email"},
        {"properties": {"a": {"minimun": 1}}},
        {"$ref": "#/$defs/a"},
        {"patternProperties": {}},
        {"items": [1]},
    ],
)
def test_what_would_be_skipped_is_refused(schema: Json) -> None:
    with pytest.raises((ValueError, TypeError)):
        compile_schema(schema)


def test_many_forms_are_kept_but_not_for_ever() -> None:
    for number in range(1_100):
        forms.validate({"maximum": number}, 0)

    assert errors(5, {"maximum": 1}) == [("", "out_of_range")]


def test_a_pattern_cannot_hang() -> None:
    schema = {"pattern": "^(a+)+$"}

    assert errors("a" * 5000 + "!", schema) == [("", "pattern")]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 12) | st.sampled_from(["", "a", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["decision", "reason", "lead_unit", "copies", "a"]), inner
        )
    ),
    max_leaves=12,
)
LEAF = st.sampled_from(
    [
        {"type": "string", "minLength": 1},
        {"type": "integer", "minimum": 0, "maximum": 10},
        {"type": ["boolean", "null"]},
        {"enum": [1, "a", True, None]},
        {"const": {"a": [1]}},
        {"type": "string", "format": "date"},
        {"pattern": "^[aU]"},
        True,
        False,
    ]
)
SCHEMAS = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object")},
            optional={
                "properties": st.dictionaries(st.sampled_from(["decision", "copies", "a"]), inner),
                "required": st.just(["a"]),
                "additionalProperties": inner,
                "dependentRequired": st.just({"a": ["copies"]}),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"minItems": st.just(1), "uniqueItems": st.just(True), "contains": inner},
        ),
        st.fixed_dictionaries({"if": inner}, optional={"then": inner, "else": inner}),
        st.builds(lambda a, b: {"allOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"anyOf": [a, b]}, inner, inner),
        st.builds(lambda a, b: {"oneOf": [a, b]}, inner, inner),
        st.builds(lambda a: {"not": a}, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, VALUES)
def test_the_verdict_is_that_of_json_schema(schema: Json, value: Json) -> None:
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    expected = jsonschema.Draft202012Validator(schema, format_checker=checker).is_valid(value)
    found: list[Any] = []

    compile_schema(schema)(value, "", found)

    assert (not found) == expected
