"""A template and facts become a docx: placeholders filled, in a sandbox, the same bytes each time.

Templates are data from people: they may name facts, branch on them and loop over them, and use a
few filters. Nothing can be called, no attribute reached, nothing multiplied.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docxtpl import DocxTemplate, InlineImage
from jinja2 import DictLoader, Environment, StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml.etree import LxmlError

from services.documents.errors import TemplateInvalid
from services.documents.fitting import fit_tables

Facts = Mapping[str, Any]

_FILTERS = ("join", "default", "length", "first", "last", "trim")
_LOOP = frozenset({"first", "last", "index", "index0", "length"})
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


_WRONG = (
    TemplateError,
    PackageNotFoundError,
    zipfile.BadZipFile,
    LxmlError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a template that can't be read or filled makes the libraries raise."""


class _Unknown(StrictUndefined):
    """Something that a template names and that isn't there."""

    @property
    def _undefined_message(self) -> str:
        return str(self._undefined_name)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Names, branches and loops over facts only."""

    intercepted_binops = frozenset({"*", "**", "%", "/", "//", "-", "+"})

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=_Unknown, loader=DictLoader({}))
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.tests = {name: self.tests[name] for name in ("defined", "none")}

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 -- jinja's own shape
        """Give a fact of a group of facts, or what a loop knows of itself."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 -- jinja's own shape
        """Give a fact by name or place."""
        if isinstance(obj, Mapping) and argument in obj:
            return obj[argument]
        if isinstance(obj, (list, tuple)) and isinstance(argument, int):
            return obj[argument] if -len(obj) <= argument < len(obj) else self.undefined(obj=obj)
        return self.undefined(obj=obj, name=argument)

    def call(self, *_args: Any, **_named: Any) -> Any:  # noqa: ANN401 -- jinja's own shape
        """Refuse to call anything."""
        message = "a template can't call anything"
        raise SecurityError(message)

    def call_binop(self, _context: Any, operator: str, _left: Any, _right: Any) -> Any:  # noqa: ANN401
        """Refuse arithmetic, by which a template could grow without end."""
        message = f"a template can't compute: {operator}"
        raise SecurityError(message)


Picture = Callable[[DocxTemplate], InlineImage]


def docx_of(template: bytes, facts: Facts, *, title: str, at: datetime) -> bytes:
    """Fill a template.

    Parameters
    ----------
    facts : text, lists and groups by name; a fact may be a function that makes a picture.
    title, at : what the file's properties say.

    Raises
    ------
    TemplateInvalid : it can't be read, names a fact that doesn't exist, or does what it may not.
    """
    try:
        document = DocxTemplate(io.BytesIO(template))
        sandbox: Environment = _Sandbox()
        document.init_docx()
        document.render(_clean(facts, document), sandbox, autoescape=True)
    except UndefinedError as unknown:
        raise TemplateInvalid(reason=f"unknown: {unknown}", fact=str(unknown)) from unknown
    except _WRONG as wrong:
        raise TemplateInvalid(reason=str(wrong)[:500]) from wrong
    fit_tables(document.docx)
    properties = document.docx.core_properties
    properties.title, properties.author, properties.comments = title, "", ""
    properties.last_modified_by, properties.revision = "", 1
    properties.created = properties.modified = at.replace(tzinfo=None, microsecond=0)
    raw = io.BytesIO()
    document.docx.save(raw)
    return same_bytes(raw.getvalue())


def marked(docx: bytes, words: str) -> bytes:
    """Write words such as 已撤销 across every page of a docx, as word processors do."""
    document = Document(io.BytesIO(docx))
    for number, section in enumerate(document.sections):
        headers = [section.header]
        if document.settings.odd_and_even_pages_header_footer:
            headers.append(section.even_page_header)
        for place, header in enumerate(headers):
            header.is_linked_to_previous = False
            mark = _watermark(words, f"mark{number}{place}")
            header.paragraphs[0]._p.append(mark)
    raw = io.BytesIO()
    document.save(raw)
    return same_bytes(raw.getvalue())


def text_of(docx: bytes) -> str:
    """Give all the text of a docx, footers included, to look for characters without a glyph."""
    document = Document(io.BytesIO(docx))
    parts = [document.element.body, *(s.footer._element for s in document.sections)]
    return "".join(
        node.text or "" for part in parts for node in part.iter() if node.tag.endswith("}t")
    )


def _watermark(words: str, name: str) -> Any:  # noqa: ANN401 -- an element
    return parse_xml(
        f'<w:r {nsdecls("w")} xmlns:v="urn:schemas-microsoft-com:vml" '
        'xmlns:o="urn:schemas-microsoft-com:office:office"><w:pict>'
        '<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" '
        'path="m@7,l@8,m@5,21600l@6,21600e"><v:path textpathok="t" o:connecttype="rect"/>'
        '<v:textpath on="t" fitshape="t"/></v:shapetype>'
        f'<v:shape id="{name}" o:spid="_x0000_s{2049 + len(name)}" type="#_x0000_t136" '
        'style="position:absolute;width:420pt;height:140pt;rotation:315;z-index:-251658752;'
        "mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
        'mso-position-vertical:center;mso-position-vertical-relative:margin" '
        'fillcolor="#e00000" stroked="f"><v:fill opacity=".22"/>'
        f'<v:textpath style="font-family:&quot;SimHei&quot;" string="{words}"/></v:shape>'
        "</w:pict></w:r>"
    )


def _clean(value: Any, document: DocxTemplate) -> Any:  # noqa: ANN401 -- facts of any shape
    if isinstance(value, str):
        return _NOT_XML.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {str(name): _clean(item, document) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item, document) for item in value]
    return value(document) if callable(value) else value


def same_bytes(docx: bytes) -> bytes:
    """Pack a docx anew without the times of its parts: the same content is the same file."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx)) as old, zipfile.ZipFile(made, "w") as new:
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            part = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            part.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(part, old.read(name))
    return made.getvalue()
