"""Withdrawals to settle: which contract, the transfer back, the credit note."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from calmness.access import current_account, requires
from calmness.blueprints.admin.billing import bp
from calmness.errors import DomainError, Text
from calmness.extensions import db
from calmness.models.sale import WithdrawalState
from calmness.permissions import Permission
from calmness.services.billing import withdrawals

WITHDRAWAL_STATES = {
    WithdrawalState.TO_CHECK: (_l("contrat à retrouver"), "warning"),
    WithdrawalState.DECLARED: (_l("à rembourser"), "error"),
    WithdrawalState.REFUNDED: (_l("remboursée"), "success"),
    WithdrawalState.NOTHING_DUE: (_l("rien à rendre"), ""),
    WithdrawalState.REFUSED: (_l("refusée"), ""),
}


@bp.get("/paiements/retractations")
@requires(Permission.VALIDATE_PAYMENTS)
def withdrawal_queue() -> ResponseReturnValue:
    """Nearest term first."""
    return _page()


@bp.post("/paiements/retractations/<int:withdrawal_id>/contrat")
@requires(Permission.VALIDATE_PAYMENTS)
def accept_withdrawal(withdrawal_id: int) -> ResponseReturnValue:
    """Say which contract a declaration means."""
    withdrawals.accept(withdrawal_id, request.form.get("paiement", 0, type=int), by=current_account())
    return _done(_("Contrat retrouvé\u00a0: l’accès est fermé."))


@bp.post("/paiements/retractations/<int:withdrawal_id>/refus")
@requires(Permission.VALIDATE_PAYMENTS)
def refuse_withdrawal(withdrawal_id: int) -> ResponseReturnValue:
    """It means no contract."""
    return _tried(
        withdrawal_id,
        lambda: withdrawals.refuse(withdrawal_id, request.form.get("reason", ""), by=current_account()),
        _("Déclaration refusée, le motif est gardé."),
    )


@bp.post("/paiements/retractations/<int:withdrawal_id>/remboursement")
@requires(Permission.VALIDATE_PAYMENTS)
def refund_withdrawal(withdrawal_id: int) -> ResponseReturnValue:
    """The transfer back is made: credit the invoices."""
    return _tried(
        withdrawal_id,
        lambda: withdrawals.refund(withdrawal_id, request.form.get("refund_reference", ""), by=current_account()),
        _("Remboursement enregistré, l’avoir est émis."),
    )


@bp.post("/paiements/retractations/<int:withdrawal_id>/sans-suite")
@requires(Permission.VALIDATE_PAYMENTS)
def close_withdrawal(withdrawal_id: int) -> ResponseReturnValue:
    """No money had come."""
    withdrawals.close_without_refund(withdrawal_id, by=current_account())
    return _done(_("Rétractation classée\u00a0: rien n’avait été reçu."))


def _tried(withdrawal_id: int, act: Callable[[], object], text: str) -> ResponseReturnValue:
    try:
        act()
    except DomainError as error:
        db.session.rollback()
        return _page({withdrawal_id: error.message}), error.status
    return _done(text)


def _done(text: str) -> ResponseReturnValue:
    db.session.commit()
    flash(text, "success")
    return redirect(url_for("admin_billing.withdrawal_queue"))


def _page(errors: dict[int, Text] | None = None) -> str:
    rows = withdrawals.waiting()
    return render_template(
        "admin/billing/withdrawals.html",
        rows=rows,
        candidates={row.id: withdrawals.candidates(row) for row in rows if row.state is WithdrawalState.TO_CHECK},
        states=WITHDRAWAL_STATES,
        errors=errors or {},
    )
