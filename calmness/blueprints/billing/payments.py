"""History of payments, and invoices to download."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from calmness.access import current_account, requires
from calmness.blueprints.billing import bp
from calmness.errors import NotFound
from calmness.files import store
from calmness.models.billing import Invoice, PaymentStatus
from calmness.paging import key_of, page_number
from calmness.permissions import Permission
from calmness.services.billing import (
    channel_access,
    credit_notes,
    instalments,
    invoicing,
    payment_history,
    purchases,
    subscriptions,
    withdrawals,
)

PAGE = 25
STATES = {
    PaymentStatus.DECLARED: (_l("À régler"), "warning", "clock"),
    PaymentStatus.TRANSACTION_SUBMITTED: (_l("En cours de vérification"), "info", "hourglass"),
    PaymentStatus.VALIDATED: (_l("Validé"), "success", "circle-check"),
    PaymentStatus.REJECTED: (_l("À revoir"), "error", "circle-alert"),
    PaymentStatus.REFUNDED: (_l("Remboursé"), "", "undo-2"),
    PaymentStatus.CANCELLED: (_l("Abandonné"), "", "ban"),
}
NEXT_STEPS = {
    PaymentStatus.DECLARED: _l("Faites le virement, puis donnez-nous son numéro de transaction."),
    PaymentStatus.TRANSACTION_SUBMITTED: _l(
        "Nous cherchons votre virement sur notre relevé\u00a0: rien à faire pour vous."
    ),
    PaymentStatus.VALIDATED: _l("Tout est en ordre\u00a0: votre accès est ouvert."),
    PaymentStatus.REJECTED: _l("Lisez le motif, puis donnez-nous le bon numéro de transaction."),
    PaymentStatus.REFUNDED: _l("Le montant vous est rendu par virement\u202f; l’accès correspondant est fermé."),
    PaymentStatus.CANCELLED: _l("Rien n’est dû."),
}
"""What a person has to do, or to know, in each state."""


@bp.get("/espace/paiements")
@requires(Permission.OWN_SPACE)
def payments() -> ResponseReturnValue:
    """All of one's own payments, of one state or year, with subscriptions and totals."""
    user_id = current_account().id
    wanted, year = request.args.get("etat", ""), request.args.get("annee", type=int)
    status = PaymentStatus(wanted) if wanted in set(PaymentStatus) else None
    year = year if year in (years := payment_history.years(user_id)) else None
    rows, total = payment_history.page_of(
        user_id, status, year, limit=PAGE, before=key_of("avant"), after=key_of("apres")
    )
    return render_template(
        "billing/payments.html",
        payments=rows,
        total=total,
        page=page_number(),
        size=PAGE,
        bought_before=bool(years),
        years=years,
        present=payment_history.states(user_id),
        status=status,
        year=year,
        subscriptions=subscriptions.running(user_id),
        invitation=channel_access.invitation_of(user_id),
        spent=payment_history.spent_by_year(user_id),
        states=STATES,
        next_steps=NEXT_STEPS,
    )


@bp.get("/espace/paiements/<int:payment_id>")
@requires(Permission.OWN_SPACE)
def payment(payment_id: int) -> ResponseReturnValue:
    """One payment with what happened to it."""
    mine = purchases.own(current_account().id, payment_id)
    return render_template(
        "billing/payment.html",
        payment=mine,
        credit_notes=credit_notes.all_of_invoice(mine.invoice.id) if mine.invoice else [],
        events=purchases.events(mine.id),
        parts=instalments.of_contract(mine) if mine.instalments > 1 else [],
        withdrawal=withdrawals.of_payment(withdrawals.contract_of(mine).id),
        may_withdraw=withdrawals.is_open(mine),
        states=STATES,
        next_steps=NEXT_STEPS,
    )


@bp.get("/espace/factures/<number>.pdf")
@requires(Permission.OWN_SPACE)
def invoice_pdf(number: str) -> ResponseReturnValue:
    """One's own invoice."""
    return pdf_response(invoicing.own(current_account().id, number))


def pdf_response(invoice: Invoice) -> Response:
    """The stored bytes of an invoice. Raises ``NotFound`` while the worker has not made them yet."""
    if invoice.document is None:
        raise NotFound(_l("Le PDF est en préparation\u00a0: il sera là dans quelques secondes."))
    response = Response(store().get(invoice.document.file_key), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{invoice.number}.pdf"'
    response.headers["Content-Security-Policy"] = "sandbox"
    return response
