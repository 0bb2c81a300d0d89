"""What the school sells, and what buyers said of it."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.training import Formation
from calmness.models.types import BigKey, UtcDateTime, text_enum


class OfferKind(StrEnum):
    """What the buyer gets."""

    FORMATION = "formation"
    SIGNALS = "signals"
    SERVICE = "service"


class PublicationStatus(StrEnum):
    """Whether the public sees it."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class VatRegime(StrEnum):
    """How an offer is taxed; the wording on the invoice follows from it (facts: cases of the CGI)."""

    STANDARD = "standard"
    FRANCHISE = "franchise"
    TRAINING_EXEMPT = "training_exempt"
    REVERSE_CHARGE = "reverse_charge"
    OUTSIDE_EU = "outside_eu"


class Offer(Model):
    """Something for sale at a price that includes VAT. A payment copies what it needs: what was sold stays as sold.

    ``deposit_bp`` is the part of the price that may be paid as a deposit; the balance follows ``balance_days`` later.
    """

    __table_args__ = (
        CheckConstraint("price_cents > 0", name="price_positive"),
        CheckConstraint("vat_rate_bp >= 0 AND vat_rate_bp <= 10000", name="vat_rate_range"),
        CheckConstraint("(kind = 'formation') = (formation_id IS NOT NULL)", name="formation_offer_has_formation"),
        CheckConstraint("kind <> 'signals' OR duration_days > 0", name="signals_offer_has_duration"),
        CheckConstraint("places IS NULL OR places >= 0", name="places_not_negative"),
        CheckConstraint("instalments BETWEEN 1 AND 12", name="instalments_range"),
        CheckConstraint("instalments = 1 OR kind <> 'signals'", name="signals_paid_at_once"),
        CheckConstraint("deposit_bp IS NULL OR deposit_bp BETWEEN 1 AND 9999", name="deposit_range"),
        CheckConstraint("deposit_bp IS NULL OR (instalments = 1 AND kind <> 'signals')", name="deposit_alone"),
        CheckConstraint("balance_days BETWEEN 1 AND 365", name="balance_days_range"),
        CheckConstraint("max_quantity BETWEEN 1 AND 100", name="max_quantity_range"),
        CheckConstraint("max_quantity = 1 OR kind <> 'formation'", name="formation_for_one"),
        CheckConstraint(
            "valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until", name="window_in_order"
        ),
        Index("ix_offer_shelf", "status", "kind", "position"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[OfferKind] = mapped_column(text_enum(OfferKind, "kind"))
    name: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(String(300), default="", server_default=text("''"))
    description: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    formation_id: Mapped[int | None] = mapped_column(ForeignKey("formation.id", ondelete="RESTRICT"))
    duration_days: Mapped[int | None]
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3), default="EUR", server_default="EUR")
    vat_regime: Mapped[VatRegime] = mapped_column(text_enum(VatRegime, "vat_regime"))
    vat_rate_bp: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    places: Mapped[int | None]
    instalments: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    deposit_bp: Mapped[int | None]
    balance_days: Mapped[int] = mapped_column(default=30, server_default=text("30"))
    max_quantity: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    status: Mapped[PublicationStatus] = mapped_column(
        text_enum(PublicationStatus, "status"), default=PublicationStatus.DRAFT
    )
    position: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    formation: Mapped[Formation | None] = relationship()


class Review(Model):
    """What a student wrote after a formation; shown only once published by the school."""

    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 5", name="rating_range"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    formation_id: Mapped[int | None] = mapped_column(ForeignKey("formation.id", ondelete="CASCADE"), index=True)
    author_name: Mapped[str] = mapped_column(String(100))
    rating: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
