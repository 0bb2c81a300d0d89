"""Issued documents: one's own, and all for the staff."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from apiflask.validators import Length
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID, PageIn, Window
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import amount, instant
from calmness.blueprints.billing.payments import pdf_response
from calmness.models.billing import Invoice
from calmness.permissions import Permission
from calmness.services.billing import credit_notes, invoice_lines, invoicing, sending, statements


class CreditedLineIn(ClosedSchema):
    """How much of a line is given back, VAT included."""

    position = Whole(1, 1000, required=True)
    amount_cents = Whole(1, MAX_ID, required=True)


class CreditIn(ClosedSchema):
    """Why an invoice is credited, and how much of which lines; all that is left of it without lines."""

    reason = String(required=True, validate=Length(min=1, max=300))
    lines = List(Nested(CreditedLineIn), load_default=list, validate=Length(max=100))


class DocumentsIn(PageIn):
    """Which documents: a part of the number, or of the buyer's name or address."""

    q = String(load_default="", validate=Length(max=100))


class LineOut(Schema):
    """A line; amounts in cents."""

    position = Integer(required=True)
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


class LeftOut(Schema):
    """What credit notes have left of a line, VAT included."""

    position = Integer(required=True)
    incl = Nested(AmountOut, required=True)


class DocumentOut(InvoiceOut):
    """A document with its credit notes and what they have left of it."""

    credit_notes = List(String(), required=True)
    left = List(Nested(LeftOut), required=True)


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
@bp.input(DocumentsIn, location="query", arg_name="page")
@bp.output(InvoicesOut)
@requires(Permission.SEE_INVOICES)
def api_invoices(page: dict[str, Any]) -> ResponseReturnValue:
    """All documents, newest first."""
    return _page(page, text=page["q"].strip())


@bp.get("/admin/invoices/<number>")
@bp.output(DocumentOut)
@requires(Permission.SEE_INVOICES)
def api_invoice(number: str) -> ResponseReturnValue:
    """One document."""
    found = invoicing.by_number(number)
    left = invoice_lines.left_by_line(found)
    return _invoice(found) | {
        "credit_notes": [row.number for row in credit_notes.all_of_invoice(found.id)],
        "left": [{"position": place, "incl": amount(cents[0], found.currency)} for place, cents in left.items()],
    }


@bp.get("/admin/invoices/<number>/pdf")
@requires(Permission.SEE_INVOICES)
def api_invoice_pdf(number: str) -> ResponseReturnValue:
    """The PDF of a document."""
    return pdf_response(invoicing.by_number(number))


@bp.post("/admin/invoices/<number>/credit-note")
@once
@bp.input(CreditIn, arg_name="given")
@bp.output(InvoiceOut, status_code=201)
@requires(Permission.VALIDATE_PAYMENTS)
def api_credit_invoice(number: str, given: dict[str, Any]) -> ResponseReturnValue:
    """Credit an invoice: once nothing is left of it the payment is refunded and its access ends."""
    parts = {line["position"]: line["amount_cents"] for line in given["lines"]}
    try:
        credit_note = credit_notes.credit(number, parts or None, given["reason"], by=current_account())
    except credit_notes.MoreThanInvoiced as error:
        # The page has a field for each line; here all of them are one.
        error.field = "lines"
        raise
    return _invoice(credit_note)


@bp.post("/admin/invoices/<number>/mails")
@once
@bp.output(InvoiceOut, status_code=202)
@requires(Permission.VALIDATE_PAYMENTS)
def api_mail_invoice(number: str) -> ResponseReturnValue:
    """Mail a document again, once a minute at most."""
    return _invoice(sending.send_again(number, by=current_account()))


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
                "position": item.position,
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
