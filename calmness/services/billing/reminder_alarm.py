"""Reminders that were due and never left: a figure for the operators, a notice to the admins once a day.

A dead worker cannot write the notice; the figure is counted when it is asked for, so it shows that too.
"""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, cast, exists, func, or_, select
from sqlalchemy import String as Text
from sqlalchemy.orm import aliased

from calmness import clock
from calmness.extensions import db
from calmness.models.account import UserNotification
from calmness.models.billing import Payment, PaymentStatus, Subscription, SubscriptionStatus
from calmness.models.delivery import Delivery, DeliveryState
from calmness.models.sale import PaymentReminder
from calmness.services import notifications
from calmness.services.account.preferences import NoticeKind
from calmness.services.billing import dunning, subscriptions

PAYMENTS_LATE = timedelta(days=1)
"""Reminders of payments leave in daytime only: a day without one is a day too many."""
SESSIONS_LATE = timedelta(minutes=15)
SUBSCRIPTIONS_LATE = timedelta(hours=1)
LOOK_BACK = timedelta(days=2)


def missed(at: datetime | None = None) -> dict[str, int]:
    """How many reminders were due and did not leave: of ``payments``, ``sessions`` and ``subscriptions``."""
    now = at or clock.now()
    return {"payments": _payments(now), "sessions": _sessions(now), "subscriptions": _subscriptions(now)}


def tell(at: datetime | None = None) -> int:
    """Tell the admins, once a day. Gives how many were told."""
    now = at or clock.now()
    found = missed(now)
    if not any(found.values()):
        return 0
    return notifications.tell_admins(
        NoticeKind.PAYMENT,
        f"reminders-missed:{now.astimezone(clock.PARIS):%Y-%m-%d}",
        lambda: _words(found),
        url="/admin/paiements",
    )


def _payments(now: datetime) -> int:
    latest = now - timedelta(days=dunning.STEPS[0]) - PAYMENTS_LATE
    return _count(
        Payment,
        Payment.status == PaymentStatus.DECLARED,
        Payment.terms_accepted_at.is_not(None),
        Payment.created_at <= latest,
        or_(Payment.due_on.is_(None), Payment.due_on <= latest.astimezone(clock.PARIS).date()),
        ~exists().where(PaymentReminder.payment_id == Payment.id),
    )


def _sessions(now: datetime) -> int:
    return _count(
        Delivery,
        Delivery.kind == "training.reminder",
        Delivery.due_at.between(now - LOOK_BACK, now - SESSIONS_LATE),
        Delivery.state.in_([DeliveryState.PENDING, DeliveryState.EXPIRED]),
    )


def _subscriptions(now: datetime) -> int:
    later = aliased(Subscription)
    continued = exists().where(
        later.user_id == Subscription.user_id,
        later.kind == Subscription.kind,
        later.id != Subscription.id,
        later.status == SubscriptionStatus.ACTIVE,
        later.ends_at > Subscription.ends_at,
    )
    told = exists().where(
        and_(
            UserNotification.user_id == Subscription.user_id,
            UserNotification.key == "subscription:" + cast(Subscription.id, Text) + ":ending",
        )
    )
    return _count(
        Subscription,
        Subscription.status == SubscriptionStatus.ACTIVE,
        Subscription.starts_at <= now - SUBSCRIPTIONS_LATE,
        Subscription.ends_at > now,
        Subscription.ends_at <= now + subscriptions.REMIND_BEFORE - SUBSCRIPTIONS_LATE,
        ~continued,
        ~told,
    )


def _count(model: type[Payment | Delivery | Subscription], *conditions: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0


def _words(found: dict[str, int]) -> tuple[str, str]:
    return (
        _("Des rappels ne sont pas partis"),
        _(
            "Paiements\u00a0: %(payments)s · séances\u00a0: %(sessions)s · "
            "fins d’abonnement\u00a0: %(subscriptions)s. Vérifiez l’horloge et les ouvriers.",
            **found,
        ),
    )
