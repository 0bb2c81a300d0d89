"""Around a sale: versions of offers, discount codes, reminders of what is unpaid, withdrawals, the private channel."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import User
from calmness.models.billing import Payment
from calmness.models.catalogue import Offer
from calmness.models.types import BigKey, JsonType, UtcDateTime, text_enum


class OfferVersion(Model):
    """An offer as it was sold for a while. Appended, never changed: a payment names the version that it bought."""

    __table_args__ = (UniqueConstraint("offer_id", "version"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("offer.id", ondelete="RESTRICT"))
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JsonType)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))


class DiscountCode(Model):
    """A word that lowers a price: by a part of it (``percent_bp``) or by an amount, never both."""

    __table_args__ = (
        CheckConstraint("(percent_bp IS NULL) <> (amount_cents IS NULL)", name="percent_or_amount"),
        CheckConstraint("percent_bp IS NULL OR percent_bp BETWEEN 1 AND 9999", name="percent_range"),
        CheckConstraint("amount_cents IS NULL OR amount_cents > 0", name="amount_positive"),
        CheckConstraint("max_uses IS NULL OR max_uses > 0", name="max_uses_positive"),
        CheckConstraint("max_per_person IS NULL OR max_per_person > 0", name="max_per_person_positive"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    percent_bp: Mapped[int | None]
    amount_cents: Mapped[int | None]
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("offer.id", ondelete="RESTRICT"))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    max_uses: Mapped[int | None]
    max_per_person: Mapped[int | None] = mapped_column(default=1)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    offer: Mapped[Offer | None] = relationship()


class PaymentReminder(Model):
    """A reminder of an unpaid purchase, once a step: the row is there before the message leaves."""

    __table_args__ = (UniqueConstraint("payment_id", "step_days"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"))
    step_days: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class WithdrawalState(StrEnum):
    """Where a withdrawal stands. ``to_check``: declared without logging in, nobody knows yet by whom."""

    TO_CHECK = "to_check"
    DECLARED = "declared"
    REFUNDED = "refunded"
    NOTHING_DUE = "nothing_due"
    REFUSED = "refused"


class Withdrawal(Model):
    """A consumer's declaration that he withdraws from a contract (C. conso. L221-18 and L221-21).

    ``statement`` is the text that was confirmed and mailed back; ``at`` the instant that counts for the period.
    """

    __table_args__ = (
        Index(
            "uq_withdrawal_payment",
            "payment_id",
            unique=True,
            sqlite_where=text("payment_id IS NOT NULL AND state <> 'refused'"),
            postgresql_where=text("payment_id IS NOT NULL AND state <> 'refused'"),
        ),
        CheckConstraint("state = 'to_check' OR state = 'refused' OR payment_id IS NOT NULL", name="has_payment"),
        CheckConstraint("state <> 'refunded' OR settled_at IS NOT NULL", name="refund_has_instant"),
        CheckConstraint("state <> 'refused' OR note <> ''", name="refusal_has_reason"),
        Index("ix_withdrawal_state", "state", "at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    state: Mapped[WithdrawalState] = mapped_column(text_enum(WithdrawalState, "state"))
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320))
    reference: Mapped[str] = mapped_column(String(80))
    statement: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    refund_cents: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    keep_cents: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refund_due_on: Mapped[date | None]
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    refund_reference: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    note: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))

    payment: Mapped[Payment | None] = relationship()
    settled_by: Mapped[User | None] = relationship(foreign_keys=[settled_by_id])


class ChannelPassState(StrEnum):
    """Whether a person may be in the private channel."""

    WANTED = "wanted"
    INVITED = "invited"
    JOINED = "joined"
    LEAVING = "leaving"
    GONE = "gone"


class ChannelPass(Model):
    """One stay in the private Telegram channel, from the invitation to the removal. A renewal prolongs it."""

    __table_args__ = (
        Index(
            "uq_channel_pass_open",
            "user_id",
            unique=True,
            sqlite_where=text("state <> 'gone'"),
            postgresql_where=text("state <> 'gone'"),
        ),
        Index("ix_channel_pass_state", "state"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    state: Mapped[ChannelPassState] = mapped_column(
        text_enum(ChannelPassState, "state"), default=ChannelPassState.WANTED
    )
    invite_link: Mapped[str | None] = mapped_column(String(200), unique=True)
    telegram_user_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    invited_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    joined_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()
