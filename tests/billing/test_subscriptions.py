"""The end of subscriptions: marked, told before and after, once, also after downtime."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import User, UserNotification
from calmness.models.billing import Subscription, SubscriptionStatus
from calmness.services.billing import purchases, subscriptions
from tests import factories
from tests.billing import shop

START = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def subscriber(site: Flask) -> User:
    """Somebody who bought thirty days on 1 November."""
    shop.identity()
    shop.signals_offer()
    user = factories.student(created_at=START - timedelta(days=9))
    renew(user, "AB1234")
    return user


def renew(user: User, number: str) -> None:
    """Buy thirty days."""
    with time_machine.travel(START, tick=False):
        payment = purchases.declare(user, "signaux-30-jours")
        purchases.confirm_identity(payment, shop.IDENTITY_GIVEN)
        purchases.validate_payment(payment.id, number, by=factories.agent())
        db.session.commit()


def told() -> list[str]:
    """What the person was told of the subscription."""
    keys = db.session.scalars(select(UserNotification.key).order_by(UserNotification.id))
    return [key for key in keys if key.startswith("subscription:")]


def test_the_coming_end_is_told_once(subscriber: User) -> None:
    early = subscriptions.remind_due(START + timedelta(days=26))
    first = subscriptions.remind_due(START + timedelta(days=28))
    again = subscriptions.remind_due(START + timedelta(days=29))

    assert (early, first, again) == (0, 1, 0)
    assert [key.rsplit(":", 1)[1] for key in told()] == ["ending"]


def test_a_renewed_one_is_not_reminded_of(subscriber: User) -> None:
    renew(subscriber, "CD5678")

    assert subscriptions.remind_due(START + timedelta(days=28)) == 0
    assert subscriptions.end_due(START + timedelta(days=31)) == 1
    assert told() == []


def test_after_days_of_downtime_the_end_is_told_once(subscriber: User) -> None:
    late = START + timedelta(days=40)

    assert (subscriptions.end_due(late), subscriptions.end_due(late)) == (1, 0)

    db.session.expire_all()
    assert db.session.scalars(select(Subscription)).one().status is SubscriptionStatus.ENDED
    assert subscriptions.remind_due(late) == 0
    assert [key.rsplit(":", 1)[1] for key in told()] == ["ended"]
