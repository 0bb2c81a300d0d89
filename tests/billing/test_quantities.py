"""More than one of something: unit price, quantity and amount agree to the cent in database, page, XML and FEC."""

import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from calmness.extensions import db
from calmness.jobs.invoice_view import unit_price as printed
from calmness.models.account import User
from calmness.models.billing import Invoice, Payment, Subscription
from calmness.models.catalogue import OfferKind, VatRegime
from calmness.models.sale import DiscountCode
from calmness.pdf.facturx import broken_rules
from calmness.services.billing import credit_notes, discounts, fec, invoice_lines, purchases, sale_terms
from calmness.services.billing.invoice_lines import Line
from calmness.services.billing.invoice_terms import unit_price
from tests import factories
from tests.billing import fec_reader, shop
from tests.billing.test_facturx import pdf_of, said, xml_in
from tests.billing.test_pages import FORM

ClientFor = Callable[[User], FlaskClient]


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def sold(quantity: int, code: str = "", **offer: Any) -> Invoice:
    """Some hours of a service at 33,33 € each."""
    given = {"kind": OfferKind.SERVICE, "name": "Heure de suivi", "price_cents": 3333, "max_quantity": 10}
    payment = purchases.declare(factories.student(), shop.signals_offer(**given | offer).slug)
    sale_terms.set_quantity(payment, quantity)
    if code:
        discounts.apply(payment, code)
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()
    return invoice


@given(
    unit=st.integers(1, 9_999_900),
    quantity=st.integers(1, 100),
    off=st.integers(0, 9_999),
    rate_bp=st.sampled_from([0, 210, 550, 1000, 2000]),
)
def test_a_quantity_times_its_unit_price_is_the_amount(unit: int, quantity: int, off: int, rate_bp: int) -> None:
    discount = unit * quantity * off // 10_000
    line = Line("x", "", unit * quantity - discount, VatRegime.STANDARD, rate_bp, discount, quantity)
    others = [Line("y", "", 3333, VatRegime.STANDARD, rate_bp)]

    for item in invoice_lines.items_of([*others, line, *others]):
        price = Decimal(unit_price(item.unit_excl_micros))
        gross = (price * item.quantity).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        assert gross == Decimal(item.excl_cents + item.discount_cents) / 100
        assert item.excl_cents + item.vat_cents == item.incl_cents
        # No rounding moved the price of a piece by a cent or more.
        if item.quantity > 1:
            assert abs(price * 100 - Decimal(unit) * 10_000 / (10_000 + rate_bp)) < 2


@pytest.mark.parametrize(
    ("micros", "xml", "page"),
    [
        (27_770_000, "27.77", "27,77 €"),
        (27_775_000, "27.775", "27,775 €"),
        (1_234_500_000, "1234.50", "1 234,50 €"),
        (33_333_333, "33.333333", "33,333333 €"),
        (0, "0.00", "0,00 €"),
    ],
)
def test_a_unit_price_shows_the_decimals_that_it_needs(micros: int, xml: str, page: str) -> None:
    assert unit_price(micros) == xml
    assert re.sub(r"\s", " ", printed(micros)) == page


def test_three_at_33_33_agree_in_database_page_xml_and_fec(site: Flask) -> None:
    invoice = sold(3)

    document = pdf_of(invoice)

    (item,) = invoice.items
    assert (item.quantity, item.unit_excl_micros, item.excl_cents, item.vat_cents) == (3, 27_775_000, 8333, 1666)
    assert invoice.total_incl_cents == 9999
    xml = xml_in(document)
    assert broken_rules(etree.tostring(xml))[0] == []
    assert said(xml, "ram:BilledQuantity") == ["3"]
    assert said(xml, "ram:NetPriceProductTradePrice/ram:ChargeAmount") == ["27.775"]
    assert said(xml, "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount") == ["83.33"]
    page = re.sub(r"\s+", " ", PdfReader(io.BytesIO(document)).pages[0].extract_text())
    for text in ("27,775 €", "83,33 €", "16,66 €", "99,99 €"):
        assert text in page
    content, _changed = fec.encoded(fec.lines(date(2020, 1, 1), date(2040, 1, 1)), "utf-8")
    read = fec_reader.read(content, "utf-8")
    sums = [read.sum_of(account) for account in ("706", "44571", "512")]
    assert sums == [Decimal("-83.33"), Decimal("-16.66"), Decimal("99.99")]


def test_the_database_refuses_a_line_that_does_not_multiply(site: Flask) -> None:
    item = invoice_lines.items_of([Line("x", "", 9999, VatRegime.STANDARD, 2000, quantity=3)])[0]
    item.unit_excl_micros += 5_000
    item.invoice_id = sold(1).id
    item.position = 2
    db.session.add(item)

    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()


def test_a_large_amount_passes_the_check_of_the_database(site: Flask) -> None:
    invoice = sold(10, price_cents=9_999_900)

    assert invoice.total_incl_cents == 99_999_000
    assert credit_notes.credit_whole(invoice.number, "Geste", by=factories.agent()).items[0].quantity == 10


def test_a_code_takes_its_part_off_all_of_them(site: Flask) -> None:
    db.session.add(DiscountCode(code="NOEL", percent_bp=1000, is_active=True, created_at=datetime.now(UTC)))
    db.session.flush()

    invoice = sold(3, code="NOEL")

    (item,) = invoice.items
    assert (invoice.total_incl_cents, item.discount_cents, item.quantity) == (8999, 833, 3)
    assert broken_rules(etree.tostring(xml_in(pdf_of(invoice))))[0] == []


def test_three_periods_are_one_subscription_three_times_as_long(site: Flask) -> None:
    invoice = sold(3, kind=OfferKind.SIGNALS, duration_days=30)

    subscription = db.session.scalars(select(Subscription)).one()
    assert subscription.ends_at - subscription.starts_at == timedelta(days=90)
    assert invoice.items[0].detail == "Durée\u00a0: 90\u00a0jours"


def test_the_quantity_is_chosen_before_consent_and_shows_its_price(client_for: ClientFor) -> None:
    offer = shop.signals_offer(kind=OfferKind.SERVICE, price_cents=3333, max_quantity=5)
    client = client_for(factories.student())
    place = client.post(f"/commande/{offer.slug}").headers["Location"]

    refused = client.post(f"{place}/quantite", data={"quantity": "6"})
    assert refused.status_code == 422
    assert "ne se vend pas en cette quantité" in refused.text
    assert client.post(f"{place}/quantite", data={"quantity": "0"}).status_code == 422
    assert client.post(f"{place}/quantite", data={"quantity": "3"}).status_code == 302

    page = re.sub(r"\s+", " ", client.get(place).text)
    assert "99,99 € TTC" in page
    assert "33,33 € TTC l’unité, 5 au plus" in page
    client.post(f"{place}/identite", data=FORM)
    payment = db.session.scalars(select(Payment)).one()
    assert (payment.quantity, payment.amount_cents) == (3, 9999)


def test_a_place_is_held_for_each(site: Flask) -> None:
    offer = shop.signals_offer(kind=OfferKind.SERVICE, max_quantity=5, places=4)
    first, second = (purchases.declare(factories.student(), offer.slug) for _buyer in range(2))
    sale_terms.set_quantity(first, 3)
    sale_terms.set_quantity(second, 2)
    purchases.confirm_identity(first, shop.IDENTITY_GIVEN)

    assert sale_terms.places_left(offer) == 1
    with pytest.raises(sale_terms.SoldOut):
        purchases.confirm_identity(second, shop.IDENTITY_GIVEN)
