"""A whole office's figures: import of 5,000 rows; register, statistics and bulletin of a year.

The last three are asked over HTTP (in process) by the office director, at 2,400 and at 100,000
cases; see `bench.crowd` for where those come from.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import structlog
from flask.testing import FlaskClient
from openpyxl import Workbook

from api.app import create_app
from bench.crowd import BPMN, BULLETIN_DAY, crowd, grow
from bench.figures import MS, Figure
from bench.scene import NOW, open_office
from engine import SetClock
from services.ledger.importing import Importer
from services.office import Office
from services.people.signing_in import create_token

ROWS = 5_000
IMPORT_TARGET_S = 30.0
PAGE_TARGET_MS = 300.0
YEAR, MANY = 2_400, 100_000
ROUNDS = 7
_HEADINGS = ("督查类型", "标题", "来源", "来源日期", "批示领导或会议", "内容", "紧急程度")
_PAGES: Mapping[str, str] = {
    "register": "/api/v1/cases?limit=50",
    "register_of_a_unit": "/api/v1/cases?limit=50&unit=u13&status=closed",
    "statistics": "/api/v1/statistics?measure=on_time_rate&by=unit&from=2026-01-01&to=2026-12-31",
    "statistics_as_of": "/api/v1/statistics?measure=closing_rate&by=type&as_of=2026-09-30",
    "bulletin": "/api/v1/bulletins/drafts/2026",
}


def importing() -> list[Figure]:
    """Time the import of a ledger: every row checked, then registered through the engine."""
    with TemporaryDirectory(prefix="duban-bench-") as folder:
        office = open_office(Path(folder), SetClock(NOW), definitions=BPMN)
        try:
            content = _ledger(ROWS)
            importer = Importer(office.engine, office.settings.zone, lambda _kind, _value: True)
            start = perf_counter()
            done = importer.run(content, "registrar", NOW)
            seconds = perf_counter() - start
            assert len(done.registered) == ROWS, done.rejected[:3]
        finally:
            office.close()
    return [Figure(name="import_5000_rows", value=seconds, unit="s", target=IMPORT_TARGET_S)]


def _ledger(rows: int) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(_HEADINGS)
    for n in range(rows):
        title = f"第{n}号来信反映的排涝问题"
        sheet.append(
            ("领导批示", title, "群众来信", "2026-02-27", "市长", f"{title}，请核查。", "普通")
        )
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def pages() -> list[Figure]:
    """Time what people look at most, on a year's register and on one of 100,000 cases."""
    with crowd() as office:
        small = _asked(office, grow(office, YEAR), PAGE_TARGET_MS)
        return [*small, *_asked(office, grow(office, MANY), None)]


def _asked(office: Office, cases: int, target: float | None) -> list[Figure]:
    with office.store.transaction() as transaction:
        token = create_token(transaction.connection, "office_director", "bench", BULLETIN_DAY)
    client = create_app(office).test_client()
    # The figures go to standard output; the log of requests would too.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    headers = {"Authorization": f"Bearer {token}"}
    return [
        Figure(
            name=f"{name}_{cases}_cases",
            value=median(_times(client, path, headers)) * MS,
            unit="ms",
            target=target,
        )
        for name, path in _PAGES.items()
    ]


def _times(client: FlaskClient, path: str, headers: Mapping[str, str]) -> Iterator[float]:
    for round_ in range(ROUNDS + 1):
        start = perf_counter()
        answer = client.get(path, headers=headers)
        seconds = perf_counter() - start
        assert answer.status_code == 200, answer.get_data(as_text=True)
        if round_:
            yield seconds


MEASURES = {"import": importing, "pages": pages}
"""What `bench.run` measures of an office."""
