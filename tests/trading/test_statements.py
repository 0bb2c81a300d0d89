"""Statements of both platforms are read in every language, encoding and habit of spreadsheets, or refused."""

import io
import time
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from calmness import metatrader
from calmness.metatrader import Statement, Unreadable, cash, xlsx
from tests.trading.statements import mt4, mt5

pytestmark = pytest.mark.once

ROWS = [
    mt4.cash(1, "1 000.00"),
    mt4.closed(11, "10.50", commission="-0.60", swap="- 0.10", comment="[tp]"),
    mt4.closed(12, "-4 106.17", kind="sell", comment="from #11"),
    mt4.cancelled(13),
]
SUMS = {"closed_sum": "-4 096.37", "cash_sum": "1 000.00"}
ENCODINGS = ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]


def read(text: str, encoding: str = "utf-8") -> Statement:
    return metatrader.read(text.encode(encoding))


def one(found: Statement, ticket: str) -> dict[str, Any]:
    (entry,) = [entry for entry in found.entries if entry["ticket"] == ticket]
    return entry


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_statement_of_metatrader_4_is_read_in_every_encoding(encoding: str) -> None:
    found = read(mt4.statement([*ROWS, mt4.closed(14, "0.00", comment="Stratégie")], **SUMS), encoding)

    assert (found.format, found.login, found.currency, found.truncated) == ("mt4_html", "80012345", "EUR", False)
    assert [entry["ticket"] for entry in found.entries] == ["1", "11", "12", "14"]
    assert one(found, "14")["comment"] == "Stratégie"
    assert one(found, "11") | {} == {
        "ticket": "11",
        "type": 0,
        "symbol": "eurusd",
        "lots": "0.10",
        "open_time": 1772445600,
        "close_time": 1772449200,
        "open_price": "1.08420",
        "close_price": "1.08520",
        "sl": "1.08000",
        "tp": "0.00000",
        "profit": "10.50",
        "swap": "-0.10",
        "commission": "-0.60",
        "taxes": "0.00",
        "magic": 0,
        "comment": "[tp]",
    }


def test_the_sums_written_in_the_file_are_those_of_the_rows_that_were_read() -> None:
    found = read(mt4.statement(ROWS, **SUMS))

    assert found.reported == {"closed": Decimal("-4096.37"), "cash": Decimal("1000.00")}
    assert {name: found.computed()[name] for name in found.reported} == found.reported


def test_each_line_that_brings_no_trade_says_why() -> None:
    rows = [*ROWS, mt4.closed(20).replace("2026.03.02 10:00:00", "31 février"), mt4.closed(21, kind="swap?")]
    found = read(mt4.statement(rows, open_rows=[mt4.closed(30)]))

    assert {(line.ticket, line.reason) for line in found.skipped} == {
        ("13", "pending"),
        ("20", "unreadable"),
        ("21", "unknown_type"),
        ("30", "still_open"),
    }


@pytest.mark.parametrize(
    ("profit", "read_as"),
    [
        ("1 234,50", "1234.50"),
        ("1\u00a0234,50", "1234.50"),
        ("1\u202f234,50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("(320,00)", "-320.00"),
        ("\u2212 2,50", "-2.50"),
    ],
)
def test_a_file_that_a_french_spreadsheet_saved_again_reads_the_same(profit: str, read_as: str) -> None:
    page = mt4.statement([mt4.closed(11, profit)], closed_sum=profit)
    french = page.replace("1.08420", "1,08420").replace("1.08000", "1,08000").replace("0.00000", "0,00000")
    french = french.replace("1.08520", "1,08520").replace("0.00<", "0,00<").replace("0.10<", "0,10<")
    french = french.replace("2026.03.02 10:00:00", "02/03/2026 10:00")

    entry = one(read(french), "11")

    assert (entry["profit"], entry["open_price"], entry["open_time"]) == (read_as, "1.08420", 1772445600)


def test_a_file_that_mixes_two_decimal_marks_is_refused() -> None:
    assert refusal(mt4.statement([mt4.closed(1, "1,5"), mt4.closed(2, "2.5")])) == "mixed_numbers"


def test_the_layout_of_old_builds_is_read_by_its_heads() -> None:
    heads = "Ticket|Open Time|Type|Lots|Symbol|Price|S/L|T/P|Close Time|Price|Commis|Swap|Trade P/L"
    row = mt4.closed(11, "10.00").replace("<td class=mspt>0.00</td>", "", 1)
    note = "<tr><td colspan=13>hand made</td></tr>"

    entry = one(read(mt4.statement([row, note], heads=heads)), "11")

    assert (entry["profit"], entry["taxes"], entry["comment"]) == ("10.00", "0", "hand made")


def test_a_statement_cut_in_the_middle_says_so_and_keeps_its_whole_rows() -> None:
    text = mt4.statement([mt4.closed(number) for number in range(1, 50)])

    found = read(text[: text.index(">40<") + 200])

    assert found.truncated
    assert [entry["ticket"] for entry in found.entries] == [str(number) for number in range(1, 40)]
    assert [(line.ticket, line.reason) for line in found.skipped] == [("40", "incomplete")]


def test_a_report_tells_each_kind_of_cash_and_its_sums_hold() -> None:
    lines = [
        ("credit", 100.0, 0.0),
        ("balance", 1000.0, 1000.0),
        ("daily commission", -2.5, 997.5),
        ("agent commission", 4.0, 1001.5),
        ("Charge", -1.5, 1000.0),
        ("correction", 3.0, 1003.0),
        ("bonus", 50.0, 1053.0),
        ("interest", 0.75, 1053.75),
        ("dividend", 12.0, 1065.75),
        ("tax", -2.0, 1063.75),
        ("so compensation", 1.0, 1064.75),
        ("something new", 1.0, 1065.75),
    ]
    deals = [
        [f"2026.03.01 09:00:{place:02}", 9000 + place, "", word, "", "", "", "", 0, 0, 0, amount, balance, ""]
        for place, (word, amount, balance) in enumerate(lines)
    ]

    found = metatrader.read(mt5.workbook(mt5.rows(positions=[], deals=deals)))

    assert [entry["type"] for entry in found.entries] == [
        cash.CREDIT,
        cash.BALANCE,
        cash.COMMISSION,
        cash.AGENT_COMMISSION,
        cash.CHARGE,
        cash.CORRECTION,
        cash.BONUS,
        cash.INTEREST,
        cash.DIVIDEND,
        cash.TAX,
        cash.CORRECTION,
        cash.BALANCE,
    ]
    assert found.reported["change"] == found.computed()["change"] == Decimal("1065.75")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("kind", ["html", "xlsx"])
def test_a_report_of_metatrader_5_is_read_in_every_language(language: str, kind: str) -> None:
    rows = mt5.rows(language)
    content = mt5.workbook(rows) if kind == "xlsx" else mt5.page(rows).encode("utf-16")

    found = metatrader.read(content)

    assert (found.format, found.login, found.currency) == (f"mt5_{kind}", "80012345", "EUR")
    single = one(found, "501")
    assert (single["type"], single["symbol"], Decimal(single["profit"])) == (0, "EURUSD", Decimal(10))
    assert (Decimal(single["commission"]), Decimal(single["swap"])) == (Decimal("-0.6"), Decimal("-0.1"))
    assert single["comment"] == "[tp]"
    deposit = one(found, "D9000")
    assert (deposit["type"], Decimal(deposit["profit"]), deposit["comment"]) == (6, Decimal(1000), "Deposit")
    assert [(line.ticket, line.reason) for line in found.skipped] == [("701", "pending")]
    assert found.reported["change"] == found.computed()["change"] == Decimal("1066.3")


def test_a_position_closed_in_three_parts_is_read_from_its_deals() -> None:
    found = metatrader.read(mt5.workbook(mt5.rows()))

    parts = [entry for entry in found.entries if entry["ticket"].startswith("601")]

    assert [(part["ticket"], part["lots"], part["profit"], part["close_price"]) for part in parts] == [
        ("601-9004", "0.1", "10", "2399.5"),
        ("601-9005", "0.1", "20", "2398.5"),
        ("601", "0.1", "30", "2397.5"),
    ]
    # Costs of the entry are shared out by volume and add up to what the report says.
    assert sum(Decimal(part["commission"]) for part in parts) == Decimal("-3.0")
    assert {part["open_time"] for part in parts} == {1772532000}


def test_a_position_whose_deals_are_missing_stays_whole() -> None:
    found = metatrader.read(mt5.workbook(mt5.rows(deals=[mt5.DEPOSIT])))

    assert Decimal(one(found, "601")["profit"]) == 60


def test_an_excel_file_saved_again_may_hold_real_dates() -> None:
    ten, eleven = (datetime(2026, 3, 2, hour, tzinfo=UTC).replace(tzinfo=None) for hour in (10, 11))
    rows = mt5.rows(positions=[[ten, *mt5.SINGLE[1:8], eleven, *mt5.SINGLE[9:]]])

    assert one(metatrader.read(mt5.workbook(rows)), "501")["close_time"] == 1772449200


def refusal(content: str | bytes) -> str:
    with pytest.raises(Unreadable) as refused:
        metatrader.read(content.encode() if isinstance(content, str) else content)
    return refused.value.code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"hello", "no_statement"),
        (b"<table><tr><td>Invoice</td></tr></table>", "no_statement"),
        (b"<html><title>Strategy Tester Report</title><table></table></html>", "strategy_tester"),
        (b"<html><title>Daily Confirmation</title><table></table></html>", "daily_confirmation"),
        (b"PK\x03\x04 and nothing else", "broken_xlsx"),
        (bytes(range(256)) * 50, "no_statement"),
    ],
)
def test_what_is_no_statement_is_refused_with_a_word(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_a_workbook_that_was_cut_is_refused() -> None:
    content = mt5.workbook(mt5.rows())

    assert refusal(content[: len(content) // 2]) == "broken_xlsx"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 20_000_000)

    assert refusal(out.getvalue()) == "bomb"
    assert len(out.getvalue()) < 40_000


def test_a_sheet_with_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_ROWS", 5)

    assert refusal(mt5.workbook(mt5.rows())) == "too_many_rows"


def test_an_entity_of_a_workbook_is_never_expanded() -> None:
    content = mt5.workbook(mt5.rows())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            body = old.read(member)
            if member.filename == "xl/worksheets/sheet1.xml":
                body = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + body.split(b"?>", 1)[-1]
            new.writestr(member, body)

    assert refusal(out.getvalue()) == "broken_xlsx"


def test_twenty_thousand_rows_are_read_in_seconds() -> None:
    text = mt4.statement([mt4.closed(number) for number in range(1, 20_001)])
    started = time.process_time()

    found = read(text)

    assert len(found.entries) == 20_000
    assert time.process_time() - started < 20
