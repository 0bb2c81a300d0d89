"""Validation: one transaction gives payment, right of access, numbered invoice and the work to do."""

from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from calmness import clock
from calmness.extensions import db
from calmness.models.account import UserNotification
from calmness.models.audit import AuditEntry
from calmness.models.billing import Invoice, Payment, PaymentEvent, PaymentStatus, Subscription
from calmness.models.delivery import OutboxTask
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.services.billing import invoice_ledger, invoicing, purchases, transactions
from calmness.services.billing.transactions import TransactionNumberMissing, TransactionNumberTaken
from tests import factories
from tests.billing import shop

NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@time_machine.travel(NOON, tick=False)
def test_a_formation_paid_gives_place_invoice_work_notice_and_journal() -> None:
    student, agent = factories.student(), factories.agent()
    payment = shop.submitted(student, shop.formation_offer(), "vir 2026-1124/001")

    invoice = purchases.validate_payment(payment.id, "VIR20261124001", by=agent)
    db.session.commit()

    assert payment.status is PaymentStatus.VALIDATED
    assert payment.validated_by_id == agent.id
    assert payment.transaction_key == "VIR20261124001"
    place = db.session.scalars(select(UserFormationEnrollment)).one()
    assert (place.user_id, place.payment_id, place.status) == (student.id, payment.id, EnrollmentStatus.ACTIVE)
    assert invoice.number == "CT-20261124-0001"
    assert (invoice.total_excl_cents, invoice.total_vat_cents, invoice.total_incl_cents) == (49917, 9983, 59900)
    assert invoice.buyer["name"] == "Élodie O'Brien-Ñandú"
    assert [task.kind for task in db.session.scalars(select(OutboxTask))] == ["billing.render_invoice"]
    assert [notice.kind for notice in db.session.scalars(select(UserNotification))] == ["payment"] * 2
    assert "payment.validated" in set(db.session.scalars(select(AuditEntry.action)))
    states = db.session.scalars(select(PaymentEvent.status).order_by(PaymentEvent.id)).all()
    assert states == [PaymentStatus.DECLARED, PaymentStatus.TRANSACTION_SUBMITTED, PaymentStatus.VALIDATED]


def test_second_validation_returns_the_same_invoice() -> None:
    student, agent = factories.student(), factories.agent()
    payment = shop.submitted(student, shop.formation_offer(), "AB-1234")

    first = purchases.validate_payment(payment.id, "AB-1234", by=agent)
    db.session.commit()
    second = purchases.validate_payment(payment.id, "AB-1234", by=agent)
    db.session.commit()

    assert second.id == first.id
    assert (count(Invoice), count(UserFormationEnrollment), count(OutboxTask)) == (1, 1, 1)


@pytest.mark.parametrize("number", [None, "", "   ", "---", "ab", "é€"])
def test_validation_refuses_a_missing_number(number: str | None) -> None:
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB-1234")

    with pytest.raises(TransactionNumberMissing):
        purchases.validate_payment(payment.id, number, by=factories.agent())
    db.session.rollback()

    assert count(Invoice) == 0


@pytest.mark.parametrize("written", ["ab 12-34", "ＡＢ１２３４", " AB1234 ", "ab.12/34"])
def test_the_same_number_written_otherwise_is_taken(written: str) -> None:
    offer, agent = shop.signals_offer(), factories.agent()
    first = shop.submitted(factories.student(), offer, "AB1234")
    second = purchases.declare(factories.student(), offer.slug)

    with pytest.raises(TransactionNumberTaken) as refused:
        purchases.validate_payment(second.id, written, by=agent)

    assert refused.value.payment is not None
    assert refused.value.payment.id == first.id
    # What people who are not staff read never names the other payment.
    assert first.reference not in str(refused.value.message)


def test_another_fault_of_the_write_is_not_called_a_taken_number() -> None:
    payment = purchases.declare(factories.student(), shop.signals_offer().slug)
    nameless = PaymentEvent(payment_id=payment.id, status=None, at=clock.now(), reason="")

    with pytest.raises(IntegrityError, match="status"), transactions.numbered(payment, "AB1234"):
        db.session.add(nameless)


def test_a_rejected_payment_can_be_answered_with_another_number() -> None:
    student, agent = factories.student(), factories.agent()
    payment = shop.submitted(student, shop.signals_offer(), "WRONG-1")

    purchases.reject_payment(payment.id, "Ce numéro n’est pas sur notre relevé.", by=agent)
    db.session.commit()
    assert payment.rejection_reason == "Ce numéro n’est pas sur notre relevé."

    purchases.submit_transaction(payment, "RIGHT-1")
    invoice = purchases.validate_payment(payment.id, "RIGHT-1", by=agent)
    db.session.commit()

    assert payment.status is PaymentStatus.VALIDATED
    assert invoice.number.endswith("-0001")


def test_a_rejected_number_is_free_for_the_payment_it_belongs_to() -> None:
    offer, agent = shop.signals_offer(), factories.agent()
    mistaken = shop.submitted(factories.student(), offer, "AB1234")
    purchases.reject_payment(mistaken.id, "Ce virement est celui d’une autre personne.", by=agent)

    owner = shop.submitted(factories.student(), offer, "AB1234")

    assert purchases.validate_payment(owner.id, "AB1234", by=agent).user_id == owner.user_id


def test_a_cancelled_payment_is_not_validated() -> None:
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    purchases.cancel(payment)
    purchases.cancel(payment)

    with pytest.raises(purchases.PaymentClosed):
        purchases.validate_payment(payment.id, "AB1234", by=factories.agent())


@time_machine.travel(NOON, tick=False)
def test_renewals_follow_each_other_without_gap_or_overlap() -> None:
    student, agent, offer = factories.student(), factories.agent(), shop.signals_offer()
    for number in ("A0001", "A0002", "A0003"):
        payment = shop.submitted(student, offer, number)
        purchases.validate_payment(payment.id, number, by=agent)

    spans = [(row.starts_at, row.ends_at) for row in db.session.scalars(select(Subscription).order_by(Subscription.id))]

    assert spans[0][0] == NOON
    assert [end for _start, end in spans[:-1]] == [start for start, _end in spans[1:]]
    assert {(end - start).days for start, end in spans} == {30}


def test_without_legal_identity_nothing_is_validated() -> None:
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    agent = factories.agent()
    db.session.execute(db.text("UPDATE invoice_template SET is_active = :off"), {"off": False})
    db.session.commit()

    with pytest.raises(invoicing.NoIdentity):
        purchases.validate_payment(payment.id, "AB1234", by=agent)
    db.session.rollback()

    assert db.session.get_one(Payment, payment.id).status is PaymentStatus.TRANSACTION_SUBMITTED
    assert (count(Invoice), count(Subscription)) == (0, 0)
    assert invoice_ledger.first_broken() is None


def test_a_formation_being_paid_is_not_bought_a_second_time() -> None:
    student, offer = factories.student(), shop.formation_offer()
    first = shop.submitted(student, offer, "AB1234")

    assert purchases.declare(student, offer.slug).id == first.id


def test_the_price_agreed_upon_holds_and_an_older_one_does_not() -> None:
    student, offer = factories.student(), shop.signals_offer()
    payment = purchases.declare(student, offer.slug)
    offer.price_cents = 5990
    assert purchases.declare(student, offer.slug).amount_cents == 5990

    purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
    offer.price_cents = 9990

    assert purchases.declare(student, offer.slug).amount_cents == 5990


def test_an_unconfirmed_address_buys_nothing() -> None:
    offer = shop.signals_offer()

    with pytest.raises(purchases.EmailNotVerified):
        purchases.declare(factories.student(email_verified_at=None), offer.slug)
