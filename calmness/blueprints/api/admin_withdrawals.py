"""Withdrawals to settle: which contract, the transfer back with its credit notes, or nothing due."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Date, Integer, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant
from calmness.models.sale import Withdrawal, WithdrawalState
from calmness.permissions import Permission
from calmness.services.billing import withdrawals


class ContractIn(ClosedSchema):
    """The payment that stands for the contract."""

    payment_id = Whole(1, MAX_ID, required=True)


class RefusalIn(ClosedSchema):
    """Why a declaration means no contract."""

    reason = String(required=True, validate=Length(max=500))


class RefundIn(ClosedSchema):
    """The bank's reference of the transfer back."""

    refund_reference = String(required=True, validate=Length(max=80))


class StaffWithdrawalOut(Schema):
    """A declaration. ``candidates`` are the payments that one made without logging in may mean."""

    id = Integer(required=True)
    status = String(required=True)
    name = String(required=True)
    email = String(required=True)
    reference = String(required=True)
    statement = String(required=True)
    at = Instant(required=True)
    payment_id = Integer(required=True, allow_none=True)
    user_id = Integer(required=True, allow_none=True)
    concerned = Nested(AmountOut, required=True)
    kept = Nested(AmountOut, required=True)
    owed = Nested(AmountOut, required=True)
    refund_due_on = Date(required=True, allow_none=True)
    settled_at = Instant(required=True, allow_none=True)
    settled_by_id = Integer(required=True, allow_none=True)
    refund_reference = String(required=True)
    note = String(required=True)
    candidates = List(Integer(), required=True)


class StaffWithdrawalsOut(Schema):
    """Those to settle, nearest term first, then the last ones settled."""

    items = List(Nested(StaffWithdrawalOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/withdrawals")
@bp.output(StaffWithdrawalsOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_withdrawals() -> ResponseReturnValue:
    """Up to 200 withdrawals, those to settle first."""
    return {"items": [_withdrawal(row) for row in withdrawals.waiting()], "next": None}


@bp.get("/admin/withdrawals/<int:withdrawal_id>")
@bp.output(StaffWithdrawalOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_withdrawal(withdrawal_id: int) -> ResponseReturnValue:
    """One withdrawal."""
    return _withdrawal(withdrawals.get(withdrawal_id))


@bp.post("/admin/withdrawals/<int:withdrawal_id>/contract")
@once
@bp.input(ContractIn, arg_name="given")
@bp.output(StaffWithdrawalOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_accept_withdrawal(withdrawal_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Say which contract a declaration means: access closes, from the instant of the declaration."""
    return _withdrawal(withdrawals.accept(withdrawal_id, given["payment_id"], by=current_account()))


@bp.post("/admin/withdrawals/<int:withdrawal_id>/refusal")
@once
@bp.input(RefusalIn, arg_name="given")
@bp.output(StaffWithdrawalOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_refuse_withdrawal(withdrawal_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Refuse a declaration that means no contract; the reason is kept."""
    return _withdrawal(withdrawals.refuse(withdrawal_id, given["reason"], by=current_account()))


@bp.post("/admin/withdrawals/<int:withdrawal_id>/refund")
@once
@bp.input(RefundIn, arg_name="given")
@bp.output(StaffWithdrawalOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_refund_withdrawal(withdrawal_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Record the transfer back: each invoice of the contract gets its credit note."""
    return _withdrawal(withdrawals.refund(withdrawal_id, given["refund_reference"], by=current_account()))


@bp.post("/admin/withdrawals/<int:withdrawal_id>/closure")
@once
@bp.output(StaffWithdrawalOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_close_withdrawal(withdrawal_id: int) -> ResponseReturnValue:
    """Close it without a transfer: no money had come."""
    return _withdrawal(withdrawals.close_without_refund(withdrawal_id, by=current_account()))


def _withdrawal(row: Withdrawal) -> dict[str, Any]:
    same = (
        "id",
        "name",
        "email",
        "reference",
        "statement",
        "payment_id",
        "user_id",
        "refund_due_on",
        "settled_by_id",
        "refund_reference",
        "note",
    )
    currency = row.payment.currency if row.payment else "EUR"
    to_check = row.state is WithdrawalState.TO_CHECK
    return {name: getattr(row, name) for name in same} | {
        "status": row.state.value,
        "at": instant(row.at),
        "settled_at": instant(row.settled_at),
        "concerned": amount(row.refund_cents, currency),
        "kept": amount(row.keep_cents, currency),
        "owed": amount(withdrawals.owed(row), currency),
        "candidates": [payment.id for payment in withdrawals.candidates(row)] if to_check else [],
    }
