"""Money: payments declared and validated, subscriptions, numbered invoices and their immutable documents."""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import User
from calmness.models.catalogue import Offer, VatRegime
from calmness.models.types import BigKey, JsonType, UtcDateTime, text_enum

if TYPE_CHECKING:
    from calmness.models.sale import DiscountCode


_PART = re.compile(r" \((?:échéance \d+ sur \d+|acompte|solde)\)$")


class PaymentStatus(StrEnum):
    """Life of a payment."""

    DECLARED = "declared"
    TRANSACTION_SUBMITTED = "transaction_submitted"
    VALIDATED = "validated"
    REJECTED = "rejected"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class InvoiceKind(StrEnum):
    """What a billing document is; each kind has a number series of its own."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class SubscriptionStatus(StrEnum):
    """Whether a subscription still gives access; the days are in ``starts_at`` and ``ends_at``."""

    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Payment(Model):
    """A purchase paid by bank transfer, from its declaration to its validation.

    ``transaction_key`` is the transaction number after normalisation: the database refuses the same one twice.
    ``list_cents`` is the whole price of ``quantity`` pieces before ``discount_cents``; a purchase in instalments has a
    payment for each, the later ones name the ``first_id`` that stands for the contract. With ``deposit_cents`` the
    first of two payments is a deposit and the second the balance.
    """

    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_positive"),
        CheckConstraint(
            "status NOT IN ('validated', 'refunded') OR (transaction_key IS NOT NULL AND validated_at IS NOT NULL)",
            name="validated_has_transaction",
        ),
        CheckConstraint("status <> 'rejected' OR rejection_reason <> ''", name="rejected_has_reason"),
        Index(
            "uq_payment_open_checkout",
            "user_id",
            "offer_id",
            "instalment",
            unique=True,
            sqlite_where=text("status = 'declared'"),
            postgresql_where=text("status = 'declared'"),
        ),
        CheckConstraint("discount_cents >= 0", name="discount_not_negative"),
        CheckConstraint("instalment BETWEEN 1 AND instalments", name="instalment_range"),
        CheckConstraint("(instalment = 1) = (first_id IS NULL)", name="later_instalment_has_first"),
        CheckConstraint("quantity BETWEEN 1 AND 100", name="quantity_range"),
        CheckConstraint("deposit_cents = 0 OR (deposit_cents > 0 AND instalments = 2)", name="deposit_has_balance"),
        UniqueConstraint("first_id", "instalment"),
        Index("ix_payment_queue", "status", "submitted_at"),
        Index("ix_payment_validated", "validated_at"),
        Index("ix_payment_user", "user_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    reference: Mapped[str] = mapped_column(String(35), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id", ondelete="RESTRICT"), index=True)
    status: Mapped[PaymentStatus] = mapped_column(text_enum(PaymentStatus, "status"), default=PaymentStatus.DECLARED)
    label: Mapped[str] = mapped_column(String(200))
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3), default="EUR", server_default="EUR")
    vat_regime: Mapped[VatRegime] = mapped_column(text_enum(VatRegime, "vat_regime"))
    vat_rate_bp: Mapped[int]
    duration_days: Mapped[int | None]
    list_cents: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    offer_version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    discount_id: Mapped[int | None] = mapped_column(ForeignKey("discount_code.id", ondelete="RESTRICT"), index=True)
    discount_cents: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    instalment: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    instalments: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    quantity: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    deposit_cents: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    balance_days: Mapped[int] = mapped_column(default=30, server_default=text("30"))
    first_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"))
    due_on: Mapped[date | None]
    terms_version: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    terms_accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    early_start_requested: Mapped[bool] = mapped_column(default=False, server_default=false())
    withdrawal_version: Mapped[str] = mapped_column(String(64), default="", server_default=text("''"))
    withdrawal_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    transaction_id: Mapped[str | None] = mapped_column(String(80))
    transaction_key: Mapped[str | None] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    validated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    validated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    rejected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rejection_reason: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    answer: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    refunded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship(foreign_keys=[user_id])
    offer: Mapped[Offer] = relationship()
    discount: Mapped["DiscountCode | None"] = relationship()
    invoice: Mapped["Invoice | None"] = relationship(
        primaryjoin="and_(Invoice.payment_id == Payment.id, Invoice.kind == 'invoice')", viewonly=True
    )

    @property
    def contract_label(self) -> str:
        """Name of what is bought, without what says which part of it is paid."""
        return _PART.sub("", self.label)

    @property
    def is_deposit(self) -> bool:
        """Whether it is a deposit, whose invoice the final one deducts."""
        return self.deposit_cents > 0 and self.instalment == 1

    @property
    def is_balance(self) -> bool:
        """Whether it is what is left after a deposit."""
        return self.deposit_cents > 0 and self.instalment == 2


class PaymentEvent(Model):
    """A change of state of a payment: from what to what, when, by whom. Appended, never changed."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"), index=True)
    status: Mapped[PaymentStatus] = mapped_column(text_enum(PaymentStatus, "status"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    reason: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))

    by: Mapped[User | None] = relationship()


class Subscription(Model):
    """Access to something for a while, bought by one payment."""

    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_subscription_user", "user_id", "kind", "ends_at"),
        Index("ix_subscription_end", "status", "ends_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id", ondelete="RESTRICT"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    status: Mapped[SubscriptionStatus] = mapped_column(
        text_enum(SubscriptionStatus, "status"), default=SubscriptionStatus.ACTIVE
    )
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)

    offer: Mapped[Offer] = relationship()


class InvoiceTemplate(Model):
    """Legal identity of the school and texts of its invoices: each change is a new version, the old ones stay."""

    __table_args__ = (
        Index(
            "uq_invoice_template_active",
            "is_active",
            unique=True,
            sqlite_where=text("is_active = 1"),
            postgresql_where=text("is_active"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    version: Mapped[int] = mapped_column(unique=True)
    is_active: Mapped[bool] = mapped_column(default=False, server_default=false())
    company_name: Mapped[str] = mapped_column(String(200))
    legal_form: Mapped[str] = mapped_column(String(100))
    capital: Mapped[str] = mapped_column(String(60), default="", server_default=text("''"))
    address: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(16))
    city: Mapped[str] = mapped_column(String(100))
    country: Mapped[str] = mapped_column(String(2), default="FR", server_default="FR")
    siren: Mapped[str] = mapped_column(String(9))
    siret: Mapped[str] = mapped_column(String(14))
    rcs: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    vat_number: Mapped[str] = mapped_column(String(20), default="", server_default=text("''"))
    training_number: Mapped[str] = mapped_column(String(40), default="", server_default=text("''"))
    email: Mapped[str] = mapped_column(String(320))
    phone: Mapped[str] = mapped_column(String(32), default="", server_default=text("''"))
    iban: Mapped[str] = mapped_column(String(34))
    bic: Mapped[str] = mapped_column(String(11))
    bank_name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    footer: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    note: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, default=None, deferred=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class InvoiceCounter(Model):
    """Last number given in a series on a day. Its row is locked while a document is issued: no hole, no double."""

    __table_args__ = (CheckConstraint("last >= 0", name="last_not_negative"),)

    series: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class Invoice(Model):
    """An issued billing document. It never changes: triggers refuse it; a correction is a credit note.

    ``serial`` counts the documents of a kind without ever starting again; ``hash`` chains them. A final invoice names
    the deposit's invoice that it deducts; the credit note of a deposit is a deposit too.
    """

    __table_args__ = (
        UniqueConstraint("kind", "serial"),
        CheckConstraint("total_excl_cents + total_vat_cents = total_incl_cents", name="totals_agree"),
        CheckConstraint("(kind = 'credit_note') = (corrects_id IS NOT NULL)", name="credit_note_corrects"),
        CheckConstraint("deducts_id IS NULL OR (kind = 'invoice' AND NOT is_deposit)", name="final_deducts"),
        Index(
            "uq_invoice_payment",
            "payment_id",
            unique=True,
            sqlite_where=text("kind = 'invoice'"),
            postgresql_where=text("kind = 'invoice'"),
        ),
        Index("ix_invoice_user", "user_id", "issued_at"),
        Index("ix_invoice_issued", "issued_on"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    kind: Mapped[InvoiceKind] = mapped_column(text_enum(InvoiceKind, "kind"), default=InvoiceKind.INVOICE)
    serial: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"))
    template_id: Mapped[int] = mapped_column(ForeignKey("invoice_template.id", ondelete="RESTRICT"))
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id", ondelete="RESTRICT"), index=True)
    is_deposit: Mapped[bool] = mapped_column(default=False, server_default=false())
    deducts_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id", ondelete="RESTRICT"), unique=True)
    issued_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    service_on: Mapped[date | None]
    buyer: Mapped[dict[str, Any]] = mapped_column(JsonType)
    mentions: Mapped[list[dict[str, str]]] = mapped_column(JsonType)
    currency: Mapped[str] = mapped_column(String(3), default="EUR", server_default="EUR")
    total_excl_cents: Mapped[int]
    total_vat_cents: Mapped[int]
    total_incl_cents: Mapped[int]
    paid_cents: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)

    user: Mapped[User] = relationship()
    payment: Mapped[Payment | None] = relationship(foreign_keys=[payment_id])
    template: Mapped[InvoiceTemplate] = relationship()
    corrects: Mapped["Invoice | None"] = relationship(
        foreign_keys=[corrects_id], remote_side="Invoice.id", viewonly=True
    )
    deducts: Mapped["Invoice | None"] = relationship(foreign_keys=[deducts_id], remote_side="Invoice.id", viewonly=True)
    items: Mapped[list["InvoiceItem"]] = relationship(order_by="InvoiceItem.position")
    document: Mapped["InvoiceDocument | None"] = relationship(viewonly=True)

    @property
    def mention_texts(self) -> list[str]:
        """What the document says under its lines, as it was issued."""
        return [mention["text"] for mention in self.mentions]


class InvoiceItem(Model):
    """A line of an invoice; as immutable as the invoice.

    The unit price is in millionths of a euro, so that a quantity times it is the amount to the cent. A quantity below 0
    takes a deposit off.
    """

    __table_args__ = (
        UniqueConstraint("invoice_id", "position"),
        CheckConstraint("quantity <> 0", name="quantity_not_null"),
        CheckConstraint("unit_excl_micros >= 0", name="unit_not_negative"),
        CheckConstraint("excl_cents + vat_cents = incl_cents", name="amounts_agree"),
        CheckConstraint("discount_cents >= 0", name="discount_not_negative"),
        CheckConstraint(
            "quantity * unit_excl_micros - CAST(excl_cents + discount_cents AS BIGINT) * 10000 BETWEEN -5000 AND 4999",
            name="line_agrees",
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id", ondelete="RESTRICT"))
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    quantity: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    unit_excl_micros: Mapped[int] = mapped_column(BigInteger)
    discount_cents: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    vat_regime: Mapped[VatRegime] = mapped_column(text_enum(VatRegime, "vat_regime"))
    vat_rate_bp: Mapped[int]
    excl_cents: Mapped[int]
    vat_cents: Mapped[int]
    incl_cents: Mapped[int]


class InvoiceDocument(Model):
    """The PDF of an invoice: rendered once, the same bytes served for ever."""

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id", ondelete="RESTRICT"), primary_key=True)
    file_key: Mapped[str] = mapped_column(String(120), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    rendered_at: Mapped[datetime] = mapped_column(UtcDateTime)
