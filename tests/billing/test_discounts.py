"""Discount codes: what they take off, for whom, how often; and sums that agree to the cent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment
from calmness.models.sale import DiscountCode
from calmness.services.billing import discounts, invoice_lines, purchases, sale_terms
from tests import factories
from tests.billing import shop

ClientFor = Callable[[User], FlaskClient]


def code(**values: Any) -> DiscountCode:
    """``NOEL20`` takes a fifth off."""
    draft = discounts.DiscountDraft(**{"code": "noël-20", "percent_bp": 2000, "amount_cents": None, **values})
    return discounts.create(draft, by=factories.admin())


def begun(user: User | None = None) -> Payment:
    """A purchase of 49,90 €."""
    return purchases.declare(user or factories.student(), "signaux-30-jours")


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()
    shop.signals_offer()


def test_a_code_lowers_the_price_and_the_invoice(client_for: ClientFor) -> None:
    code(code="NOEL20")
    user = factories.student()
    payment = begun(user)
    client = client_for(user)

    client.post(f"/espace/commandes/{payment.id}/reduction", data={"code": " noel 20 "})

    db.session.expire_all()
    assert (payment.list_cents, payment.discount_cents, payment.amount_cents) == (4990, 998, 3992)
    assert "39,92" in client.get(f"/espace/commandes/{payment.id}").text
    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    assert invoice.total_incl_cents == invoice.paid_cents == 3992
    assert invoice.total_excl_cents + invoice.total_vat_cents == 3992


def test_an_empty_code_takes_the_last_one_away(client_for: ClientFor) -> None:
    code(code="NOEL20")
    user = factories.student()
    payment = begun(user)
    discounts.apply(payment, "NOEL20")

    client_for(user).post(f"/espace/commandes/{payment.id}/reduction", data={"code": ""})

    db.session.expire_all()
    assert (payment.discount_id, payment.amount_cents) == (None, 4990)


def test_a_wrong_code_is_told_beside_its_field_and_kept(client_for: ClientFor) -> None:
    user = factories.student()
    payment = begun(user)

    refused = client_for(user).post(f"/espace/commandes/{payment.id}/reduction", data={"code": "FAUX99"})

    assert refused.status_code == 422
    assert "n’est pas valable" in refused.text
    assert "FAUX99" in refused.text


def test_a_code_is_for_its_offer_its_days_and_while_it_is_open(site: Flask) -> None:
    today = clock.paris_today()
    other = shop.signals_offer(slug="autre")
    code(code="AUTRE", offer_id=other.id)
    code(code="PASSE", valid_until=today - timedelta(days=1))
    code(code="FUTUR", valid_from=today + timedelta(days=1))
    discounts.set_active(code(code="FERME").id, False, by=factories.admin())
    code(code="JOUR", valid_from=today, valid_until=today)

    for text in ("AUTRE", "PASSE", "FUTUR", "FERME", ""):
        with pytest.raises(discounts.DiscountUnknown):
            discounts.apply(begun(), text)
    assert discounts.apply(begun(), "jour").code == "JOUR"


def test_limits_count_purchases_that_were_not_given_up(site: Flask) -> None:
    code(code="DEUX", max_uses=2, max_per_person=1)
    user = factories.student()
    first, second = begun(user), begun()
    discounts.apply(first, "DEUX")
    discounts.apply(second, "DEUX")

    with pytest.raises(discounts.DiscountUsedUp):
        discounts.apply(begun(), "DEUX")
    purchases.cancel(second)
    discounts.apply(begun(), "DEUX")
    purchases.confirm_identity(first, shop.IDENTITY_GIVEN)
    purchases.submit_transaction(first, "AB1234")
    with pytest.raises(discounts.DiscountUsedUp):
        discounts.apply(begun(user), "DEUX")


def test_a_code_as_large_as_the_price_is_refused(site: Flask) -> None:
    code(code="TOUT", percent_bp=None, amount_cents=4990)

    with pytest.raises(discounts.DiscountTooLarge):
        discounts.apply(begun(), "TOUT")


def test_an_admin_makes_and_closes_a_code(client_for: ClientFor) -> None:
    client = client_for(factories.admin())
    form = {"code": "été 26", "percent": "12.5", "offer_id": "0", "max_per_person": "1"}

    refused = client.post("/admin/reductions", data=form | {"amount": "3"})
    assert refused.status_code == 422
    assert "pas les deux" in refused.text
    assert client.post("/admin/reductions", data=form).status_code == 302
    assert client.post("/admin/reductions", data=form).status_code == 422, "it exists"
    (made, uses) = discounts.every()[0]
    client.post(f"/admin/reductions/{made.id}/etat", data={"actif": "0"})

    db.session.expire_all()
    assert (made.percent_bp, uses, made.is_active) == (1250, 0, False)
    assert made.code in client.get("/admin/reductions").text


@given(price=st.integers(1, 10**7), percent=st.integers(1, 9999), rate=st.sampled_from([0, 550, 2000]))
def test_price_discount_and_vat_agree_to_the_cent(price: int, percent: int, rate: int) -> None:
    try:
        off = discounts.off(DiscountCode(percent_bp=percent), price)
    except discounts.DiscountTooLarge:
        assert percent * price >= (price * 2 - 1) * 5000, "only when nothing would be left"
        return
    left = price - off

    assert 0 < left <= price
    assert abs(off * 10000 - price * percent) <= 5000, "half a cent at most"
    assert sum(invoice_lines.split_vat(left, rate)) == left


@given(total=st.integers(12, 10**8), count=st.integers(1, 12))
def test_parts_are_the_whole_to_the_cent(total: int, count: int) -> None:
    parts = [sale_terms.part_cents(total, count, place) for place in range(1, count + 1)]

    assert sum(parts) == total
    assert max(parts) - min(parts) < count
    assert min(parts) > 0
