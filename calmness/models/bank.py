"""What the bank says: statements imported by the staff, their lines, and which payment each line settles."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import User
from calmness.models.billing import Payment
from calmness.models.types import BigKey, JsonType, UtcDateTime, text_enum


class StatementFormat(StrEnum):
    """Format of a statement's file."""

    CAMT = "camt"
    OFX = "ofx"
    CSV = "csv"
    MT940 = "mt940"


class LineState(StrEnum):
    """What became of a line. Too little, too much or sent back are states that a person settles, not errors."""

    OPEN = "open"
    MATCHED = "matched"
    UNDERPAID = "underpaid"
    OVERPAID = "overpaid"
    RETURNED = "returned"
    IGNORED = "ignored"


class BankFormat(Model):
    """Where a bank puts what in its CSV files. ``signature`` is the header line: the next file is recognised by it."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    bank: Mapped[str] = mapped_column(String(80), unique=True)
    signature: Mapped[str] = mapped_column(String(500), index=True)
    account: Mapped[str] = mapped_column(String(34), default="", server_default=text("''"))
    columns: Mapped[dict[str, Any]] = mapped_column(JsonType)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class BankStatement(Model):
    """A file that was given. It is looked at first (``imported_at`` empty); the same file is never taken twice."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    file_name: Mapped[str] = mapped_column(String(160))
    file_key: Mapped[str] = mapped_column(String(120), unique=True)
    format: Mapped[StatementFormat] = mapped_column(text_enum(StatementFormat, "format"))
    account: Mapped[str] = mapped_column(String(34), default="", server_default=text("''"))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    imported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    new_lines: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    known_lines: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class BankLine(Model):
    """Money that came in, or went back. ``key`` is the bank's own number or what the line says, with its rank in the
    day: the same transfer in two statements is one line.
    """

    __table_args__ = (
        UniqueConstraint("account", "key"),
        CheckConstraint("amount_cents <> 0", name="amount_not_zero"),
        Index("ix_bank_line_state", "state", "booked_on"),
        Index("ix_bank_line_debtor", "debtor_iban"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id", ondelete="RESTRICT"), index=True)
    account: Mapped[str] = mapped_column(String(34), default="", server_default=text("''"))
    key: Mapped[str] = mapped_column(String(64))
    booked_on: Mapped[date]
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3), default="EUR", server_default="EUR")
    label: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    debtor_name: Mapped[str] = mapped_column(String(140), default="", server_default=text("''"))
    debtor_iban: Mapped[str] = mapped_column(String(34), default="", server_default=text("''"))
    end_to_end_id: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    bank_reference: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    is_reversal: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[LineState] = mapped_column(text_enum(LineState, "state"), default=LineState.OPEN)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    statement: Mapped[BankStatement] = relationship()
    settled_by: Mapped[User | None] = relationship(foreign_keys=[settled_by_id])
    allocations: Mapped[list["BankAllocation"]] = relationship(order_by="BankAllocation.id")


class BankAllocation(Model):
    """Part of a line that settles a payment. One transfer may settle two payments."""

    __table_args__ = (
        UniqueConstraint("line_id", "payment_id"),
        CheckConstraint("amount_cents <> 0", name="amount_not_zero"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("bank_line.id", ondelete="RESTRICT"))
    payment_id: Mapped[int] = mapped_column(ForeignKey("payment.id", ondelete="RESTRICT"), index=True)
    amount_cents: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))

    payment: Mapped[Payment] = relationship()
