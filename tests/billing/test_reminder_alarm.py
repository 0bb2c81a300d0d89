"""Reminders that were due and did not leave: told to the admins once a day, and counted for the operators."""

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import Channel, User, UserNotification
from calmness.models.billing import Payment
from calmness.services import delivery
from calmness.services.billing import dunning, purchases, reminder_alarm, subscriptions
from tests import factories
from tests.billing import shop

START = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
NOTHING = {"payments": 0, "sessions": 0, "subscriptions": 0}


def ordered() -> Payment:
    """An order with its conditions accepted, whose transfer nobody has seen."""
    shop.identity()
    with time_machine.travel(START, tick=False):
        payment = purchases.declare(factories.student(created_at=START - timedelta(days=9)), shop.signals_offer().slug)
        purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
        db.session.commit()
    return payment


def told(user: User) -> list[str]:
    """What an admin was told of it."""
    rows = db.session.scalars(select(UserNotification).where(UserNotification.user_id == user.id))
    return [row.body for row in rows if row.key.startswith("reminders-missed:")]


def test_a_reminder_of_a_payment_that_did_not_leave_is_told_once_a_day(site: Flask) -> None:
    ordered()
    admin, agent = factories.admin(), factories.agent()

    early = reminder_alarm.tell(START + timedelta(days=3, hours=23))
    first = reminder_alarm.tell(START + timedelta(days=4))
    again = reminder_alarm.tell(START + timedelta(days=4, hours=2))
    next_day = reminder_alarm.tell(START + timedelta(days=5))

    assert (early, first, again, next_day) == (0, 1, 0, 1)
    assert "Paiements\u00a0: 1 · séances\u00a0: 0" in told(admin)[0]
    assert told(agent) == []


def test_reminders_that_left_raise_nothing(site: Flask) -> None:
    ordered()
    factories.admin()
    dunning.run(START + timedelta(days=3))

    assert reminder_alarm.missed(START + timedelta(days=5)) == NOTHING
    assert reminder_alarm.tell(START + timedelta(days=5)) == 0


def test_a_reminder_of_a_session_that_waits_is_missed_after_a_quarter_of_an_hour(site: Flask) -> None:
    user = factories.student()
    delivery.deliver("training.reminder", "reminder:1", channel=Channel.EMAIL, user_id=user.id, due_at=START)
    db.session.commit()

    assert reminder_alarm.missed(START + timedelta(minutes=14))["sessions"] == 0
    assert reminder_alarm.missed(START + timedelta(minutes=15))["sessions"] == 1
    assert reminder_alarm.missed(START + timedelta(days=3))["sessions"] == 0, "nobody cries over it for ever"


def test_the_end_of_a_subscription_that_was_not_told_is_missed(site: Flask) -> None:
    payment = ordered()
    with time_machine.travel(START, tick=False):
        purchases.validate_payment(payment.id, "AB1234", by=factories.agent())
        db.session.commit()
    late = START + timedelta(days=27, hours=2)

    before = reminder_alarm.missed(late)
    subscriptions.remind_due(late)

    assert before == NOTHING | {"subscriptions": 1}
    assert reminder_alarm.missed(late) == NOTHING


def test_the_figure_is_counted_when_it_is_asked_for(site: Flask, visitor: FlaskClient) -> None:
    ordered()

    with time_machine.travel(START + timedelta(days=5), tick=False):
        page = visitor.get("/metrics").get_data(as_text=True)

    assert 'calmness_reminders_missed{of="payments"} 1.0' in page
