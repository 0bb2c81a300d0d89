"""Lines of the bank's statements by program: the payments that each may settle, and what becomes of it."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID, KeyPlace, PlaceIn
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount
from calmness.models.bank import BankLine, LineState
from calmness.permissions import Permission
from calmness.services.billing import reconciliation

LINES = {"open": (LineState.OPEN,), "to_settle": reconciliation.TO_SETTLE}


class ProposalOut(Schema):
    """A payment that a line may settle, with its strength and its reasons."""

    payment_id = Integer(required=True)
    reference = String(required=True)
    payer = String(required=True)
    expected = Nested(AmountOut, required=True)
    score = Integer(required=True)
    strength = String(required=True)
    reasons = List(String(), required=True)


class AllocationOut(Schema):
    """The part of a line that went to a payment."""

    payment_id = Integer(required=True)
    amount = Nested(AmountOut, required=True)


class BankLineOut(Schema):
    """A line with what it may settle. ``sure``: a strong proposal, and no other as likely.

    ``returned_payment_id`` names the payment whose transfer the bank took back, as far as the line says it.
    """

    id = Integer(required=True)
    status = String(required=True)
    booked_on = Date(required=True)
    amount = Nested(AmountOut, required=True)
    label = String(required=True)
    debtor_name = String(required=True)
    debtor_iban = String(required=True)
    end_to_end_id = String(required=True)
    bank_reference = String(required=True)
    allocations = List(Nested(AllocationOut), required=True)
    proposals = List(Nested(ProposalOut), required=True)
    sure = Boolean(required=True)
    returned_payment_id = Integer(required=True, allow_none=True)


class BankLinesOut(Schema):
    """Lines, oldest first; ``open`` counts those that wait to be matched."""

    items = List(Nested(BankLineOut), required=True)
    next = String(required=True, allow_none=True)
    open = Integer(required=True)


class LinesIn(PlaceIn):
    """Which lines: ``open``, or ``to_settle`` (too little, too much, sent back)."""

    status = String(load_default="open", validate=OneOf(list(LINES)))


class MatchIn(ClosedSchema):
    """The payment that the line settles."""

    payment_id = Whole(1, MAX_ID, required=True)


class LineMatchIn(MatchIn):
    """A line, and the payment that it settles."""

    line_id = Whole(1, MAX_ID, required=True)


class MatchesIn(ClosedSchema):
    """Several at once."""

    items = List(Nested(LineMatchIn), required=True, validate=Length(min=1, max=200))


class MatchOut(Schema):
    """The invoice that came of it; without one, ``note`` says what lacks."""

    line_id = Integer(required=True)
    status = String(required=True)
    invoice = String(required=True, allow_none=True)
    note = String(required=True, allow_none=True)


class MatchedOut(Schema):
    """What became of one of several: its invoice, or why there is none."""

    line_id = Integer(required=True)
    invoice = String(required=True, allow_none=True)
    note = String(required=True, allow_none=True)


class MatchesOut(Schema):
    """In the order in which they were asked."""

    items = List(Nested(MatchedOut), required=True)
    next = String(required=True, allow_none=True)


class LineStateOut(Schema):
    """A line and what became of it."""

    line_id = Integer(required=True)
    status = String(required=True)


@bp.get("/admin/bank/lines")
@bp.input(LinesIn, location="query", arg_name="page")
@bp.output(BankLinesOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_bank_lines(page: dict[str, Any]) -> ResponseReturnValue:
    """Lines with their proposals, oldest first: those to match, or those that ask for a hand."""
    place = KeyPlace.at(page, "bank-lines")
    after = reconciliation.get(int(place.after)) if place.after else None
    found = reconciliation.suggestions(LINES[page["status"]], page["limit"] + 1, after)
    shown = found[: page["limit"]]
    return {
        "items": [_line(suggestion) for suggestion in shown],
        "next": place.next(str(shown[-1].line.id) if len(found) > len(shown) else None),
        "open": reconciliation.open_count(),
    }


@bp.post("/admin/bank/lines/<int:line_id>/match")
@once
@bp.input(MatchIn, arg_name="given")
@bp.output(MatchOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_match_line(line_id: int, given: dict[str, Any]) -> ResponseReturnValue:
    """Validate a payment by a line: payment, access and invoice in one transaction."""
    outcome = reconciliation.confirm(line_id, given["payment_id"], by=current_account())
    return {
        "line_id": line_id,
        "status": reconciliation.get(line_id).state.value,
        "invoice": outcome.invoice or None,
        "note": str(outcome.error) or None,
    }


@bp.post("/admin/bank/matches")
@bp.input(MatchesIn, arg_name="given")
@bp.output(MatchesOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_match_lines(given: dict[str, Any]) -> ResponseReturnValue:
    """Confirm many, each in its own transaction: one that fails leaves the others done."""
    chosen = [(item["line_id"], item["payment_id"]) for item in given["items"]]
    items = [
        {"line_id": outcome.line_id, "invoice": outcome.invoice or None, "note": str(outcome.error) or None}
        for outcome in reconciliation.confirm_many(chosen, by=current_account())
    ]
    return {"items": items, "next": None}


@bp.post("/admin/bank/lines/<int:line_id>/set-aside")
@once
@bp.output(LineStateOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_set_line_aside(line_id: int) -> ResponseReturnValue:
    """Say that a line is settled outside of the sale."""
    line = reconciliation.set_aside(line_id, by=current_account())
    return {"line_id": line.id, "status": line.state.value}


def _line(found: reconciliation.Suggestion) -> dict[str, Any]:
    line: BankLine = found.line
    returned = reconciliation.returned_payment(line) if line.state is LineState.RETURNED else None
    same = ("id", "booked_on", "label", "debtor_name", "debtor_iban", "end_to_end_id", "bank_reference")
    return {name: getattr(line, name) for name in same} | {
        "status": line.state.value,
        "amount": amount(line.amount_cents, line.currency),
        "allocations": [
            {"payment_id": part.payment_id, "amount": amount(part.amount_cents, line.currency)}
            for part in line.allocations
        ],
        "proposals": [
            {
                "payment_id": payment.id,
                "reference": payment.reference,
                "payer": payment.user.full_name,
                "expected": amount(payment.amount_cents, payment.currency),
                "score": proposal.score,
                "strength": proposal.strength.value,
                "reasons": [reason.value for reason in proposal.reasons],
            }
            for proposal, payment in found.choices
        ],
        "sure": found.ticked,
        "returned_payment_id": returned.id if returned else None,
    }
