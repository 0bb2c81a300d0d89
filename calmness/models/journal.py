"""What students write about their trades and the pictures they put beside them: apart from the broker's fields, so that
no sync touches it.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import BigKey, JsonType, Scaled8, UtcDateTime

TAG_LENGTH, MISTAKE_LENGTH = 30, 60


class TradeJournal(Model):
    """What the student writes about a trade; apart from the broker's fields, so that no sync touches it."""

    trade_id: Mapped[int] = mapped_column(ForeignKey("trade.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    note: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    tags: Mapped[list[Any]] = mapped_column(JsonType, default=list)
    mistakes: Mapped[list[Any]] = mapped_column(JsonType, default=list, server_default=text("'[]'"))
    planned_entry: Mapped[Decimal | None] = mapped_column(Scaled8)
    planned_stop: Mapped[Decimal | None] = mapped_column(Scaled8)
    planned_target: Mapped[Decimal | None] = mapped_column(Scaled8)
    plan_followed: Mapped[bool | None]
    revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    """Grows with each save: a page that was open longer does not write over a newer one unseen."""
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TradeScreenshot(Model):
    """A picture that a student put beside a trade: drawn again without metadata, seen by its owner alone."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    trade_id: Mapped[int] = mapped_column(ForeignKey("trade.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    file_key: Mapped[str] = mapped_column(String(120), unique=True)
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    caption: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
