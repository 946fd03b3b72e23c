"""Tables as files: Excel and CSV, read and written without ever meaning a formula."""

import codecs
import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from xml.etree.ElementTree import ParseError

from services.ledger.errors import SheetUnreadable

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
MAX_ROWS = 20_000
MAX_COLUMNS = 60
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet program take a CSV cell for a formula."""

_PROLOGUE = 2000
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    EOFError,
)
"""What a broken workbook makes the libraries raise."""

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

Row = tuple[str, ...]


def read_rows(content: bytes) -> Iterator[Row]:
    """Read a workbook's first sheet, or a CSV in UTF-8, UTF-16 or GB 18030, as rows of text.

    A formula is read as the text it is written as; nothing is computed.

    Raises
    ------
    SheetUnreadable : it is neither, or larger than an office's ledger could be.
    """
    if content.startswith(OLD_EXCEL):
        raise SheetUnreadable(reason="old_excel")
    rows = _excel_rows(content) if content.startswith(ZIP) else _csv_rows(content)
    for number, row in enumerate(rows):
        if number > MAX_ROWS or len(row) > MAX_COLUMNS:
            raise SheetUnreadable(reason="too_large")
        yield row


def write_excel(headings: Sequence[str], widths: Sequence[int], rows: Sequence[Row]) -> bytes:
    """Make a workbook with one sheet; every cell is text."""
    import xlsxwriter  # noqa: PLC0415 -- only exports need it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False})
    # The same rows make the same file.
    book.set_properties({"created": EPOCH})
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
    text = _decoded(content)
    head = text.partition("\n")[0]
    delimiter = max(",", "\t", ";", key=head.count)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield tuple(_plain(cell) for cell in row)
    except csv.Error as wrong:
        raise SheetUnreadable(reason="csv") from wrong


def _decoded(content: bytes) -> str:
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetUnreadable(reason="encoding")


def _plain(cell: str) -> str:
    # The mark that our own export puts before what looks like a formula.
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RISKY) else cell


def _excel_rows(content: bytes) -> Iterator[Row]:
    import openpyxl  # noqa: PLC0415 -- only imports need it

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_parts(archive)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        sheet = book.worksheets[0]
        # Some programs write a wrong size into the sheet; then it is found by reading.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS + 1):
            yield _without_end(tuple(_text(value) for value in row))
    except SheetUnreadable:
        raise
    except _BROKEN as wrong:
        raise SheetUnreadable(reason="not_a_workbook") from wrong


def _check_parts(archive: zipfile.ZipFile) -> None:
    if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
        raise SheetUnreadable(reason="too_large")
    for entry in archive.infolist():
        if entry.filename.endswith((".xml", ".rels")):
            with archive.open(entry) as part:
                # No workbook needs a document type, and entities can grow without end.
                if b"<!DOCTYPE" in part.read(_PROLOGUE):
                    raise SheetUnreadable(reason="not_a_workbook")


def _without_end(row: Row) -> Row:
    last = max((place for place, cell in enumerate(row) if cell), default=-1)
    return row[: last + 1]


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    # An array formula is an object that knows its text.
    text = getattr(value, "text", None)
    return text if isinstance(text, str) else str(value)
