"""What was given of a contract before its withdrawal: due when the person had asked to begin early (C. conso. L221-25).

A subscription is given by the time that has gone, to the microsecond; a formation by the minutes of its programme whose
sessions were held since the person came. The cent that does not divide is the consumer's.
"""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.billing import Payment, Subscription
from calmness.models.training import AdminFormationSession, FormationSession, SessionStatus, UserFormationEnrollment
from calmness.services.billing import sale_terms

NOTHING, ALL = Fraction(0), Fraction(1)


def share(contract: Payment, at: datetime) -> Fraction:
    """Part of the whole that was given until an instant, from 0 to 1. ``contract``: the first payment of it."""
    if not contract.early_start_requested:
        return NOTHING
    subscription = db.session.scalar(select(Subscription).where(Subscription.payment_id == contract.id))
    if subscription is not None:
        return _of_time(subscription, at)
    place = db.session.scalar(select(UserFormationEnrollment).where(UserFormationEnrollment.payment_id == contract.id))
    return _of_programme(place, at) if place is not None else NOTHING


def kept_cents(contract: Payment, paid: Sequence[Payment], at: datetime) -> dict[int, int]:
    """Cents that stay paid, by payment: the part given is taken from the first payments, in their order."""
    total = sale_terms.total_cents(contract)
    due = total * share(contract, at)
    left = due.numerator // due.denominator
    kept = {}
    for payment in paid:
        kept[payment.id] = min(left, payment.amount_cents)
        left -= kept[payment.id]
    return kept


def _of_time(subscription: Subscription, at: datetime) -> Fraction:
    gone = min(at, subscription.ends_at) - subscription.starts_at
    whole = subscription.ends_at - subscription.starts_at
    return max(NOTHING, Fraction(gone // datetime.resolution, whole // datetime.resolution))


def _of_programme(place: UserFormationEnrollment, at: datetime) -> Fraction:
    """Minutes of the units that were held, over those of the programme. A unit held twice counts once."""
    minutes = select(func.coalesce(func.sum(FormationSession.duration_minutes), 0)).where(
        FormationSession.formation_id == place.formation_id
    )
    held = (
        select(AdminFormationSession.id)
        .where(
            AdminFormationSession.unit_id == FormationSession.id,
            AdminFormationSession.status != SessionStatus.CANCELLED,
            AdminFormationSession.start_at >= place.enrolled_at,
            AdminFormationSession.end_at <= at,
        )
        .correlate(FormationSession)
    )
    whole = db.session.scalar(minutes) or 0
    given = db.session.scalar(minutes.where(held.exists())) or 0
    return Fraction(int(given), int(whole)) if whole else NOTHING
