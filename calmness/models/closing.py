"""Closed periods of the sales: totals that nothing changes any more (CGI 286 I 3° bis)."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import BigKey, UtcDateTime, text_enum


class ClosingSpan(StrEnum):
    """How long a closed period is."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class PeriodClosing(Model):
    """A closed period: credit notes are taken off, ``perpetual_cents`` is the total since the first document.

    Appended, never changed, chained by hash; nothing is issued on a closed day.
    """

    __table_args__ = (
        UniqueConstraint("span", "first_on"),
        CheckConstraint("last_on >= first_on", name="last_after_first"),
        CheckConstraint("excl_cents + vat_cents = incl_cents", name="amounts_agree"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    span: Mapped[ClosingSpan] = mapped_column(text_enum(ClosingSpan, "span"))
    first_on: Mapped[date]
    last_on: Mapped[date]
    documents: Mapped[int]
    excl_cents: Mapped[int]
    vat_cents: Mapped[int]
    incl_cents: Mapped[int]
    perpetual_cents: Mapped[int] = mapped_column(BigInteger)
    closed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
