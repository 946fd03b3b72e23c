"""The documents of a case: list, files, pages to look at, withdrawal."""

from collections.abc import Iterator
from typing import Any

from flask import Response
from marshmallow import fields

from api.answers import receipt_of
from api.attachments import file_answer
from api.cases import visible_case
from api.context import actor, idempotency_key, if_match, now, office, person, reading
from api.fields import Answer, Choice, Instant, Query, Request, Switch, Text, Whole
from api.openapi import KEY_PARAMETER, MATCH_PARAMETER, Noun
from api.schemas import ReceiptOut, of
from engine import CaseId
from services.cases.queries import facts
from services.documents import queries
from services.documents.access import kinds_seen
from services.documents.commands import WithdrawDocument
from services.documents.errors import DocumentNotFound, DocumentNotReady
from services.documents.queries import DocumentSummary

documents = Noun("documents", __name__, "The numbered papers of cases, as docx and PDF.")

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
MOST_PAGES = 1000
LONGEST_REASON = 2000


class DocumentOut(Answer):
    """A document; without `issued_at` its files aren't made yet."""

    id = fields.String(required=True)
    kind = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    number = fields.String(required=True, allow_none=True)
    cause = fields.String(required=True, metadata=of("what it was made for"))
    unit = fields.String(required=True, allow_none=True)
    wanted_at = Instant(required=True)
    issued_at = Instant(required=True, allow_none=True)
    docx_sha256 = fields.String(required=True, allow_none=True)
    pdf_sha256 = fields.String(required=True, allow_none=True)
    withdrawn_at = Instant(required=True, allow_none=True)
    withdrawn_reason = fields.String(required=True)
    has_marked_copies = fields.Function(
        lambda found: found.marked_pdf_sha256 is not None, metadata={"type": "boolean"}
    )


class DocumentList(Answer):
    """The documents of a case."""

    items = fields.List(fields.Nested(DocumentOut), required=True)


class FileQuery(Query):
    """Which file; a withdrawn document is given marked, its original by `original=1`."""

    format = Choice(("pdf", "docx"), load_default="pdf")
    original = Switch(load_default=False)
    inline = Switch(load_default=False)


class PreviewQuery(Query):
    """Which page."""

    page = Whole(least=1, most=MOST_PAGES, load_default=1)


class WithdrawIn(Request):
    """Why a document no longer holds."""

    reason = Text(shortest=1, longest=LONGEST_REASON, required=True)


@documents.route("/cases/<ident:case>/documents", methods=["GET"])
@documents.response(200, DocumentList)
def show_documents(case: str) -> dict[str, Any]:
    """List the documents of a case; deputies see answers only."""
    visible_case(case)
    with reading() as transaction:
        kinds = kinds_seen(person(), facts(transaction.connection, case))
        return {"items": queries.documents_of(transaction.connection, case, kinds)}


@documents.route("/cases/<ident:case>/documents/<ident:document>/file", methods=["GET"])
@documents.arguments(FileQuery, location="query")
@documents.response(
    200, {"type": "string", "format": "binary"}, content_type="application/octet-stream"
)
def show_file(query: dict[str, Any], case: str, document: str) -> Response:
    """Give a document as PDF or docx."""
    found, title = _seen(case, document)
    marked = found.withdrawn_at is not None and not query["original"]
    is_pdf = query["format"] == "pdf"
    name = f"{found.number} {found.name} {title}{'（已撤销）' if marked else ''}"
    name = name.replace("/", "／")
    return file_answer(
        _content(found, is_pdf=is_pdf, marked=marked),
        f"{name}.{query['format']}",
        PDF if is_pdf else DOCX,
        inline=is_pdf and query["inline"],
    )


@documents.route("/cases/<ident:case>/documents/<ident:document>/preview", methods=["GET"])
@documents.arguments(PreviewQuery, location="query")
@documents.response(200, {"type": "string", "format": "binary"}, content_type="image/png")
def preview(query: dict[str, int], case: str, document: str) -> Response:
    """Give one page of a document as a picture."""
    found, _ = _seen(case, document)
    page = office().documents.preview(
        found, query["page"], is_marked=found.withdrawn_at is not None
    )
    if page is None:
        raise DocumentNotFound(document=document)
    return file_answer(iter([page]), "page.png", "image/png", inline=True)


@documents.route("/cases/<ident:case>/documents/<ident:document>/withdraw", methods=["POST"])
@documents.doc(parameters=[KEY_PARAMETER, MATCH_PARAMETER])
@documents.arguments(WithdrawIn)
@documents.response(200, ReceiptOut)
def withdraw(body: dict[str, str], case: str, document: str) -> Any:  # noqa: ANN401 -- with headers
    """Withdraw a document; it stays on record, further copies say so."""
    ask = WithdrawDocument(
        case=CaseId(case), by=actor(), at=now(), document=document, reason=body["reason"]
    )
    return receipt_of(office().engine.execute(ask, key=idempotency_key(), expect=if_match()))


def _seen(case: str, document: str) -> tuple[DocumentSummary, str]:
    title = visible_case(case).title
    with reading() as transaction:
        kinds = kinds_seen(person(), facts(transaction.connection, case))
        found = queries.document(transaction.connection, case, document)
    if found is None or (kinds is not None and found.kind not in kinds):
        raise DocumentNotFound(document=document)
    if found.issued_at is None:
        raise DocumentNotReady(document=document)
    return found, title


def _content(found: DocumentSummary, *, is_pdf: bool, marked: bool) -> Iterator[bytes]:
    if marked:
        sha256 = found.marked_pdf_sha256 if is_pdf else found.marked_docx_sha256
    else:
        sha256 = found.pdf_sha256 if is_pdf else found.docx_sha256
    if sha256 is None:
        raise DocumentNotReady(document=found.id)
    return office().documents.files.read(sha256)
