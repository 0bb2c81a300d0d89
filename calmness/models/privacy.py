"""What people ask about their own data: a copy of all of it, or its end (GDPR art. 15, 17 and 20)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import BigKey, UtcDateTime, text_enum


class ExportState(StrEnum):
    """Where a copy stands."""

    ASKED = "asked"
    READY = "ready"
    EXPIRED = "expired"


class DeletionCause(StrEnum):
    """Why an account ends."""

    ASKED = "asked"
    UNUSED = "unused"


class DataExport(Model):
    """A copy of everything about a person, made by a worker and kept for a few days."""

    __table_args__ = (
        CheckConstraint("state <> 'ready' OR (file_key IS NOT NULL AND expires_at IS NOT NULL)", name="ready_has_file"),
        Index("ix_data_export_user", "user_id", "asked_at"),
        Index("ix_data_export_state", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    state: Mapped[ExportState] = mapped_column(text_enum(ExportState, "state"), default=ExportState.ASKED)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ready_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    file_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    size_bytes: Mapped[int | None]


class AccountDeletion(Model):
    """A wish to have one's account erased, or its end after years without use.

    Logging in before the erasure has started cancels it.
    """

    __table_args__ = (
        CheckConstraint("due_at > asked_at", name="due_after_asked"),
        CheckConstraint("cancelled_at IS NULL OR started_at IS NULL", name="cancelled_or_started"),
        CheckConstraint("erased_at IS NULL OR started_at IS NOT NULL", name="erased_has_started"),
        Index(
            "uq_account_deletion_open",
            "user_id",
            unique=True,
            sqlite_where=text("cancelled_at IS NULL AND erased_at IS NULL"),
            postgresql_where=text("cancelled_at IS NULL AND erased_at IS NULL"),
        ),
        Index("ix_account_deletion_due", "due_at"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cause: Mapped[DeletionCause] = mapped_column(
        text_enum(DeletionCause, "cause"), default=DeletionCause.ASKED, server_default=text("'asked'")
    )
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
