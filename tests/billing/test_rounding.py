"""Cents that do not divide: the page, its XML, the database, the FEC and the journals say the same, to the cent."""

import io
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from lxml import etree
from pypdf import PdfReader

from calmness.extensions import db
from calmness.models.billing import Invoice
from calmness.models.catalogue import VatRegime
from calmness.pdf.facturx import broken_rules
from calmness.services.billing import books, credit_notes, fec, invoice_ledger
from tests import factories
from tests.billing import fec_reader
from tests.billing.test_facturx import issued, line, pdf_of, said, xml_in

FIRST, LAST = date(2020, 1, 1), date(2040, 1, 1)
THREE = [line(3333), line(3333, rate_bp=550), line(3333, discount=667)]
"""99,99 in all. At 20 %: 66,66 = 55,55 + 11,11. At 5,5 %: 33,33 = 31,59 + 1,74. The discount: 6,67 / 1,2 = 5,56."""
CASES = {
    "two rates and a discount": (
        THREE,
        ("87.14", "12.85", "99.99"),
        {2000: ("55.55", "11.11"), 550: ("31.59", "1.74")},
    ),
    "discounts at both rates": (
        [line(3000, discount=333), line(3000, rate_bp=550, discount=333), line(3000, discount=333)],
        ("78.44", "11.56", "90.00"),
        {2000: ("50.00", "10.00"), 550: ("28.44", "1.56")},
    ),
    "three at 20 %": ([line(3333)] * 3, ("83.33", "16.66", "99.99"), {2000: ("83.33", "16.66")}),
    "three at 5,5 %": ([line(3333, rate_bp=550)] * 3, ("94.78", "5.21", "99.99"), {550: ("94.78", "5.21")}),
    "three of each rate and one exempt": (
        [line(3333), line(3333, rate_bp=550), line(3333, VatRegime.TRAINING_EXEMPT, 0)],
        ("92.70", "7.29", "99.99"),
        {2000: ("27.78", "5.55"), 550: ("31.59", "1.74"), 0: ("33.33", "0.00")},
    ),
}


def euros(cents: int) -> Decimal:
    return Decimal(cents) / 100


def page_of(document: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages))


def printed(page: str, label: str) -> Decimal:
    """The amount that stands behind a label."""
    found = re.search(re.escape(label) + r" (−?)([\d ]+,\d\d) €", page)
    assert found, f"{label} is not on the page: {page}"
    amount = Decimal(found[2].replace(" ", "").replace(",", "."))
    return -amount if found[1] else amount


def rate_name(rate_bp: int) -> str:
    return {2000: "20 %", 550: "5,5 %", 0: "exonérée"}[rate_bp]


@pytest.mark.parametrize("case", CASES)
def test_page_xml_database_and_fec_agree_to_the_cent(site: Flask, case: str) -> None:
    lines, (excl, vat, incl), rates = CASES[case]
    total = (Decimal(excl), Decimal(vat), Decimal(incl))

    invoice = issued(*lines)
    document = pdf_of(invoice)
    xml, page = xml_in(document), page_of(document)

    in_database(invoice, total, rates)
    on_page(page, invoice, total, rates)
    in_xml(xml, invoice, total, rates)
    in_books(total, rates)
    assert invoice_ledger.first_broken() is None


def in_database(invoice: Invoice, total: Sequence[Decimal], rates: dict[int, tuple[str, str]]) -> None:
    assert (
        euros(invoice.total_excl_cents),
        euros(invoice.total_vat_cents),
        euros(invoice.total_incl_cents),
    ) == total
    for rate_bp, (base, vat) in rates.items():
        own = [item for item in invoice.items if item.vat_rate_bp == rate_bp]
        assert euros(sum(item.excl_cents for item in own)) == Decimal(base)
        assert euros(sum(item.vat_cents for item in own)) == Decimal(vat)
    assert euros(sum(item.incl_cents for item in invoice.items)) == total[2]


def on_page(page: str, invoice: Invoice, total: Sequence[Decimal], rates: dict[int, tuple[str, str]]) -> None:
    assert printed(page, "Total HT") == total[0]
    assert printed(page, "Total TTC") == total[2]
    assert printed(page, "Déjà réglé") == -total[2]
    assert printed(page, "Reste à payer") == 0
    for rate_bp, (base, vat) in rates.items():
        if len(rates) > 1:
            assert printed(page, f"Base HT {rate_name(rate_bp)}") == Decimal(base)
        if rate_bp:
            assert printed(page, f"TVA {rate_name(rate_bp)}") == Decimal(vat)
    if len(rates) > 1:
        assert printed(page, "Total TVA") == total[1]
    rows = re.findall(r" 1 [\d ]+,\d\d € (?:20 %|5,5 %|exonérée) ([\d ]+,\d\d) €", page)
    assert [Decimal(row.replace(" ", "").replace(",", ".")) for row in rows] == [
        euros(item.excl_cents) for item in invoice.items
    ]
    discounts = re.findall(r"Remise : −([\d ]+,\d\d) € HT", page)
    assert [Decimal(each.replace(",", ".")) for each in discounts] == [
        euros(item.discount_cents) for item in invoice.items if item.discount_cents
    ]


def in_xml(xml: etree._Element, invoice: Invoice, total: Sequence[Decimal], rates: dict[int, tuple[str, str]]) -> None:
    def amounts(path: str) -> list[Decimal]:
        return [Decimal(text) for text in said(xml, path)]

    assert broken_rules(etree.tostring(xml))[0] == []
    lines = amounts("ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount")
    assert lines == [euros(item.excl_cents) for item in invoice.items]
    assert sum(lines) == amounts("ram:TaxBasisTotalAmount")[0] == total[0]
    assert amounts("ram:TaxTotalAmount") == [total[1]]
    assert amounts("ram:GrandTotalAmount") == [total[2]]
    bases = amounts("ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax/ram:BasisAmount")
    taxes = amounts("ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax/ram:CalculatedAmount")
    wanted = sorted((Decimal(base), Decimal(vat)) for base, vat in rates.values())
    assert sorted(zip(bases, taxes, strict=True)) == wanted


def in_books(total: Sequence[Decimal], rates: dict[int, tuple[str, str]], times: int = 1) -> None:
    """``times``: 0 when a credit note has given all back."""
    content, _changed = fec.encoded(fec.lines(FIRST, LAST), "utf-8")
    read = fec_reader.read(content, "utf-8")
    assert [read.sum_of(account) for account in ("706", "44571")] == [-total[0] * times, -total[1] * times]
    assert read.sum_of("512") == total[2]
    summed = {row.rate_bp: (euros(row.excl_cents), euros(row.vat_cents)) for row in books.vat_summary(FIRST, LAST)}
    assert summed == {rate: (Decimal(base) * times, Decimal(vat) * times) for rate, (base, vat) in rates.items()}


@pytest.mark.parametrize("case", CASES)
def test_a_credit_note_of_all_gives_the_same_cents_back_everywhere(site: Flask, case: str) -> None:
    lines, (excl, vat, incl), rates = CASES[case]
    total = (Decimal(excl), Decimal(vat), Decimal(incl))
    invoice = issued(*lines)

    credit = credit_notes.credit_whole(invoice.number, "Erreur de nom", by=factories.agent())
    db.session.commit()
    document = pdf_of(credit)

    in_database(credit, total, rates)
    in_xml(xml_in(document), credit, total, rates)
    assert printed(page_of(document), "Montant de l’avoir") == total[2]
    in_books(total, rates, times=0)


def test_parts_given_back_one_by_one_leave_no_cent(site: Flask) -> None:
    """11,11 three times of each line of 33,33, at both rates: the last part takes what is left of base and VAT."""
    invoice = issued(*THREE)
    agent = factories.agent()

    for _part in range(3):
        amounts = {item.position: 1111 for item in invoice.items}
        credit_notes.credit(invoice.number, amounts, "Geste", by=agent)
        db.session.commit()

    notes = list(db.session.scalars(db.select(Invoice).where(Invoice.corrects_id == invoice.id)))
    assert len(notes) == 3
    assert sum(each.total_incl_cents for each in notes) == 9999
    assert sum(each.total_excl_cents for each in notes) == invoice.total_excl_cents
    assert sum(each.total_vat_cents for each in notes) == invoice.total_vat_cents
    in_books((Decimal("87.14"), Decimal("12.85"), Decimal("99.99")), CASES["two rates and a discount"][2], times=0)
