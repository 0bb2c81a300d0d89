"""The XML in each invoice's PDF, of every regime: valid by XSD and by the rules of EN 16931, agreeing with the page."""

import hashlib
import io
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import facturx
import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader

from calmness import clock
from calmness.extensions import db
from calmness.files import store
from calmness.jobs.billing import render_invoice
from calmness.jobs.invoice_view import document_properties, invoice_page, invoice_view
from calmness.models.account import User
from calmness.models.billing import Invoice, InvoiceDocument, InvoiceTemplate, Payment
from calmness.models.catalogue import VatRegime
from calmness.pdf.facturx import FRENCH_RULES, InvoiceNotValid, broken_rules, invoice_xml, require_valid, with_invoice
from calmness.pdf.render import draw
from calmness.services.billing import credit_notes, invoice_ledger, invoice_lines, invoice_terms, invoicing, purchases
from calmness.services.billing.invoice_lines import Line
from tests import factories
from tests.billing import shop
from tests.pdf import pdfa

NAMES = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
}
STANDARD, EXEMPT = VatRegime.STANDARD, VatRegime.TRAINING_EXEMPT
COMPANY = {"company": "Lilas & Fils GmbH", "vat_number": "DE136695976", "country": "DE"}


def line(cents: int, regime: VatRegime = STANDARD, rate_bp: int = 2000, discount: int = 0) -> Line:
    """A line of an invoice."""
    return Line("Formation « Gestion du risque »", "Du 1 au 30 novembre", cents, regime, rate_bp, discount)


def issued(*lines: Line, buyer: dict[str, Any] | None = None, seller: dict[str, Any] | None = None) -> Invoice:
    """An invoice of these lines, paid, committed."""
    shop.identity(**(seller or {}))
    person = factories.student(**(buyer or {}))
    total = sum(each.incl_cents for each in lines)
    payment = shop.submitted(person, shop.signals_offer(price_cents=max(total, 1)), "AB1234")
    for name, value in (buyer or {}).items():
        setattr(person, name, value)
    return of_payment(payment, person, *lines)


def of_payment(payment: Payment, person: User, *lines: Line) -> Invoice:
    """The invoice of a payment, with lines of our own."""
    now = clock.now()
    payment.validated_at, payment.amount_cents = now, sum(each.incl_cents for each in lines) or 1
    invoice = invoicing.issue(invoicing.draft_for_payment(lines, payment, person), now)
    db.session.commit()
    return invoice


def pdf_of(invoice: Invoice) -> bytes:
    """The stored document, rendered by the worker's own job."""
    render_invoice({"invoice_id": invoice.id})
    return store().get(db.session.get_one(InvoiceDocument, invoice.id).file_key)


def xml_in(document: bytes) -> etree._Element:
    """The XML that a reader finds in the file."""
    name, xml = facturx.get_facturx_xml_from_pdf(document, check_xsd=True, check_schematron=False)
    assert name == "factur-x.xml"
    return etree.fromstring(xml)


def said(xml: etree._Element, path: str) -> list[str]:
    """Texts of all elements at a path."""
    return [element.text or "" for element in xml.iterfind(f".//{path}", NAMES)]


REGIMES = {
    "standard": ([line(14999)], {}, {}),
    "micro": ([line(4990, VatRegime.FRANCHISE, 0)], {}, {"vat_number": ""}),
    "training": ([line(59900, EXEMPT, 0)], {}, {}),
    "reverse charge": ([line(120000, VatRegime.REVERSE_CHARGE, 0)], COMPANY, {}),
    "outside": ([line(120000, VatRegime.OUTSIDE_EU, 0)], {"country": "CH"}, {}),
    "mixed": ([line(59900, EXEMPT, 0), line(4990), line(3333, rate_bp=550)], {}, {}),
    "mixed with reverse charge": (
        [line(10000, VatRegime.REVERSE_CHARGE, 0), line(59900, EXEMPT, 0), line(4990)],
        COMPANY,
        {},
    ),
    "business": ([line(14999)], {"company": "Lilas Conseil", "siren": "732829320"}, {}),
    "discount": ([line(9990, discount=4909), line(4990)], {}, {}),
    "free": ([line(0, discount=4990)], {}, {}),
}


@pytest.mark.parametrize("case", REGIMES)
def test_the_document_of_every_regime_passes_all_rules(site: Flask, case: str) -> None:
    lines, buyer, seller = REGIMES[case]
    invoice = issued(*lines, buyer=buyer, seller=seller)

    document = pdf_of(invoice)

    xml = xml_in(document)
    failures, fired = broken_rules(etree.tostring(xml))
    assert failures == []
    assert fired > 50
    assert pdfa.faults(document) == []
    assert said(xml, "ram:GrandTotalAmount") == [f"{Decimal(invoice.total_incl_cents) / 100:.2f}"]
    page = re.sub(r"\s+", " ", PdfReader(io.BytesIO(document)).pages[0].extract_text())
    for mention in invoice.mention_texts:
        assert re.sub(r"\s+", " ", mention) in page
    assert f"{invoice.total_incl_cents // 100:,}".replace(",", " ") in page


@pytest.mark.parametrize(
    ("case", "category", "code", "reason"),
    [
        ("micro", "E", "VATEX-FR-FRANCHISE", "TVA non applicable, art. 293 B du CGI"),
        ("training", "E", "VATEX-EU-132-1I", "Exonération de TVA, art. 261-4-4° a du CGI"),
        ("reverse charge", "AE", "VATEX-EU-AE", "Autoliquidation"),
        ("outside", "O", "VATEX-EU-O", "TVA non applicable, art. 259-1 du CGI"),
    ],
)
def test_an_exempt_line_says_its_category_and_why(
    site: Flask, case: str, category: str, code: str, reason: str
) -> None:
    lines, buyer, seller = REGIMES[case]

    xml = xml_in(pdf_of(issued(*lines, buyer=buyer, seller=seller)))

    assert said(xml, "ram:IncludedSupplyChainTradeLineItem//ram:CategoryCode") == [category]
    assert said(xml, "ram:ExemptionReasonCode") == [code]
    assert said(xml, "ram:ExemptionReason")[0].startswith(reason)


def test_a_document_is_made_once(site: Flask) -> None:
    invoice = issued(line(14999), line(3333))
    first = pdf_of(invoice)
    document = db.session.get_one(InvoiceDocument, invoice.id)
    store().put(document.file_key, b"as it was")

    render_invoice({"invoice_id": invoice.id})

    assert hashlib.sha256(first).hexdigest() == document.sha256
    assert store().get(document.file_key) == b"as it was"


def test_a_year_later_under_another_identity_the_document_would_be_the_same_bytes(site: Flask) -> None:
    invoice = issued(line(14999))
    first = pdf_of(invoice)
    invoice.template.is_active = False
    moved = {**shop.IDENTITY, "company_name": "Autre Nom", "city": "Lyon"}
    db.session.flush()
    db.session.add(InvoiceTemplate(version=2, is_active=True, created_at=clock.now(), **moved))
    db.session.commit()

    with time_machine.travel(invoice.issued_at + timedelta(days=365), tick=False):
        xml = invoice_xml(invoice_terms.terms(invoice))
        with draw(invoice_page(invoice_view(invoice))) as document:
            again = with_invoice(document, xml, document_properties(invoice))

    assert again == first


def test_a_credit_note_is_a_381_with_positive_amounts_that_names_its_invoice(site: Flask) -> None:
    shop.identity()
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    credit = credit_notes.credit_whole(invoice.number, "Rétractation", by=factories.agent())
    db.session.commit()

    document = pdf_of(credit)

    xml = xml_in(document)
    assert broken_rules(etree.tostring(xml))[0] == []
    assert pdfa.faults(document) == []
    assert said(xml, "rsm:ExchangedDocument/ram:TypeCode") == ["381"]
    assert said(xml, "ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == [invoice.number]
    assert said(xml, "ram:GrandTotalAmount") == ["49.90"]


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script> & Fils",
        "\u202eabc\u200f שלום",
        "W" * 300,
        "Léa 😀 \U0001fae0",
        "O'Brien-Ñandú \x07<pdf:nextpage>",
    ],
)
def test_a_hostile_name_passes_all_rules_and_adds_no_page(site: Flask, name: str) -> None:
    invoice = issued(line(14999), buyer={"company": name[:200]})

    document = pdf_of(invoice)

    assert pdfa.faults(document) == []
    assert len(PdfReader(io.BytesIO(document)).pages) == 1
    (buyer,) = said(xml_in(document), "ram:BuyerTradeParty/ram:Name")
    assert buyer == name[:200].replace("\x07", "")


def test_reverse_charge_without_a_number_of_the_buyer_is_refused_before_a_number_is_taken(site: Flask) -> None:
    with pytest.raises(invoicing.BuyerVatMissing):
        issued(line(10000, VatRegime.REVERSE_CHARGE, 0))


def test_vat_without_a_number_of_the_school_is_refused_before_a_number_is_taken(site: Flask) -> None:
    with pytest.raises(invoicing.SellerVatMissing):
        issued(line(14999), seller={"vat_number": ""})


def test_a_sale_outside_the_scope_of_vat_stands_alone(site: Flask) -> None:
    with pytest.raises(invoicing.OutsideScopeMixed):
        issued(line(10000, VatRegime.OUTSIDE_EU, 0), line(4990))


def test_many_lines_fill_pages_that_are_counted_and_pass(site: Flask) -> None:
    invoice = issued(*(line(3333, rate_bp=2000 if rank % 2 else 550) for rank in range(60)))

    document = pdf_of(invoice)

    assert pdfa.faults(document) == []
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(document)).pages]
    assert len(pages) > 2
    for rank, page in enumerate(pages, 1):
        assert f"page {rank} / {len(pages)}" in re.sub(r"\s+", " ", page)
        assert invoice.number in page
    assert broken_rules(etree.tostring(xml_in(document)))[0] == []


def test_a_broken_document_is_refused_and_too_few_rules_too(site: Flask) -> None:
    data = invoice_terms.terms(issued(line(14999)))
    wrong = invoice_xml({**data, "BT-112": "1.00"})

    with pytest.raises(InvoiceNotValid, match="BR-CO-1"):
        require_valid(wrong)
    with pytest.raises(InvoiceNotValid, match="rules fired"):
        require_valid(b"<a/>")


def test_a_code_that_no_list_knows_and_what_the_schema_does_not_know_are_refused(site: Flask) -> None:
    data = invoice_terms.terms(issued(line(14999)))

    unknown = invoice_xml(data).replace(b"InvoiceCurrencyCode>EUR", b"InvoiceCurrencyCode>XQQ")

    with pytest.raises(InvoiceNotValid, match="Value of 'ram:InvoiceCurrencyCode' is not allowed"):
        require_valid(unknown)
    with pytest.raises(InvoiceNotValid, match="GrandTotalAmount"):
        invoice_xml({**data, "BT-112": "NaN"})


rates = st.sampled_from([(STANDARD, 2000), (STANDARD, 550), (STANDARD, 1000), (EXEMPT, 0)])
drawn = st.builds(
    lambda cents, taxed, discount: line(cents, taxed[0], taxed[1], discount),
    st.integers(1, 500_000),
    rates,
    st.integers(0, 9_999),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(drawn, min_size=1, max_size=8))
def test_lines_add_up_to_what_was_paid_and_vat_is_rounded_once_a_rate(lines: list[Line]) -> None:
    items = invoice_lines.items_of(lines)

    assert sum(item.incl_cents for item in items) == sum(each.incl_cents for each in lines)
    for item in items:
        assert item.excl_cents + item.vat_cents == item.incl_cents
        assert item.unit_excl_micros == 10_000 * (item.excl_cents + item.discount_cents)
        assert item.vat_cents >= 0
    for rate in {item.vat_rate_bp for item in items}:
        base = sum(item.excl_cents for item in items if item.vat_rate_bp == rate)
        vat = sum(item.vat_cents for item in items if item.vat_rate_bp == rate)
        assert (base, vat) == invoice_lines.split_vat(base + vat, rate)


def test_three_lines_at_33_33_agree_everywhere(site: Flask) -> None:
    invoice = issued(line(3333), line(3333, rate_bp=550), line(3333, discount=667))

    xml = xml_in(pdf_of(invoice))

    assert invoice.total_incl_cents == 9999
    assert said(xml, "ram:GrandTotalAmount") == ["99.99"]
    bases = [
        Decimal(text)
        for text in said(xml, "ram:ApplicableHeaderTradeSettlement/ram:ApplicableTradeTax/ram:BasisAmount")
    ]
    taxes = [Decimal(text) for text in said(xml, "ram:ApplicableTradeTax/ram:CalculatedAmount")]
    assert sum(bases) + sum(taxes) == Decimal("99.99")
    assert invoice_ledger.first_broken() is None


FRENCH = {"company": "Lilas Conseil", "siren": "732829320"}


@pytest.mark.parametrize("case", ["standard", "micro", "training", "mixed", "discount"])
def test_an_invoice_to_a_french_business_passes_the_rules_of_the_reform(site: Flask, case: str) -> None:
    lines, _buyer, seller = REGIMES[case]
    invoice = issued(*lines, buyer=FRENCH, seller=seller)
    credit = credit_notes.credit_whole(invoice.number, "Erreur de nom", by=factories.agent())
    db.session.commit()

    for document in (invoice, credit):
        failures, fired = broken_rules(etree.tostring(xml_in(pdf_of(document))), FRENCH_RULES)
        assert failures == []
        assert fired > 50


def test_what_breaks_the_rules_of_the_reform_is_not_stored(site: Flask) -> None:
    """Late penalties and recovery are to be told to a business (BR-FR-05): without them no file is made."""
    data = invoice_terms.terms(issued(line(14999), buyer=FRENCH))
    xml = invoice_xml({**data, "BG-1": [{"BT-22": "Prestation de services."}]})

    require_valid(xml)
    with pytest.raises(InvoiceNotValid, match="BR-FR-05"):
        require_valid(xml, french=True)
