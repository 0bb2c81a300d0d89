"""Payments and subscriptions: the student's own, and the staff's queue."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import PageIn, Window
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant
from calmness.extensions import db
from calmness.models.billing import Payment, PaymentStatus
from calmness.permissions import Permission
from calmness.services.billing import (
    discounts,
    invoicing,
    purchases,
    sale_terms,
    statements,
    subscriptions,
    withdrawals,
)


class PurchaseIn(ClosedSchema):
    """A purchase: the offer, who is invoiced where it differs from the profile, and the consents."""

    offer = String(required=True, validate=Length(min=1, max=100))
    accept_terms = Boolean(load_default=False)
    early_start = Boolean(load_default=False)
    address = String(validate=Length(max=200))
    postcode = String(validate=Length(max=16))
    city = String(validate=Length(max=100))
    phone = String(validate=Length(max=32))
    company = String(validate=Length(max=200))
    siren = String(validate=Length(max=9))
    instalments = Integer(load_default=1, validate=Range(min=1, max=12))
    quantity = Integer(validate=Range(min=1, max=100))


class TransactionIn(ClosedSchema):
    """The transfer's number."""

    transaction_id = String(required=True, validate=Length(max=80))
    accept_terms = Boolean(load_default=False)


class DiscountIn(ClosedSchema):
    """A discount code."""

    code = String(required=True, validate=Length(min=1, max=60))


class WithdrawalOut(Schema):
    """A withdrawal as it was acknowledged."""

    payment = Integer(required=True)
    status = String(required=True)
    statement = String(required=True)
    at = String(required=True)
    refund = Nested(AmountOut, required=True)


class ValidationIn(ClosedSchema):
    """The number seen on the statement. An empty one is refused by the rule, with its own problem type."""

    transaction_id = String(load_default="", allow_none=True, validate=Length(max=80))


class RejectionIn(ClosedSchema):
    """Why a payment is refused."""

    reason = String(required=True, validate=Length(min=1, max=500))


class QueueIn(PageIn):
    """Which payments."""

    status = String(validate=OneOf([status.value for status in PaymentStatus]))


class TransferOut(Schema):
    """What the transfer must say."""

    beneficiary = String()
    iban = String()
    bic = String()
    reference = String()


class PaymentOut(Schema):
    """A payment."""

    id = Integer(required=True)
    reference = String(required=True)
    status = String(required=True)
    offer = String(required=True)
    label = String(required=True)
    quantity = Integer(required=True)
    amount = Nested(AmountOut, required=True)
    transaction_id = String(allow_none=True)
    rejection_reason = String()
    invoice = String(allow_none=True)
    created_at = String()
    submitted_at = String(allow_none=True)
    validated_at = String(allow_none=True)
    user_id = Integer()
    transfer = Nested(TransferOut)


class PaymentsOut(Schema):
    """A page of payments."""

    items = List(Nested(PaymentOut), required=True)
    next = Integer(required=True, allow_none=True)


class SubscriptionOut(Schema):
    """Access for a while."""

    id = Integer(required=True)
    offer = String(required=True)
    kind = String(required=True)
    status = String(required=True)
    starts_at = String(required=True)
    ends_at = String(required=True)


class SubscriptionsOut(Schema):
    """One's own subscriptions."""

    items = List(Nested(SubscriptionOut), required=True)
    next = Integer(required=True, allow_none=True)


class ValidatedOut(Schema):
    """A validated payment with the number of its invoice."""

    payment = Nested(PaymentOut, required=True)
    invoice = String(required=True)


@bp.get("/me/payments")
@bp.input(PageIn, location="query", arg_name="page")
@bp.output(PaymentsOut)
@requires(Permission.OWN_SPACE)
def api_my_payments(page: dict[str, Any]) -> ResponseReturnValue:
    """One's own payments, newest first."""
    return _page(page, user_id=current_account().id)


@bp.post("/me/payments")
@once
@bp.input(PurchaseIn, arg_name="wanted")
@bp.output(PaymentOut, status_code=201)
@requires(Permission.OWN_SPACE)
def api_new_payment(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Begin a purchase, or go on with the same one: the answer says what the transfer must be."""
    user = current_account()
    payment = purchases.declare(user, wanted["offer"])
    if wanted.get("quantity", payment.quantity) != payment.quantity:
        sale_terms.set_quantity(payment, wanted["quantity"])
    if wanted["accept_terms"]:
        purchases.confirm_identity(payment, _identity(payment, wanted))
    school = invoicing.active_template()
    transfer = {
        "beneficiary": school.company_name,
        "iban": school.iban,
        "bic": school.bic,
        "reference": payment.reference,
    }
    return {**payment_of(payment), "transfer": transfer}


@bp.post("/me/payments/<int:payment_id>/transaction")
@once
@bp.input(TransactionIn, arg_name="given")
@bp.output(PaymentOut)
@requires(Permission.OWN_SPACE)
def api_submit_transaction(payment_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Give the transfer's number."""
    payment = purchases.own(current_account().id, payment_id)
    if given["accept_terms"]:
        purchases.confirm_identity(payment, _identity(payment, given))
    purchases.submit_transaction(payment, given["transaction_id"])
    return payment_of(payment)


@bp.put("/me/payments/<int:payment_id>/discount")
@bp.input(DiscountIn, arg_name="given")
@bp.output(PaymentOut)
@requires(Permission.OWN_SPACE)
def api_apply_discount(payment_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Lower what is to pay by a code, before the conditions are accepted (again)."""
    payment = purchases.own(current_account().id, payment_id)
    discounts.apply(payment, given["code"])
    db.session.commit()
    return payment_of(payment)


@bp.delete("/me/payments/<int:payment_id>/discount")
@bp.output(PaymentOut)
@requires(Permission.OWN_SPACE)
def api_remove_discount(payment_id: int) -> ResponseReturnValue:
    """Pay the whole price again."""
    payment = purchases.own(current_account().id, payment_id)
    discounts.remove(payment)
    db.session.commit()
    return payment_of(payment)


@bp.post("/me/payments/<int:payment_id>/withdrawal")
@once
@bp.output(WithdrawalOut, status_code=201)
@requires(Permission.OWN_SPACE)
def api_withdraw(payment_id: int) -> ResponseReturnValue:
    """Withdraw from a contract within the legal period; a receipt leaves by mail. Asked twice, the same answer."""
    payment = purchases.own(current_account().id, payment_id)
    declared = withdrawals.declare(payment, by=current_account())
    return {
        "payment": declared.payment_id,
        "status": declared.state.value,
        "statement": declared.statement,
        "at": instant(declared.at),
        "refund": amount(declared.refund_cents, payment.currency),
    }


@bp.get("/me/subscriptions")
@bp.output(SubscriptionsOut)
@requires(Permission.OWN_SPACE)
def api_my_subscriptions() -> ResponseReturnValue:
    """One's own subscriptions, last ending first."""
    rows = subscriptions.of_user(current_account().id)
    return {
        "items": [
            {
                "id": row.id,
                "offer": row.offer.slug,
                "kind": row.kind,
                "status": row.status.value,
                "starts_at": instant(row.starts_at),
                "ends_at": instant(row.ends_at),
            }
            for row in rows
        ],
        "next": None,
    }


@bp.get("/admin/payments")
@bp.input(QueueIn, location="query", arg_name="page")
@bp.output(PaymentsOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_payments(page: dict[str, Any]) -> ResponseReturnValue:
    """All payments, newest first."""
    return _page(page, status=PaymentStatus(page["status"]) if "status" in page else None)


@bp.post("/admin/payments/<int:payment_id>/validate")
@once
@bp.input(ValidationIn, arg_name="given")
@bp.output(ValidatedOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_validate_payment(payment_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Validate: payment, access and invoice in one transaction. Asked twice, the same invoice."""
    invoice = purchases.validate_payment(payment_id, given["transaction_id"], by=current_account())
    return {"payment": payment_of(purchases.get(payment_id)), "invoice": invoice.number}


@bp.post("/admin/payments/<int:payment_id>/reject")
@once
@bp.input(RejectionIn, arg_name="given")
@bp.output(PaymentOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_reject_payment(payment_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Refuse, with the reason that the student reads."""
    payment = purchases.reject_payment(payment_id, given["reason"], by=current_account())
    return payment_of(payment)


def _page(page: dict[str, Any], **filters: Any) -> dict[str, Any]:
    window = Window.of(page)
    rows, cursor = window.cut(statements.payments(limit=window.limit + 1, before=window.before, **filters))
    return {"items": [payment_of(row) for row in rows], "next": cursor}


def _identity(payment: Payment, given: dict[str, Any]) -> purchases.Identity:
    user = payment.user
    parts = ("address", "postcode", "city", "phone", "company", "siren")
    return purchases.Identity(
        first_name=user.first_name,
        last_name=user.last_name,
        terms=given["accept_terms"],
        early_start=given.get("early_start", False),
        instalments=given.get("instalments", payment.instalments),
        vat_number=user.vat_number or "",
        **{name: given.get(name, getattr(user, name) or "") for name in parts},
    )


def payment_of(payment: Payment) -> dict[str, Any]:
    """A payment as ``PaymentOut`` has it."""
    return {
        "id": payment.id,
        "reference": payment.reference,
        "status": payment.status.value,
        "offer": payment.offer.slug,
        "label": payment.label,
        "quantity": payment.quantity,
        "amount": amount(payment.amount_cents, payment.currency),
        "transaction_id": payment.transaction_id,
        "rejection_reason": payment.rejection_reason,
        "invoice": payment.invoice.number if payment.invoice else None,
        "created_at": instant(payment.created_at),
        "submitted_at": instant(payment.submitted_at),
        "validated_at": instant(payment.validated_at),
        "user_id": payment.user_id,
    }
