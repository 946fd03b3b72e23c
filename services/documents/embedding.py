"""Puts the glyphs of a docx into it, for machines without Chinese fonts (ECMA-376, 17.8).

The text keeps the standard's fonts by name, so a machine that has them shows them. The small free
fonts stand in the font table as their alternatives, and lie in the file, obfuscated as the standard
asks.
"""

from __future__ import annotations

import hashlib
import io
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping

from docx import Document
from docx.document import Document as OpenDocument
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from lxml.etree import tostring

from services.documents.fonts import word_of
from services.documents.formats import Formats, Xml
from services.documents.render import same_bytes
from services.documents.subsets import HEI, SONG, subset

_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_FONT_TABLE = f"{_TYPES}/fontTable"
_FONT = f"{_TYPES}/font"
_TABLE_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.fontTable+xml"
_FONT_TYPE = "application/vnd.openxmlformats-officedocument.obfuscatedFont"

_OBFUSCATED_BYTES = 32
_BEFORE_EMBEDDING = (
    "w:writeProtection",
    "w:view",
    "w:zoom",
    "w:removePersonalInformation",
    "w:removeDateAndTime",
    "w:doNotDisplayPageBoundaries",
    "w:displayBackgroundShape",
    "w:printPostScriptOverText",
    "w:printFractionalCharacterWidth",
    "w:printFormsData",
)
"""The settings that the schema wants before those of embedding."""


def embedded(docx: bytes, also: str = "") -> bytes:
    """Embed the glyphs that a docx uses; the same docx gives the same bytes.

    Parameters
    ----------
    also : characters that may be written across its pages later, in 黑体.
    """
    document = Document(io.BytesIO(docx))
    used = _used(document)
    used[HEI] |= set(also)
    table = _font_table(document)
    root = parse_xml(table.blob)
    _name_alternatives(root)
    for name in used:
        _forget(root, table, name)
    for name, characters in sorted(used.items()):
        if characters:
            root.append(_entry(name, _add(table, subset(name, characters))))
    table._blob = tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)
    _say_so(document)
    made = io.BytesIO()
    document.save(made)
    return same_bytes(made.getvalue())


def _used(document: OpenDocument) -> dict[str, set[str]]:
    """Give the characters of each small font, by what the text around them is set in."""
    formats = Formats(document)
    found: defaultdict[str, set[str]] = defaultdict(set)
    for paragraph in _paragraphs(document):
        _, base = formats.paragraph(paragraph)
        for run in paragraph.iter(qn("w:r")):
            small = HEI if word_of(formats.run(run, base).font) == "黑体" else SONG
            for text in run.iter(qn("w:t")):
                found[small] |= {c for c in text.text or "" if not c.isspace()}
    # Page numbers are fields: their digits stand nowhere in the text.
    found[SONG] |= set("0123456789")
    return found


def _paragraphs(document: OpenDocument) -> Iterator[Xml]:
    yield from document.element.body.iter(qn("w:p"))
    for section in document.sections:
        for footer in (section.footer, section.even_page_footer):
            yield from footer._element.iter(qn("w:p"))


def _font_table(document: OpenDocument) -> Part:
    for relation in document.part.rels.values():
        if relation.reltype == _FONT_TABLE:
            found: Part = relation.target_part
            return found
    empty = f"<w:fonts {nsdecls('w', 'r')}/>".encode()
    made = Part(PackURI("/word/fontTable.xml"), _TABLE_TYPE, empty, document.part.package)
    document.part.relate_to(made, _FONT_TABLE)
    return made


def _name_alternatives(root: Xml) -> None:
    for font in root.findall(qn("w:font")):
        name = font.get(qn("w:name"))
        if not any("\u4e00" <= sign <= "\u9fff" for sign in name):
            continue
        small = HEI if word_of(name) == "黑体" else SONG
        known = font.find(qn("w:altName"))
        if known is None:
            known = OxmlElement("w:altName")
            font.insert(0, known)
        # A list of names, separated by commas (17.8.3.1).
        named = [*(known.get(qn("w:val")) or "").split(","), small]
        known.set(qn("w:val"), ",".join(dict.fromkeys(filter(None, named))))


def _forget(root: Xml, table: Part, name: str) -> None:
    """Take out a small font that is there already: a template may be made from an issued paper."""
    for font in root.findall(qn("w:font")):
        regular = font.find(qn("w:embedRegular"))
        if font.get(qn("w:name")) == name and regular is not None:
            root.remove(font)
            table.drop_rel(regular.get(qn("r:id")))


def _add(table: Part, content: bytes) -> Mapping[str, str]:
    """Put a font beside the font table, and give what refers to it."""
    key = uuid.UUID(bytes=hashlib.sha256(content).digest()[:16], version=4)
    number = sum(1 for relation in table.rels.values() if relation.reltype == _FONT) + 1
    place = PackURI(f"/word/fonts/duban{number}.odttf")
    part = Part(place, _FONT_TYPE, _obfuscated(content, key), table.package)
    return {"id": table.relate_to(part, _FONT), "key": f"{{{str(key).upper()}}}"}


def _obfuscated(content: bytes, key: uuid.UUID) -> bytes:
    mask = bytes(reversed(key.bytes)) * (_OBFUSCATED_BYTES // len(key.bytes))
    head = bytes(a ^ b for a, b in zip(content, mask, strict=False))
    return head + content[_OBFUSCATED_BYTES:]


def _entry(name: str, reference: Mapping[str, str]) -> Xml:
    return parse_xml(
        f'<w:font {nsdecls("w", "r")} w:name="{name}"><w:charset w:val="86"/>'
        '<w:family w:val="auto"/><w:pitch w:val="variable"/>'
        f'<w:embedRegular r:id="{reference["id"]}" w:fontKey="{reference["key"]}"/></w:font>'
    )


def _say_so(document: OpenDocument) -> None:
    settings = document.settings.element
    before = {qn(name) for name in _BEFORE_EMBEDDING}
    place = sum(1 for child in settings if child.tag in before)
    for name in ("w:saveSubsetFonts", "w:embedTrueTypeFonts"):
        if settings.find(qn(name)) is None:
            settings.insert(place, OxmlElement(name))
