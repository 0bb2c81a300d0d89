"""Closed periods: their totals, that nothing enters them any more, and that a change in them shows."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError

from calmness.extensions import db
from calmness.models.billing import Invoice, InvoiceTemplate
from calmness.models.closing import ClosingSpan, PeriodClosing
from calmness.services.billing import closings, credit_notes, invoice_ledger, purchases
from tests import factories
from tests.billing import shop


def at(year: int, month: int, day: int) -> time_machine.travel:
    return time_machine.travel(datetime(year, month, day, 9, tzinfo=UTC), tick=False)


def sold(number: str) -> Invoice:
    """49,90 €."""
    if db.session.scalar(select(InvoiceTemplate.id)) is None:
        shop.identity()
    payment = shop.submitted(factories.student(), shop.signals_offer(slug=number.lower()), number)
    invoice = purchases.validate_payment(payment.id, number, by=factories.agent())
    db.session.commit()
    return invoice


def close() -> int:
    closed = closings.close_due()
    db.session.commit()
    return closed


def row(span: ClosingSpan, first: date) -> PeriodClosing:
    return db.session.scalars(
        select(PeriodClosing).where(PeriodClosing.span == span, PeriodClosing.first_on == first)
    ).one()


def test_days_months_and_years_close_once_with_their_totals(site: Flask) -> None:
    with at(2026, 12, 30):
        sold("AB1234")
    with at(2027, 1, 2):
        sold("CD5678")
        # 30 and 31 December, 1 January, December, 2026.
        assert close() == 5
        assert close() == 0
    with at(2027, 1, 3):
        assert close() == 1

    december = row(ClosingSpan.MONTH, date(2026, 12, 1))
    assert (december.documents, december.incl_cents, december.perpetual_cents) == (1, 4990, 4990)
    assert row(ClosingSpan.YEAR, date(2026, 1, 1)).excl_cents == 4158
    assert row(ClosingSpan.DAY, date(2026, 12, 31)).documents == 0
    assert row(ClosingSpan.DAY, date(2027, 1, 2)).perpetual_cents == 9980
    assert closings.first_broken() is None


def test_a_refund_after_the_closing_is_a_document_of_the_open_period(site: Flask) -> None:
    with at(2026, 11, 10):
        invoice = sold("AB1234")
    with at(2026, 12, 1):
        close()
        credit = credit_notes.credit_whole(invoice.number, "Rétractation", by=factories.agent())
        db.session.commit()
    with at(2026, 12, 2):
        close()

    assert credit.issued_on == date(2026, 12, 1)
    assert row(ClosingSpan.MONTH, date(2026, 11, 1)).incl_cents == 4990
    assert row(ClosingSpan.DAY, date(2026, 12, 1)).incl_cents == -4990
    assert row(ClosingSpan.DAY, date(2026, 12, 1)).perpetual_cents == 0
    assert closings.first_broken() is None


def test_a_clock_set_back_issues_nothing_on_a_closed_day(site: Flask) -> None:
    with at(2026, 11, 10):
        sold("AB1234")
    with at(2026, 11, 12):
        close()
    with at(2026, 11, 11):
        late = sold("CD5678")

    assert late.issued_on == date(2026, 11, 12)
    assert closings.first_broken() is None
    assert invoice_ledger.first_broken() is None


def test_a_closed_period_cannot_be_changed_and_a_change_behind_the_guards_is_named(site: Flask) -> None:
    with at(2026, 11, 10):
        sold("AB1234")
    with at(2026, 11, 12):
        close()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(text("UPDATE period_closing SET documents = 7"))
    db.session.rollback()

    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        db.session.execute(text("DROP TRIGGER period_closing_no_update"))
    db.session.execute(text("UPDATE period_closing SET perpetual_cents = 1 WHERE first_on = '2026-11-10'"))
    db.session.commit()
    db.session.expire_all()

    assert closings.first_broken() == "day 2026-11-10"


def test_without_documents_nothing_is_closed(site: Flask) -> None:
    assert close() == 0
    assert db.session.scalar(select(func.count()).select_from(PeriodClosing)) == 0
