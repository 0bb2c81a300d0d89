"""Wordings that the law asks for on an invoice: each holds from a day on, and none is ever changed."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import User
from calmness.models.types import BigKey, UtcDateTime, text_enum


class MentionKind(StrEnum):
    """Why a mention stands on a document; those of an untaxed sale bear the name of its regime."""

    FRANCHISE = "franchise"
    TRAINING_EXEMPT = "training_exempt"
    REVERSE_CHARGE = "reverse_charge"
    OUTSIDE_EU = "outside_eu"
    DEBITS = "debits"
    EARLY_PAYMENT = "early_payment"
    LATE_PAYMENT = "late_payment"
    RECOVERY = "recovery"


class MentionWording(Model):
    """A wording that the school wrote. Appended, never changed: a later one takes its place from its own day on.

    ``accepted_until`` is the last day on which the law takes it, where one is known.
    """

    __table_args__ = (
        CheckConstraint("accepted_until IS NULL OR accepted_until >= valid_from", name="accepted_after_start"),
        CheckConstraint("wording <> '' OR kind = 'debits'", name="wording_given"),
        Index("ix_mention_wording_kind", "kind", "valid_from"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[MentionKind] = mapped_column(text_enum(MentionKind, "kind"))
    wording: Mapped[str] = mapped_column(String(300))
    valid_from: Mapped[date]
    accepted_until: Mapped[date | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))

    by: Mapped[User | None] = relationship()
