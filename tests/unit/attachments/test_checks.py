import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from docx import Document
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from engine import Invalid
from services.attachments.checks import Limits, check
from services.attachments.errors import (
    AttachmentBomb,
    AttachmentDamaged,
    AttachmentEmpty,
    AttachmentEncrypted,
    AttachmentExecutable,
    AttachmentMacro,
    AttachmentTypeRefused,
)
from services.attachments.types import safe_name, type_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
EXE = b"MZ\x90\x00" + bytes(200)
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

Judge = Callable[..., str]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    def say(content: bytes, name: str = "材料", limits: Limits | None = None) -> str:
        path = tmp_path / "file"
        path.write_bytes(content)
        return check(path, name, limits).media_type

    return say


def zipped(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return raw.getvalue()


def docx(**more: bytes) -> bytes:
    raw = io.BytesIO()
    Document().save(raw)
    if not more:
        return raw.getvalue()
    with zipfile.ZipFile(raw) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    return zipped(parts | {name.replace("__", "/"): body for name, body in more.items()})


def xlsx() -> bytes:
    raw = io.BytesIO()
    openpyxl.Workbook().save(raw)
    return raw.getvalue()


def pdf(key: str | None = None, script: str | None = None) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if script is not None:
        action = DictionaryObject(
            {
                NameObject("/S"): NameObject("/JavaScript"),
                NameObject("/JS"): TextStringObject(script),
            }
        )
        writer.root_object[NameObject("/OpenAction")] = action
    if key is not None:
        writer.encrypt(key, algorithm="RC4-128")
    raw = io.BytesIO()
    writer.write(raw)
    return raw.getvalue()


def test_ordinary_files_are_known_by_their_content(judge: Judge) -> None:
    assert judge(docx()).endswith("wordprocessingml.document")
    assert judge(xlsx()).endswith("spreadsheetml.sheet")
    assert judge(pdf()) == "application/pdf"
    assert judge(PNG, "photo.jpg") == "image/png"
    assert judge(b"\xff\xd8\xff\xe0" + bytes(20)) == "image/jpeg"
    assert judge(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "image/webp"
    assert judge(b"\x00\x00\x00\x18ftypmp42") == "video/mp4"
    assert judge("名称,数量\n甲,1\n".encode(), "台账.csv") == "text/csv"
    assert judge("说明".encode("gb18030"), "说明.txt") == "text/plain"
    assert judge(zipped({"照片/一.png": PNG, "说明.txt": b"ok"})) == "application/zip"
    assert judge(zipped({"OFD.xml": b"<x/>"}, zipfile.ZIP_STORED)) == "application/ofd"
    odt = "application/vnd.oasis.opendocument.text"
    assert judge(zipped({"mimetype": odt.encode(), "content.xml": b"<x/>"})) == odt


def test_case_34_a_program_is_refused_whatever_it_is_called(judge: Judge) -> None:
    for name in ("setup.exe", "照片.png", "报告.docx"):
        with pytest.raises(AttachmentExecutable) as refusal:
            judge(EXE, name)
        assert refusal.value.facts["found"] == "Windows program"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"\x7fELF" + bytes(60), "a"),
        (b"#!/bin/sh\nrm -rf /\n", "a.txt"),
        (b"L\x00\x00\x00\x01\x14\x02\x00" + bytes(60), "a.lnk"),
        (b"@echo off\r\ndel *.*\r\n", "a.bat"),
        (b"WScript.Echo 1", "a.vbs"),
        (b"Write-Host 1", "a.PS1"),
        (zipped({"AndroidManifest.xml": b"x"}), "a.zip"),
        (zipped({"inside/setup.exe": EXE}), "a.zip"),
        (zipped({"outer/inner.zip": zipped({"x.exe": EXE})}), "a.zip"),
        (docx(word__media__image1_png=EXE), "a.docx"),
    ],
)
def test_programs_and_scripts_are_refused(judge: Judge, content: bytes, name: str) -> None:
    with pytest.raises(AttachmentExecutable):
        judge(content, name)


@pytest.mark.parametrize(
    "content",
    [
        docx(**{"word__vbaProject.bin": b"\xd0\xcf\x11\xe0"}),
        docx(**{"word__VBAPROJECT.BIN": b"x"}),
        docx(**{"word__activeX__activeX1.xml": b"x"}),
        docx(**{"xl__macrosheets__sheet1.xml": b"x"}),
        docx(**{"word__embeddings__oleObject1.bin": b"x"}),
        docx(
            **{
                "word___rels__settings.xml.rels": b"<R><Relationship Type='x/attachedTemplate' "
                b'Target="http://x/y.dotm" TargetMode="External"/></R>'
            }
        ),
        zipped({"[Content_Types].xml": MAIN.replace("document.main", "macroEnabled").encode()}),
        zipped(
            {
                "mimetype": b"application/vnd.oasis.opendocument.text",
                "Basic/Standard/Module1.xml": b"x",
            }
        ),
        pdf(script="app.alert(1)"),
        b"%PDF-1.4\n1 0 obj <</S /Launch>> endobj\nstartxref\n0\n%%EOF",
        b"%PDF-1.4\n1 0 obj <</S /J#61vaScript>> endobj\nstartxref\n0\n%%EOF",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "_VBA_PROJECT".encode("utf-16-le"),
    ],
)
def test_case_34_macros_and_scripts_in_documents_are_refused(judge: Judge, content: bytes) -> None:
    with pytest.raises(AttachmentMacro):
        judge(content, "a.docx")


def test_a_script_packed_into_an_object_stream_is_found(judge: Judge) -> None:
    packed = zlib.compress(b"<</S /JavaScript /JS (app.alert(1))>>")
    content = b"%%PDF-1.5\n1 0 obj <</Type /ObjStm /Length %d>>\nstream\n" % len(packed)
    content += packed + b"\nendstream endobj\nstartxref\n0\n%%EOF"

    with pytest.raises(AttachmentMacro):
        judge(content)


def test_case_34_an_archive_bomb_is_refused(judge: Judge) -> None:
    with pytest.raises(AttachmentBomb):
        judge(zipped({"zeros": bytes(20 << 20)}))
    with pytest.raises(AttachmentBomb):
        judge(zipped({"a": b"x" * 900, "b": b"y" * 900}), limits=Limits(unpacked_bytes=1000))
    with pytest.raises(AttachmentBomb):
        judge(zipped({f"{n}": b"" for n in range(40)}), limits=Limits(entries=39))
    with pytest.raises(AttachmentBomb):
        judge(docx(**{"word__media__zeros": bytes(20 << 20)}))


def test_archives_nested_too_deeply_are_refused(judge: Judge) -> None:
    nested = zipped({"说明.txt": b"ok"})
    assert judge(zipped({"1.zip": nested})) == "application/zip"

    with pytest.raises(AttachmentBomb):
        judge(zipped({"2.zip": zipped({"1.zip": nested})}))


def test_a_bomb_within_an_archive_shares_the_same_budget(judge: Judge) -> None:
    layer = zipped({"a.txt": b"x" * 4000}, zipfile.ZIP_STORED)

    with pytest.raises(AttachmentBomb):
        judge(zipped({f"{n}.zip": layer for n in range(3)}), limits=Limits(unpacked_bytes=20_000))


def test_entries_that_share_their_bytes_are_refused(judge: Judge) -> None:
    content = bytearray(zipped({"a.txt": b"x" * 500, "b.txt": b"y" * 500}, zipfile.ZIP_STORED))
    second = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, second + 42, 0)

    with pytest.raises(Invalid) as refusal:
        judge(bytes(content))
    assert refusal.value.slug in ("attachment-archive-bomb", "attachment-damaged")


def test_an_archive_that_lies_about_its_sizes_is_damaged(judge: Judge) -> None:
    content = bytearray(zipped({"a.txt": b"x" * 5000}))
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, 10)

    with pytest.raises(AttachmentDamaged):
        judge(bytes(content))


def test_files_with_a_password_are_refused(judge: Judge) -> None:
    marked = bytearray(zipped({"a.txt": b"secret"}))
    marked[marked.rindex(b"PK\x01\x02") + 8] |= 1
    encrypted_docx = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")

    for content in (bytes(marked), encrypted_docx, pdf(key="geheim")):
        with pytest.raises(AttachmentEncrypted):
            judge(content)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"Rar!\x1a\x07\x01\x00", "a.rar"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(20), "a.7z"),
        (b"\x1f\x8b\x08" + bytes(20), "a.gz"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc"),
        (b"<!DOCTYPE html><p>", "a.txt"),
        (b"<svg onload='x'/>", "a.png"),
        (b"\xef\xbb\xbf <html>", "a.csv"),
        (b"ok <ScRiPt>alert(1)</script>", "a.txt"),
        (b"\x00\x01\x02\x03 unknown", "a.bin"),
        (b"plain text", "a.docx"),
        (b"plain text", "noname"),
        (zipped({"../../etc/passwd": b"x"}), "a.zip"),
        (zipped({"page.html": b"<html>"}), "a.zip"),
        (zipped({"mimetype": b"application/epub+zip"}), "a.epub"),
        (zipped({"[Content_Types].xml": b"<Types/>"}), "a.docx"),
    ],
)
def test_types_that_are_not_listed_are_refused(judge: Judge, content: bytes, name: str) -> None:
    with pytest.raises(AttachmentTypeRefused):
        judge(content, name)


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04 not a zip", b"%PDF-1.4 cut off", docx()[:-200], xlsx()[:3000]],
)
def test_what_cannot_be_read_is_damaged(judge: Judge, content: bytes) -> None:
    with pytest.raises(AttachmentDamaged):
        judge(content, "a.docx")


def test_an_empty_file_is_refused(judge: Judge) -> None:
    with pytest.raises(AttachmentEmpty):
        judge(b"")


def test_every_type_is_told_from_a_few_bytes_and_text_from_none() -> None:
    assert type_of(b"BM" + bytes(20)) is not None
    assert type_of(b"BM is a name") is None
    assert type_of(b"text") is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("调查报告.png", "调查报告.png"),
        ("𠮷䶮.PNG", "𠮷䶮.PNG"),
        ("photo.jpg", "photo.jpg.png"),
        ("C:\\fakepath\\a.png", "a.png"),
        ("../../etc/passwd", "passwd.png"),
        ("invoice\u202egnp.exe", "invoicegnp.exe.png"),
        ('a"b\r\nX: y.png', "abX y.png"),
        ("", "attachment.png"),
        ("." * 10, "attachment.png"),
        ("名" * 300, "名" * 180 + ".png"),
    ],
)
def test_a_download_has_a_name_that_says_the_truth(name: str, shown: str) -> None:
    kind = type_of(PNG)

    assert kind is not None
    assert safe_name(name, kind) == shown


def test_what_pypdf_reads_back_is_what_was_taken(judge: Judge) -> None:
    content = pdf()

    assert judge(content) == "application/pdf"
    assert len(PdfReader(io.BytesIO(content)).pages) == 1
