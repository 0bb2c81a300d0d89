"""Append-only journal of what staff does and of security events, chained by hash; heads of all chains."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from calmness.extensions import Model
from calmness.models.types import BigKey, JsonType, UtcDateTime


class ChainHead(Model):
    """Last link of a chain (audit, invoice, signal, attendance). Its row is locked while a link is added."""

    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditEntry(Model):
    """Who did what to which object. Ids and names of fields only: an erased person must not break the chain."""

    __table_args__ = (
        Index("ix_audit_entry_at", "at"),
        Index("ix_audit_entry_actor", "actor_id", "at"),
        Index("ix_audit_entry_object", "object_type", "object_id"),
    )

    seq: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    actor_role: Mapped[str] = mapped_column(String(16))
    session_id: Mapped[str | None] = mapped_column(String(32))
    action: Mapped[str] = mapped_column(String(60))
    object_type: Mapped[str] = mapped_column(String(40))
    object_id: Mapped[str] = mapped_column(String(64))
    changes: Mapped[list[Any]] = mapped_column(JsonType)
    request_id: Mapped[str | None] = mapped_column(String(64))
    ip_truncated: Mapped[str | None] = mapped_column(String(45))
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
