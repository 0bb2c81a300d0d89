"""Exports that a spreadsheet opens without running anything: CSV and XLSX, whole or as a stream.

A text that starts like a formula (also in full-width form, after a quote or a semicolon) gets an apostrophe; numbers
stay numbers. XLSX cells of text are written as text, never as formulas. Instants are written as they come: put them
into the reader's zone first.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

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
    """A whole workbook, as ``xlsx_stream`` writes it."""
    return b"".join(xlsx_stream(heads, rows, title))


def xlsx_stream(heads: Sequence[str], rows: Iterable[Sequence[Cell]], title: str) -> Iterator[bytes]:
    """A workbook piece by piece, as its rows come: a million rows take no more memory than a thousand.

    A sheet holds what Excel takes; what is more stands on the next one.
    """
    sink = _Sink()
    name = _NO_TITLE.sub(" ", _ILLEGAL.sub("", title)[:28]).strip() or "Export"
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        coming, sheets = iter(rows), 0
        following: Sequence[Cell] | None = next(coming, None)
        while following is not None or sheets == 0:
            sheets += 1
            with archive.open(f"xl/worksheets/sheet{sheets}.xml", "w", force_zip64=True) as part:
                part.write(_SHEET_HEAD + _xml_row(heads))
                for _number in range(SHEET_ROWS - 1):
                    if following is None:
                        break
                    part.write(_xml_row(following))
                    following = next(coming, None)
                    if sink.size > PIECE:
                        yield sink.taken()
                part.write(b"</sheetData></worksheet>")
        for path, text in _frame(name, sheets).items():
            archive.writestr(path, text)
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Where the archive is written to: no place to go back to, only what nobody has fetched yet."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What came since the last time."""
        whole, self._pieces, self.size = b"".join(self._pieces), [], 0
        return whole


SHEET_ROWS = 1_048_576
PIECE = 65_536
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_SHEET_HEAD = f'{_XML}<worksheet xmlns="{_SPREADSHEET}"><sheetData>'.encode()
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no zones


def _frame(name: str, sheets: int) -> dict[str, str]:
    """The parts of a workbook around its sheets."""
    numbers = range(1, sheets + 1)
    titles = [name, *(f"{name} {number}" for number in numbers[1:])]
    listed = "".join(
        f'<sheet name="{escape(title, _QUOTES)}" sheetId="{number}" r:id="s{number}"/>'
        for number, title in zip(numbers, titles, strict=True)
    )
    related = "".join(
        f'<Relationship Id="s{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
        for number in numbers
    )
    return {
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}">{related}'
        f'<Relationship Id="styles" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'{_XML}<styleSheet xmlns="{_SPREADSHEET}"><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="3"><xf/><xf numFmtId="22" applyNumberFormat="1"/><xf numFmtId="14" applyNumberFormat="1"/>'
        '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
        "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}">'
        f'<Relationship Id="book" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT}.styles+xml"/>{kinds}</Types>',
    }


_QUOTES = {'"': "&quot;"}


def _xml_row(cells: Sequence[Cell]) -> bytes:
    return f"<row>{''.join(_xml_cell(cell) for cell in cells)}</row>".encode()


def _xml_cell(cell: Cell) -> str:
    if cell is None:
        return "<c/>"
    if isinstance(cell, str):
        text = escape(_ILLEGAL.sub("", cell))
        return f'<c t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>' if text else "<c/>"
    if isinstance(cell, datetime):
        since = cell.replace(tzinfo=None) - _DAY_ZERO
        return f'<c s="1"><v>{since.days + since.seconds / 86_400:.10f}</v></c>'
    if isinstance(cell, date):
        return f'<c s="2"><v>{(cell - _DAY_ZERO.date()).days}</v></c>'
    if isinstance(cell, bool):
        return f'<c t="b"><v>{cell:d}</v></c>'
    return f"<c><v>{Decimal(str(cell)):f}</v></c>"


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
