"""What went to the approved platform and where it stands; invoices of suppliers that came by it."""

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Integer, List, Nested, String
from flask.typing import ResponseReturnValue

from calmness.access import requires
from calmness.blueprints.admin.platform import supplier_file
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.offers import AmountOut
from calmness.blueprints.api.pages import PageIn, Window
from calmness.blueprints.api.serialisers import amount, instant
from calmness.models.platform import PlatformFlow, SupplierInvoice
from calmness.permissions import Permission
from calmness.services.billing import platform


class PlatformFlowOut(Schema):
    """A flow that went, or goes, to the approved platform."""

    id = Integer(required=True)
    key = String(required=True)
    kind = String(required=True)
    status = String(required=True)
    invoice = String(required=True, allow_none=True)
    month = Date(required=True, allow_none=True)
    reason = String(required=True)
    created_at = Instant(required=True)
    sent_at = Instant(required=True, allow_none=True)
    checked_at = Instant(required=True, allow_none=True)


class PlatformFlowsOut(Schema):
    """Flows, newest first."""

    items = List(Nested(PlatformFlowOut), required=True)
    next = Integer(required=True, allow_none=True)


class SupplierInvoiceOut(Schema):
    """An invoice that a supplier sent; what could not be read is empty."""

    id = Integer(required=True)
    name = String(required=True)
    readable = Boolean(required=True)
    number = String(required=True)
    issued_on = Date(required=True, allow_none=True)
    seller_name = String(required=True)
    seller_siren = String(required=True)
    total = Nested(AmountOut, required=True, allow_none=True)
    received_at = Instant(required=True)


class SupplierInvoicesOut(Schema):
    """Invoices of suppliers, newest first."""

    items = List(Nested(SupplierInvoiceOut), required=True)
    next = Integer(required=True, allow_none=True)


@bp.get("/admin/platform/flows")
@bp.input(PageIn, location="query", arg_name="page")
@bp.output(PlatformFlowsOut)
@requires(Permission.SEE_BOOKS)
def api_platform_flows(page: dict[str, Any]) -> ResponseReturnValue:
    """What went to the approved platform, and where it stands."""
    window = Window.of(page)
    rows, cursor = window.cut(platform.flows(window.limit + 1, window.before))
    return {"items": [_flow(row) for row in rows], "next": cursor}


@bp.get("/admin/platform/received")
@bp.input(PageIn, location="query", arg_name="page")
@bp.output(SupplierInvoicesOut)
@requires(Permission.SEE_BOOKS)
def api_supplier_invoices(page: dict[str, Any]) -> ResponseReturnValue:
    """Invoices of suppliers."""
    window = Window.of(page)
    rows, cursor = window.cut(platform.received(window.limit + 1, window.before))
    return {"items": [_supplier_invoice(row) for row in rows], "next": cursor}


@bp.get("/admin/platform/received/<int:received_id>/file")
@requires(Permission.SEE_BOOKS)
def api_supplier_file(received_id: int) -> ResponseReturnValue:
    """The file of a supplier, as it came."""
    return supplier_file(received_id)


def _flow(row: PlatformFlow) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "kind": row.kind.value,
        "status": row.state.value,
        "invoice": row.invoice.number if row.invoice else None,
        "month": row.month_on,
        "reason": row.reason,
        "created_at": instant(row.created_at),
        "sent_at": instant(row.sent_at),
        "checked_at": instant(row.checked_at),
    }


def _supplier_invoice(row: SupplierInvoice) -> dict[str, Any]:
    same = ("id", "name", "number", "issued_on", "seller_name", "seller_siren")
    return {name: getattr(row, name) for name in same} | {
        "readable": row.is_readable,
        "total": None if row.total_cents is None else amount(row.total_cents, row.currency),
        "received_at": instant(row.received_at),
    }
