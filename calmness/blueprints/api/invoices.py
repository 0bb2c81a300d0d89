"""Issued documents: one's own, and all for the staff."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import PageIn, Window
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant
from calmness.blueprints.billing.payments import pdf_response
from calmness.models.billing import Invoice
from calmness.permissions import Permission
from calmness.services.billing import credit_notes, invoicing, statements


class CreditIn(ClosedSchema):
    """Why an invoice is credited."""

    reason = String(required=True, validate=Length(min=1, max=300))


class LineOut(Schema):
    """A line; amounts in cents."""

    label = String(required=True)
    quantity = Integer(required=True)
    vat_rate = String(required=True)
    excl = Nested(AmountOut, required=True)
    vat = Nested(AmountOut, required=True)
    incl = Nested(AmountOut, required=True)


class InvoiceOut(Schema):
    """An invoice or a credit note."""

    number = String(required=True)
    kind = String(required=True)
    issued_on = Date(required=True)
    issued_at = String(required=True)
    payment_id = Integer(allow_none=True)
    corrects = String(allow_none=True)
    buyer_name = String(required=True)
    total_excl = Nested(AmountOut, required=True)
    total_vat = Nested(AmountOut, required=True)
    total_incl = Nested(AmountOut, required=True)
    lines = List(Nested(LineOut), required=True)
    pdf_ready = Boolean(required=True)


class InvoicesOut(Schema):
    """A page of documents."""

    items = List(Nested(InvoiceOut), required=True)
    next = Integer(required=True, allow_none=True)


@bp.get("/me/invoices")
@bp.input(PageIn, location="query", arg_name="page")
@bp.output(InvoicesOut)
@requires(Permission.OWN_SPACE)
def api_my_invoices(page: dict[str, Any]) -> ResponseReturnValue:
    """One's own documents, newest first."""
    return _page(page, user_id=current_account().id)


@bp.get("/me/invoices/<number>/pdf")
@requires(Permission.OWN_SPACE)
def api_my_invoice_pdf(number: str) -> ResponseReturnValue:
    """The PDF of one's own document."""
    return pdf_response(invoicing.own(current_account().id, number))


@bp.get("/admin/invoices")
@bp.input(PageIn, location="query", arg_name="page")
@bp.output(InvoicesOut)
@requires(Permission.SEE_INVOICES)
def api_invoices(page: dict[str, Any]) -> ResponseReturnValue:
    """All documents, newest first."""
    return _page(page)


@bp.post("/admin/invoices/<number>/credit-note")
@once
@bp.input(CreditIn, arg_name="given")
@bp.output(InvoiceOut, status_code=201)
@requires(Permission.VALIDATE_PAYMENTS)
def api_credit_invoice(number: str, given: dict[str, Any]) -> ResponseReturnValue:
    """Credit an invoice whole: the payment is refunded, its access ends."""
    credit_note = credit_notes.credit_whole(number, given["reason"], by=current_account())
    return _invoice(credit_note)


def _page(page: dict[str, Any], **filters: Any) -> dict[str, Any]:
    window = Window.of(page)
    rows, cursor = window.cut(statements.invoices(limit=window.limit + 1, before=window.before, **filters))
    return {"items": [_invoice(row) for row in rows], "next": cursor}


def _invoice(invoice: Invoice) -> dict[str, Any]:
    def cents(value: int) -> dict[str, int | str]:
        return amount(value, invoice.currency)

    return {
        "number": invoice.number,
        "kind": invoice.kind.value,
        "issued_on": invoice.issued_on,
        "issued_at": instant(invoice.issued_at),
        "payment_id": invoice.payment_id,
        "corrects": credit_notes.corrected_number(invoice),
        "buyer_name": invoice.buyer["name"],
        "total_excl": cents(invoice.total_excl_cents),
        "total_vat": cents(invoice.total_vat_cents),
        "total_incl": cents(invoice.total_incl_cents),
        "lines": [
            {
                "label": item.label,
                "quantity": item.quantity,
                "vat_rate": f"{item.vat_rate_bp / 100:.2f}",
                "excl": cents(item.excl_cents),
                "vat": cents(item.vat_cents),
                "incl": cents(item.incl_cents),
            }
            for item in invoice.items
        ],
        "pdf_ready": invoice.document is not None,
    }
