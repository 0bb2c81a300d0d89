"""Payments to validate, invoices, offers, legal identity."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from calmness.access import current_account, requires
from calmness.blueprints.admin.fields import EuroField
from calmness.blueprints.billing.payments import STATES, pdf_response
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import OfferKind
from calmness.models.delivery import DeliveryState
from calmness.navigation import badge
from calmness.paging import key_of, page_number
from calmness.permissions import Permission
from calmness.presentation import money
from calmness.services.billing import (
    credit_notes,
    dunning,
    invoice_lines,
    invoicing,
    payment_queue,
    purchases,
    sending,
    transactions,
)

bp = Blueprint("admin_billing", __name__, url_prefix="/admin")
PAGE = 50

badge("payments_to_validate", _l("paiements à valider"))(purchases.waiting_count)


MAIL_STATES = {
    DeliveryState.SENT: _l("parti"),
    DeliveryState.FAILED: _l("refusé"),
    DeliveryState.UNKNOWN: _l("incertain"),
    DeliveryState.SKIPPED: _l("non envoyé"),
    DeliveryState.EXPIRED: _l("non envoyé"),
    DeliveryState.CANCELLED: _l("non envoyé"),
}
"""How a mail of a document went; the others are on their way."""


class ValidationForm(FlaskForm):
    """The number seen on the bank's statement."""

    transaction_id = StringField(_l("Numéro de transaction"), validators=[Length(max=80)])


class RejectionForm(FlaskForm):
    """Why the payment is refused."""

    reason = TextAreaField(
        _l("Motif, lu par l’élève"), validators=[InputRequired(_l("Dites à l’élève pourquoi.")), Length(max=500)]
    )


class CreditForm(FlaskForm):
    """Why an invoice is credited, and how much of each line; nothing typed credits all that is left."""

    reason = StringField(
        _l("Motif de l’avoir"), validators=[InputRequired(_l("Dites pourquoi l’avoir est émis.")), Length(max=300)]
    )


@bp.get("/paiements")
@requires(Permission.VALIDATE_PAYMENTS)
def payments() -> ResponseReturnValue:
    """The queue, or any other state."""
    wanted = request.args.get("etat", PaymentStatus.TRANSACTION_SUBMITTED.value)
    status = PaymentStatus(wanted) if wanted in set(PaymentStatus) else None
    text, page = request.args.get("q", "").strip(), max(1, request.args.get("page", 1, type=int))
    kind = OfferKind(request.args["type"]) if request.args.get("type") in set(OfferKind) else None
    late = request.args.get("retard") == "1"
    rows, total = payment_queue.listing(
        None if late else status, text, limit=PAGE, offset=(page - 1) * PAGE, kind=kind, late=late
    )
    return render_template(
        "admin/billing/payments.html",
        rows=rows,
        total=total,
        page=page,
        size=PAGE,
        status=status,
        wanted=wanted,
        kind=kind.value if kind else "",
        kinds=catalogue.KINDS,
        late=late,
        suspicious=payment_queue.suspicious(rows),
        q=text,
        states=STATES,
        waiting=purchases.waiting_count(),
    )


@bp.get("/paiements/<int:payment_id>")
@requires(Permission.VALIDATE_PAYMENTS)
def payment(payment_id: int) -> ResponseReturnValue:
    """One payment with its validation form."""
    found = purchases.get(payment_id)
    return _page(found, ValidationForm(transaction_id=found.transaction_id))


@bp.post("/paiements/<int:payment_id>/validation")
@requires(Permission.VALIDATE_PAYMENTS)
def create_validation(payment_id: int) -> ResponseReturnValue:
    """Validate: payment, access and invoice in one transaction."""
    form = ValidationForm()
    try:
        invoice = purchases.validate_payment(payment_id, form.transaction_id.data, by=current_account())
    except DomainError as error:
        db.session.rollback()
        form.transaction_id.errors = [error.message]
        other = error.payment if isinstance(error, transactions.TransactionNumberTaken) else None
        return _page(purchases.get(payment_id), form, taken_by=other.id if other else None), error.status
    db.session.commit()
    flash(_("Paiement validé, facture %(number)s émise.", number=invoice.number), "success")
    return redirect(url_for("admin_billing.payment", payment_id=payment_id))


@bp.post("/paiements/<int:payment_id>/rejet")
@requires(Permission.VALIDATE_PAYMENTS)
def create_rejection(payment_id: int) -> ResponseReturnValue:
    """Refuse, with a reason."""
    form = RejectionForm()
    if not form.validate_on_submit():
        found = purchases.get(payment_id)
        return _page(found, ValidationForm(formdata=None, transaction_id=found.transaction_id), rejection=form), 422
    purchases.reject_payment(payment_id, form.reason.data, by=current_account())
    db.session.commit()
    flash(_("Paiement refusé\u202f; l’élève est prévenu."), "success")
    return redirect(url_for("admin_billing.payments"))


@bp.post("/paiements/<int:payment_id>/avoir")
@requires(Permission.VALIDATE_PAYMENTS)
def create_credit_note(payment_id: int) -> ResponseReturnValue:
    """Credit the invoice, whole or in part."""
    found = purchases.get(payment_id)
    form = _credit_form(found)
    if not form.validate_on_submit() or found.invoice is None:
        return _page(found, ValidationForm(formdata=None), credit=form), 422
    parts = {int(name[5:]): int(value * 100) for name, value in form.data.items() if name.startswith("line_") and value}
    try:
        credit_note = credit_notes.credit(found.invoice.number, parts or None, form.reason.data, by=current_account())
    except (credit_notes.MoreThanInvoiced, credit_notes.DepositDeducted) as error:
        db.session.rollback()
        form[error.field or "reason"].errors = [error.message]
        return _page(purchases.get(payment_id), ValidationForm(formdata=None), credit=form), 422
    db.session.commit()
    text = (
        _("Avoir %(number)s émis\u00a0: l’accès est fermé, l’élève est prévenu.", number=credit_note.number)
        if found.status is PaymentStatus.REFUNDED
        else _(
            "Avoir partiel %(number)s émis\u00a0: l’accès reste ouvert, l’élève est prévenu.", number=credit_note.number
        )
    )
    flash(text, "success")
    return redirect(url_for("admin_billing.payment", payment_id=payment_id))


@bp.get("/factures")
@requires(Permission.SEE_INVOICES)
def invoices() -> ResponseReturnValue:
    """All documents."""
    text, page = request.args.get("q", "").strip(), page_number()
    rows, total = invoicing.listing(limit=PAGE, text=text, before=key_of("avant"), after=key_of("apres"))
    return render_template("admin/billing/invoices.html", rows=rows, total=total, page=page, size=PAGE, q=text)


@bp.get("/factures/<number>.pdf")
@requires(Permission.SEE_INVOICES)
def invoice_pdf(number: str) -> ResponseReturnValue:
    """A document's PDF."""
    return pdf_response(invoicing.by_number(number))


@bp.post("/factures/<number>/envoi")
@requires(Permission.VALIDATE_PAYMENTS)
def create_sending(number: str) -> ResponseReturnValue:
    """Mail a document again."""
    invoice = invoicing.by_number(number)
    try:
        sending.send_again(number, by=current_account())
    except (sending.NotRenderedYet, sending.SentJustNow) as error:
        db.session.rollback()
        flash(str(error.message), "warning")
    else:
        db.session.commit()
        flash(_("%(number)s repart par e-mail.", number=number), "success")
    return redirect(url_for("admin_billing.payment", payment_id=invoice.payment_id))


def _credit_form(found: Payment, *, empty: bool = False) -> CreditForm:
    """The form with a field for each line that something is left of."""

    class LinesForm(CreditForm):
        """With the lines of one invoice."""

    left = invoice_lines.left_by_line(found.invoice) if found.invoice else {}
    for item in found.invoice.items if found.invoice else ():
        cents = left[item.position][0]
        if cents > 0:
            label = _(
                "Montant TTC à rendre sur «\u00a0%(label)s\u00a0» (reste %(left)s)", label=item.label, left=money(cents)
            )
            rules = [Optional(), NumberRange(min=0, message=_("Entrez un montant comme 12,50."))]
            setattr(LinesForm, f"line_{item.position}", EuroField(label, places=2, validators=rules))
    return LinesForm(formdata=None) if empty else LinesForm()


def _page(
    found: Payment,
    form: ValidationForm,
    *,
    taken_by: int | None = None,
    rejection: RejectionForm | None = None,
    credit: CreditForm | None = None,
) -> str:
    return render_template(
        "admin/billing/payment.html",
        payment=found,
        form=form,
        rejection=rejection or RejectionForm(formdata=None),
        credit=credit or _credit_form(found, empty=True),
        documents=[(document, sending.mails_of(document)) for document in invoicing.of_payment(found.id)],
        mail_states=MAIL_STATES,
        events=purchases.events(found.id),
        look_alikes=payment_queue.look_alikes(found),
        taken=purchases.get(taken_by) if taken_by else None,
        reminders=dunning.steps_told(found.id),
        states=STATES,
    )


from calmness.blueprints.admin import bank, books, catalogue, discounts, identity, mentions, platform, withdrawals  # noqa: E402

__all__ = ["bank", "books", "bp", "catalogue", "discounts", "identity", "mentions", "platform", "withdrawals"]
