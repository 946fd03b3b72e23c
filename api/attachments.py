"""Attachments: taken in by content, read back through a case."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Response, request
from marshmallow import fields

from api.cases import visible_case
from api.context import now, office, person, reading
from api.fields import Answer, Instant, Query, Text
from api.openapi import KEY_PARAMETER, Noun
from api.schemas import of
from engine import FieldError, Invalid
from services.attachments import queries
from services.attachments.queries import Attachment
from services.cases.queries import facts
from services.documents.access import kinds_seen

attachments = Noun("attachments", __name__, "Files that people attach to forms.")

CHUNK_BYTES = 1 << 16
LONGEST_NAME = 200

UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    },
}


class UploadQuery(Query):
    """What the file is called, when the body is nothing but the file."""

    name = Text(longest=LONGEST_NAME, load_default=None)


class AttachmentOut(Answer):
    """An attachment; forms refer to it by its id."""

    id = fields.String(attribute="sha256", required=True, metadata=of("SHA-256 of the content"))
    name = fields.String(required=True)
    media_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    uploaded_by = fields.String(required=True)
    uploaded_at = Instant(required=True)


class AttachmentList(Answer):
    """The attachments of a case."""

    items = fields.List(fields.Nested(AttachmentOut), required=True)


@attachments.route("/attachments", methods=["POST"])
@attachments.doc(parameters=[KEY_PARAMETER], requestBody=UPLOAD)
@attachments.arguments(UploadQuery, location="query")
@attachments.response(201, AttachmentOut)
def take(query: dict[str, Any]) -> Attachment:
    """Take a file in; the same content again is the same attachment."""
    name, parts, announced = _sent(query["name"])
    return office().intake.take(parts, name, by=person().id, at=now(), announced_bytes=announced)


@attachments.route("/attachments/<ident:attachment>", methods=["GET"])
@attachments.response(
    200, {"type": "string", "format": "binary"}, content_type="application/octet-stream"
)
def show(attachment: str) -> Response:
    """Give an attachment that a visible case refers to, or that one took in oneself."""
    found, parts = office().intake.open(attachment, person())
    return file_answer(parts, found.name, found.media_type, size_bytes=found.size_bytes)


@attachments.route("/cases/<ident:case>/attachments", methods=["GET"])
@attachments.response(200, AttachmentList)
def show_of_case(case: str) -> dict[str, Any]:
    """List the attachments of a case."""
    visible_case(case)
    with reading() as transaction:
        seen = kinds_seen(person(), facts(transaction.connection, case))
        found = queries.attachments_of(transaction.connection, case) if seen is None else ()
    return {"items": found}


def _sent(name: str | None) -> tuple[str, Iterator[bytes], int | None]:
    if request.mimetype == "multipart/form-data":
        file = request.files.get("file")
        if file is None:
            raise Invalid([FieldError("file", "required")])
        return (file.filename or "file")[:LONGEST_NAME], _parts(file.stream.read), None
    if not name:
        raise Invalid([FieldError("name", "required")])
    return name, _parts(request.stream.read), request.content_length


def _parts(read: Any) -> Iterator[bytes]:  # noqa: ANN401 -- a stream's own method
    while part := read(CHUNK_BYTES):
        yield part


def file_answer(
    parts: Iterator[bytes],
    name: str,
    media_type: str,
    *,
    size_bytes: int | None = None,
    inline: bool = False,
) -> Response:
    """Answer with a file. Its name may be in any script (RFC 6266); nothing in it may run."""
    answer = Response(parts, content_type=media_type)
    if size_bytes is not None:
        answer.content_length = size_bytes
    answer.headers["Content-Disposition"] = disposition(name, inline=inline)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def disposition(name: str, *, inline: bool = False) -> str:
    """Name a download: in ASCII for old clients, in full after it (RFC 5987)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_. ") else "_" for c in name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
