"""A person's own payments, as their pages show them."""

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from calmness import clock
from calmness.extensions import db
from calmness.models.billing import Invoice, Payment, PaymentStatus


def of_user(user_id: int, status: PaymentStatus | None = None, year: int | None = None) -> list[Payment]:
    """A person's own payments, newest first; of one state, or of one year in Paris."""
    query = (
        select(Payment)
        .where(Payment.user_id == user_id)
        .options(selectinload(Payment.invoice).joinedload(Invoice.document))
        .order_by(Payment.created_at.desc(), Payment.id.desc())
    )
    if status is not None:
        query = query.where(Payment.status == status)
    rows = list(db.session.scalars(query))
    return [row for row in rows if year is None or _year(row) == year]


def years(payments: list[Payment]) -> list[int]:
    """Years in which something was bought, newest first."""
    return sorted({_year(payment) for payment in payments}, reverse=True)


def spent_by_year(user_id: int) -> list[tuple[int, int]]:
    """Validated cents a year in Paris, newest first. What was refunded is not spent."""
    totals: dict[int, int] = {}
    for payment in of_user(user_id, PaymentStatus.VALIDATED):
        if payment.validated_at:
            year = payment.validated_at.astimezone(clock.PARIS).year
            totals[year] = totals.get(year, 0) + payment.amount_cents
    return sorted(totals.items(), reverse=True)


def _year(payment: Payment) -> int:
    return payment.created_at.astimezone(clock.PARIS).year
