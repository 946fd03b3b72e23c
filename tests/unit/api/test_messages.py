"""Every sentence is there in both languages, and names only facts that are given."""

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from api.problems import HttpProblem, status_of
from api.wording import LANGUAGES, Language, facts_in, texts
from engine import Problem
from engine.case import LookupMismatch
from services.permissions import Reason

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("engine", "services", "api")
SPELLINGS = {"maximum": "max", "minimum": "min"}


def sources() -> Iterator[Path]:
    """Give every module that can refuse something."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def calls() -> Iterator[ast.Call]:
    """Give every call in them."""
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def kinds(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Give every problem there is."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.partition(".")[0] in PACKAGES:
            yield from kinds(below)


def import_everything() -> None:
    """Import every module, so that every problem is defined."""
    for file in sources():
        # Migrations are run by their tool, and the bundle's verifier stands alone.
        if "migrations" not in file.parts and file.name != "verify_bundle.py":
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            import_module(name.removesuffix(".__init__"))


import_everything()

KINDS = sorted(set(kinds()), key=lambda kind: kind.slug)
CALLS = tuple(calls())


def facts_given(kind: type[Problem]) -> set[str] | None:
    """Give the facts that every place that raises a problem gives; `None` when none does."""
    given = [
        {keyword.arg for keyword in call.keywords if keyword.arg is not None}
        for call in CALLS
        if isinstance(call.func, ast.Name) and call.func.id == kind.__name__
    ]
    return set.intersection(*given) if given else None


def codes() -> dict[str, set[str]]:
    """Give the codes of field errors, each with the facts that it always comes with."""
    found: dict[str, set[str]] = {}
    for call in CALLS:
        is_error = isinstance(call.func, ast.Name) and call.func.id == "FieldError"
        if not is_error or len(call.args) < 2 or not isinstance(call.args[1], ast.Constant):
            continue
        facts: set[str] = set()
        if len(call.args) > 2 and isinstance(call.args[2], ast.Dict):
            keys = [key.value for key in call.args[2].keys if isinstance(key, ast.Constant)]
            facts = {SPELLINGS.get(str(key), str(key)) for key in keys}
        code = str(call.args[1].value).replace("-", "_")
        found[code] = found[code] & facts if code in found else facts
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_problem_has_its_words(kind: type[Problem], language: Language) -> None:
    words = texts(language)["problem"].get(kind.slug)

    assert words is not None, f"{kind.__name__} has no words in {language}"
    assert words["title"]
    assert words["detail"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_sentences_name_only_facts_that_are_given(kind: type[Problem], language: Language) -> None:
    given = facts_given(kind)
    if given is None:
        given = set()

    assert facts_in(texts(language)["problem"][kind.slug]["detail"]) <= given


def test_slugs_are_different() -> None:
    assert len({kind.slug for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.slug)
def test_every_problem_has_a_status(kind: type[Problem]) -> None:
    if kind in (Problem, LookupMismatch):
        assert status_of(kind) is None
    else:
        assert status_of(kind) in (
            400,
            401,
            403,
            404,
            405,
            406,
            409,
            412,
            413,
            415,
            422,
            429,
            500,
            503,
        )
    if issubclass(kind, HttpProblem):
        assert status_of(kind) == kind.status


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_field_error_has_its_words(language: Language) -> None:
    missing = set(codes()) - set(texts(language)["field"])

    assert missing == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_about_fields_name_only_facts_that_are_given(language: Language) -> None:
    words = texts(language)["field"]
    plainest = {code: said if isinstance(said, str) else said[-1] for code, said in words.items()}

    assert {c for c, given in codes().items() if not facts_in(plainest[c]) <= given} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_of_forms_have_their_words(language: Language) -> None:
    # `engine.forms.validate` lists what it can say; several codes there come out of tables.
    listed = import_module("engine.forms").validate.__doc__ or ""
    said = set(re.findall(r"``([a-z_]+)``", listed))

    assert {"required", "too_long"} <= said
    assert said - set(texts(language)["field"]) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_forms_refer_to_has_its_words(language: Language) -> None:
    kinds_named: set[str] = set()
    for file in sorted((ROOT / "bpmn").rglob("forms/*.json")):
        text = file.read_text("utf-8")
        json.loads(text)
        kinds_named |= set(re.findall(r'"x-refers-to":\s*"(\w+)"', text))

    assert kinds_named
    assert {f"unknown_{kind}" for kind in kinds_named} - set(texts(language)["field"]) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_of_requests_have_their_words(language: Language) -> None:
    source = (ROOT / "api" / "fields.py").read_text("utf-8")
    said = set(re.findall(r'"((?:bad|not|out|too|wrong|unknown)_[a-z_]+)(?:\?[^"]*)?"', source))

    assert {"too_long", "wrong_type"} <= said
    assert said - set(texts(language)["field"]) - {"too_large"} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_its_words(language: Language) -> None:
    words = texts(language)["word"]["reason"]

    assert {str(reason) for reason in Reason} - set(words) == set()


def test_both_languages_say_the_same() -> None:
    chinese, english = texts("zh"), texts("en")

    for part in ("problem", "field", "word", "console"):
        assert chinese[part].keys() == english[part].keys()
    for slug, words in chinese["problem"].items():
        assert facts_in(words["detail"]) == facts_in(english["problem"][slug]["detail"])
