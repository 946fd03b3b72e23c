import io
import zipfile

import pytest
from docx import Document

from services.documents.errors import TemplateInvalid
from services.documents.render import docx_of
from tests.unit.documents.conftest import MORNING

FACTS = {
    "name": "督查<&>'\"室\x0b",
    "list": ["甲", "乙"],
    "group": {"inner": "丙"},
    "none": "",
}


def template(*lines: str) -> bytes:
    document = Document()
    for line in lines:
        document.add_paragraph(line)
    raw = io.BytesIO()
    document.save(raw)
    return raw.getvalue()


def filled(*lines: str) -> list[str]:
    made = docx_of(template(*lines), FACTS, title="试", at=MORNING)
    return [p.text for p in Document(io.BytesIO(made)).paragraphs]


def test_facts_lists_and_branches_fill_a_template() -> None:
    assert filled(
        "{{ name }}",
        "{%p for line in list %}",
        "{{ loop.index }}{{ line }}",
        "{%p endfor %}",
        "{% if none %}有{% else %}无{% endif %}{{ list|join('、') }}{{ group.inner }}{{ list[1] }}",
    ) == ["督查<&>'\"室\ufffd", "1甲", "2乙", "无甲、乙丙乙"]


def test_what_a_person_wrote_is_never_a_placeholder() -> None:
    made = docx_of(template("{{ name }}"), {"name": "{{ list }}{% for %}"}, title="", at=MORNING)

    assert Document(io.BytesIO(made)).paragraphs[0].text == "{{ list }}{% for %}"


@pytest.mark.parametrize(
    "line",
    [
        "{{ unknown }}",
        "{{ group.unknown }}",
        "{{ name.upper() }}",
        "{{ name.__class__ }}",
        "{{ name['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ 'a' * 999999999 }}",
        "{{ 2 ** 999999 }}",
        "{{ 1 + 1 }}",
        "{% for i in range(9) %}{{ i }}{% endfor %}",
        "{{ cycler(1) }}",
        "{{ name|attr('upper') }}",
        "{{ name|center(99999999) }}",
        "{% macro m() %}x{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 'x' %}",
        "{% import 'os' as os %}",
        "{{ list[9] }}",
        "{% for %}",
    ],
)
def test_a_template_can_do_nothing_else(line: str) -> None:
    with pytest.raises(TemplateInvalid) as refusal:
        filled(line)

    assert refusal.value.facts["reason"] is not None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a docx"])
def test_what_is_no_docx_is_refused(content: bytes) -> None:
    with pytest.raises(TemplateInvalid):
        docx_of(content, FACTS, title="", at=MORNING)


def test_a_docx_says_nothing_about_the_machine_that_made_it() -> None:
    made = docx_of(template("{{ name }}"), FACTS, title="通知", at=MORNING)

    with zipfile.ZipFile(io.BytesIO(made)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    properties = Document(io.BytesIO(made)).core_properties
    assert (properties.title, properties.author) == ("通知", "")
    assert properties.created is not None
    assert properties.created.year == 2026
