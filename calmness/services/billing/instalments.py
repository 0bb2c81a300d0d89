"""Purchases in parts: the later payments are written when the first is validated; an unpaid one suspends the place."""

from calendar import monthrange
from datetime import date, datetime, timedelta

from sqlalchemy import select, update

from calmness import clock
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentEvent, PaymentStatus
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.pdf.epc import structured_reference
from calmness.services.billing import sale_terms


def due_on(start: date, months: int) -> date:
    """The same day some months later, or the last of a shorter month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def plan(first: Payment, at: datetime) -> list[Payment]:
    """Write the payments to come of a first one that was just validated. Written once."""
    if first.first_id is not None or first.instalments == 1 or of_contract(first)[1:]:
        return []
    start = at.astimezone(clock.PARIS).date()
    name, total = first.contract_label, sale_terms.total_cents(first)
    planned = []
    for place in range(2, first.instalments + 1):
        amount = sale_terms.part_cents(total, first.instalments, place)
        label, day = sale_terms.part_label(name, place, first.instalments), due_on(start, place - 1)
        if first.is_deposit:
            amount, label = total - first.deposit_cents, f"{name[:170]} (solde)"
            day = start + timedelta(days=first.balance_days)
        payment = Payment(
            reference=f"tmp-{first.id}-{place}",
            user_id=first.user_id,
            offer_id=first.offer_id,
            status=PaymentStatus.DECLARED,
            label=label,
            amount_cents=amount,
            # The final invoice after a deposit shows the whole price again.
            list_cents=first.list_cents if first.is_deposit else amount,
            discount_cents=first.discount_cents if first.is_deposit else 0,
            quantity=first.quantity,
            deposit_cents=first.deposit_cents,
            balance_days=first.balance_days,
            currency=first.currency,
            vat_regime=first.vat_regime,
            vat_rate_bp=first.vat_rate_bp,
            duration_days=first.duration_days,
            offer_version=first.offer_version,
            instalment=place,
            instalments=first.instalments,
            first_id=first.id,
            due_on=day,
            terms_version=first.terms_version,
            terms_accepted_at=first.terms_accepted_at,
            withdrawal_version=first.withdrawal_version,
            early_start_requested=first.early_start_requested,
            created_at=at,
        )
        db.session.add(payment)
        db.session.flush()
        payment.reference = structured_reference(payment.id)
        db.session.add(PaymentEvent(payment_id=payment.id, status=payment.status, at=at, by_id=None))
        planned.append(payment)
    db.session.flush()
    return planned


def of_contract(payment: Payment) -> list[Payment]:
    """All payments of a contract, in their order."""
    first_id = payment.first_id or payment.id
    rows = db.session.scalars(
        select(Payment).where((Payment.id == first_id) | (Payment.first_id == first_id)).order_by(Payment.instalment)
    )
    return list(rows)


def settled(payment: Payment) -> None:
    """A later part was paid: a place that was suspended for it opens again once nothing else is late."""
    if any(is_late(other) for other in of_contract(payment) if other.id != payment.id):
        return
    _set_place(payment, EnrollmentStatus.SUSPENDED, EnrollmentStatus.ACTIVE)


def suspend(payment: Payment) -> bool:
    """Close the place of a contract whose part stays unpaid. False when it was closed before."""
    return _set_place(payment, EnrollmentStatus.ACTIVE, EnrollmentStatus.SUSPENDED)


def is_late(payment: Payment, today: date | None = None) -> bool:
    """Whether a part was due before today and nothing came."""
    waiting = payment.status in {PaymentStatus.DECLARED, PaymentStatus.REJECTED}
    return waiting and payment.due_on is not None and payment.due_on < (today or clock.paris_today())


def _set_place(payment: Payment, old: EnrollmentStatus, new: EnrollmentStatus) -> bool:
    changed = db.session.scalars(
        update(UserFormationEnrollment)
        .where(
            UserFormationEnrollment.payment_id == (payment.first_id or payment.id),
            UserFormationEnrollment.status == old,
        )
        .values(status=new)
        .returning(UserFormationEnrollment.id),
        execution_options={"synchronize_session": "fetch"},
    ).all()
    return bool(changed)
