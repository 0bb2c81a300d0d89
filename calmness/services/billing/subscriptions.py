"""Access for a while, bought by a payment; renewals follow each other without gap or overlap."""

from datetime import datetime, timedelta

from flask_babel import force_locale, format_date
from flask_babel import gettext as _
from sqlalchemy import select, update

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment, Subscription, SubscriptionStatus
from calmness.models.catalogue import OfferKind
from calmness.services import notifications
from calmness.services.account.preferences import NoticeKind

REMIND_BEFORE = timedelta(days=3)


def start(payment: Payment, kind: OfferKind, at: datetime) -> Subscription:
    """Begin now, or when the running subscription of the same kind ends. The caller has locked the person."""
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


def end_due(at: datetime | None = None) -> int:
    """Mark what is over, and say so once. Gives how many. Right also after days of downtime."""
    now = at or clock.now()
    ended = list(
        db.session.scalars(
            update(Subscription)
            .where(Subscription.status == SubscriptionStatus.ACTIVE, Subscription.ends_at <= now)
            .values(status=SubscriptionStatus.ENDED)
            .returning(Subscription),
            execution_options={"synchronize_session": False, "populate_existing": True},
        )
    )
    for subscription in ended:
        if not _continued(subscription):
            _tell(subscription, "ended")
    return len(ended)


def remind_due(at: datetime | None = None) -> int:
    """Tell people whose last subscription of a kind ends within three days, once each. Gives how many."""
    now = at or clock.now()
    ending = db.session.scalars(
        select(Subscription).where(
            Subscription.status == SubscriptionStatus.ACTIVE,
            Subscription.starts_at <= now,
            Subscription.ends_at > now,
            Subscription.ends_at <= now + REMIND_BEFORE,
        )
    )
    return sum(_tell(subscription, "ending") for subscription in ending if not _continued(subscription))


def _continued(subscription: Subscription) -> bool:
    """Whether a renewal takes over where this one ends."""
    return (
        db.session.scalar(
            select(Subscription.id)
            .where(
                Subscription.user_id == subscription.user_id,
                Subscription.kind == subscription.kind,
                Subscription.id != subscription.id,
                Subscription.status == SubscriptionStatus.ACTIVE,
                Subscription.ends_at > subscription.ends_at,
            )
            .limit(1)
        )
        is not None
    )


def _tell(subscription: Subscription, event: str) -> bool:
    user = db.session.get_one(User, subscription.user_id)
    with force_locale(user.locale):
        name = subscription.offer.name
        day = format_date(subscription.ends_at.astimezone(clock.PARIS), "d MMMM")
        title, body = {
            "ending": (
                _("Votre abonnement se termine bientôt"),
                _(
                    "«\u00a0%(name)s\u00a0» s’arrête le %(day)s. Renouvelé avant, il continue sans coupure.",
                    name=name,
                    day=day,
                ),
            ),
            "ended": (
                _("Votre abonnement est terminé"),
                _(
                    "«\u00a0%(name)s\u00a0» s’est arrêté le %(day)s. Vous pouvez le reprendre quand vous voulez.",
                    name=name,
                    day=day,
                ),
            ),
        }[event]
        return notifications.notify(
            subscription.user_id,
            NoticeKind.PAYMENT,
            f"subscription:{subscription.id}:{event}",
            title=title,
            body=body,
            url="/tarifs",
        )
