"""Issued documents: amounts, mentions, days, the chain, and that nothing changes them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from calmness.extensions import db
from calmness.models.billing import Invoice, InvoiceKind, InvoiceTemplate
from calmness.models.catalogue import VatRegime
from calmness.services.billing import credit_notes, invoice_ledger, invoice_lines, purchases
from tests import factories
from tests.billing import shop

prices = st.integers(min_value=1, max_value=99_999_999)


@given(cents=prices, rate_bp=st.sampled_from([0, 210, 550, 1000, 2000, 2700]))
def test_the_parts_of_a_price_add_up_and_are_the_nearest_cents(cents: int, rate_bp: int) -> None:
    excl, vat = invoice_lines.split_vat(cents, rate_bp)

    assert excl + vat == cents
    assert vat >= 0
    exact = Decimal(cents) * 10000 / (10000 + rate_bp)
    assert abs(Decimal(excl) - exact) <= Decimal("0.5")
    # The VAT told on the invoice is within a cent of the rate applied to the amount told (EN 16931, BR-CO-17).
    assert abs(Decimal(vat) - Decimal(excl) * rate_bp / 10000) <= 1


@given(cents=prices)
def test_no_rate_means_no_vat(cents: int) -> None:
    assert invoice_lines.split_vat(cents, 0) == (cents, 0)


@pytest.mark.parametrize(
    ("cents", "excl", "vat"), [(14999, 12499, 2500), (99, 83, 16), (3333, 2778, 555), (1, 1, 0), (12000, 10000, 2000)]
)
def test_prices_that_do_not_divide(cents: int, excl: int, vat: int) -> None:
    assert invoice_lines.split_vat(cents, 2000) == (excl, vat)


def sold(site: Flask, number: str = "AB1234", **offer: object) -> Invoice:
    """An invoice of a signal subscription."""
    if db.session.scalar(select(InvoiceTemplate.id)) is None:
        shop.identity()
    slug = f"offre-{number.lower()}"
    # Who pays the VAT oneself has a number.
    numbered = {"vat_number": "DE136695976"} if offer.get("vat_regime") is VatRegime.REVERSE_CHARGE else {}
    student = factories.student()
    payment = shop.submitted(student, shop.signals_offer(slug=slug, **offer), number)
    for name, value in numbered.items():
        setattr(student, name, value)
    invoice = purchases.validate_payment(payment.id, number, by=factories.agent())
    db.session.commit()
    return invoice


@pytest.mark.parametrize(
    ("regime", "mention"),
    [
        (VatRegime.FRANCHISE, "TVA non applicable, art. 293 B du CGI"),
        (VatRegime.TRAINING_EXEMPT, "Exonération de TVA, art. 261-4-4° a du CGI"),
        (VatRegime.REVERSE_CHARGE, "Autoliquidation (art. 283-2 du CGI, art. 196 de la directive 2006/112/CE)"),
        (VatRegime.OUTSIDE_EU, "TVA non applicable, art. 259-1 du CGI"),
    ],
)
def test_an_exempt_sale_bears_no_vat_and_says_why(site: Flask, regime: VatRegime, mention: str) -> None:
    invoice = sold(site, vat_regime=regime, vat_rate_bp=2000)

    assert (invoice.total_excl_cents, invoice.total_vat_cents) == (4990, 0)
    assert invoice.items[0].vat_rate_bp == 0
    assert mention in invoice.mention_texts


def test_a_consumer_reads_no_penalties_and_a_company_does(site: Flask) -> None:
    consumer = sold(site)
    payment = purchases.declare(factories.student(), shop.signals_offer().slug)
    company = {**vars(shop.IDENTITY_GIVEN), "company": "Lilas Conseil", "siren": "732829320"}
    purchases.confirm_identity(payment, purchases.Identity(**company))
    business = purchases.validate_payment(payment.id, "CD5678", by=factories.agent())

    assert not any("40" in mention for mention in consumer.mention_texts)
    assert any("40\u00a0€" in mention for mention in business.mention_texts)
    assert (business.buyer["name"], business.buyer["siren"]) == ("Lilas Conseil", "732829320")


@pytest.mark.parametrize(
    ("instant", "number"),
    [
        (datetime(2026, 11, 24, 22, 59, 59, 900_000, UTC), "CT-20261124-0001"),
        (datetime(2026, 11, 24, 23, 0, 0, tzinfo=UTC), "CT-20261125-0001"),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "CT-20260329-0001"),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), "CT-20261025-0001"),
    ],
)
def test_the_day_is_the_one_in_paris(site: Flask, instant: datetime, number: str) -> None:
    with time_machine.travel(instant, tick=False):
        assert sold(site).number == number


def test_a_clock_set_back_never_issues_before_the_last_day(site: Flask) -> None:
    with time_machine.travel(datetime(2026, 11, 25, 9, 0, tzinfo=UTC), tick=False):
        sold(site, "AB1234")
    with time_machine.travel(datetime(2026, 11, 24, 9, 0, tzinfo=UTC), tick=False):
        late = sold(site, "CD5678")

    assert late.number == "CT-20261125-0002"
    assert late.issued_on == date(2026, 11, 25)
    assert late.issued_at == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
    assert invoice_ledger.first_broken() is None


def test_the_ten_thousandth_of_a_day_is_one_digit_wider(site: Flask) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 9, 0, tzinfo=UTC), tick=False):
        sold(site)
        db.session.execute(text("UPDATE invoice_counter SET last = 9999 WHERE series = 'CT'"))

        assert sold(site, "CD5678").number == "CT-20261124-10000"


def test_a_later_change_of_name_or_offer_leaves_the_invoice_as_it_was(site: Flask) -> None:
    invoice = sold(site)
    invoice.user.last_name = "Autre"
    invoice.payment.offer.name = "Autre"  # type: ignore[union-attr]
    db.session.commit()

    assert invoice.buyer["name"] == "Élodie O'Brien-Ñandú"
    assert invoice.items[0].label == "Signaux 30 jours"
    assert invoice_ledger.first_broken() is None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE invoice SET total_incl_cents = 1", "DELETE FROM invoice", "UPDATE invoice_item SET label = 'x'"],
)
def test_the_database_refuses_to_change_an_issued_invoice(site: Flask, statement: str) -> None:
    sold(site)

    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()


def _behind_the_guards(*statements: str) -> None:
    """Run statements as somebody would who can change the database itself."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        for table in ("invoice", "invoice_item"):
            for verb in ("update", "delete"):
                db.session.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
    for statement in statements:
        db.session.execute(text(statement))
    db.session.commit()
    db.session.expire_all()


@pytest.mark.parametrize(
    ("statement", "rank"),
    [
        ("UPDATE invoice SET total_excl_cents = total_excl_cents + 1, total_vat_cents = total_vat_cents - 1", 0),
        ("UPDATE invoice_item SET label = 'x' WHERE invoice_id = (SELECT max(id) FROM invoice)", 1),
    ],
)
def test_verification_names_the_first_changed_document(site: Flask, statement: str, rank: int) -> None:
    numbers = [sold(site, number).number for number in ("AB1234", "CD5678")]

    _behind_the_guards(statement)

    assert invoice_ledger.first_broken() == numbers[rank]


def test_verification_sees_that_the_last_document_is_gone(site: Flask) -> None:
    first, second = (sold(site, number) for number in ("AB1234", "CD5678"))
    number, last = first.number, second.id
    assert last == 2

    _behind_the_guards("DELETE FROM invoice_item WHERE invoice_id = 2", "DELETE FROM invoice WHERE id = 2")

    assert invoice_ledger.first_broken() == f"1 after {number}"


def test_a_credit_note_mirrors_its_invoice_and_closes_the_access(site: Flask) -> None:
    invoice = sold(site)

    credit = credit_notes.credit_whole(invoice.number, "Rétractation du client", by=factories.agent())
    db.session.commit()

    assert credit.kind is InvoiceKind.CREDIT_NOTE
    assert credit.number == invoice.number.replace("CT-", "AV-")
    assert (credit.corrects_id, credit.serial, credit.paid_cents) == (invoice.id, 1, 0)
    assert credit.total_incl_cents == invoice.total_incl_cents
    assert credit.mention_texts[0].startswith(f"Avoir sur la facture {invoice.number} du ")
    assert invoice.payment is not None
    assert invoice.payment.status.value == "refunded"
    assert db.session.execute(text("SELECT status FROM subscription")).scalar_one() == "cancelled"
    assert invoice_ledger.first_broken() is None


def test_an_invoice_is_credited_once_and_a_credit_note_never(site: Flask) -> None:
    invoice, agent = sold(site), factories.agent()
    credit = credit_notes.credit_whole(invoice.number, "Erreur de nom", by=agent)

    with pytest.raises(credit_notes.AlreadyCredited):
        credit_notes.credit_whole(invoice.number, "Erreur de nom", by=agent)
    with pytest.raises(credit_notes.NotAnInvoice):
        credit_notes.credit_whole(credit.number, "Erreur de nom", by=agent)


def test_the_ledger_command_says_one_line_a_chain(site: Flask) -> None:
    sold(site)

    done = site.test_cli_runner().invoke(args=["ledger", "verify"])

    assert done.exit_code == 0, done.output
    assert "invoice: whole" in done.output.splitlines()
    assert "audit: whole" in done.output.splitlines()
