"""Files of banks: CAMT.053 of two versions, OFX 1 and 2, CSV in the manner of French banks; and what is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calmness.banking import UnreadableStatement, camt, cents, csv_file, mt940, ofx
from tests.billing import bank_files


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_camt_of_any_version_gives_the_same_entries(version: str) -> None:
    statement = camt.read(bank_files.camt(version))

    assert statement.account == "FR1420041010050500013M02606"
    assert statement.balanced is True
    first, second, third, back, fee = statement.entries
    assert (first.booked_on, first.amount_cents) == (date(2026, 11, 24), 4990)
    assert (first.debtor_name, first.debtor_iban) == ("Élodie O'Brien", "DE89370400440532013000")
    assert "RF87P0000001" in first.label
    assert (second.amount_cents, third.amount_cents) == (1000, 2000), "the batch is taken apart"
    assert back.is_reversal
    assert back.amount_cents == -4990
    assert fee.amount_cents == -120


def test_pending_entries_are_not_money() -> None:
    assert camt.read(bank_files.camt("08").replace(b"BOOK", b"PDNG")).entries == ()


def test_a_statement_whose_sums_disagree_says_so() -> None:
    assert camt.read(bank_files.camt("08").replace(b">1000.00<", b">1000.01<")).balanced is False


@pytest.mark.parametrize("content", [bank_files.OFX_1, bank_files.OFX_2])
def test_ofx_1_and_2(content: bytes) -> None:
    statement = ofx.read(content)

    first, second = statement.entries
    assert statement.account == "00013M02606"
    assert (first.booked_on, first.amount_cents, first.bank_reference) == (date(2026, 11, 24), 4990, "F1")
    assert "RF87 P000 0001" in first.label
    assert second.amount_cents == -1234


def test_a_french_csv_in_windows_1252_with_two_columns_of_amounts() -> None:
    sheet = csv_file.open_sheet(bank_files.CSV_TWO_COLUMNS)
    columns = csv_file.guess(sheet)

    first, second, third = csv_file.read(sheet, columns).entries

    assert (first.booked_on, first.amount_cents) == (date(2026, 11, 24), 123456)
    assert "VIREMENT REÇU ÉLODIE" in first.label
    assert second.amount_cents == -1250
    assert third.amount_cents == 4990


def test_a_csv_in_utf_8_with_its_mark_and_one_signed_column() -> None:
    sheet = csv_file.open_sheet(bank_files.CSV_ONE_COLUMN)

    entries = csv_file.read(sheet, csv_file.guess(sheet)).entries

    assert [entry.amount_cents for entry in entries] == [4990, -1000]
    assert entries[0].debtor_name == "Zoé"


def test_equal_lines_of_a_day_are_told_by_their_rank() -> None:
    sheet = csv_file.open_sheet(bank_files.csv_of(["24/11/2026;VIR DUPONT;49,90"] * 2))

    first, second = csv_file.read(sheet, csv_file.guess(sheet)).entries

    assert first.key != second.key


@pytest.mark.parametrize(
    ("reader", "content", "reason"),
    [
        (camt.read, b'<!DOCTYPE x [<!ENTITY a "b">]><Document><Stmt>&a;</Stmt></Document>', "xml"),
        (camt.read, b"<Document/>", "camt"),
        (camt.read, b"<Document", "xml"),
        (ofx.read, b"OFXHEADER:100\n\n<!ENTITY x>", "xml"),
        (ofx.read, b"\xff\xfe\x00", "ofx"),
        (csv_file.open_sheet, b"bonjour\nle monde\n", "header"),
        (csv_file.open_sheet, b"a;b\0;c\n", "csv"),
        (csv_file.open_sheet, b"", "header"),
        (mt940.read, b":20:X\n:28C:1\n", "mt940"),
        (mt940.read, b":20:X\n:25:A\n:25:B\n", "accounts"),
        (mt940.read, b":20:X\n:25:A\n:61:nothing\n", "amount"),
        (mt940.read, b":20:X\n:25:A\n:61:261340C1,00NTRFX\n", "amount"),
    ],
)
def test_what_is_no_statement_is_refused(reader: object, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableStatement) as refused:
        reader(content)  # type: ignore[operator]

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 234,56", 123456),
        ("1\u202f234,56 €", 123456),
        ("1\u00a0234,56", 123456),
        ("1,234.56", 123456),
        ("1.234,56", 123456),
        ("-12,5", -1250),
        ("12,00-", -1200),
        ("+7", 700),
    ],
)
def test_amounts_as_banks_write_them(text: str, expected: int) -> None:
    assert cents(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "1,234", "--"])
def test_an_amount_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        cents(text)


@given(st.integers(-(10**10), 10**10))
def test_every_amount_survives_the_french_way_of_writing(amount: int) -> None:
    sign, whole = "-" if amount < 0 else "", abs(amount)
    grouped = f"{whole // 100:,}".replace(",", "\u202f")

    assert cents(f"{sign}{grouped},{whole % 100:02d}") == amount


MT940 = """:20:RELEVE1
:25:FR1420041010050500013M02606
:28C:11/1
:60F:C261101EUR1000,00
:61:2611021102C49,90NTRFNONREF//BNK000001
:86:VIREMENT DE M. ÉLODIE NANDU
RF87P0000001
:61:2611021102C599,NTRFFACT12//BNK000002
:86:166?00SEPA?20RF33CT2026?21 11240001?31FR7630006000011234567890189?32LILAS CONSEIL
:61:2611031103RC49,90NTRFNONREF//BNK000003
:86:/EREF/E2E-1/NAME/NANDU ELODIE/IBAN/FR7630006000011234567890189/REMI/RETOUR
:61:2611031103D12,5NTRFNONREF
:86:FRAIS
:62F:C261103EUR1586,50
-
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_an_mt940_in_the_words_of_three_banks(encoding: str) -> None:
    read = mt940.read(MT940.replace("\n", "\r\n").encode(encoding))

    assert (read.account, read.balanced) == ("FR1420041010050500013M02606", True)
    first, second, back, fee = read.entries
    assert [entry.amount_cents for entry in read.entries] == [4990, 59900, -4990, -1250]
    assert [entry.is_reversal for entry in read.entries] == [False, False, True, False]
    assert (first.booked_on, first.bank_reference) == (date(2026, 11, 2), "BNK000001")
    assert first.label == "VIREMENT DE M. ÉLODIE NANDU RF87P0000001"
    assert (second.label, second.debtor_name) == ("RF33CT2026  11240001", "LILAS CONSEIL")
    assert second.debtor_iban == "FR7630006000011234567890189"
    assert (back.end_to_end_id, back.debtor_name, back.label) == ("E2E-1", "NANDU ELODIE", "RETOUR")
    assert fee.bank_reference == ""
    assert len({entry.key for entry in read.entries}) == 4


def test_an_mt940_whose_sums_disagree_says_so() -> None:
    assert mt940.read(MT940.replace("1586,50", "1586,51").encode()).balanced is False
