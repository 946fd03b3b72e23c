"""Files sent to and fetched from the office of a desk, as browsers do."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import IO

from werkzeug.test import TestResponse

from tests.office_cases.desk import Desk, token_of


def send_files(
    desk: Desk, path: str, by: str, files: Mapping[str, tuple[bytes | IO[bytes], str]]
) -> TestResponse:
    """Send files as a form does.

    Parameters
    ----------
    files : content and file name by the name of the form's field.
    """
    sent = {
        field: (io.BytesIO(content) if isinstance(content, bytes) else content, name)
        for field, (content, name) in files.items()
    }
    client = desk.app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {token_of(by)}"}
    return client.post(f"/api/v1{path}", data=sent, headers=headers)


def fetch(desk: Desk, path: str, by: str = "auditor") -> TestResponse:
    """Fetch a file that this user may have."""
    answer = desk.call("GET", path, by)
    assert answer.status_code == 200, f"{by} GET {path}: {answer.text}"
    return answer
