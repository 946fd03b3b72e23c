"""Tables as files: Excel and CSV, read and written without ever meaning a formula."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from services.ledger.errors import SheetUnreadable

ZIP = b"PK\x03\x04"
MAX_ROWS = 20_000
MAX_COLUMNS = 60
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet program take a CSV cell for a formula."""

Row = tuple[str, ...]


def read_rows(content: bytes) -> Iterator[Row]:
    """Read a workbook's first sheet, or a CSV in UTF-8 or GB 18030, as rows of text.

    Raises
    ------
    SheetUnreadable : it is neither, or larger than an office's ledger could be.
    """
    rows = _excel_rows(content) if content.startswith(ZIP) else _csv_rows(content)
    for number, row in enumerate(rows):
        if number > MAX_ROWS or len(row) > MAX_COLUMNS:
            raise SheetUnreadable(reason="too_large")
        yield row


def write_excel(headings: Sequence[str], widths: Sequence[int], rows: Sequence[Row]) -> bytes:
    """Make a workbook with one sheet; every cell is text."""
    import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415 -- only exports need it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("督查台账")
    bold = book.add_format({"bold": True, "border": 1, "bg_color": "#EEEEEE"})
    for column, (heading, width) in enumerate(zip(headings, widths, strict=True)):
        sheet.write_string(0, column, heading, bold)
        sheet.set_column(column, column, width)
    for number, row in enumerate(rows, start=1):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(headings) - 1)
    book.close()
    return target.getvalue()


def write_csv(headings: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Make a CSV in UTF-8 with the mark spreadsheet programs need; risky cells are quoted off."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([_harmless(text) for text in row] for row in rows)
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text


def _csv_rows(content: bytes) -> Iterator[Row]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise SheetUnreadable(reason="encoding")
    try:
        yield from (tuple(row) for row in csv.reader(io.StringIO(text), strict=True))
    except csv.Error as wrong:
        raise SheetUnreadable(reason=str(wrong)) from wrong


def _excel_rows(content: bytes) -> Iterator[Row]:
    import openpyxl  # noqa: PLC0415 -- only imports need it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise SheetUnreadable(reason="too_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        sheet = book.worksheets[0]
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError) as wrong:
        raise SheetUnreadable(reason="not_a_workbook") from wrong
    for row in sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1):
        yield tuple(_text(value) for value in row)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time().isoformat() == "00:00:00" else str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
