"""Withdrawal in two steps: what one withdraws from, then "confirm". For who cannot log in there is a public form."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from calmness.access import current_account, public, requires
from calmness.blueprints.billing import bp
from calmness.blueprints.billing.forms import WithdrawalForm
from calmness.extensions import db, limiter
from calmness.permissions import Permission
from calmness.services.billing import purchases, withdrawals


@bp.get("/espace/paiements/<int:payment_id>/retractation")
@requires(Permission.OWN_SPACE)
def withdrawal(payment_id: int) -> ResponseReturnValue:
    """First step: the contract, and what follows."""
    contract = withdrawals.contract_of(purchases.own(current_account().id, payment_id))
    if not withdrawals.is_open(contract) and withdrawals.of_payment(contract.id) is None:
        raise withdrawals.NoWithdrawal
    return render_template("billing/withdrawal.html", payment=contract, withdrawal=withdrawals.of_payment(contract.id))


@bp.post("/espace/paiements/<int:payment_id>/retractation")
@requires(Permission.OWN_SPACE)
def create_withdrawal(payment_id: int) -> ResponseReturnValue:
    """Second step: withdraw."""
    withdrawals.declare(purchases.own(current_account().id, payment_id), by=current_account())
    db.session.commit()
    flash(_("Votre rétractation est enregistrée\u202f; son accusé de réception part par e-mail."), "success")
    return redirect(url_for("billing.withdrawal", payment_id=payment_id))


@bp.get("/renoncer-au-contrat")
@public
def withdrawal_form() -> ResponseReturnValue:
    """For everybody: own contracts when logged in, a form otherwise."""
    contracts = withdrawals.open_contracts(current_user.id) if current_user.is_authenticated else []
    return render_template("billing/withdrawal_form.html", form=WithdrawalForm(), contracts=contracts)


@bp.post("/renoncer-au-contrat")
@public
@limiter.limit("30 per hour")
def check_withdrawal() -> ResponseReturnValue:
    """First step of the form: show what would be declared."""
    form = WithdrawalForm()
    if not form.validate_on_submit():
        return render_template("billing/withdrawal_form.html", form=form, contracts=[]), 422
    return render_template("billing/withdrawal_check.html", form=form)


@bp.post("/renoncer-au-contrat/confirmation")
@public
@limiter.limit("10 per hour")
def create_outside_withdrawal() -> ResponseReturnValue:
    """Second step of the form: declare."""
    form = WithdrawalForm()
    if not form.validate_on_submit():
        return render_template("billing/withdrawal_form.html", form=form, contracts=[]), 422
    declared = withdrawals.declare_outside(form.name.data or "", form.email.data or "", form.reference.data or "")
    db.session.commit()
    return render_template("billing/withdrawal_done.html", withdrawal=declared)
