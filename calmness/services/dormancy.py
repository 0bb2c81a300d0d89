"""Accounts that nobody has used for three years: written to, and closed thirty days later unless somebody logs in.

Three years after the last contact is what the CNIL recommends for customers and prospects. Use is a page, a token of
the API, or a terminal that sends trades. Whoever has something running, or belongs to the team, is left alone.
"""

from datetime import timedelta

from sqlalchemy import func, or_, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Channel, User
from calmness.models.api import ApiToken
from calmness.models.billing import Payment, PaymentStatus, Subscription, SubscriptionStatus
from calmness.models.privacy import AccountDeletion, DeletionCause
from calmness.models.trading import TradingAccount
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.permissions import STAFF_ROLES
from calmness.services import audit, delivery, erasure, grace

UNUSED_FOR = timedelta(days=3 * 365 + 1)
PORTION = 100
"""People written to in a turn: a school that grows old must not mail thousands in a minute."""
UNUSED_MAIL = "privacy.account_unused"


def unused(limit: int = PORTION) -> list[int]:
    """Accounts whose last use is three years past, longest first."""
    before = clock.now() - UNUSED_FOR
    last_use = func.coalesce(User.last_seen_at, User.created_at)
    terminals = select(TradingAccount.id).where(
        TradingAccount.user_id == User.id, TradingAccount.last_sync_at >= before
    )
    programs = select(ApiToken.id).where(
        ApiToken.user_id == User.id, or_(ApiToken.last_used_at >= before, ApiToken.created_at >= before)
    )
    running = select(Subscription.id).where(
        Subscription.user_id == User.id,
        Subscription.status == SubscriptionStatus.ACTIVE,
        Subscription.ends_at >= before,
    )
    learning = select(UserFormationEnrollment.id).where(
        UserFormationEnrollment.user_id == User.id,
        or_(
            UserFormationEnrollment.status.in_((EnrollmentStatus.ACTIVE, EnrollmentStatus.SUSPENDED)),
            UserFormationEnrollment.ended_at >= before,
        ),
    )
    buying = select(Payment.id).where(
        Payment.user_id == User.id,
        or_(Payment.created_at >= before, Payment.status == PaymentStatus.TRANSACTION_SUBMITTED),
    )
    asked = select(AccountDeletion.id).where(AccountDeletion.user_id == User.id, grace.is_open())
    query = (
        select(User.id)
        .where(
            last_use < before,
            User.deleted_at.is_(None),
            User.role.not_in(STAFF_ROLES),
            *(~found.exists() for found in (terminals, programs, running, learning, buying, asked)),
        )
        .order_by(last_use, User.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def write_to(user_id: int) -> bool:
    """Announce the end to a person; logging in cancels it. False when the account has come to life meanwhile."""
    user = db.session.get_one(User, user_id, with_for_update=True)
    if grace.of_user(user_id) is not None or (user.last_seen_at or user.created_at) >= clock.now() - UNUSED_FOR:
        return False
    now = clock.now()
    wish = AccountDeletion(user_id=user_id, asked_at=now, due_at=now + erasure.GRACE, cause=DeletionCause.UNUSED)
    db.session.add(wish)
    db.session.flush()
    delivery.deliver(
        UNUSED_MAIL,
        f"deletion:{wish.id}:unused",
        channel=Channel.EMAIL,
        user_id=user_id,
        address=user.email,
        params={"due_on": wish.due_at.date().isoformat()},
    )
    audit.record("privacy.unused_written_to", "user", user_id, actor=None)
    return True
