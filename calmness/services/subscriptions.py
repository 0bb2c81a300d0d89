"""Access for a while, bought by a payment; renewals follow each other without gap or overlap."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from calmness import clock
from calmness.extensions import db
from calmness.models.billing import Payment, Subscription, SubscriptionStatus
from calmness.models.catalogue import OfferKind


def start(payment: Payment, kind: OfferKind, at: datetime) -> Subscription:
    """Begin now, or when the running subscription of the same kind ends. The caller holds the payment's lock."""
    running_until = db.session.scalar(
        select(Subscription.ends_at)
        .where(
            Subscription.user_id == payment.user_id,
            Subscription.kind == kind.value,
            Subscription.status == SubscriptionStatus.ACTIVE,
            Subscription.ends_at > at,
        )
        .order_by(Subscription.ends_at.desc())
        .limit(1)
    )
    starts_at = running_until or at
    subscription = Subscription(
        user_id=payment.user_id,
        offer_id=payment.offer_id,
        payment_id=payment.id,
        kind=kind.value,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(days=payment.duration_days or 30),
        status=SubscriptionStatus.ACTIVE,
    )
    db.session.add(subscription)
    db.session.flush()
    return subscription


def of_user(user_id: int) -> list[Subscription]:
    """A person's own subscriptions, last ending first."""
    return list(
        db.session.scalars(
            select(Subscription).where(Subscription.user_id == user_id).order_by(Subscription.ends_at.desc())
        )
    )


def running(user_id: int, at: datetime | None = None) -> list[Subscription]:
    """Those that give access now or later."""
    now = at or clock.now()
    return [
        subscription
        for subscription in of_user(user_id)
        if subscription.status is SubscriptionStatus.ACTIVE and subscription.ends_at > now
    ]


def end_due() -> int:
    """Mark what is over. Gives how many."""
    result = db.session.execute(
        update(Subscription)
        .where(Subscription.status == SubscriptionStatus.ACTIVE, Subscription.ends_at <= clock.now())
        .values(status=SubscriptionStatus.ENDED)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
