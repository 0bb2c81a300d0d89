"""What the school took: validated payments, by the instant of their validation; what was given back whole is out."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, case, func, select

from calmness.clock import PARIS
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentStatus


@dataclass(frozen=True)
class Week:
    """A week of Paris, by its Monday, and what came in it, in cents."""

    monday: date
    cents: int


def revenue(start: datetime, end: datetime) -> int:
    """Cents taken from ``start`` until before ``end``."""
    return int(db.session.scalar(select(func.sum(Payment.amount_cents)).where(_taken(start, end))) or 0)


def sales(start: datetime, end: datetime) -> int:
    """Payments validated from ``start`` until before ``end``."""
    return db.session.scalar(select(func.count(Payment.id)).where(_taken(start, end))) or 0


def by_week(at: datetime, count: int = 12) -> list[Week]:
    """The last ``count`` weeks, the one of ``at`` last; a week is seven days of Paris, be they 167 or 169 hours."""
    today = at.astimezone(PARIS).date()
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=ago) for ago in range(count - 1, -2, -1)]
    bounds = [datetime.combine(day, time.min, tzinfo=PARIS).astimezone(UTC) for day in mondays]
    sums = [func.sum(case((_taken(start, end), Payment.amount_cents))) for start, end in pairwise(bounds)]
    row = db.session.execute(select(*sums).where(_taken(bounds[0], bounds[-1]))).one()
    return [Week(day, int(cents or 0)) for day, cents in zip(mondays, row, strict=False)]


def _taken(start: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(Payment.status == PaymentStatus.VALIDATED, Payment.validated_at >= start, Payment.validated_at < end)
