"""Documents and attachments as clients of the API get them."""

import io
from urllib.parse import quote

import pytest
from docx import Document
from flask.testing import FlaskClient

from api.app import create_app
from api.attachments import disposition
from engine import Actor
from services.documents.commands import WithdrawDocument
from services.people.admin import create_token
from tests.unit.documents.conftest import CASE, DISPATCH, Desk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(500)


class Client:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.flask: FlaskClient = create_app(desk.office).test_client()
        self.headers: dict[str, str] = {}

    def of(self, user: str) -> "Client":
        with self.desk.office.store.transaction() as transaction:
            token = create_token(
                transaction.connection, user, "test", at=self.desk.clock.now(), expires_at=None
            )
        self.headers = {"Authorization": f"Bearer {token}"}
        return self

    def get(self, path: str) -> "Answer":
        found = self.flask.get(f"/api/v1{path}", headers=self.headers)
        return Answer(found.status_code, dict(found.headers), found.data, found.get_json(silent=True))

    def post(self, path: str, **sent: object) -> "Answer":
        found = self.flask.post(f"/api/v1{path}", headers=self.headers, **sent)  # type: ignore[arg-type]  # werkzeug's own
        return Answer(found.status_code, dict(found.headers), found.data, found.get_json(silent=True))
