"""The demo at a small scale: always the same for a seed, true to the rules, with the numbers that were asked for."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import String, cast, func, select
from time_machine import TimeMachineFixture

from calmness import demo
from calmness.clock import PARIS
from calmness.demo.size import FULL, SMALL
from calmness.extensions import db
from calmness.jobs import billing, training
from calmness.models.account import Consent, User, UserNotification
from calmness.models.analytics import PageView, UserSession
from calmness.models.billing import Invoice, InvoiceKind, Payment, PaymentStatus
from calmness.models.delivery import Delivery, DeliveryState, OutboxTask
from calmness.models.sale import Withdrawal, WithdrawalState
from calmness.models.signal import Signal, SignalEvent
from calmness.models.support import ChatRoom
from calmness.models.trading import Trade
from calmness.models.training import (
    AdminFormationSession,
    EnrollmentStatus,
    Formation,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services import ledgers
from calmness.services.billing import payment_queue
from calmness.services.training import enrollments

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
SEED = 4
"""With it somebody came between two units and had the first ones with the next group."""


def count(model: Any, *where: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def figures() -> dict[str, Any]:
    return {
        "people": count(User),
        "trades": count(Trade),
        "views": count(PageView),
        "sessions": count(AdminFormationSession),
        "places": count(UserFormationEnrollment),
        "invoiced": db.session.scalar(select(func.sum(Invoice.total_incl_cents))),
        "numbers": list(db.session.scalars(select(Invoice.number).order_by(Invoice.id))),
        "net": db.session.scalar(select(func.sum(Trade.net))),
        "signals": list(db.session.scalars(select(Signal.result_r).order_by(Signal.id))),
    }


@pytest.fixture
def loaded(site: Flask, time_machine: TimeMachineFixture) -> Flask:
    time_machine.move_to(NOW, tick=False)
    assert demo.load(SEED, SMALL)
    return site


def test_the_numbers_asked_for_are_those_of_the_full_demo() -> None:
    assert (FULL.students + 3, FULL.payments, FULL.signals) == (400, 900, 120)
    assert (FULL.trades, FULL.rooms, FULL.views) == (30_000, 250, 150_000)


def it_holds_what_its_size_says() -> None:
    assert not demo.load(SEED, SMALL)

    assert (count(User), count(Formation)) == (SMALL.students + 3, 8)
    assert count(AdminFormationSession) == 60
    assert count(Payment) == SMALL.payments
    assert count(Signal) == SMALL.signals
    assert count(ChatRoom) == SMALL.rooms
    assert abs(count(Trade) - SMALL.trades) < SMALL.trades * 0.1
    assert abs(count(PageView) - SMALL.views) < SMALL.views * 0.1


def every_chain_is_whole_and_in_the_order_of_time() -> None:
    assert ledgers.verify() == dict.fromkeys(ledgers.CHAINS)
    invoices = db.session.execute(
        select(Invoice.issued_at, Payment.validated_at, Invoice.issued_on)
        .join(Payment, Payment.id == Invoice.payment_id)
        .where(Invoice.kind == InvoiceKind.INVOICE)
        .order_by(Invoice.serial)
    ).all()
    # None was pushed behind a later one: each is as old as its validation.
    assert all(issued == validated for issued, validated, _day in invoices)
    assert all(day == issued.astimezone(PARIS).date() for issued, _validated, day in invoices)
    moments = list(db.session.scalars(select(SignalEvent.at).order_by(SignalEvent.seq)))
    assert moments == sorted(moments)
    assert moments[-1] <= NOW


def what_was_agreed_is_as_old_as_its_order_and_no_day_holds_a_crowd() -> None:
    payments = db.session.scalars(select(Payment).where(Payment.status != PaymentStatus.TRANSACTION_SUBMITTED)).all()

    assert all(payment.terms_accepted_at == payment.created_at for payment in payments)
    early = set(db.session.scalars(select(Consent.at).where(Consent.purpose == "early_start")))
    assert {payment.created_at for payment in payments} <= early
    days = Counter(payment.created_at.date() for payment in payments)
    assert days.most_common(1)[0][1] < len(payments) * 0.1
    assert sum(payment.created_at > NOW - timedelta(days=30) for payment in payments) < len(payments) * 0.25


def nobody_is_told_today_of_what_is_old() -> None:
    told = count(UserNotification)
    billing.end_subscriptions()
    billing.remind_of_unpaid()
    training.keep_calendar()

    assert count(UserNotification) == told
    # A few subscriptions end in the week of the load: where chance leaves none, SMALL is too small.
    assert count(UserNotification, UserNotification.key.like("subscription:%")) > 0
    assert count(UserNotification, UserNotification.created_at >= NOW) == 0


def documents_of_the_year_come_one_by_one_and_camilles_first() -> None:
    drawn = db.session.execute(
        select(OutboxTask.due_at, User.email_key)
        .join(Invoice, OutboxTask.key == "render-invoice:" + cast(Invoice.id, String))
        .join(User, User.id == Invoice.user_id)
        .order_by(OutboxTask.due_at)
    ).all()

    assert len(drawn) == count(Invoice)
    camilles = [email == "camille@calmness.test" for _due, email in drawn]
    assert any(camilles)
    assert camilles == sorted(camilles, reverse=True)
    assert len({due for due, _email in drawn}) == len(drawn)


def somebody_had_a_code_and_somebody_waits_for_a_refund() -> None:
    assert count(Payment, Payment.discount_id.is_not(None), Payment.discount_cents > 0) > 0
    waiting = db.session.scalars(select(Withdrawal)).one()
    assert waiting.state is WithdrawalState.DECLARED
    assert waiting.refund_cents > 0


def no_two_transactions_look_alike() -> None:
    waiting = db.session.scalars(select(Payment).where(Payment.status == PaymentStatus.TRANSACTION_SUBMITTED)).all()

    assert len(waiting) >= SMALL.waiting
    assert [payment_queue.look_alikes(payment) for payment in waiting] == [[] for _payment in waiting]


def no_formation_is_overbooked_and_groups_of_the_past_are_done() -> None:
    for formation in db.session.scalars(select(Formation)):
        assert enrollments.taken(formation.id) <= (formation.capacity or 0)
    camille = db.session.scalars(select(User).where(User.email_key == "camille@calmness.test")).one()
    places = db.session.execute(
        select(Formation.slug, UserFormationEnrollment.status)
        .join(Formation, Formation.id == UserFormationEnrollment.formation_id)
        .where(UserFormationEnrollment.user_id == camille.id)
    ).all()
    assert dict(places) == {
        "premiers-pas": EnrollmentStatus.COMPLETED,
        "gestion-du-risque": EnrollmentStatus.COMPLETED,
        "psychologie": EnrollmentStatus.ACTIVE,
        "lire-le-carnet-d-ordres": EnrollmentStatus.ACTIVE,
    }


def a_session_starts_soon_and_nothing_of_the_past_is_left_to_send() -> None:
    soon = db.session.scalars(
        select(AdminFormationSession.start_at)
        .where(AdminFormationSession.status == SessionStatus.SCHEDULED)
        .order_by(AdminFormationSession.start_at)
    ).first()
    assert soon is not None
    assert 35 <= (soon - NOW).total_seconds() / 60 <= 46
    assert count(Delivery, Delivery.state == DeliveryState.PENDING, Delivery.due_at <= NOW) == 0
    assert count(Delivery, Delivery.state == DeliveryState.PENDING) > 0


def no_age_is_known_without_consent_and_everybody_took_the_terms() -> None:
    def people(*where: Any) -> set[int]:
        return set(db.session.scalars(select(Consent.user_id).where(Consent.given, *where)))

    answered = set(db.session.scalars(select(User.id).where(User.age_bracket.is_not(None))))

    assert answered == people(Consent.purpose == "demographics") != set()
    assert people(Consent.purpose == "terms") == set(db.session.scalars(select(User.id)))


def some_visitors_come_back_and_some_by_a_campaign() -> None:
    visits = count(UserSession)

    assert 0 < count(UserSession, UserSession.campaign != "") < visits
    assert len(set(db.session.scalars(select(UserSession.visitor_hash)))) < visits


def test_a_small_demo_is_true_to_the_rules_and_the_same_for_a_seed(
    loaded: Flask, database: Any, subtests: pytest.Subtests
) -> None:
    """All of two loads, which take seconds."""
    for rule in (
        it_holds_what_its_size_says,
        every_chain_is_whole_and_in_the_order_of_time,
        what_was_agreed_is_as_old_as_its_order_and_no_day_holds_a_crowd,
        documents_of_the_year_come_one_by_one_and_camilles_first,
        nobody_is_told_today_of_what_is_old,
        somebody_had_a_code_and_somebody_waits_for_a_refund,
        no_two_transactions_look_alike,
        no_formation_is_overbooked_and_groups_of_the_past_are_done,
        a_session_starts_soon_and_nothing_of_the_past_is_left_to_send,
        no_age_is_known_without_consent_and_everybody_took_the_terms,
        some_visitors_come_back_and_some_by_a_campaign,
    ):
        with subtests.test(rule.__name__):
            rule()
    first = figures()
    db.session.remove()
    db.engine.dispose()
    database.reset()

    demo.load(SEED, SMALL)

    assert figures() == first
