"""What comes in from outside, and who may look at it (§10, 34–37)."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any
from urllib.parse import quote

import openpyxl
import pypdf
import pytest
from docx import Document

from tests.office_cases.desk import Desk, token_of
from tests.office_cases.files import fetch, send_files
from tests.office_cases.matter import Matter, Refusal

MB = 1 << 20
PROGRAM = b"MZ\x90\x00" + bytes(200)
RARE = "𠮷田䶮"
FORMULA = "=cmd|' /C calc'!A0"
RISKY = (FORMULA, "+1+cmd", "-2+3", "@SUM(1)")


class Zeros(io.RawIOBase):
    """A long file that is made while it is read, and counts how much of it was."""

    def __init__(self, size: int) -> None:
        self._size, self._place, self.given = size, 0, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        self._place = place + (0, self._place, self._size)[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 -- io's own
        size = min(len(buffer), self._size - self._place)
        buffer[:size] = bytes(size)
        self._place += size
        self.given += size
        return size


def zipped(parts: dict[str, bytes]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return raw.getvalue()


def docx(**more: bytes) -> bytes:
    raw = io.BytesIO()
    Document().save(raw)
    with zipfile.ZipFile(raw) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    return zipped(parts | {name.replace("__", "/"): body for name, body in more.items()})


def upload(desk: Desk, content: bytes, name: str) -> Any:  # noqa: ANN401 -- an answer
    return send_files(desk, "/attachments", "registrar", {"file": (content, name)})


def test_case_34_a_program_a_bomb_and_a_macro_are_refused_with_the_reason(desk: Desk) -> None:
    macro = docx(**{"word__vbaProject.bin": b"x"})
    wrong = (
        (PROGRAM, "setup.exe", "attachment-executable", "Windows"),
        (PROGRAM, "现场照片.jpg", "attachment-executable", "Windows"),
        (zipped({"a/setup.exe": PROGRAM}), "材料.zip", "attachment-executable", "setup.exe"),
        (zipped({"zeros.txt": bytes(60 * MB)}), "材料.zip", "attachment-archive-bomb", "材料.zip"),
        (macro, "报告.docx", "attachment-macro", "vbaProject"),
    )

    for content, name, slug, said in wrong:
        refusal = Refusal.of(upload(desk, content, name))

        assert (refusal.status, refusal.slug) == (422, slug), name
        assert said in refusal.detail
        assert "…" not in refusal.detail


def test_case_34_200_mb_are_refused_without_being_read(desk: Desk) -> None:
    announced, unannounced = Zeros(200 * MB), Zeros(200 * MB)
    client, headers = desk.app.test_client(), {"Authorization": f"Bearer {token_of('registrar')}"}

    def send(content: Zeros, **how: Any) -> Refusal:  # noqa: ANN401 -- werkzeug's
        answer = client.post(
            f"/api/v1/attachments?name={quote('录像.mp4')}",
            input_stream=content,
            headers=headers,
            content_type="application/octet-stream",
            **how,
        )
        return Refusal.of(answer)

    at_once = send(announced)
    in_the_end = send(
        unannounced, environ_overrides={"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    )

    assert (at_once.status, at_once.slug, announced.given) == (413, "body-too-large", 0)
    assert (in_the_end.status, in_the_end.slug) == (422, "attachment-too-large")
    assert "50 MB" in in_the_end.detail
    assert unannounced.given < 51 * MB


def test_case_34_what_is_in_order_is_taken_and_goes_with_the_case(desk: Desk) -> None:
    content = docx()
    taken = upload(desk, content, "情况说明.docx")
    assert taken.status_code == 201, taken.text
    named = (taken.json or {})["id"]

    matter = desk.register(attachments=[named]).approve().dispatch()

    (attached,) = desk.read(f"/cases/{matter.id}/attachments", "contact.11")["items"]
    assert (attached["id"], attached["name"]) == (named, "情况说明.docx")
    assert fetch(desk, f"/attachments/{named}", "contact.11").data == content
    assert desk.refused("GET", f"/attachments/{named}", "contact.12").status == 404
    assert matter.is_proven()


HEADINGS = ("督查类型", "标题", "来源", "来源日期", "批示领导或会议", "内容")


def row(title: str, content: str = "请核查。") -> tuple[str, ...]:
    return ("领导批示", title, "群众来信", "2026-03-01", "市长", content)


def workbook(*rows: tuple[str, ...]) -> bytes:
    """Make an Excel file in which a cell that looks like a formula is one."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (HEADINGS, *rows):
        sheet.append(cells)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def table(*rows: tuple[str, ...]) -> bytes:
    target = io.StringIO()
    csv.writer(target).writerows((HEADINGS, *rows))
    return target.getvalue().encode()


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_case_35_a_formula_in_an_imported_cell_is_stored_and_exported_as_text(
    desk: Desk, form: str
) -> None:
    make = {"xlsx": workbook, "csv": table}[form]
    content = make(*(row(title) for title in RISKY))
    sent = {"file": (content, f"台账.{form}")}

    imported = send_files(desk, "/cases/import", "registrar", sent)

    assert imported.status_code == 200, imported.text
    cases = [Matter(desk, one["case"]) for one in (imported.json or {})["registered"]]
    assert [case.shown()["title"] for case in cases] == list(RISKY)
    excel = fetch(desk, "/cases/export?format=xlsx", "registrar").data
    sheet = openpyxl.load_workbook(io.BytesIO(excel)).worksheets[0]
    place = [cell.value for cell in sheet[1]].index("标题")
    titles = [line[place] for line in sheet.iter_rows(min_row=2)]
    assert {cell.value for cell in titles} == set(RISKY)
    assert len(titles) == len(RISKY)
    # Text, not a formula: no program that opens the file computes anything.
    assert {cell.data_type for cell in titles} == {"s"}
    text = fetch(desk, "/cases/export?format=csv", "registrar").data.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert sorted(line["标题"] for line in lines) == sorted(f"'{title}" for title in RISKY)
    # Our own mark comes off when the file is imported again: the same matters, none twice.
    again = send_files(desk, "/cases/import", "registrar", {"file": (content, f"台账.{form}")})
    assert len((again.json or {})["already"]) == len(RISKY)
    assert all(case.is_proven() for case in cases)


def test_case_36_rare_characters_survive_everywhere(desk: Desk) -> None:
    named = f"{RARE}同志来信反映的问题"
    new = {"id": "rare", "name": f"{RARE}局长", "unit": "u11", "roles": [{"role": "unit_contact"}]}
    desk.write("POST", "/users", "admin", new)
    attached = upload(desk, docx(), f"{RARE}的来信.docx")

    matter = desk.register(
        title=named,
        issuer=f"{RARE}市长",
        content=f"{RARE}反映耕地被占。",
        attachments=[(attached.json or {})["id"]],
    )
    matter.approve().dispatch(responsible_person=f"{RARE}局长", report_content=f"答复{RARE}")
    matter.at("03-03 09:00").accept().draft(measures=f"已向{RARE}说明", problems=f"{RARE}")

    # The register, the search, people, forms and the history.
    assert desk.read("/users/rare")["name"] == f"{RARE}局长"
    assert matter.shown()["title"] == named
    for sign in RARE:
        found = desk.read("/cases", "leader", q=sign)["items"]
        assert [case["id"] for case in found] == [matter.id], sign
    written = {
        e["payload"]["element"]: e["payload"]["data"] for e in matter.events("task_completed")
    }
    assert written["register"]["content"] == f"{RARE}反映耕地被占。"
    assert written["handle"]["measures"] == f"已向{RARE}说明"
    # The paper, both ways, and the name under which it is saved.
    (notice,) = [one for one in matter.documents() if one["cause"] == "dispatched"]
    path = f"/cases/{matter.id}/documents/{notice['id']}/file"
    paper = Document(io.BytesIO(fetch(desk, f"{path}?format=docx", "contact.11").data))
    assert RARE in "".join(part.text for part in paper.paragraphs)
    pdf = fetch(desk, f"{path}?format=pdf", "contact.11")
    pages = pypdf.PdfReader(io.BytesIO(pdf.data)).pages
    assert RARE in "".join(page.extract_text() for page in pages).replace("\n", "")
    for answer, name in (
        (pdf, named),
        (fetch(desk, f"/attachments/{(attached.json or {})['id']}", "contact.11"), RARE),
    ):
        disposition = answer.headers["Content-Disposition"]
        assert quote(name, safe="") in disposition.partition("filename*=UTF-8''")[2]
        assert disposition.isascii()
    # The ledger, out and in again.
    excel = fetch(desk, "/cases/export", "registrar").data
    cells = [cell.value for line in openpyxl.load_workbook(io.BytesIO(excel)).worksheets[0]
             for cell in line]  # fmt: skip
    assert named in cells and f"{RARE}市长" in cells
    for form, make in (("xlsx", workbook), ("csv", table)):
        sent = {"file": (make(row(f"{RARE}{form}", f"{RARE}来信")), f"{RARE}.{form}")}
        (one,) = (send_files(desk, "/cases/import", "registrar", sent).json or {})["registered"]
        assert Matter(desk, one["case"]).shown()["title"] == f"{RARE}{form}"
    assert matter.is_proven()


def test_case_37_a_case_of_another_unit_is_not_found_and_the_attempt_is_on_the_log(
    desk: Desk,
) -> None:
    matter = desk.register().approve().dispatch()
    task, case = matter.task("sign_for")["id"], f"/cases/{matter.id}"
    before = matter.shown()["head"]
    data = {"data": {"decision": "accept"}}
    attempts: tuple[tuple[str, str, object], ...] = (
        ("GET", case, None),
        ("GET", f"{case}/events", None),
        ("GET", f"{case}/state", None),
        ("GET", f"{case}/documents", None),
        ("GET", f"{case}/attachments", None),
        ("GET", f"{case}/diagram.svg", None),
        ("GET", f"{case}/evidence", None),
        ("GET", f"{case}/commands", None),
        ("GET", f"/tasks/{task}", None),
        ("POST", f"/tasks/{task}/complete", data),
        ("POST", f"{case}/commands", {"name": "progress", "data": {"percent": 1, "text": "一"}}),
    )

    for method, path, body in attempts:
        refusal = desk.refused(method, path, "contact.12", body)
        assert (refusal.status, refusal.slug) in (
            (404, "case-not-found"),
            (404, "task-not-found"),
        ), path
        # As for a case that doesn't exist at all: nothing is given away.
        nothing = desk.refused(method, path.replace(matter.id, "nothing"), "contact.12", body)
        assert (nothing.status, nothing.slug) == (refusal.status, refusal.slug), path

    assert matter.shown()["head"] == before
    assert desk.read("/cases", "contact.12")["items"] == []
    assert desk.read("/tasks", "contact.12")["items"] == []
    denied = desk.read("/access-log", "auditor", kind="denied")["items"]
    assert sorted(one["request"] for one in denied) == sorted(
        f"{method} /api/v1{path}" for method, path, _ in attempts
    )
    assert {(one["user"], one["case"], one["outcome"]) for one in denied} == {
        ("contact.12", matter.id, "not_visible")
    }
    assert desk.read("/access-log/verification", "auditor")["ok"] is True
    # Whose case it is sees it, and is on the log as well.
    assert matter.shown("contact.11")["id"] == matter.id
    assert desk.read("/access-log", "auditor", person="contact.11")["items"][0]["kind"] == "case"
    assert matter.is_proven()
