"""One own payment from its first step to its end: identity, bank instructions, quantity, giving up, withdrawal."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, Range, Regexp
from flask.typing import ResponseReturnValue

from calmness.access import current_account, public, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.payments import (
    PaymentOut,
    TransferOut,
    WithdrawalOut,
    identity_of,
    payment_of,
    transfer_of,
    withdrawal_of,
)
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant
from calmness.extensions import db, limiter
from calmness.models.billing import Payment
from calmness.permissions import Permission
from calmness.services.billing import credit_notes, instalments, purchases, sale_terms, withdrawals


class IdentityIn(ClosedSchema):
    """Who is invoiced; what is left out is that of the profile. `accept_terms`: the general conditions."""

    first_name = String(validate=Length(min=1, max=100))
    last_name = String(validate=Length(min=1, max=100))
    address = String(validate=Length(min=1, max=200))
    postcode = String(validate=Length(min=1, max=16))
    city = String(validate=Length(min=1, max=100))
    phone = String(validate=Length(max=32))
    company = String(validate=Length(max=200))
    siren = String(validate=Length(max=14))
    vat_number = String(validate=Length(max=20))
    accept_terms = Boolean(required=True)
    early_start = Boolean(load_default=False)
    instalments = Integer(validate=Range(min=1, max=12))


class QuantityIn(ClosedSchema):
    """How many are bought."""

    quantity = Integer(required=True, validate=Range(min=1, max=100))


class EventOut(Schema):
    """A change of state, with the reason where somebody gave one."""

    status = String(required=True)
    at = Instant(required=True)
    reason = String(required=True)


class PartOfContractOut(Schema):
    """A payment of a contract that is paid in parts."""

    id = Integer(required=True)
    status = String(required=True)
    amount = Nested(AmountOut, required=True)


class PaymentPageOut(PaymentOut):
    """A payment with what happened to it. ``transfer``: how to pay, once the conditions are accepted; ``qr``: the text
    of the code that banking apps read (EPC069-12).
    """

    transfer = Nested(TransferOut, required=True, allow_none=True)
    terms_accepted_at = Instant(required=True, allow_none=True)
    events = List(Nested(EventOut), required=True)
    parts = List(Nested(PartOfContractOut), required=True)
    credit_notes = List(String(), required=True)
    may_withdraw = Boolean(required=True)
    withdrawal = Nested(WithdrawalOut, required=True, allow_none=True)


class OpenContractOut(Schema):
    """A contract from which one may withdraw now."""

    payment = Integer(required=True)
    reference = String(required=True)
    label = String(required=True)
    until = Instant(required=True, allow_none=True)


class OpenContractsOut(Schema):
    """Own contracts from which one may withdraw now, newest first."""

    items = List(Nested(OpenContractOut), required=True)


class OutsideWithdrawalIn(ClosedSchema):
    """Who withdraws, from which contract: its reference or what was bought."""

    name = String(required=True, validate=[Length(min=1, max=200), Regexp(r"[\s\S]*\S")])
    email = String(required=True, validate=[Length(max=320), Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")])
    reference = String(required=True, validate=[Length(min=1, max=80), Regexp(r"[\s\S]*\S")])


class OutsideWithdrawalOut(Schema):
    """A declaration as it was acknowledged; the school looks for the contract."""

    status = String(required=True)
    statement = String(required=True)
    at = Instant(required=True)


@bp.get("/me/payments/<int:payment_id>")
@bp.output(PaymentPageOut)
@requires(Permission.OWN_SPACE)
def api_my_payment(payment_id: int) -> ResponseReturnValue:
    """One own payment with its bank instructions and what happened to it."""
    return _page(_own(payment_id))


@bp.put("/me/payments/<int:payment_id>/identity")
@bp.input(IdentityIn, arg_name="given")
@bp.output(PaymentPageOut)
@requires(Permission.OWN_SPACE)
def api_confirm_identity(payment_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Say who is invoiced and accept the conditions: the answer says what the transfer must be."""
    payment = _own(payment_id)
    purchases.confirm_identity(payment, identity_of(payment, given))
    db.session.commit()
    return _page(payment)


@bp.put("/me/payments/<int:payment_id>/quantity")
@bp.input(QuantityIn, arg_name="given")
@bp.output(PaymentPageOut)
@requires(Permission.OWN_SPACE)
def api_set_quantity(payment_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Buy another quantity; the conditions are to be accepted again at the new price."""
    payment = _own(payment_id)
    sale_terms.set_quantity(payment, given["quantity"])
    db.session.commit()
    return _page(payment)


@bp.put("/me/payments/<int:payment_id>/cancellation")
@bp.output(PaymentPageOut)
@requires(Permission.OWN_SPACE)
def api_cancel_payment(payment_id: int) -> ResponseReturnValue:
    """Give a purchase up that was not validated: nothing is due."""
    payment = _own(payment_id)
    purchases.cancel(payment)
    db.session.commit()
    return _page(payment)


@bp.get("/me/withdrawals/contracts")
@bp.output(OpenContractsOut)
@requires(Permission.OWN_SPACE)
def api_open_contracts() -> ResponseReturnValue:
    """Own contracts from which one may withdraw now: `POST /me/payments/{payment_id}/withdrawal` does."""
    rows = withdrawals.open_contracts(current_account().id)
    return {
        "items": [
            {
                "payment": row.id,
                "reference": row.reference,
                "label": row.label,
                "until": instant(row.withdrawal_until),
            }
            for row in rows
        ]
    }


@bp.post("/withdrawals")
@bp.input(OutsideWithdrawalIn, arg_name="given")
@bp.output(OutsideWithdrawalOut, status_code=201)
@limiter.limit("10 per hour")
@public
def api_withdraw_outside(given: dict[str, Any]) -> ResponseReturnValue:
    """Withdraw from a contract without logging in. It counts from now; a receipt leaves by mail."""
    declared = withdrawals.declare_outside(given["name"], given["email"], given["reference"])
    db.session.commit()
    return {"status": declared.state.value, "statement": declared.statement, "at": instant(declared.at)}


def _own(payment_id: int) -> Payment:
    return purchases.own(current_account().id, payment_id)


def _page(payment: Payment) -> dict[str, Any]:
    contract = withdrawals.contract_of(payment)
    declared = withdrawals.of_payment(contract.id)
    is_to_pay = payment.terms_accepted_at is not None and payment.status in purchases.OPEN
    parts = instalments.of_contract(payment) if payment.instalments > 1 else []
    return payment_of(payment) | {
        "transfer": transfer_of(payment) if is_to_pay else None,
        "terms_accepted_at": instant(payment.terms_accepted_at),
        "events": [
            {"status": event.status.value, "at": instant(event.at), "reason": event.reason}
            for event in purchases.events(payment.id)
        ],
        "parts": [
            {"id": part.id, "status": part.status.value, "amount": amount(part.amount_cents, part.currency)}
            for part in parts
        ],
        "credit_notes": [note.number for note in credit_notes.all_of_invoice(payment.invoice.id)]
        if payment.invoice
        else [],
        "may_withdraw": withdrawals.is_open(payment),
        "withdrawal": withdrawal_of(declared, payment) if declared else None,
    }
