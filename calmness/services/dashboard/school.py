"""How the school does: figures of the last thirty days beside the thirty before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.models.billing import Subscription, SubscriptionStatus
from calmness.models.training import (
    AdminFormationSession,
    EnrollmentStatus,
    SessionStatus,
    UserFormationEnrollment,
)
from calmness.services.billing import takings

PERIOD = timedelta(days=30)


@dataclass(frozen=True)
class Compared:
    """A figure and the same of the period before."""

    value: int
    before: int

    @property
    def growth(self) -> float | None:
        """Change in shares of one; None when there was nothing before."""
        return (self.value - self.before) / self.before if self.before else None


@dataclass(frozen=True)
class SchoolFigures:
    """Figures of the last thirty days."""

    revenue: Compared
    registrations: Compared
    sales: Compared
    students: int
    subscribers: int


def figures(at: datetime | None = None) -> SchoolFigures:
    """Revenue in cents, registrations and sales by date; students and subscribers of now."""
    now = at or clock.now()
    start, before = now - PERIOD, now - 2 * PERIOD
    return SchoolFigures(
        revenue=Compared(takings.revenue(start, now), takings.revenue(before, start)),
        registrations=Compared(_registrations(start, now), _registrations(before, start)),
        sales=Compared(takings.sales(start, now), takings.sales(before, start)),
        students=db.session.scalar(
            select(func.count(UserFormationEnrollment.user_id.distinct())).where(
                UserFormationEnrollment.status == EnrollmentStatus.ACTIVE
            )
        )
        or 0,
        subscribers=db.session.scalar(
            select(func.count(Subscription.user_id.distinct())).where(
                Subscription.status == SubscriptionStatus.ACTIVE,
                Subscription.starts_at <= now,
                Subscription.ends_at > now,
            )
        )
        or 0,
    )


def next_sessions(limit: int = 5) -> list[AdminFormationSession]:
    """Sessions that come next."""
    return list(
        db.session.scalars(
            select(AdminFormationSession)
            .where(AdminFormationSession.status == SessionStatus.SCHEDULED, AdminFormationSession.end_at > clock.now())
            .order_by(AdminFormationSession.start_at)
            .limit(limit)
        )
    )


def newcomers(limit: int = 6) -> list[User]:
    """People who registered last."""
    return list(
        db.session.scalars(
            select(User)
            .where(User.role == Role.STUDENT, User.deleted_at.is_(None))
            .order_by(User.created_at.desc())
            .limit(limit)
        )
    )


def _registrations(start: datetime, end: datetime) -> int:
    return (
        db.session.scalar(
            select(func.count())
            .select_from(User)
            .where(User.role == Role.STUDENT, User.created_at >= start, User.created_at < end)
        )
        or 0
    )
