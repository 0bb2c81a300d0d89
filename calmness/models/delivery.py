"""What must happen: work of the house (outbox) and messages to people (ledger). The rows are the queue.

RQ and Redis only carry the wake-up. ``attempt`` fences a claim: an outcome is written only by who still holds it.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.account import Channel
from calmness.models.types import BigKey, JsonType, UtcDateTime, text_enum


class Lane(StrEnum):
    """A queue of RQ and the rows that it drains. A slow mail server never delays a PDF."""

    MAIL = "mail"
    PUSH = "push"
    PDF = "pdf"
    IMPORT = "import"
    DEFAULT = "default"


class TaskState(StrEnum):
    """State of a piece of work."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


class DeliveryState(StrEnum):
    """State of a message. ``unknown``: it may have left and the process died; policy of the channel decides."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class OutboxTask(Model):
    """A piece of work, written in the transaction that causes it. ``payload`` holds ids, never data."""

    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index(
            "ix_outbox_task_due",
            "lane",
            "due_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_outbox_task_lease",
            "lease_until",
            sqlite_where=text("state = 'claimed'"),
            postgresql_where=text("state = 'claimed'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    lane: Mapped[Lane] = mapped_column(text_enum(Lane, "lane"))
    payload: Mapped[dict[str, Any]] = mapped_column(JsonType)
    state: Mapped[TaskState] = mapped_column(text_enum(TaskState, "state"), default=TaskState.PENDING)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(String(80))
    error: Mapped[str | None] = mapped_column(Text)
    cause_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Delivery(Model):
    """One message to a person (or address) on one channel, once: the ``key`` says who, what, where, which one."""

    __table_args__ = (
        CheckConstraint("user_id IS NOT NULL OR address IS NOT NULL", name="has_recipient"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index(
            "ix_delivery_due",
            "lane",
            "due_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_delivery_lease",
            "lease_until",
            sqlite_where=text("state IN ('claimed', 'sending')"),
            postgresql_where=text("state IN ('claimed', 'sending')"),
        ),
        Index("ix_delivery_user", "user_id", "created_at"),
        Index("ix_delivery_notice", "session_notification_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel, "channel"))
    lane: Mapped[Lane] = mapped_column(text_enum(Lane, "lane"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    address: Mapped[str | None] = mapped_column(String(320))
    session_notification_id: Mapped[int | None] = mapped_column(
        ForeignKey("admin_session_notification.id", ondelete="CASCADE")
    )
    params: Mapped[dict[str, Any]] = mapped_column(JsonType)
    state: Mapped[DeliveryState] = mapped_column(text_enum(DeliveryState, "state"), default=DeliveryState.PENDING)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(String(80))
    provider_id: Mapped[str | None] = mapped_column(String(200))
    error_code: Mapped[str | None] = mapped_column(String(40))
    error: Mapped[str | None] = mapped_column(Text)
    cause_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DeliveryAttempt(Model):
    """What one try to send gave."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), index=True)
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(40))
    text: Mapped[str | None] = mapped_column(Text)
    latency_ms: Mapped[int]


class Heartbeat(Model):
    """Last sign of life of a process, for health pages: RQ's own registry is empty after a FLUSHALL."""

    process: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
