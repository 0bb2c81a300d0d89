"""A workbook that is sent while it is made."""

import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from calmness import spreadsheets
from calmness.spreadsheets import Cell, xlsx_stream


def test_what_does_not_fit_a_sheet_stands_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "SHEET_ROWS", 4)

    book = load_workbook(io.BytesIO(b"".join(xlsx_stream(["n"], ([n] for n in range(7)), "Trades"))))

    assert book.sheetnames == ["Trades", "Trades 2", "Trades 3"]
    cells = [[row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]
    assert cells == [["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6]]


def test_every_kind_of_cell_comes_back_as_what_it_is() -> None:
    moment = datetime(2026, 3, 4, 5, 6)  # noqa: DTZ001 - Excel knows no zones
    row: list[Cell] = ["=1+1", "a & <b>\x00", 3, Decimal("-0.00000001"), date(2026, 3, 4), moment, None, True, ""]

    content = b"".join(xlsx_stream(["h"] * len(row), [row], 'A [bad] "title"'))

    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    values = [cell.value for cell in sheet[2]]
    assert values[:3] == ["=1+1", "a & <b>", 3]
    assert sheet[2][0].data_type != "f"
    assert values[3] == pytest.approx(-1e-8)
    assert [values[4], values[5]] == [moment.replace(hour=0, minute=0), moment]
    assert values[6:8] == [None, True]


def test_an_empty_one_has_its_heads() -> None:
    sheet = load_workbook(io.BytesIO(b"".join(xlsx_stream(["a", "b"], [], "Rien")))).worksheets[0]

    assert [tuple(row) for row in sheet.iter_rows(values_only=True)] == [("a", "b")]


def test_pieces_come_before_the_last_row_is_made() -> None:
    made = 0

    def rows() -> Iterator[list[Cell]]:
        nonlocal made
        for number in range(60_000):
            made += 1
            yield [f"row {number} {number * 7919 % 104_729}"] * 4

    pieces = xlsx_stream(["a"] * 4, rows(), "Long")
    assert next(pieces)
    assert made < 60_000
