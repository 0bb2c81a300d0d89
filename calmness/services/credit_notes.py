"""An issued invoice never changes: what was wrong, or is paid back, is corrected by a credit note of its own series."""

from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from calmness import clock
from calmness.errors import Conflict, DomainError, NotFound
from calmness.extensions import db
from calmness.models.account import User
from calmness.models.billing import (
    Invoice,
    InvoiceItem,
    InvoiceKind,
    Payment,
    PaymentEvent,
    PaymentStatus,
    Subscription,
    SubscriptionStatus,
)
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.services import audit, invoicing, live, notifications
from calmness.services.preferences import NoticeKind


class NotAnInvoice(Conflict):
    """A credit note is not corrected by another one: a new invoice is issued."""

    slug = "not-an-invoice"
    message = _l("Un avoir ne se corrige pas par un avoir : émettez une nouvelle facture.")


class AlreadyCredited(Conflict):
    """The whole invoice is credited. ``credit_note`` is the document."""

    slug = "already-credited"
    message = _l("Cette facture a déjà son avoir.")

    def __init__(self, credit_note: Invoice) -> None:
        super().__init__()
        self.credit_note = credit_note


def credit_whole(number: str, reason: str, *, by: User, at: datetime | None = None) -> Invoice:
    """Credit an invoice whole: the payment is refunded, its access ends, all in one transaction.

    Lines, rates and buyer are those of the invoice. Raises ``NotFound``, ``NotAnInvoice``, ``AlreadyCredited``.
    """
    now = at or clock.now()
    why = " ".join(reason.split())[:300]
    if not why:
        raise DomainError(_l("Dites pourquoi l’avoir est émis : le motif figure sur le document."), field="reason")
    invoice = db.session.scalar(select(Invoice).where(Invoice.number == number).with_for_update())
    if invoice is None:
        raise NotFound
    if invoice.kind is not InvoiceKind.INVOICE:
        raise NotAnInvoice
    existing = of_invoice(invoice.id)
    if existing is not None:
        raise AlreadyCredited(existing)
    draft = invoicing.Draft(
        kind=InvoiceKind.CREDIT_NOTE,
        user_id=invoice.user_id,
        payment_id=invoice.payment_id,
        corrects_id=invoice.id,
        buyer=invoice.buyer,
        mentions=_mentions(invoice, why),
        items=[_copy(item) for item in invoice.items],
        service_on=invoice.service_on,
        currency=invoice.currency,
    )
    credit_note = invoicing.issue(draft, now)
    if invoice.payment is not None:
        _refund(invoice.payment, why, now, by)
    _tell(credit_note, invoice)
    audit.record("invoice.credited", "invoice", invoice.id, actor=by, changes=("status",))
    return credit_note


def of_invoice(invoice_id: int) -> Invoice | None:
    """The credit note of an invoice."""
    return db.session.scalar(select(Invoice).where(Invoice.corrects_id == invoice_id))


def corrected_number(credit_note: Invoice) -> str | None:
    """Number of the invoice that a credit note corrects; None for an invoice."""
    if credit_note.corrects_id is None:
        return None
    return db.session.scalar(select(Invoice.number).where(Invoice.id == credit_note.corrects_id))


def _copy(item: InvoiceItem) -> InvoiceItem:
    columns = (
        "position",
        "label",
        "detail",
        "quantity",
        "unit_excl_cents",
        "vat_regime",
        "vat_rate_bp",
        "excl_cents",
        "vat_cents",
        "incl_cents",
    )
    return InvoiceItem(**{name: getattr(item, name) for name in columns})


def _mentions(invoice: Invoice, reason: str) -> list[str]:
    vat = [text for text in invoicing.MENTIONS.values() if text and text in invoice.mentions]
    return [
        f"Avoir sur la facture {invoice.number} du {invoice.issued_on:%d/%m/%Y}.",
        f"Motif\u00a0: {reason}",
        "Prestation de services.",
        *vat,
    ]


def _refund(payment: Payment, reason: str, at: datetime, by: User) -> None:
    payment.status, payment.refunded_at = PaymentStatus.REFUNDED, at
    event = PaymentEvent(payment_id=payment.id, status=payment.status, at=at, by_id=by.id, reason=reason)
    db.session.add(event)
    db.session.flush()
    db.session.execute(
        update(Subscription)
        .where(Subscription.payment_id == payment.id, Subscription.status == SubscriptionStatus.ACTIVE)
        .values(status=SubscriptionStatus.CANCELLED)
    )
    # Reminders look at the place just before they leave: a cancelled place silences them.
    db.session.execute(
        update(UserFormationEnrollment)
        .where(
            UserFormationEnrollment.payment_id == payment.id,
            UserFormationEnrollment.status.in_((EnrollmentStatus.ACTIVE, EnrollmentStatus.SUSPENDED)),
        )
        .values(status=EnrollmentStatus.CANCELLED, ended_at=at)
    )
    for room in (f"user:{payment.user_id}", "agents"):
        live.emit_after_commit("payment:updated", {"id": payment.id}, room=room)


def _tell(credit_note: Invoice, invoice: Invoice) -> None:
    with force_locale(invoice.user.locale):
        notifications.notify(
            invoice.user_id,
            NoticeKind.PAYMENT,
            f"credit-note:{credit_note.id}",
            title=_("Remboursement : avoir %(number)s", number=credit_note.number),
            body=_("La facture %(number)s est annulée par un avoir, envoyé par e-mail.", number=invoice.number),
            url=f"/espace/paiements/{invoice.payment_id}",
            message_kind=None,
        )
