"""What the staff looks through before validating: the queue, and numbers that look like another one."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload

from calmness import clock
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import Offer, OfferKind
from calmness.services.billing import transactions

SHOWN = 5


def listing(
    status: PaymentStatus | None,
    text: str,
    *,
    limit: int,
    offset: int,
    kind: OfferKind | None = None,
    late: bool = False,
) -> tuple[list[Payment], int]:
    """Payments for the staff: what waits longest first, else newest first; with their total.

    ``late``: parts whose day has passed without a transfer.
    """
    query = select(Payment).options(joinedload(Payment.user))
    if kind:
        query = query.join(Offer, Offer.id == Payment.offer_id).where(Offer.kind == kind)
    if late:
        query = query.where(
            Payment.status.in_((PaymentStatus.DECLARED, PaymentStatus.REJECTED)), Payment.due_on < clock.paris_today()
        )
    if status:
        query = query.where(Payment.status == status)
    if text:
        words = text.lower()
        number = "".join(character for character in words if character.isalnum()) or words
        query = query.join(User, User.id == Payment.user_id).where(
            or_(
                func.lower(Payment.reference).contains(number, autoescape=True),
                func.lower(Payment.transaction_key).contains(number, autoescape=True),
                func.lower(User.first_name + " " + User.last_name).contains(words, autoescape=True),
                User.email_key.contains(words, autoescape=True),
            )
        )
    total = db.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    waiting = status is PaymentStatus.TRANSACTION_SUBMITTED
    order = Payment.submitted_at.asc() if waiting else Payment.created_at.desc()
    return list(db.session.scalars(query.order_by(order, Payment.id).limit(limit).offset(offset))), total


def look_alikes(payment: Payment) -> list[Payment]:
    """Other payments whose number differs from this one's by one character: a typing error, or the same transfer."""
    if not payment.transaction_key:
        return []
    # One wrong character leaves either the first half or the second half as it was.
    key = payment.transaction_key
    start, end = key[: len(key) // 2], key[-(len(key) // 2) :]
    near = db.session.scalars(
        select(Payment)
        .where(
            Payment.id != payment.id,
            or_(
                Payment.transaction_key.startswith(start, autoescape=True),
                Payment.transaction_key.endswith(end, autoescape=True),
            ),
        )
        .options(joinedload(Payment.user))
        .order_by(Payment.id.desc())
        .limit(500)
    )
    alike = [other for other in near if transactions.alike(key, other.transaction_key or "")]
    # The same amount makes a typing error likelier than two transfers of one day.
    return sorted(alike, key=lambda other: other.amount_cents != payment.amount_cents)[:SHOWN]


def suspicious(rows: list[Payment]) -> set[int]:
    """Which payments of a page have a number that looks like another payment's."""
    return {row.id for row in rows if row.status is PaymentStatus.TRANSACTION_SUBMITTED and look_alikes(row)}
