"""Signals: what the school published, and the chain of events that nobody can rewrite."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import User
from calmness.models.types import BigKey, JsonType, Scaled8, UtcDateTime, text_enum


class Direction(StrEnum):
    """Side of a signal."""

    BUY = "buy"
    SELL = "sell"


class OrderKind(StrEnum):
    """How the entry is taken."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


class SignalStatus(StrEnum):
    """Life of a published signal."""

    PENDING = "pending"
    ACTIVE = "active"
    PARTLY_CLOSED = "partly_closed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class SignalEventKind(StrEnum):
    """What can happen to a signal after its publication."""

    PUBLISHED = "published"
    TRIGGERED = "triggered"
    STOP_MOVED = "stop_moved"
    PARTLY_CLOSED = "partly_closed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    COMMENTED = "commented"


class Signal(Model):
    """A published recommendation with the mentions that MAR art. 20 and regulation 2016/958 ask for."""

    __table_args__ = (
        CheckConstraint("entry > 0 AND stop > 0", name="prices_positive"),
        CheckConstraint(
            "(direction = 'buy' AND stop < entry) OR (direction = 'sell' AND stop > entry)", name="stop_side"
        ),
        Index("ix_signal_published", "published_at"),
        Index("ix_signal_status", "status", "published_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    instrument: Mapped[str] = mapped_column(String(32))
    direction: Mapped[Direction] = mapped_column(text_enum(Direction, "direction"))
    order_kind: Mapped[OrderKind] = mapped_column(text_enum(OrderKind, "order_kind"))
    entry: Mapped[Decimal] = mapped_column(Scaled8)
    stop: Mapped[Decimal] = mapped_column(Scaled8)
    targets: Mapped[list[Any]] = mapped_column(JsonType)
    reasoning: Mapped[str] = mapped_column(Text)
    horizon: Mapped[str] = mapped_column(String(60))
    conflict_notice: Mapped[str] = mapped_column(String(300))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    author_title: Mapped[str] = mapped_column(String(100))
    status: Mapped[SignalStatus] = mapped_column(text_enum(SignalStatus, "status"))
    produced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    close_price: Mapped[Decimal | None] = mapped_column(Scaled8)
    result_pips: Mapped[Decimal | None] = mapped_column(Scaled8)
    result_r: Mapped[Decimal | None] = mapped_column(Scaled8)

    author: Mapped[User] = relationship()
    events: Mapped[list["SignalEvent"]] = relationship(order_by="SignalEvent.seq")

    @property
    def digits(self) -> int:
        """Decimals of its finest price: all of its prices are written with as many."""
        prices = [self.entry, self.stop, *map(Decimal, self.targets), *([self.close_price] if self.close_price else [])]
        return max(0, *(-int(price.normalize().as_tuple().exponent) for price in prices))


class SignalEvent(Model):
    """One link of the public chain: appended, never changed. ``salt`` hides the text until the signal closes."""

    seq: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    signal_id: Mapped[int] = mapped_column(ForeignKey("signal.id", ondelete="RESTRICT"), index=True)
    kind: Mapped[SignalEventKind] = mapped_column(text_enum(SignalEventKind, "kind"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(JsonType)
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
