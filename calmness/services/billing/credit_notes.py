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
from calmness.models.mention import MentionKind
from calmness.models.training import EnrollmentStatus, UserFormationEnrollment
from calmness.presentation import money
from calmness.services import audit, live, notifications
from calmness.services.account.preferences import NoticeKind
from calmness.services.billing import invoicing, mentions
from calmness.services.billing.invoice_lines import MICROS, left_by_line, split_vat


class NotAnInvoice(Conflict):
    """A credit note is not corrected by another one: a new invoice is issued."""

    slug = "not-an-invoice"
    message = _l("Un avoir ne se corrige pas par un avoir\u00a0: émettez une nouvelle facture.")


class AlreadyCredited(Conflict):
    """The whole invoice is credited. ``credit_note`` is the document."""

    slug = "already-credited"
    message = _l("Cette facture a déjà son avoir.")

    def __init__(self, credit_note: Invoice) -> None:
        super().__init__()
        self.credit_note = credit_note


class DepositDeducted(Conflict):
    """A final invoice has taken the deposit off: it is credited first, else the deposit would be given back twice."""

    slug = "deposit-deducted"

    def __init__(self, final: Invoice) -> None:
        super().__init__(
            _l("La facture définitive %(number)s déduit cet acompte\u00a0: créditez-la d’abord.", number=final.number)
        )
        self.final = final


class MoreThanInvoiced(Conflict):
    """A line would be credited for more than is left of it. ``position`` says which."""

    slug = "more-than-invoiced"

    def __init__(self, position: int, left_cents: int) -> None:
        message = _l("Il reste %(left)s à créditer sur cette ligne.", left=money(left_cents))
        super().__init__(message, field=f"line_{position}")
        self.position = position


def credit_whole(number: str, reason: str, *, by: User, at: datetime | None = None) -> Invoice:
    """Credit all that is left of an invoice: the payment is refunded, its access ends, all in one transaction.

    Lines, rates and buyer are those of the invoice. Raises ``NotFound``, ``NotAnInvoice``, ``AlreadyCredited``.
    """
    return credit(number, None, reason, by=by, at=at)


def credit(
    number: str, cents_by_line: dict[int, int] | None, reason: str, *, by: User, at: datetime | None = None
) -> Invoice:
    """Credit amounts including VAT by the position of their line; None credits all that is left.

    Access ends once nothing is left. The invoice stays locked until the transaction ends, so that credit notes never
    pass it, neither by line nor by rate; the last of a line takes the rest of its VAT.
    Raises ``NotFound``, ``NotAnInvoice``, ``AlreadyCredited``, ``MoreThanInvoiced``, ``DepositDeducted``.
    """
    now = at or clock.now()
    why = " ".join(reason.split())[:300]
    if not why:
        raise DomainError(_l("Dites pourquoi l’avoir est émis\u00a0: le motif figure sur le document."), field="reason")
    invoice = db.session.scalar(select(Invoice).where(Invoice.number == number).with_for_update())
    if invoice is None:
        raise NotFound
    if invoice.kind is not InvoiceKind.INVOICE:
        raise NotAnInvoice
    left = left_by_line(invoice)
    earlier = all_of_invoice(invoice.id)
    if earlier and not any(cents for cents, _excl in left.values()):
        raise AlreadyCredited(earlier[-1])
    _require_not_deducted(invoice)
    cents_by_line = _asked(invoice, cents_by_line, left)
    items = [
        part_of(item, cents_by_line[item.position], left[item.position])
        for item in invoice.items
        if cents_by_line.get(item.position)
    ]
    if invoice.total_incl_cents == 0:
        items = [_copy(item) for item in invoice.items]
    if not items:
        raise DomainError(_l("Entrez au moins un montant à créditer."), field="reason")
    draft = invoicing.Draft(
        kind=InvoiceKind.CREDIT_NOTE,
        user_id=invoice.user_id,
        payment_id=invoice.payment_id,
        corrects_id=invoice.id,
        buyer=invoice.buyer,
        mentions=_mentions(invoice, why, items),
        items=items,
        service_on=invoice.service_on,
        currency=invoice.currency,
        is_deposit=invoice.is_deposit,
    )
    whole = sum(cents for cents, _excl in left.values()) == sum(item.incl_cents for item in items)
    credit_note = invoicing.issue(draft, now)
    if invoice.payment is not None:
        if whole:
            _refund(invoice.payment, why, now, by)
        else:
            _note_part(invoice.payment, credit_note, why, now, by)
    _tell(credit_note, invoice, whole=whole)
    audit.record("invoice.credited", "invoice", invoice.id, actor=by, changes=("status",))
    return credit_note


def all_of_invoice(invoice_id: int) -> list[Invoice]:
    """All credit notes of an invoice, in order."""
    return list(db.session.scalars(select(Invoice).where(Invoice.corrects_id == invoice_id).order_by(Invoice.id)))


def corrected_number(credit_note: Invoice) -> str | None:
    """Number of the invoice that a credit note corrects; None for an invoice."""
    if credit_note.corrects_id is None:
        return None
    return db.session.scalar(select(Invoice.number).where(Invoice.id == credit_note.corrects_id))


def _asked(invoice: Invoice, cents_by_line: dict[int, int] | None, left: dict[int, tuple[int, int]]) -> dict[int, int]:
    """Amounts to credit by line. The line that takes a deposit off goes with the last of the rest, never alone: what is
    credited together never passes what was paid on this invoice.
    """
    everything = {position: cents for position, (cents, _excl) in left.items() if cents}
    if cents_by_line is None or invoice.deducts_id is None:
        return everything if cents_by_line is None else cents_by_line
    wanted = {position: cents for position, cents in cents_by_line.items() if left.get(position, (0, 0))[0] > 0}
    most = sum(everything.values())
    if sum(wanted.values()) > most:
        raise MoreThanInvoiced(next(iter(wanted)), most)
    return everything if sum(wanted.values()) == most else wanted


def _require_not_deducted(invoice: Invoice) -> None:
    final = db.session.scalar(select(Invoice).where(Invoice.deducts_id == invoice.id))
    if final is not None and any(cents for cents, _excl in left_by_line(final).values()):
        raise DepositDeducted(final)


def part_of(item: InvoiceItem, cents: int, left: tuple[int, int]) -> InvoiceItem:
    """A part of a line. ``left``: what is left of it, including VAT and without."""
    left_incl, left_excl = left
    if item.quantity < 0:
        return _copy(item)
    if not 0 < cents <= left_incl:
        raise MoreThanInvoiced(item.position, left_incl)
    if cents == item.incl_cents:
        return _copy(item)
    excl, _vat = split_vat(cents, item.vat_rate_bp)
    # Rounding of the parts before may have left a cent less than this part's own.
    excl = left_excl if cents == left_incl else min(max(excl, cents - (left_incl - left_excl)), left_excl)
    return InvoiceItem(
        position=item.position,
        label=item.label,
        detail=item.detail,
        quantity=1,
        unit_excl_micros=excl * MICROS,
        discount_cents=0,
        vat_regime=item.vat_regime,
        vat_rate_bp=item.vat_rate_bp,
        excl_cents=excl,
        vat_cents=cents - excl,
        incl_cents=cents,
    )


def _copy(item: InvoiceItem) -> InvoiceItem:
    columns = (
        "position",
        "label",
        "detail",
        "quantity",
        "unit_excl_micros",
        "discount_cents",
        "vat_regime",
        "vat_rate_bp",
        "excl_cents",
        "vat_cents",
        "incl_cents",
    )
    return InvoiceItem(**{name: getattr(item, name) for name in columns})


def _mentions(invoice: Invoice, reason: str, items: list[InvoiceItem]) -> list[str | MentionKind]:
    """What a credit note says, in the wordings of its own day: the law of today decides which references it takes."""
    said = {mention.get("kind") for mention in invoice.mentions}
    regimes = dict.fromkeys(mentions.OF_REGIME.get(item.vat_regime) for item in items)
    # A platform asks a business's credit note for the same terms as its invoice (BR-FR-05).
    return [
        f"Avoir sur la facture {invoice.number} du {invoice.issued_on:%d/%m/%Y}.",
        f"Motif\u00a0: {reason}",
        "Prestation de services.",
        *(kind for kind in (*regimes, MentionKind.DEBITS, *mentions.OF_BUSINESS) if kind and kind.value in said),
    ]


def _note_part(payment: Payment, credit_note: Invoice, reason: str, at: datetime, by: User) -> None:
    """A part is given back: the payment stays as it is, and its history says so."""
    text = f"{credit_note.number}\u00a0: {reason}"[:500]
    db.session.add(PaymentEvent(payment_id=payment.id, status=payment.status, at=at, by_id=by.id, reason=text))
    db.session.flush()
    for room in (f"user:{payment.user_id}", "agents"):
        live.emit_after_commit("payment:updated", {"id": payment.id}, room=room)


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


def _tell(credit_note: Invoice, invoice: Invoice, *, whole: bool) -> None:
    with force_locale(invoice.user.locale):
        notifications.notify(
            invoice.user_id,
            NoticeKind.PAYMENT,
            f"credit-note:{credit_note.id}",
            title=_("Remboursement\u00a0: avoir %(number)s", number=credit_note.number),
            body=_("La facture %(number)s est annulée par un avoir, envoyé par e-mail.", number=invoice.number)
            if whole
            else _(
                "%(amount)s vous sont rendus sur la facture %(number)s\u202f; l’avoir part par e-mail.",
                amount=money(credit_note.total_incl_cents, credit_note.currency),
                number=invoice.number,
            ),
            url=f"/espace/paiements/{invoice.payment_id}",
            message_kind=None,
        )
