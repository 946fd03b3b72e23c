"""Rules about what stands in elements, tables and forms: expressions, names, fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema

from engine.diagrams import Element
from engine.expressions import (
    Expression,
    ExpressionRefused,
    compile_expression,
    compile_template,
    own_functions,
)
from engine.form_checks import compile_schema
from engine.lint import Draft, Finding, Rule
from engine.records import Json

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset({"now", "true", "false", "null", "in"}) | own_functions()
_CEL_FUNCTIONS = frozenset(
    {
        *("size", "contains", "startsWith", "endsWith", "matches", "has"),
        *("int", "uint", "double", "string", "bytes", "bool", "timestamp", "duration", "type"),
        *("dyn", "min", "max", "getFullYear", "getMonth", "getDate", "getDayOfMonth"),
        *("getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds"),
        *("getMilliseconds",),
    }
)
_BOUNDS = frozenset({"maxLength", "enum", "const", "format", "pattern", "anyOf", "oneOf", "allOf"})
_BUILT_IN_NAMES = frozenset({"loopCounter", "nrOfInstances", "nrOfCompletedInstances"})


def tasks(draft: Draft) -> Iterator[Finding]:
    """no_role, no_form, unknown_form, not_external, unknown_table: what tasks need."""
    for element in _elements(draft):
        attributes = element.attributes
        if element.kind == "userTask":
            yield from _user_task(draft, element)
        elif element.kind == "serviceTask" or "type" in attributes or "topic" in attributes:
            if attributes.get("type") != "external" or not attributes.get("topic"):
                yield _at("not_external", element)
        elif element.kind == "sendTask" and not element.triggers:
            yield _at("trigger_name", element, {"kind": "message"})
        elif element.kind == "businessRuleTask":
            table = attributes.get("decisionRef", "")
            if draft.own_or_shared(f"{table}.dmn") is None:
                yield _at("unknown_table", element, {"table": table})


def _user_task(draft: Draft, element: Element) -> Iterator[Finding]:
    attributes = element.attributes
    if not attributes.get("candidateGroups") and not attributes.get("assignee"):
        yield _at("no_role", element)
    form = attributes.get("formKey")
    if form is not None and draft.own_or_shared(f"forms/{form}.json") is None:
        yield _at("unknown_form", element, {"form": form})
    elif form is None and draft.own_or_shared(f"forms/{element.id}.json") is None:
        yield _at("no_form", element)


def separations(draft: Draft) -> Iterator[Finding]:
    """unknown_reference: four-eyes rules name elements that exist."""
    known = {element.id for element in _elements(draft)}
    for element in _elements(draft):
        named = element.properties.get("separate_from", "")
        for name in () if "${" in named else named.split(","):
            if name.strip() and name.strip() not in known:
                yield _at("unknown_reference", element, {"name": name.strip()})


def expressions(draft: Draft) -> Iterator[Finding]:
    """bad_expression, unknown_function: every text that is evaluated."""
    for element in _elements(draft):
        for text, always in _texts(element):
            try:
                if always:
                    found: tuple[Expression, ...] = (compile_expression(text),)
                else:
                    found = compile_template(text).expressions
            except ExpressionRefused as refused:
                facts = {"expression": refused.expression, "reason": refused.reason}
                yield _at("bad_expression", element, facts)
                continue
            for expression in found:
                for function in _unknown(expression, draft):
                    facts = {"function": function, "offered": _offered(draft)}
                    yield _at("unknown_function", element, facts)


def table_expressions(draft: Draft) -> Iterator[Finding]:
    """unknown_function, reserved_name: what tables call and set."""
    for file, table in draft.tables.items():
        cells = [(c.line, c.expression) for c in table.inputs]
        cells += [(r.line, o) for r in table.rules for o in r.outputs if isinstance(o, Expression)]
        for line, expression in cells:
            for function in _unknown(expression, draft):
                facts = {"function": function, "offered": _offered(draft)}
                yield Finding("unknown_function", file, line, table.id, facts)
        for output in table.outputs:
            if not _can_be_set(output):
                yield Finding("reserved_name", file, 1, table.id, {"name": output})


def written_names(draft: Draft) -> Iterator[Finding]:
    """reserved_name: names that mappings and instances give to variables."""
    for element in _elements(draft):
        for name in _written(element):
            if not _can_be_set(name):
                yield _at("reserved_name", element, {"name": name})


def read_names(draft: Draft) -> Iterator[Finding]:
    """unset_variable: a name that nothing in the definition sets is likely misspelt."""
    if draft.variables is None:
        return
    known = {*_BUILT_IN_NAMES, *draft.variables}
    for table in draft.tables.values():
        known.update(table.outputs)
    for form in draft.forms.values():
        fields = form.get("properties", {}) if isinstance(form, dict) else {}
        known.update(n for n, f in fields.items() if isinstance(f, dict) and f.get("x-route"))
    for element in _elements(draft):
        known.update(_written(element))
    for element in _elements(draft):
        for text, always in _texts(element):
            for name in sorted(_read_by(text, always=always) - known):
                yield _at("unset_variable", element, {"name": name})


def late_properties(draft: Draft) -> Iterator[Finding]:
    """late_property: milestones of several instances are told once, after the last."""
    for element in _elements(draft):
        loop = element.loop
        if loop is None or element.kind == "userTask" or "topic" in element.attributes:
            continue
        inner = _BUILT_IN_NAMES | {loop.element_variable}
        for name, text in element.properties.items():
            for variable in sorted(_read_by(text, always=False) & inner):
                yield _at("late_property", element, {"name": name, "variable": variable})


def _read_by(text: str, *, always: bool) -> frozenset[str]:
    try:
        if always:
            return compile_expression(text).required
        found = compile_template(text).expressions
    except ExpressionRefused:
        return frozenset()
    return frozenset(name for expression in found for name in expression.required)


def forms(draft: Draft) -> Iterator[Finding]:
    """bad_form, open_form, unbounded_text, reserved_name, open_personal: checked as a whole."""
    for file, form in draft.forms.items():
        try:
            jsonschema.Draft202012Validator.check_schema(form)
            compile_schema(form)
            if not isinstance(form, dict) or form.get("type") != "object":
                raise ValueError("the outermost schema must be an object")
        except jsonschema.SchemaError as error:
            yield Finding("bad_form", file, facts={"reason": error.message})
        except (ValueError, TypeError, AttributeError, ExpressionRefused) as error:
            yield Finding("bad_form", file, facts={"reason": str(error)})
        else:
            yield from _fields(file, form, "")
            yield from _personal(file, form, "", frozenset())
            yield from _defaults(draft, file, form)


def _fields(file: str, schema: Mapping[str, Any], path: str) -> Iterator[Finding]:
    fields = schema.get("properties", {})
    if schema.get("type") == "object":
        yield from _object(file, schema, path)
    elif schema.get("type") == "string" and not _BOUNDS & schema.keys():
        yield Finding("unbounded_text", file, facts={"path": path})
    below = {f"{path}/{name}": field for name, field in fields.items()}
    below[f"{path}/*"] = schema.get("items")
    for inner, field in below.items():
        if isinstance(field, dict):
            yield from _fields(file, field, inner)


def _personal(
    file: str, schema: Mapping[str, Any], path: str, above: frozenset[str]
) -> Iterator[Finding]:
    """Name fields whose personal value would also be kept in the open, where no erasure reaches.

    Variables stand in events of their own, and look-ups in the command's record. A keyword holds
    for everything within its field, so `above` counts, too.
    """
    own = frozenset(word for word in ("x-personal", "x-route", "x-refers-to") if schema.get(word))
    held = above | own
    open_words = held & {"x-route", "x-refers-to"}
    if "x-personal" in held and open_words and own:
        yield Finding(
            "open_personal", file, facts={"path": path, "keyword": ", ".join(sorted(open_words))}
        )
    below = {f"{path}/{name}": field for name, field in schema.get("properties", {}).items()}
    below[f"{path}/*"] = schema.get("items")
    for inner, field in below.items():
        if isinstance(field, dict):
            yield from _personal(file, field, inner, held)


def _object(file: str, schema: Mapping[str, Any], path: str) -> Iterator[Finding]:
    fields = schema.get("properties", {})
    if schema.get("additionalProperties") is not False:
        yield Finding("open_form", file, facts={"path": path or "/"})
    for name in schema.get("required", ()):
        if name not in fields:
            reason = f"{name} is required but not a property"
            yield Finding("bad_form", file, facts={"reason": reason})
    for name, field in fields.items():
        if isinstance(field, dict) and field.get("x-route") and not _can_be_set(name):
            yield Finding("reserved_name", file, facts={"name": name})


def _defaults(draft: Draft, file: str, form: Mapping[str, Any]) -> Iterator[Finding]:
    for name, field in form.get("properties", {}).items():
        for keyword in ("x-default", "x-required-when"):
            text = field.get(keyword) if isinstance(field, dict) else None
            if text is not None:
                yield from _template(draft, file, name, text)


def _template(draft: Draft, file: str, name: str, text: Json) -> Iterator[Finding]:
    try:
        found = compile_template(text).expressions
    except (ExpressionRefused, AttributeError, TypeError) as refused:
        facts = {"expression": str(text), "reason": str(refused)}
        yield Finding("bad_expression", file, element=name, facts=facts)
        return
    for function in (f for expression in found for f in _unknown(expression, draft)):
        facts = {"function": function, "offered": _offered(draft)}
        yield Finding("unknown_function", file, element=name, facts=facts)


def _texts(element: Element) -> Iterator[tuple[str, bool]]:
    """Give every text of an element that is evaluated, and whether it is always an expression."""
    templates = [*element.attributes.values(), *element.properties.values()]
    templates += [trigger.text for trigger in element.triggers if trigger.kind == "timer"]
    always: list[str | None] = [flow.condition for flow in element.outgoing]
    for passing in (*element.inputs, *element.outputs):
        templates.append(passing.expression or "")
        always.append(passing.source)
    if element.loop is not None:
        loop = element.loop
        always += [loop.collection, loop.cardinality, loop.condition]
    yield from ((text, False) for text in templates if text)
    yield from ((text, True) for text in always if text is not None)


def _written(element: Element) -> Iterator[str]:
    if element.loop is not None and element.loop.element_variable:
        yield element.loop.element_variable
    for passing in (*element.inputs, *element.outputs):
        if passing.target:
            yield passing.target


def _can_be_set(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in _RESERVED


def _unknown(expression: Expression, draft: Draft) -> Iterator[str]:
    if draft.functions is None:
        return
    known = _CEL_FUNCTIONS | own_functions() | draft.functions
    for function in expression.functions:
        if _NAME.fullmatch(function) and not function.startswith("_") and function not in known:
            yield function


def _offered(draft: Draft) -> str:
    return ", ".join(sorted(draft.functions or ()))


def _elements(draft: Draft) -> list[Element]:
    return [e for process in draft.processes.values() for e in process.elements.values()]


def _at(rule: str, element: Element, facts: Mapping[str, Json] | None = None) -> Finding:
    return Finding(rule, element.file, element.line, element.id, facts or {})


CONTENT_RULES: tuple[Rule, ...] = (
    tasks,
    separations,
    expressions,
    table_expressions,
    written_names,
    read_names,
    late_properties,
    forms,
)
