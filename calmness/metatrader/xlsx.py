"""Rows of MetaTrader 5's XLSX report. A workbook is a ZIP: its sizes are looked at before anything is unpacked."""

import io
import zipfile
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError

from calmness.metatrader.numbers import exact
from calmness.metatrader.page import Cell, Row
from calmness.metatrader.statement import MAX_ROWS, Unreadable

MAX_UNPACKED = 120 * 1024 * 1024
MAX_MEMBERS = 200
MAX_RATIO = 150
"""A sheet of 200 000 trades shrinks 12 to 25 times; what shrinks more was made to."""
COLUMNS = 16


def rows_of(content: bytes) -> list[Row]:
    """Rows of the first sheet. Raises ``Unreadable``."""
    # Here, not above: it takes long to load, and hardly any process ever reads a workbook.
    from openpyxl import load_workbook

    try:
        _check_sizes(content)
        # openpyxl reads its XML through defusedxml, which is installed: no entity is expanded.
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, ParseError) as error:
        raise Unreadable("broken_xlsx") from error
    try:
        return _rows(book)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, ParseError, TypeError) as error:
        raise Unreadable("broken_xlsx") from error
    finally:
        book.close()


def _rows(book: Any) -> list[Row]:
    sheet = book.worksheets[0]
    # What the file says of its size is often wrong after another program saved it.
    sheet.reset_dimensions()
    found: list[Row] = []
    for values in sheet.iter_rows(max_col=COLUMNS, values_only=True):
        if len(found) >= MAX_ROWS:
            raise Unreadable("too_many_rows")
        found.append([Cell(_text(value)) for value in values])
    return found


def _check_sizes(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED:
        raise Unreadable("bomb")
    if any(member.file_size > MAX_RATIO * max(member.compress_size, 4096) for member in members):
        raise Unreadable("bomb")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y.%m.%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y.%m.%d} 00:00:00"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return exact(value)
    if isinstance(value, float):
        return exact(value)
    return " ".join(str(value).split())
