"""What the staff looks through before validating: the queue, one payment with its history and its look-alikes."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue

from calmness.access import requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.pages import Place, PlaceIn
from calmness.blueprints.api.payments import PaymentOut, payment_of
from calmness.blueprints.api.serialisers import amount, instant
from calmness.models.billing import Payment, PaymentStatus
from calmness.models.catalogue import OfferKind
from calmness.permissions import Permission
from calmness.services.billing import dunning, invoicing, payment_queue, purchases


class PaymentQueueIn(PlaceIn):
    """Which payments: in a state, with a word of reference, number or payer, of a kind, or late."""

    status = String(validate=OneOf([status.value for status in PaymentStatus]))
    q = String(validate=Length(max=100))
    kind = String(validate=OneOf([kind.value for kind in OfferKind]))
    late = Boolean()


class PayerOut(Schema):
    """Who pays."""

    id = Integer(required=True)
    name = String(required=True)
    email = String(required=True)


class QueuedOut(PaymentOut):
    """A payment with its payer; ``look_alike``: its number differs by one character from another payment's."""

    payer = Nested(PayerOut, required=True)
    due_on = Date(required=True, allow_none=True)
    look_alike = Boolean(required=True)


class PaymentQueueOut(Schema):
    """What waits longest first for those to verify, else newest first."""

    items = List(Nested(QueuedOut), required=True)
    next = String(required=True, allow_none=True)
    total = Integer(required=True)


class PaymentEventOut(Schema):
    """Something that happened to a payment; ``by_id`` is null where nobody did it."""

    status = String(required=True)
    at = Instant(required=True)
    by_id = Integer(required=True, allow_none=True)
    reason = String(required=True)


class LookAlikeOut(Schema):
    """Another payment whose number is nearly the same."""

    id = Integer(required=True)
    reference = String(required=True)
    transaction_id = String(required=True)
    status = String(required=True)
    amount = Nested(AmountOut, required=True)


class ReminderOut(Schema):
    """A reminder that left, so many days after the transfer was due."""

    step_days = Integer(required=True)
    at = Instant(required=True)


class PaymentFileOut(QueuedOut):
    """All that the staff sees of one payment; ``documents`` are numbers of invoice and credit notes."""

    events = List(Nested(PaymentEventOut), required=True)
    documents = List(String(), required=True)
    look_alikes = List(Nested(LookAlikeOut), required=True)
    reminders = List(Nested(ReminderOut), required=True)


@bp.get("/admin/payments/queue")
@bp.input(PaymentQueueIn, location="query", arg_name="page")
@bp.output(PaymentQueueOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_payment_queue(page: dict[str, Any]) -> ResponseReturnValue:
    """Payments as the staff's page filters them."""
    place = Place.at(page, "payment-queue")
    rows, total = payment_queue.listing(
        PaymentStatus(page["status"]) if "status" in page else None,
        page.get("q", "").strip(),
        limit=place.limit,
        offset=place.offset,
        kind=OfferKind(page["kind"]) if "kind" in page else None,
        late=page.get("late", False),
    )
    alike = payment_queue.suspicious(rows)
    items = [_queued(row, look_alike=row.id in alike) for row in rows]
    return {"items": items, "next": place.next(total), "total": total}


@bp.get("/admin/payments/<int:payment_id>")
@bp.output(PaymentFileOut)
@requires(Permission.VALIDATE_PAYMENTS)
def api_payment(payment_id: int) -> ResponseReturnValue:
    """One payment with what happened to it, its documents, and payments with a similar number."""
    found = purchases.get(payment_id)
    alike = payment_queue.look_alikes(found)
    return _queued(found, look_alike=bool(alike)) | {
        "events": [
            {"status": row.status.value, "at": instant(row.at), "by_id": row.by_id, "reason": row.reason}
            for row in purchases.events(found.id)
        ],
        "documents": [row.number for row in invoicing.of_payment(found.id)],
        "look_alikes": [
            {
                "id": row.id,
                "reference": row.reference,
                "transaction_id": row.transaction_id,
                "status": row.status.value,
                "amount": amount(row.amount_cents, row.currency),
            }
            for row in alike
        ],
        "reminders": [{"step_days": row.step_days, "at": instant(row.at)} for row in dunning.steps_told(found.id)],
    }


def _queued(payment: Payment, *, look_alike: bool) -> dict[str, Any]:
    user = payment.user
    return payment_of(payment) | {
        "payer": {"id": user.id, "name": user.full_name, "email": user.email},
        "due_on": payment.due_on,
        "look_alike": look_alike,
    }
