"""Statements that students bring when the EA cannot run, or to fill the gaps before it did."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.trading import TradingAccount
from calmness.models.types import BigKey, JsonType, UtcDateTime, text_enum


class ImportState(StrEnum):
    """Where a statement stands."""

    RECEIVED = "received"
    READ = "read"
    REFUSED = "refused"
    CONFIRMED = "confirmed"
    IMPORTED = "imported"
    UNDONE = "undone"


class StatementImport(Model):
    """A statement that a student brought: read, shown, taken in one transaction, undone at will.

    ``report`` holds what the preview shows; the file itself is deleted once it was taken or given up.
    """

    __table_args__ = (Index("ix_statement_import_account", "account_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("trading_account.id", ondelete="CASCADE"))
    state: Mapped[ImportState] = mapped_column(text_enum(ImportState, "state"))
    file_name: Mapped[str] = mapped_column(String(120))
    file_key: Mapped[str] = mapped_column(String(120))
    file_size: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40), default="", server_default=text("''"))
    report: Mapped[dict[str, Any]] = mapped_column(JsonType, default=dict)
    broker_clock: Mapped[str] = mapped_column(String(40), default="", server_default=text("''"))
    bound_login: Mapped[bool] = mapped_column(default=False, server_default=false())
    trades_added: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    trades_known: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    imported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    account: Mapped[TradingAccount] = relationship()
