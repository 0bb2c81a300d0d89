"""Deposits: an invoice of their own, taken off the final one; their VAT, their receipt and their sale counted once."""

import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Invoice, Payment, PaymentStatus
from calmness.models.catalogue import Offer, VatRegime
from calmness.models.closing import ClosingSpan
from calmness.models.sale import DiscountCode
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.pdf.facturx import FRENCH_RULES, broken_rules
from calmness.services import (
    billing,
    books,
    closings,
    credit_notes,
    discounts,
    dunning,
    e_reporting,
    fec,
    instalments,
    invoice_ledger,
    sale_terms,
    withdrawals,
)
from calmness.services.invoice_lines import Line, deduction, items_of
from tests import factories
from tests.billing import fec_reader, shop
from tests.billing.test_facturx import COMPANY, pdf_of, said, xml_in
from tests.billing.test_pages import FORM
from tests.pdf import pdfa

ClientFor = Callable[[User], FlaskClient]
ORDERED = datetime(2026, 11, 2, 9, tzinfo=UTC)
SETTLED = ORDERED + timedelta(days=20)
NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))
IN_TWO = {"instalments": 2, "early_start": True}


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def ordered(buyer: dict[str, Any] | None = None, code: str = "", **offer: Any) -> Payment:
    """A deposit of 30 % on a formation of 599,00 €, validated."""
    given = {"deposit_bp": 3000, **offer}
    with time_machine.travel(ORDERED, tick=False):
        sold = shop.formation_offer(**given)
        user = factories.student(created_at=ORDERED - timedelta(days=9))
        payment = billing.declare(user, sold.slug)
        if code:
            discounts.apply(payment, code)
        billing.confirm_identity(payment, billing.Identity(**vars(shop.IDENTITY_GIVEN) | IN_TWO | (buyer or {})))
        billing.validate_payment(payment.id, "DEPOT01", by=factories.agent())
        db.session.commit()
    return payment


def settled(deposit: Payment) -> tuple[Invoice, Invoice]:
    """The balance is validated: the deposit's invoice and the final one."""
    balance = instalments.of_contract(deposit)[1]
    with time_machine.travel(SETTLED, tick=False):
        final = billing.validate_payment(balance.id, "SOLDE01", by=factories.agent())
        db.session.commit()
    assert deposit.invoice is not None
    return deposit.invoice, final


def test_a_deposit_is_asked_for_at_the_checkout_and_the_balance_follows(client_for: ClientFor) -> None:
    user = factories.student()
    offer = shop.formation_offer(deposit_bp=3000, balance_days=45)
    client = client_for(user)
    place = client.post(f"/commande/{offer.slug}").headers["Location"]
    page = re.sub(r"\s+", " ", client.get(place).text)
    assert "Acompte de 179,70 €, puis le solde de 419,30 € sous 45 jours" in page

    client.post(f"{place}/identite", data=FORM | {"instalments": "2"})
    payment = db.session.scalars(select(Payment)).one()
    billing.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()

    deposit, balance = instalments.of_contract(payment)
    assert (deposit.amount_cents, balance.amount_cents) == (17970, 41930)
    assert (deposit.label, balance.label) == ("Lire les marchés (acompte)", "Lire les marchés (solde)")
    assert balance.due_on is not None
    assert deposit.validated_at is not None
    assert (balance.due_on - deposit.validated_at.date()).days in {44, 45, 46}
    assert balance.reference in client.get(f"/espace/commandes/{balance.id}?etape=2").text
    assert db.session.scalars(select(UserFormationEnrollment)).one().status is EnrollmentStatus.ACTIVE


def test_an_offer_may_still_be_paid_at_once(client_for: ClientFor) -> None:
    offer, client = shop.formation_offer(deposit_bp=3000), client_for(factories.student())
    place = client.post(f"/commande/{offer.slug}").headers["Location"]

    client.post(f"{place}/identite", data=FORM | {"instalments": "1"})

    payment = db.session.scalars(select(Payment)).one()
    assert (payment.amount_cents, payment.deposit_cents, payment.instalments) == (59900, 0, 1)


REGIMES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "standard": ({}, {}),
    "micro": ({"vat_regime": VatRegime.FRANCHISE, "vat_rate_bp": 0}, {}),
    "training": ({"vat_regime": VatRegime.TRAINING_EXEMPT, "vat_rate_bp": 0}, {}),
    "reverse charge": ({"vat_regime": VatRegime.REVERSE_CHARGE, "vat_rate_bp": 0}, COMPANY),
    "outside": ({"vat_regime": VatRegime.OUTSIDE_EU, "vat_rate_bp": 0}, {"country": "CH"}),
    "reduced": ({"vat_rate_bp": 550, "price_cents": 3333}, {}),
    "business": ({}, {"company": "Lilas Conseil", "siren": "732829320"}),
}


@pytest.mark.parametrize("case", REGIMES)
def test_both_documents_pass_all_rules_in_every_regime(case: str) -> None:
    offer, buyer = REGIMES[case]
    deposit, final = settled(ordered(buyer, **offer))

    files = [pdf_of(document) for document in (deposit, final)]

    trees = [xml_in(file) for file in files]
    for file, tree in zip(files, trees, strict=True):
        failures, fired = broken_rules(etree.tostring(tree))
        assert failures == []
        assert fired > 50
        assert pdfa.faults(file) == []
        if case == "business":
            assert broken_rules(etree.tostring(tree), FRENCH_RULES)[0] == []
    kinds = [said(tree, "rsm:ExchangedDocument/ram:TypeCode") for tree in trees]
    assert kinds == [["386"], ["380"]]
    assert said(trees[1], "ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == [deposit.number]
    assert said(trees[1], "ram:BilledQuantity") == ["1", "-1"]
    frames = [said(tree, "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID") for tree in trees]
    assert frames == [["S2"], ["S4"]]
    paid = [Decimal(said(tree, "ram:TotalPrepaidAmount")[0]) for tree in trees]
    assert paid == [Decimal(document.total_incl_cents) / 100 for document in (deposit, final)]


def test_the_pages_say_what_they_are(site: Flask) -> None:
    deposit, final = settled(ordered())

    texts = [
        re.sub(r"\s+", " ", PdfReader(io.BytesIO(pdf_of(document))).pages[0].extract_text())
        for document in (deposit, final)
    ]

    assert f"Facture d’acompte {deposit.number}" in texts[0]
    assert "Acompte sur un prix de 599,00 € TTC" in texts[0]
    assert "179,70 €" in texts[0]
    assert f"Acompte déduit, facture {deposit.number}" in texts[1]
    assert "Facture du 02/11/2026 · TVA 29,95 € · TTC 179,70 €" in texts[1]
    assert "499,17 €" in texts[1]
    assert "419,30 €" in texts[1]


def test_the_vat_of_a_deposit_is_declared_once_in_every_book(site: Flask) -> None:
    deposit, final = settled(ordered())

    (vat,) = books.vat_summary(*NOVEMBER)
    assert (vat.excl_cents, vat.vat_cents) == (49917, 9983)
    assert deposit.total_incl_cents + final.total_incl_cents == 59900
    assert sum(row.vat_cents for row in e_reporting.sales(*NOVEMBER)) == 9983
    assert sum(row.incl_cents for row in e_reporting.receipts(*NOVEMBER)) == 59900
    assert [row.incl_cents for row in e_reporting.receipts(*NOVEMBER)] == [17970, 41930]
    closings.close_due(datetime(2026, 12, 1, 9, tzinfo=UTC))
    (month,) = closings.latest(ClosingSpan.MONTH, 1)
    assert (month.excl_cents, month.vat_cents, month.perpetual_cents) == (49917, 9983, 59900)
    assert closings.first_broken() is None
    assert invoice_ledger.first_broken() is None


def test_the_fec_holds_a_deposit_in_4191_until_the_final_invoice(site: Flask) -> None:
    payment = ordered()

    def sums() -> dict[str, Decimal]:
        content, _changed = fec.encoded(fec.lines(*NOVEMBER), "iso-8859-15")
        read = fec_reader.read(content)
        return {account: read.sum_of(account) for account in ("411", "4191", "44571", "512", "706")}

    before = sums()
    settled(payment)

    nothing = Decimal(0)
    assert before == {
        "411": nothing,
        "4191": Decimal("-149.75"),
        "44571": Decimal("-29.95"),
        "512": Decimal("179.70"),
        "706": nothing,
    }
    assert sums() == {
        "411": nothing,
        "4191": nothing,
        "44571": Decimal("-99.83"),
        "512": Decimal("599.00"),
        "706": Decimal("-499.17"),
    }


prices = st.integers(min_value=2, max_value=9_999_900)


@given(price=prices, part=st.integers(1, 9999), rate_bp=st.sampled_from([0, 210, 550, 1000, 2000]))
def test_deposit_and_final_invoice_add_up_to_the_contract(price: int, part: int, rate_bp: int) -> None:
    cents = sale_terms.deposit_cents(Offer(deposit_bp=part), price)
    regime = VatRegime.STANDARD
    deposit = Invoice(number="CT-20261102-0001", issued_on=date(2026, 11, 2))
    deposit.items = items_of([Line("Acompte", "", cents, regime, rate_bp)])
    left = {item.position: (item.incl_cents, item.excl_cents) for item in deposit.items}
    final = [*items_of([Line("Formation", "", price, regime, rate_bp)]), *deduction(deposit, left, 2)]
    (whole,) = items_of([Line("Formation", "", price, regime, rate_bp)])

    assert 0 < cents < price
    assert cents + sum(item.incl_cents for item in final) == price
    for name in ("excl_cents", "vat_cents"):
        parts = sum(getattr(item, name) for item in (*deposit.items, *final))
        assert parts == getattr(whole, name)
    for item in final:
        assert item.quantity * item.unit_excl_micros == 10_000 * (item.excl_cents + item.discount_cents)


def test_a_discount_stands_on_the_final_invoice(site: Flask) -> None:
    db.session.add(DiscountCode(code="NOEL", percent_bp=1000, is_active=True, created_at=ORDERED))
    db.session.flush()

    deposit, final = settled(ordered(code="NOEL"))

    assert (deposit.total_incl_cents, final.total_incl_cents) == (16173, 37737)
    assert final.items[0].discount_cents == 4992
    assert final.items[0].unit_excl_micros == 499_170_000


def test_a_deposit_that_a_final_invoice_took_off_is_not_given_back_alone(site: Flask) -> None:
    deposit, final = settled(ordered())
    agent = factories.agent()

    with pytest.raises(credit_notes.DepositDeducted):
        credit_notes.credit_whole(deposit.number, "Geste", by=agent)
    with pytest.raises(credit_notes.MoreThanInvoiced):
        credit_notes.credit(final.number, {1: 59900}, "Geste", by=agent)
    part = credit_notes.credit(final.number, {1: 10000}, "Geste", by=agent)
    rest = credit_notes.credit(final.number, {1: 31930}, "Geste", by=agent)
    back = credit_notes.credit_whole(deposit.number, "Geste", by=agent)
    db.session.commit()

    assert [credit.total_incl_cents for credit in (part, rest, back)] == [10000, 31930, 17970]
    assert sum(credit.total_vat_cents for credit in (part, rest, back)) == 9983
    with pytest.raises(credit_notes.AlreadyCredited):
        credit_notes.credit_whole(final.number, "Geste", by=agent)
    assert broken_rules(etree.tostring(xml_in(pdf_of(rest))))[0] == []
    content, _changed = fec.encoded(fec.lines(date(2026, 1, 1), date(2030, 1, 1)), "iso-8859-15")
    read = fec_reader.read(content)
    assert [read.sum_of(account) for account in ("4191", "44571", "706")] == [Decimal(0)] * 3


def test_a_part_given_back_of_a_deposit_is_not_taken_off_twice(site: Flask) -> None:
    payment = ordered()
    assert payment.invoice is not None
    credit_notes.credit(payment.invoice.number, {1: 7970}, "Geste", by=factories.agent())

    _deposit, final = settled(payment)

    assert [item.incl_cents for item in final.items] == [51930, -10000]
    assert final.total_incl_cents == final.paid_cents == 41930


def test_a_withdrawal_gives_both_invoices_back(site: Flask) -> None:
    payment = ordered()
    settled(payment)
    with time_machine.travel(ORDERED + timedelta(days=10), tick=False):
        declared = withdrawals.declare(payment, by=payment.user)

    withdrawals.refund(declared.id, "VIR RETOUR", by=factories.agent())
    db.session.commit()

    assert declared.refund_cents == 59900
    states = [part.status for part in instalments.of_contract(payment)]
    assert states == [PaymentStatus.REFUNDED, PaymentStatus.REFUNDED]
    assert books.vat_summary(date(2026, 1, 1), date(2030, 1, 1))[0].vat_cents == 0


def test_a_balance_that_stays_unpaid_is_reminded_of_then_suspends_the_place(site: Flask) -> None:
    balance = instalments.of_contract(ordered())[1]
    assert balance.due_on == date(2026, 12, 2)
    due = datetime(2026, 12, 2, 10, tzinfo=UTC)

    left = [dunning.run(due + timedelta(days=days)) for days in (2, 3, 7, 14, 21)]

    assert left == [0, 1, 1, 1, 0]
    db.session.expire_all()
    assert db.session.scalars(select(UserFormationEnrollment)).one().status is EnrollmentStatus.SUSPENDED


def test_the_staff_sets_a_deposit_on_an_offer(client_for: ClientFor) -> None:
    offer, admin = shop.formation_offer(), client_for(factories.admin())
    form = {
        "name": offer.name,
        "price": "1 234,56",
        "vat_regime": "standard",
        "vat_rate": "20",
        "instalments": "1",
        "deposit": "33,33",
        "balance_days": "60",
        "max_quantity": "1",
        "status": "published",
    }

    refused = admin.post(f"/admin/offres/{offer.id}", data=form | {"instalments": "3"})
    assert refused.status_code == 422
    assert "1 234,56" in refused.text
    assert admin.post(f"/admin/offres/{offer.id}", data=form).status_code == 302

    db.session.expire_all()
    assert (offer.price_cents, offer.deposit_bp, offer.balance_days) == (123456, 3333, 60)
    assert 'value="33,33"' in admin.get(f"/admin/offres/{offer.id}").text
