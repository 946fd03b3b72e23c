"""Documents and attachments as clients of the API get them."""

import io
from typing import Any
from urllib.parse import quote

import pytest
from docx import Document
from sqlalchemy import insert
from werkzeug.test import TestResponse

from api.app import create_app
from api.attachments import disposition
from engine import Actor
from services.cases.tables import case_people
from services.documents.commands import WithdrawDocument
from services.documents.render import text_of
from services.people.signing_in import create_token
from tests.unit.documents.conftest import CASE, Desk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)
PAPERS = f"/cases/{CASE}/documents"


class Client:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._flask = create_app(desk.office).test_client()

    def get(self, user: str, path: str) -> TestResponse:
        return self._flask.get(f"/api/v1{path}", headers=self._token(user))

    def post(self, user: str, path: str, **sent: Any) -> TestResponse:  # noqa: ANN401 -- werkzeug's
        return self._flask.post(f"/api/v1{path}", headers=self._token(user), **sent)

    def _token(self, user: str) -> dict[str, str]:
        with self._desk.office.store.transaction() as transaction:
            token = create_token(transaction.connection, user, "test", at=self._desk.clock.now())
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def client(desk: Desk) -> Client:
    return Client(desk)


def test_whoever_sees_the_case_gets_its_documents(desk: Desk, client: Client) -> None:
    desk.dispatch()
    desk.sweep()

    listed = client.get("head.2", PAPERS)
    pdf = client.get("head.2", f"{PAPERS}/d1/file")
    docx = client.get("auditor", f"{PAPERS}/d1/file?format=docx")

    assert [d["number"] for d in listed.get_json()["items"]] == ["盘政督办〔2026〕1号"]
    assert pdf.status_code == 200
    assert (pdf.mimetype, pdf.data[:5]) == ("application/pdf", b"%PDF-")
    name = "盘政督办〔2026〕1号 督办通知单 赵家村𠮷䶮耕地被占补偿问题.pdf"
    assert f"filename*=UTF-8''{quote(name, safe='')}" in pdf.headers["Content-Disposition"]
    assert pdf.headers["Content-Disposition"].startswith("attachment;")
    assert Document(io.BytesIO(docx.data)).paragraphs[2].text == "盘政督办〔2026〕1号"


def test_case_37_others_learn_nothing_of_it(desk: Desk, client: Client) -> None:
    desk.dispatch()
    desk.sweep()

    for path in (PAPERS, f"{PAPERS}/d1/file", f"{PAPERS}/d1/preview", f"/cases/{CASE}/attachments"):
        for stranger in ("head.1", "deputy.1", "admin"):
            assert client.get(stranger, path).status_code == 404


def test_a_page_can_be_looked_at_as_a_picture(desk: Desk, client: Client) -> None:
    desk.dispatch()
    desk.sweep()

    page = client.get("supervisor", f"{PAPERS}/d1/preview?page=2")

    assert page.data.startswith(b"\x89PNG")
    assert page.headers["Content-Disposition"].startswith("inline;")
    assert client.get("supervisor", f"{PAPERS}/d1/preview?page=99").status_code == 404


def test_a_document_not_made_yet_says_so(desk: Desk, client: Client) -> None:
    desk.dispatch()

    answer = client.get("supervisor", f"{PAPERS}/d1/file")

    assert answer.status_code == 409
    assert client.get("supervisor", f"{PAPERS}/d9/file").status_code == 404


def test_a_withdrawn_document_is_given_marked_unless_the_original_is_asked_for(
    desk: Desk, client: Client
) -> None:
    desk.dispatch()
    desk.sweep()
    original = client.get("supervisor", f"{PAPERS}/d1/file").data

    answer = client.post("office_director", f"{PAPERS}/d1/withdraw", json={"reason": "复核撤销"})
    waiting = client.get("supervisor", f"{PAPERS}/d1/file")
    desk.sweep()

    assert answer.status_code == 200
    assert waiting.status_code == 409
    marked = client.get("supervisor", f"{PAPERS}/d1/file")
    assert marked.data not in (b"", original)
    assert quote("（已撤销）") in marked.headers["Content-Disposition"]
    assert client.get("supervisor", f"{PAPERS}/d1/file?original=1").data == original
    assert client.get("supervisor", f"{PAPERS}/d1/preview").data.startswith(b"\x89PNG")
    refused = client.post("registrar", f"{PAPERS}/d1/withdraw", json={"reason": "x"})
    assert refused.status_code == 403


def test_a_file_taken_in_is_seen_through_the_case_whose_form_names_it(
    desk: Desk, client: Client
) -> None:
    raw = client.post(
        "registrar",
        f"/attachments?name={quote('现场照片𠮷.png')}",
        data=PNG,
        content_type="application/octet-stream",
    )
    sha256 = raw.get_json()["id"]
    assert client.get("head.2", f"/attachments/{sha256}").status_code == 404

    desk.dispatch(attachments=[sha256])
    desk.sweep()

    assert raw.status_code == 201
    found = client.get("head.2", f"/attachments/{sha256}")
    assert (found.data, found.mimetype) == (PNG, "image/png")
    assert quote("现场照片𠮷.png") in found.headers["Content-Disposition"]
    assert "sandbox" in found.headers["Content-Security-Policy"]
    listed = client.get("head.2", f"/cases/{CASE}/attachments").get_json()["items"]
    assert [item["name"] for item in listed] == ["现场照片𠮷.png"]
    assert client.get("head.1", f"/attachments/{sha256}").status_code == 404
    text = text_of(desk.read(desk.papers()[0].docx_sha256))
    assert "附件：现场照片𠮷.png" in text


def test_a_form_sends_a_file_like_any_other_form(client: Client) -> None:
    sent = client.post("registrar", "/attachments", data={"file": (io.BytesIO(PNG), "来信.png")})

    assert (sent.status_code, sent.get_json()["name"]) == (201, "来信.png")


def test_case_34_what_is_refused_says_why(client: Client) -> None:
    def slug(content: bytes, name: str = "a.png") -> tuple[int, str]:
        sent = client.post("registrar", "/attachments", data={"file": (io.BytesIO(content), name)})
        return sent.status_code, sent.get_json()["type"].rpartition("/")[2].rpartition(":")[2]

    assert slug(b"MZ" + bytes(50)) == (422, "attachment-executable")
    assert slug(b"") == (422, "attachment-empty")
    assert slug(b"Rar!" + bytes(50)) == (422, "attachment-type-refused")
    missing = client.post("registrar", "/attachments", data={"other": "x"})
    assert missing.status_code == 422
    unnamed = client.post(
        "registrar", "/attachments", data=PNG, content_type="application/octet-stream"
    )
    assert unnamed.status_code == 422


def test_case_34_200_mb_are_refused_by_their_announcement(client: Client) -> None:
    sent = client.post(
        "registrar",
        "/attachments?name=a.zip",
        input_stream=io.BytesIO(b"PK"),
        environ_overrides={"CONTENT_LENGTH": str(200 << 20)},
        content_type="application/octet-stream",
    )

    assert sent.status_code == 413


def test_case_36_names_of_downloads_are_whole_for_new_clients_and_plain_for_old() -> None:
    header = disposition('报告"𠮷\r\n.pdf')

    assert header.startswith('attachment; filename="')
    assert header.isascii()
    assert "\r" not in header
    assert header.endswith(quote('报告"𠮷\r\n.pdf', safe=""))
    assert disposition("a.pdf", inline=True).startswith("inline;")


def test_a_deputy_sees_answers_only(desk: Desk, client: Client) -> None:
    desk.dispatch()
    desk.sweep()
    with desk.office.store.transaction() as transaction:
        transaction.connection.execute(
            insert(case_people).values(case_id=CASE, user="deputy.1", part="proposer")
        )

    assert client.get("deputy.1", PAPERS).get_json() == {"items": []}
    assert client.get("deputy.1", f"{PAPERS}/d1/file").status_code == 404


def test_withdrawing_twice_is_refused_with_the_number(desk: Desk, client: Client) -> None:
    desk.dispatch()
    desk.sweep()
    ask = WithdrawDocument(
        case=CASE, by=Actor("leader"), at=desk.clock.now(), document="d1", reason="x"
    )
    desk.office.engine.execute(ask)

    again = client.post("office_director", f"{PAPERS}/d1/withdraw", json={"reason": "y"})

    assert again.status_code == 409
