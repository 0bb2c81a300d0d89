"""What goes to and comes from the approved platform."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.billing import Invoice
from calmness.models.types import BigKey, UtcDateTime, text_enum


class FlowKind(StrEnum):
    """What a flow holds: an invoice to a business, sales to consumers of a month (10.3), or their payments (10.4)."""

    INVOICE = "invoice"
    SALES = "sales"
    RECEIPTS = "receipts"


class FlowState(StrEnum):
    """Where a flow stands."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    APPROVED = "approved"
    COLLECTED = "collected"
    REFUSED = "refused"
    REJECTED = "rejected"


class PlatformFlow(Model):
    """A flow that we give, once: ``key`` is also the tracking id by which the platform finds it again."""

    __table_args__ = (
        CheckConstraint("(kind = 'invoice') = (invoice_id IS NOT NULL)", name="invoice_named"),
        CheckConstraint("(kind = 'invoice') = (month_on IS NULL)", name="month_named"),
        Index("ix_platform_flow_state", "state", "checked_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[FlowKind] = mapped_column(text_enum(FlowKind, "kind"))
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id", ondelete="RESTRICT"), unique=True)
    month_on: Mapped[date | None]
    state: Mapped[FlowState] = mapped_column(text_enum(FlowState, "state"), default=FlowState.WAITING)
    flow_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    reason: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    invoice: Mapped[Invoice | None] = relationship()


class SupplierInvoice(Model):
    """An invoice that a supplier sent to the school through the platform; the file is kept as it came."""

    __table_args__ = (Index("ix_supplier_invoice_received", "received_at"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    flow_id: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="", server_default=text("''"))
    is_readable: Mapped[bool]
    number: Mapped[str] = mapped_column(String(60), default="", server_default=text("''"))
    issued_on: Mapped[date | None]
    seller_name: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    seller_siren: Mapped[str] = mapped_column(String(9), default="", server_default=text("''"))
    total_cents: Mapped[int | None]
    currency: Mapped[str] = mapped_column(String(3), default="", server_default=text("''"))
    file_key: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
