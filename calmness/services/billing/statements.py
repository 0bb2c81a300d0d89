"""Payments and invoices page by page, for programs: newest first, by a cursor that new rows don't move."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from calmness.extensions import db
from calmness.models.billing import Invoice, Payment, PaymentStatus
from calmness.services.billing import invoicing


def payments(
    *, limit: int, before: int | None = None, user_id: int | None = None, status: PaymentStatus | None = None
) -> list[Payment]:
    """Up to ``limit`` payments with an id below ``before``: one person's own, or everybody's for the staff."""
    query = select(Payment).options(joinedload(Payment.offer), selectinload(Payment.invoice))
    if user_id is not None:
        query = query.where(Payment.user_id == user_id)
    if status is not None:
        query = query.where(Payment.status == status)
    if before is not None:
        query = query.where(Payment.id < before)
    return list(db.session.scalars(query.order_by(Payment.id.desc()).limit(limit)))


def invoices(*, limit: int, before: int | None = None, user_id: int | None = None, text: str = "") -> list[Invoice]:
    """Up to ``limit`` documents with an id below ``before``, the same way; ``text`` as the staff's page searches."""
    query = invoicing.searched(select(Invoice).options(selectinload(Invoice.items), joinedload(Invoice.document)), text)
    if user_id is not None:
        query = query.where(Invoice.user_id == user_id)
    if before is not None:
        query = query.where(Invoice.id < before)
    return list(db.session.scalars(query.order_by(Invoice.id.desc()).limit(limit)))
