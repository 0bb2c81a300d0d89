"""Withdrawal: shown through the whole period, two steps, a receipt that lasts, refund and credit note, nothing open."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import User
from calmness.models.billing import Invoice, InvoiceKind, Payment, PaymentStatus, Subscription, SubscriptionStatus
from calmness.models.sale import Withdrawal, WithdrawalState
from calmness.models.training import (
    AdminFormationSession,
    EnrollmentStatus,
    FormationSession,
    MeetingProvider,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import (
    billing,
    dunning,
    invoice_ledger,
    invoice_lines,
    invoicing,
    withdrawal_period,
    withdrawals,
)
from tests import factories
from tests.billing import shop
from tests.fixtures.servers import Mailbox

ClientFor = Callable[[User], FlaskClient]
BOUGHT = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
FORM = {"name": "Élodie Nandu", "email": "elodie@example.test", "reference": "RF87P0000001"}


@pytest.fixture(autouse=True)
def _school(site: Flask) -> None:
    shop.identity()


def bought(*, early: bool = False, company: str = "", number: str = "AB1234", **offer: object) -> Payment:
    """Thirty days of signals, validated on 2 November."""
    found = shop.signals_offer(**offer)
    given = shop.IDENTITY_GIVEN.__dict__ | {"early_start": early, "company": company}
    given |= {"siren": "732829320"} if company else {}
    with time_machine.travel(BOUGHT, tick=False):
        payment = billing.declare(factories.student(created_at=BOUGHT - timedelta(days=9)), found.slug)
        billing.confirm_identity(payment, billing.Identity(**given))
        billing.validate_payment(payment.id, number, by=factories.agent())
        db.session.commit()
    return payment


@pytest.mark.parametrize(
    ("concluded", "last"),
    [
        ("2026-11-02T09:00+01:00", "2026-11-16T23:59:59+01:00"),
        ("2026-11-02T23:59+01:00", "2026-11-16T23:59:59+01:00"),
        ("2026-11-07T10:00+01:00", "2026-11-23T23:59:59+01:00"),  # the 14th day is a Saturday
        ("2026-12-11T10:00+01:00", "2026-12-28T23:59:59+01:00"),  # 25 December, then a week-end
        ("2026-10-20T10:00+02:00", "2026-11-03T23:59:59+01:00"),  # across the change of hour
    ],
)
def test_the_last_second_of_the_period(concluded: str, last: str) -> None:
    end = withdrawal_period.period_end(datetime.fromisoformat(concluded))

    assert end - timedelta(seconds=1) == datetime.fromisoformat(last)


def test_the_fourteenth_day_at_23_59_is_in_time_and_midnight_is_not(site: Flask) -> None:
    payment = bought()

    assert withdrawals.is_open(payment, datetime.fromisoformat("2026-11-16T23:59:59+01:00"))
    assert not withdrawals.is_open(payment, datetime.fromisoformat("2026-11-17T00:00:00+01:00"))
    with pytest.raises(withdrawals.NoWithdrawal):
        withdrawals.declare(payment, by=payment.user, at=datetime.fromisoformat("2026-11-17T00:00:00+01:00"))


def test_the_whole_way_by_pages(client_for: ClientFor, mailbox: Mailbox) -> None:
    user = factories.student(email="elodie@example.test")
    offer = shop.signals_offer()
    payment = shop.submitted(user, offer, "AB1234")
    invoice = billing.validate_payment(payment.id, "AB1234", by=factories.agent())
    student, agent = client_for(user), client_for(factories.agent())
    place = f"/espace/paiements/{payment.id}/retractation"

    assert "Renoncer au contrat ici" in student.get(f"/espace/paiements/{payment.id}").text
    assert "Confirmer la rétractation" in student.get(place).text
    assert db.session.scalars(select(Withdrawal)).all() == [], "the first step changes nothing"
    for _click in range(2):
        student.post(place)

    db.session.expire_all()
    declared = db.session.scalars(select(Withdrawal)).one()
    assert declared.state is WithdrawalState.DECLARED
    assert db.session.scalars(select(Subscription)).one().status is SubscriptionStatus.CANCELLED
    assert "Renoncer au contrat ici" not in student.get(f"/espace/paiements/{payment.id}").text.split("<footer")[0]
    drain_everything()
    receipts = [mail for mail in mailbox.to("elodie@example.test") if "rétractation" in str(mail["Subject"])]
    (receipt,) = receipts
    text = receipt.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert payment.reference in text
    assert "heure de Paris" in text

    queue = "/admin/paiements/retractations"
    assert payment.reference in agent.get(queue).text
    refused = agent.post(f"{queue}/{declared.id}/remboursement", data={"refund_reference": ""})
    assert refused.status_code == 422
    assert "Entrez la référence" in refused.text
    agent.post(f"{queue}/{declared.id}/remboursement", data={"refund_reference": "RETOUR-1"})

    db.session.expire_all()
    assert (declared.state, payment.status) == (WithdrawalState.REFUNDED, PaymentStatus.REFUNDED)
    assert declared.settled_by is not None
    credit = db.session.scalars(select(Invoice).where(Invoice.kind == InvoiceKind.CREDIT_NOTE)).one()
    assert credit.corrects_id == invoice.id
    assert agent.post(f"{queue}/{declared.id}/remboursement", data={"refund_reference": "X"}).status_code == 409


def test_an_order_that_waits_for_its_transfer_is_given_up_with_a_receipt(site: Flask) -> None:
    payment = billing.declare(factories.student(), shop.signals_offer().slug)
    billing.confirm_identity(payment, shop.IDENTITY_GIVEN)

    declared = withdrawals.declare(payment, by=payment.user)

    assert (declared.state, payment.status) == (WithdrawalState.NOTHING_DUE, PaymentStatus.CANCELLED)
    assert dunning.run(clock.now() + timedelta(days=4)) == 0


def test_money_that_may_be_on_its_way_is_paid_back_or_closed(site: Flask) -> None:
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")

    declared = withdrawals.declare(payment, by=payment.user)
    assert (declared.state, declared.refund_cents) == (WithdrawalState.DECLARED, 4990)
    withdrawals.close_without_refund(declared.id, by=factories.agent())

    assert declared.state is WithdrawalState.NOTHING_DUE


def test_all_parts_of_a_formation_end_together(site: Flask) -> None:
    offer = shop.formation_offer(price_cents=10000, instalments=2)
    payment = billing.declare(factories.student(), offer.slug)
    billing.confirm_identity(payment, billing.Identity(**shop.IDENTITY_GIVEN.__dict__ | {"instalments": 2}))
    billing.validate_payment(payment.id, "AB1234", by=factories.agent())

    declared = withdrawals.declare(payment, by=payment.user)

    states = [row.status for row in db.session.scalars(select(Payment).order_by(Payment.instalment))]
    assert states == [PaymentStatus.VALIDATED, PaymentStatus.CANCELLED]
    assert declared.refund_cents == 5000
    place = db.session.scalars(select(UserFormationEnrollment)).one()
    assert place.status is EnrollmentStatus.CANCELLED


def test_what_was_given_at_the_persons_demand_is_counted_by_the_day(site: Flask) -> None:
    early, patient = bought(early=True), bought(number="CD5678", slug="autre")

    begun = withdrawals.declare(early, by=early.user, at=BOUGHT + timedelta(days=3))
    other = withdrawals.declare(patient, by=patient.user, at=BOUGHT + timedelta(days=3))

    assert (begun.keep_cents, other.keep_cents) == (499, 0)


@pytest.mark.parametrize(
    ("gone", "kept"),
    [
        (timedelta(days=3), 499),
        (timedelta(seconds=1), 0),
        (timedelta(days=10, hours=7, minutes=13), 1713),
        (timedelta(days=13, hours=23), 2321),
    ],
)
def test_what_was_given_stays_paid_and_the_rest_is_credited_to_the_cent(
    site: Flask, gone: timedelta, kept: int
) -> None:
    payment = bought(early=True)
    declared = withdrawals.declare(payment, by=payment.user, at=BOUGHT + gone)

    withdrawals.refund(declared.id, "VIR RETOUR", by=factories.agent(), at=BOUGHT + timedelta(days=20))
    db.session.commit()

    invoice, credit = invoicing.of_payment(payment.id)
    assert (declared.keep_cents, withdrawals.owed(declared)) == (kept, 4990 - kept)
    assert credit.total_incl_cents == 4990 - kept
    assert credit.total_excl_cents + credit.total_vat_cents == credit.total_incl_cents
    left_incl, left_excl = invoice_lines.left_by_line(invoice)[1]
    assert left_incl == kept
    assert abs(left_excl - invoice_lines.split_vat(kept, 2000)[0]) <= 1
    assert invoice_ledger.first_broken() is None
    text = " ".join(withdrawals.receipt_lines(declared))
    assert ("L221-25" in text) == bool(kept)


def test_sessions_of_a_formation_that_were_held_stay_paid(site: Flask) -> None:
    """Two of three hours of the programme: a cancelled session, one to come and one of before do not count."""
    offer = shop.formation_offer()
    units = [
        FormationSession(formation_id=offer.formation_id, position=place, title="Unité", duration_minutes=60)
        for place in (1, 2, 3)
    ]
    db.session.add_all(units)
    db.session.flush()
    states = [
        (units[0], 1, SessionStatus.FINISHED),
        (units[0], 2, SessionStatus.FINISHED),
        (units[1], 3, SessionStatus.SCHEDULED),
        (units[2], 4, SessionStatus.CANCELLED),
        (units[2], -1, SessionStatus.FINISHED),
        (units[2], 9, SessionStatus.SCHEDULED),
    ]
    for unit, days, state in states:
        start = BOUGHT + timedelta(days=days)
        db.session.add(
            AdminFormationSession(
                formation_id=offer.formation_id,
                unit_id=unit.id,
                title="Unité",
                start_at=start,
                end_at=start + timedelta(hours=1),
                meeting_provider=MeetingProvider.ZOOM,
                meeting_url="https://zoom.us/j/1",
                trainer_name="Camille Roux",
                status=state,
                created_at=BOUGHT,
            )
        )
    with time_machine.travel(BOUGHT, tick=False):
        payment = billing.declare(factories.student(created_at=BOUGHT - timedelta(days=9)), offer.slug)
        billing.confirm_identity(payment, billing.Identity(**vars(shop.IDENTITY_GIVEN) | {"early_start": True}))
        billing.validate_payment(payment.id, "AB1234", by=factories.agent())
        db.session.commit()

    declared = withdrawals.declare(payment, by=payment.user, at=BOUGHT + timedelta(days=5))
    withdrawals.refund(declared.id, "VIR RETOUR", by=factories.agent())

    assert declared.keep_cents == 59900 * 2 // 3
    assert invoicing.of_payment(payment.id)[1].total_incl_cents == 59900 - 39933


def test_a_service_given_whole_at_demand_leaves_no_right(site: Flask) -> None:
    week, waiting = bought(early=True, duration_days=7), bought(number="CD5678", slug="autre", duration_days=7)
    later = BOUGHT + timedelta(days=8)

    assert not withdrawals.is_open(week, later)
    assert withdrawals.is_open(waiting, later)


def test_a_business_has_no_such_right(site: Flask) -> None:
    payment = bought(company="Exemple SARL")

    assert not withdrawals.is_open(payment, BOUGHT + timedelta(days=1))
    assert payment.withdrawal_until is None


def test_nobody_withdraws_from_anothers_contract(client_for: ClientFor) -> None:
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    stranger = client_for(factories.student())

    assert stranger.get(f"/espace/paiements/{payment.id}/retractation").status_code == 404
    assert stranger.post(f"/espace/paiements/{payment.id}/retractation").status_code == 404


def test_without_logging_in_it_is_declared_in_two_steps_and_the_staff_finds_the_contract(
    visitor: FlaskClient, client_for: ClientFor, mailbox: Mailbox
) -> None:
    payment = shop.submitted(factories.student(), shop.signals_offer(), "AB1234")
    form = FORM | {"reference": payment.reference}

    assert "Renoncer au contrat" in visitor.get("/").text
    refused = visitor.post("/renoncer-au-contrat", data=form | {"email": "x"})
    assert refused.status_code == 422
    assert "Élodie Nandu" in refused.text
    assert "Confirmer la rétractation" in visitor.post("/renoncer-au-contrat", data=form).text
    assert db.session.scalars(select(Withdrawal)).all() == []
    for _click in range(2):
        assert "Rétractation reçue" in visitor.post("/renoncer-au-contrat/confirmation", data=form).text

    declared = db.session.scalars(select(Withdrawal)).one()
    assert payment.status is PaymentStatus.TRANSACTION_SUBMITTED, "nobody closes another's access from outside"
    drain_everything()
    assert len(mailbox.to(FORM["email"])) == 1
    agent = client_for(factories.agent())
    assert payment.reference in agent.get("/admin/paiements/retractations").text
    agent.post(f"/admin/paiements/retractations/{declared.id}/contrat", data={"paiement": payment.id})
    db.session.expire_all()
    assert (declared.state, payment.status) == (WithdrawalState.DECLARED, PaymentStatus.CANCELLED)


def test_a_declaration_that_means_nothing_is_refused_with_a_reason(client_for: ClientFor) -> None:
    declared = withdrawals.declare_outside("X", "x@example.test", "rien")
    agent = client_for(factories.agent())

    assert agent.post(f"/admin/paiements/retractations/{declared.id}/refus", data={"reason": ""}).status_code == 422
    agent.post(f"/admin/paiements/retractations/{declared.id}/refus", data={"reason": "Aucun contrat"})

    db.session.expire_all()
    assert (declared.state, declared.note) == (WithdrawalState.REFUSED, "Aucun contrat")


def test_own_contracts_are_on_the_public_page(client_for: ClientFor) -> None:
    user = factories.student()
    payment = shop.submitted(user, shop.signals_offer(), "AB1234")

    assert payment.reference in client_for(user).get("/renoncer-au-contrat").text
