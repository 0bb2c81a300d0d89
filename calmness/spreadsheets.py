"""Exports that a spreadsheet opens without running anything: CSV and XLSX.

A text that starts like a formula (also in full-width form, after a quote or a semicolon) gets an apostrophe; numbers
stay numbers. XLSX cells of text are written as text, never as formulas. Instants are written as they come: put them
into the reader's zone first.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

Cell = str | int | float | Decimal | date | datetime | None
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", ";", '"', "'")
# Blanks and invisible signs before it do not disarm a formula.
_LEADING = re.compile(r"^[\s\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff]+")
# No XML may hold them, nor any text a person typed.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NO_TITLE = re.compile(r"[\\*?:/\[\]]|^'|'$")
BYTE_ORDER_MARK = "\ufeff"


def safe_text(text: str) -> str:
    """The text, with an apostrophe before it when a spreadsheet could take it for a formula."""
    text = _ILLEGAL.sub("", text)
    dangerous = text.startswith(_DANGEROUS) or _LEADING.sub("", text).startswith(_DANGEROUS)
    return "'" + text if dangerous else text


def csv_lines(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """CSV for French Excel, a line at a time: semicolon, decimal comma, UTF-8 with its mark."""
    yield BYTE_ORDER_MARK + _line(heads)
    for row in rows:
        yield _line(row)


def xlsx(heads: Sequence[str], rows: Iterable[Sequence[Cell]], title: str) -> bytes:
    """A workbook of one sheet; its title loses what Excel does not take."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_NO_TITLE.sub(" ", _ILLEGAL.sub("", title)[:31]).strip() or "Export")
    sheet.append([_text_cell(sheet, head) for head in heads])
    for row in rows:
        sheet.append([_text_cell(sheet, cell) if isinstance(cell, str) else _plain(cell) for cell in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _line(cells: Sequence[Cell]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator="\r\n").writerow([_csv_cell(cell) for cell in cells])
    return buffer.getvalue()


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return safe_text(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%d/%m/%Y %H:%M:%S")
    if isinstance(cell, date):
        return cell.strftime("%d/%m/%Y")
    if isinstance(cell, bool):
        return "oui" if cell else "non"
    return format(Decimal(str(cell)), "f").replace(".", ",")


def _plain(cell: Cell) -> Cell:
    # Excel knows no zones.
    return cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell


def _text_cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, value=_ILLEGAL.sub("", text))
    cell.data_type = "s"
    return cell
