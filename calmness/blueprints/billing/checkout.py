"""Four steps: identity, instructions, transaction number, receipt. The step is in the address: reload, Back and
another device find it again.
"""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from calmness.access import current_account, requires
from calmness.blueprints.billing import bp
from calmness.blueprints.billing.forms import DiscountForm, IdentityForm, QuantityForm, TransactionForm
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentStatus
from calmness.pdf.epc import transfer_svg
from calmness.permissions import Permission
from calmness.presentation import money
from calmness.services.account import names
from calmness.services.billing import catalogue, discounts, invoicing, purchases, sale_terms
from calmness.services.training import enrollments

IDENTITY, INSTRUCTIONS, TRANSACTION, RECEIPT = range(1, 5)


@bp.post("/commande/<slug>")
@requires(Permission.OWN_SPACE)
def new_checkout(slug: str) -> ResponseReturnValue:
    """Begin, or go on."""
    try:
        payment = purchases.declare(current_account(), slug)
    except (purchases.EmailNotVerified, purchases.AlreadyOwned) as error:
        db.session.rollback()
        flash(str(error.message), "warning")
        owned = isinstance(error, purchases.AlreadyOwned)
        return redirect(url_for("training.formations" if owned else "account.overview"))
    except (enrollments.FormationFull, sale_terms.SoldOut) as error:
        db.session.rollback()
        flash(str(error.message), "warning")
        return redirect(url_for("training.formations"))
    db.session.commit()
    return redirect(url_for("billing.checkout", payment_id=payment.id))


@bp.get("/espace/commandes/<int:payment_id>")
@requires(Permission.OWN_SPACE)
def checkout(payment_id: int) -> ResponseReturnValue:
    """The step asked for, or the furthest one that makes sense."""
    payment = purchases.own(current_account().id, payment_id)
    if payment.status in {PaymentStatus.CANCELLED, PaymentStatus.REFUNDED}:
        return redirect(url_for("billing.payment", payment_id=payment_id))
    step = min(max(request.args.get("etape", _furthest(payment), type=int), IDENTITY), _furthest(payment))
    return _page(payment, step, transaction=TransactionForm(transaction_id=payment.transaction_id))


@bp.post("/espace/commandes/<int:payment_id>/identite")
@requires(Permission.OWN_SPACE)
def create_identity(payment_id: int) -> ResponseReturnValue:
    """Save the first step."""
    payment = purchases.own(current_account().id, payment_id)
    form = _with_parts(IdentityForm(), payment)
    if not form.validate_on_submit():
        return _page(payment, IDENTITY, form=form), 422
    data: dict[str, Any] = {name: value or "" for name, value in form.data.items() if name != "csrf_token"}
    data |= {"terms": form.terms.data, "early_start": form.early_start.data}
    data["instalments"] = form.instalments.data or 1
    try:
        purchases.confirm_identity(payment, purchases.Identity(**data))
    except (names.NameMissing, purchases.AddressMissing) as error:
        db.session.rollback()
        form[error.field or "last_name"].errors = [error.message]
        return _page(purchases.own(current_account().id, payment_id), IDENTITY, form=form), error.status
    except sale_terms.OfferChanged as error:
        # The order of before is not confirmed under a price that nobody has read.
        db.session.rollback()
        payment = purchases.own(current_account().id, payment_id)
        if not sale_terms.refresh(payment):
            raise catalogue.NoLongerForSale from error
        db.session.commit()
        form.terms.errors = [error.message]
        return _page(payment, IDENTITY, form=_with_parts(form, payment)), 409
    except discounts.DISCOUNT_ERRORS as error:
        db.session.rollback()
        payment = purchases.own(current_account().id, payment_id)
        discounts.remove(payment)
        db.session.commit()
        discount = DiscountForm(formdata=None)
        discount.code.errors = [error.message]
        return _page(payment, IDENTITY, form=_with_parts(form, payment), discount=discount), 409
    db.session.commit()
    return redirect(url_for("billing.checkout", payment_id=payment_id, etape=INSTRUCTIONS))


@bp.post("/espace/commandes/<int:payment_id>/transaction")
@requires(Permission.OWN_SPACE)
def create_transaction(payment_id: int) -> ResponseReturnValue:
    """Save the transfer's number."""
    payment = purchases.own(current_account().id, payment_id)
    form = TransactionForm()
    try:
        purchases.submit_transaction(payment, form.transaction_id.data or "", answer=form.answer.data or "")
    except DomainError as error:
        db.session.rollback()
        form.transaction_id.errors = [error.message]
        return _page(purchases.own(current_account().id, payment_id), TRANSACTION, transaction=form), 422
    db.session.commit()
    return redirect(url_for("billing.checkout", payment_id=payment_id, etape=RECEIPT))


@bp.post("/espace/commandes/<int:payment_id>/quantite")
@requires(Permission.OWN_SPACE)
def create_quantity(payment_id: int) -> ResponseReturnValue:
    """Buy another quantity: the price is shown anew before anything is agreed upon."""
    payment = purchases.own(current_account().id, payment_id)
    form = QuantityForm()
    if not form.validate_on_submit():
        return _page(payment, IDENTITY, quantity=form), 422
    try:
        sale_terms.set_quantity(payment, form.quantity.data or 1)
    except sale_terms.QuantityNotSold as error:
        db.session.rollback()
        form.quantity.errors = [error.message]
        return _page(purchases.own(current_account().id, payment_id), IDENTITY, quantity=form), 422
    db.session.commit()
    return redirect(url_for("billing.checkout", payment_id=payment_id, etape=IDENTITY))


@bp.post("/espace/commandes/<int:payment_id>/reduction")
@requires(Permission.OWN_SPACE)
def create_discount(payment_id: int) -> ResponseReturnValue:
    """Apply a code; an empty one takes the last one away."""
    payment = purchases.own(current_account().id, payment_id)
    form = DiscountForm()
    try:
        if (form.code.data or "").strip():
            discounts.apply(payment, form.code.data or "")
        else:
            discounts.remove(payment)
    except discounts.DISCOUNT_ERRORS as error:
        db.session.rollback()
        form.code.errors = [error.message]
        return _page(purchases.own(current_account().id, payment_id), IDENTITY, discount=form), 422
    db.session.commit()
    return redirect(url_for("billing.checkout", payment_id=payment_id, etape=IDENTITY))


@bp.post("/espace/commandes/<int:payment_id>/abandon")
@requires(Permission.OWN_SPACE)
def create_cancellation(payment_id: int) -> ResponseReturnValue:
    """Give the purchase up."""
    purchases.cancel(purchases.own(current_account().id, payment_id))
    db.session.commit()
    flash(_("Votre commande est abandonnée. Rien n’est dû."), "success")
    return redirect(url_for("billing.payments"))


def _furthest(payment: Payment) -> int:
    """The last step that may be looked at: nothing is paid before the conditions are accepted."""
    if payment.status not in {PaymentStatus.DECLARED, PaymentStatus.REJECTED}:
        return RECEIPT
    return TRANSACTION if payment.terms_accepted_at else IDENTITY


def _identity_form(payment: Payment) -> IdentityForm:
    values = {
        "terms": payment.terms_accepted_at is not None,
        "early_start": payment.early_start_requested,
        "instalments": payment.instalments,
    }
    return _with_parts(IdentityForm(obj=payment.user, data=values), payment)


def _with_parts(form: IdentityForm, payment: Payment) -> IdentityForm:
    """Offer the ways to pay that the offer allows."""
    total = sale_terms.total_cents(payment)
    deposit = sale_terms.deposit_cents(payment.offer, total)
    if deposit:
        form.instalments.choices = [
            SelectChoice(1, _("En une fois, %(amount)s", amount=money(total))),
            SelectChoice(
                2,
                _(
                    "Acompte de %(first)s, puis le solde de %(next)s sous %(days)s jours",
                    first=money(deposit),
                    next=money(total - deposit),
                    days=payment.balance_days,
                ),
            ),
        ]
        return form
    form.instalments.choices = [
        SelectChoice(
            count,
            _("En une fois, %(amount)s", amount=money(total))
            if count == 1
            else _(
                "En %(count)s fois : %(first)s puis %(next)s par mois",
                count=count,
                first=money(sale_terms.part_cents(total, count, 1)),
                next=money(sale_terms.part_cents(total, count, 2)),
            ),
        )
        for count in range(1, payment.offer.instalments + 1)
    ]
    return form


def _page(
    payment: Payment,
    step: int,
    *,
    form: IdentityForm | None = None,
    transaction: TransactionForm | None = None,
    discount: DiscountForm | None = None,
    quantity: QuantityForm | None = None,
) -> str:
    identity = invoicing.active_template()
    code = (
        transfer_svg(
            name=identity.company_name,
            iban=identity.iban,
            bic=identity.bic,
            cents=payment.amount_cents,
            reference=payment.reference,
        )
        if step == INSTRUCTIONS
        else ""
    )
    return render_template(
        "billing/checkout.html",
        payment=payment,
        step=step,
        form=form or _identity_form(payment),
        transaction=transaction or TransactionForm(),
        discount=discount or DiscountForm(formdata=None, code=payment.discount.code if payment.discount else ""),
        quantity=quantity or QuantityForm(formdata=None, quantity=payment.quantity),
        identity=identity,
        code=code,
    )
