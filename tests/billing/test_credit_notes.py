"""Credit notes in parts: never more than the invoice, by line and by rate; the last takes the rest of the VAT."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Invoice, PaymentStatus
from calmness.models.catalogue import VatRegime
from calmness.services.billing import credit_notes, invoice_ledger, invoice_lines, purchases
from tests import factories
from tests.billing import shop


def sold(cents: int = 4990) -> Invoice:
    """An invoice of one line."""
    shop.identity()
    payment = shop.submitted(factories.student(), shop.signals_offer(price_cents=cents), "AB1234")
    invoice = purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
    db.session.commit()
    return invoice


def state_of(invoice: Invoice) -> PaymentStatus:
    assert invoice.payment is not None
    return invoice.payment.status


def test_half_then_the_rest_then_one_cent_more(site: Flask) -> None:
    invoice, agent = sold(3333), factories.agent()

    half = credit_notes.credit(invoice.number, {1: 1667}, "Geste commercial", by=agent)
    assert state_of(invoice) is PaymentStatus.VALIDATED
    rest = credit_notes.credit(invoice.number, {1: 1666}, "Le reste", by=agent)

    assert (half.number[-4:], rest.number[-4:]) == ("0001", "0002")
    assert half.total_vat_cents + rest.total_vat_cents == invoice.total_vat_cents
    assert half.total_excl_cents + rest.total_excl_cents == invoice.total_excl_cents
    assert state_of(invoice) is PaymentStatus.REFUNDED
    with pytest.raises(credit_notes.AlreadyCredited):
        credit_notes.credit(invoice.number, {1: 1}, "Un centime", by=agent)
    assert invoice_ledger.first_broken() is None


def test_a_line_is_never_credited_for_more_than_is_left(site: Flask) -> None:
    invoice, agent = sold(), factories.agent()
    credit_notes.credit(invoice.number, {1: 4000}, "Geste commercial", by=agent)

    with pytest.raises(credit_notes.MoreThanInvoiced) as refused:
        credit_notes.credit(invoice.number, {1: 991}, "Trop", by=agent)

    assert refused.value.field == "line_1"


def test_the_whole_after_a_part_credits_what_is_left(site: Flask) -> None:
    invoice, agent = sold(), factories.agent()
    part = credit_notes.credit(invoice.number, {1: 990}, "Geste commercial", by=agent)

    rest = credit_notes.credit_whole(invoice.number, "Rétractation", by=agent)

    assert part.total_incl_cents + rest.total_incl_cents == invoice.total_incl_cents
    assert part.total_vat_cents + rest.total_vat_cents == invoice.total_vat_cents


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cents=st.integers(1, 50_000),
    rate_bp=st.sampled_from([0, 550, 1000, 2000]),
    cuts=st.lists(st.integers(1, 20_000), max_size=6),
)
def test_parts_always_add_up_to_the_line(cents: int, rate_bp: int, cuts: list[int]) -> None:
    (item,) = invoice_lines.items_of([invoice_lines.Line("x", "", cents, VatRegime.STANDARD, rate_bp)])
    left = (item.incl_cents, item.excl_cents)

    for cut in [*cuts, cents]:
        part_cents = min(cut, left[0])
        if not part_cents:
            break
        part = credit_notes.part_of(item, part_cents, left)
        assert 0 <= part.excl_cents <= part.incl_cents
        left = (left[0] - part.incl_cents, left[1] - part.excl_cents)
        assert left[1] >= 0
        assert left[0] - left[1] >= 0

    if left[0] == 0:
        assert left == (0, 0)


def test_an_agent_gives_a_part_back_by_the_page(site: Flask, client_for: Callable[[User], FlaskClient]) -> None:
    invoice = sold()
    desk = client_for(factories.agent())
    address = f"/admin/paiements/{invoice.payment_id}/avoir"

    refused = desk.post(address, data={"reason": "Geste", "line_1": "50,00"})
    done = desk.post(address, data={"reason": "Geste", "line_1": "12,50 €"}, follow_redirects=True)

    assert refused.status_code == 422
    assert "à créditer sur cette ligne" in refused.get_data(as_text=True)
    assert "50,00" in refused.get_data(as_text=True)
    (credit,) = credit_notes.all_of_invoice(invoice.id)
    assert credit.total_incl_cents == 1250
    assert f'Avoir partiel <span class="nowrap">{credit.number}</span>' in done.get_data(as_text=True)
