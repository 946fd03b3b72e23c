"""The fonts inside a docx, taken out by the rules of ECMA-376 17.8 alone."""

import io
import zipfile
from pathlib import PurePosixPath
from typing import Any

import pytest
from docx import Document
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont
from lxml import etree

from services.documents.embedding import embedded
from services.documents.render import marked, same_bytes
from tests.unit.documents.conftest import Desk

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def parts_of(docx: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(docx)) as package:
        return {name: package.read(name) for name in package.namelist()}


def read_xml(content: bytes) -> Any:  # noqa: ANN401 -- lxml's element
    return etree.fromstring(content)


def fonts_in(docx: bytes) -> dict[str, TTFont]:
    """Take the fonts out: the first 32 bytes are masked with the digits of the key, last first."""
    parts = parts_of(docx)
    targets = {
        one.get("Id"): one.get("Target") for one in read_xml(parts["word/_rels/fontTable.xml.rels"])
    }
    found = {}
    for font in read_xml(parts["word/fontTable.xml"]).findall(f"{W}font"):
        regular = font.find(f"{W}embedRegular")
        if regular is None:
            continue
        digits = regular.get(f"{W}fontKey").strip("{}").replace("-", "")
        mask = [int(digits[i : i + 2], 16) for i in range(30, -1, -2)]
        content = bytearray(parts[str(PurePosixPath("word") / targets[regular.get(f"{R}id")])])
        for i in range(32):
            content[i] ^= mask[i % 16]
        found[font.get(f"{W}name")] = TTFont(io.BytesIO(bytes(content)))
    return found


def shapes(font: TTFont, character: str) -> Any:  # noqa: ANN401 -- four numbers or nothing
    pen = BoundsPen(font.getGlyphSet())
    font.getGlyphSet()[font.getBestCmap()[ord(character)]].draw(pen)
    return pen.bounds


@pytest.fixture
def notice(desk: Desk) -> bytes:
    desk.dispatch()
    desk.sweep()
    return desk.read(desk.papers()[0].docx_sha256)


def test_case_36_every_character_of_a_paper_has_a_shape_in_a_font_inside(notice: bytes) -> None:
    fonts = fonts_in(notice)
    texts = "".join(p.text for p in Document(io.BytesIO(notice)).paragraphs)

    assert set(fonts) == {"Duban Song", "Duban Hei"}
    assert {"𠮷", "䶮"} <= set(texts)
    for character in set(texts) - set("　 "):
        having = [f for f in fonts.values() if ord(character) in f.getBestCmap()]
        assert having, character
        left, bottom, right, top = shapes(having[0], character)
        assert right > left, character
        assert top > bottom, character


def test_the_fonts_inside_are_truetype_installable_and_keep_their_licence(notice: bytes) -> None:
    for name, font in fonts_in(notice).items():
        assert (font.sfntVersion, font["OS/2"].fsType) == ("\x00\x01\x00\x00", 0)
        assert font["name"].getDebugName(1) == name
        assert "SIL Open Font License" in font["name"].getDebugName(13)
        assert "Adobe" in font["name"].getDebugName(0)


def test_the_standards_fonts_are_named_in_the_text_and_the_ones_inside_stand_in(
    notice: bytes,
) -> None:
    table = read_xml(parts_of(notice)["word/fontTable.xml"])
    others = {
        font.get(f"{W}name"): font.find(f"{W}altName").get(f"{W}val").split(",")
        for font in table.findall(f"{W}font")
        if font.find(f"{W}altName") is not None
    }

    assert others["仿宋_GB2312"] == ["FangSong", "Duban Song"]
    assert others["方正小标宋简体"][-1] == "Duban Song"
    assert others["黑体"] == ["SimHei", "Duban Hei"]
    assert "Duban" not in parts_of(notice)["word/document.xml"].decode()


def test_the_settings_say_that_a_part_of_the_fonts_is_embedded(notice: bytes) -> None:
    settings = read_xml(parts_of(notice)["word/settings.xml"])
    names = [child.tag.removeprefix(W) for child in settings]

    assert "embedTrueTypeFonts" in names
    assert names.index("saveSubsetFonts") == names.index("embedTrueTypeFonts") + 1
    types = parts_of(notice)["[Content_Types].xml"].decode()
    assert "application/vnd.openxmlformats-officedocument.obfuscatedFont" in types


def test_a_marked_copy_has_the_glyphs_of_its_mark(notice: bytes) -> None:
    fonts = fonts_in(marked(notice, "已撤销"))

    assert {ord(c) for c in "已撤销"} <= set(fonts["Duban Hei"].getBestCmap())


def test_a_docx_of_a_word_processor_without_a_font_table_gets_one() -> None:
    plain = Document()
    plain.add_paragraph("𠮷")
    raw = io.BytesIO()
    plain.save(raw)
    parts = parts_of(raw.getvalue())
    relations = read_xml(parts["word/_rels/document.xml.rels"])
    for one in list(relations):
        if one.get("Type").endswith("/fontTable"):
            relations.remove(one)
    parts["word/_rels/document.xml.rels"] = etree.tostring(relations)
    del parts["word/fontTable.xml"]
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b'PartName="/word/fontTable.xml"', b'PartName="/word/none.xml"'
    )
    bare = io.BytesIO()
    with zipfile.ZipFile(bare, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)

    made = embedded(bare.getvalue())

    assert ord("𠮷") in fonts_in(made)["Duban Song"].getBestCmap()


def test_the_same_docx_gets_the_same_fonts_and_gets_them_once(notice: bytes) -> None:
    again = embedded(notice, also="已撤销")

    assert again == embedded(notice, also="已撤销")
    assert sorted(parts_of(again)) == sorted(parts_of(notice))
    assert set(fonts_in(again)) == set(fonts_in(notice))
    assert same_bytes(notice) == notice
