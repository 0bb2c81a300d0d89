"""Exports that a spreadsheet opens without running anything."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from calmness.spreadsheets import BYTE_ORDER_MARK, Cell, csv_lines, safe_text, xlsx

pytestmark = pytest.mark.once
HEADS = ("Nom", "Montant")
TRIGGERS = "=+-@\t\r＝＋－＠"


def read_csv(rows: list[list[Cell]]) -> list[list[str]]:
    """What French Excel would show."""
    text = "".join(csv_lines(HEADS, rows))
    assert text.startswith(BYTE_ORDER_MARK)
    return list(csv.reader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK), newline=""), delimiter=";"))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("https://evil.test","Facture")',
        "+33 6 12 34 56 78",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1+1",
        "\u00a0=1",
        "\u200b=1",
        "＝1+1",
        '"=1',
        ";=1",
    ],
)
def test_a_text_that_could_be_a_formula_is_a_text(text: str) -> None:
    assert safe_text(text) == "'" + text
    assert read_csv([[text, 1]])[1][0] == "'" + text


def test_what_no_file_may_hold_is_dropped() -> None:
    assert safe_text("a\x00\x1f\ud800b") == "ab"
    assert safe_text("\x00=1") == "'=1"


@pytest.mark.parametrize("text", ["Camille", "O'Brien-Ñandú <b>", "a=b", "a-b", "", "1 + 1", "12,5 %"])
def test_other_texts_are_left_alone(text: str) -> None:
    assert safe_text(text) == text


def test_numbers_stay_numbers_and_dates_french() -> None:
    rows = read_csv(
        [
            [Decimal("-12.50"), -3],
            [1.5, None],
            [Decimal("1E+3"), True],
            [date(2026, 11, 24), datetime(2026, 11, 24, 18, 5, tzinfo=UTC)],
        ]
    )[1:]

    assert rows == [["-12,50", "-3"], ["1,5", ""], ["1000", "oui"], ["24/11/2026", "24/11/2026 18:05:00"]]


def test_texts_with_separators_and_lines_keep_to_their_cell() -> None:
    assert read_csv([['a;b "c"\nd', "x"]])[1] == ['a;b "c"\nd', "x"]


def test_a_workbook_holds_texts_as_texts_and_numbers_as_numbers() -> None:
    book = xlsx(
        HEADS, [["=1+1", Decimal("-12.50")], ["O'Brien", 3], [datetime(2026, 11, 24, 18, tzinfo=UTC), None]], "Trades"
    )

    sheet = load_workbook(io.BytesIO(book)).active
    assert sheet is not None
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == list(HEADS)
    assert rows[1] == ["=1+1", -12.5]
    assert rows[2] == ["O'Brien", 3]
    assert rows[3][0] == datetime(2026, 11, 24, 18)  # noqa: DTZ001
    assert sheet["A2"].data_type == "s"
    with ZipFile(io.BytesIO(book)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("title", ["Trades [2026]: 1/2 * ?\\", "'Trades'", "x" * 60, ""])
def test_any_title_makes_a_sheet(title: str) -> None:
    names = load_workbook(io.BytesIO(xlsx(HEADS, [], title))).sheetnames

    assert len(names) == 1
    assert 1 <= len(names[0]) <= 31


@given(st.text(max_size=30))
def test_no_text_starts_a_formula_and_none_breaks_the_file(text: str) -> None:
    shown = read_csv([[text, 1]])[1]

    assert len(shown) == 2
    assert not shown[0].lstrip().startswith(tuple(TRIGGERS))
    assert load_workbook(io.BytesIO(xlsx(HEADS, [[text, 1]], "x"))).sheetnames == ["x"]
