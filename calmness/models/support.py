"""Conversations with visitors and students. A message is its row: ``seq`` orders a room without hole or double."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from calmness.extensions import Model
from calmness.models.account import Channel, User
from calmness.models.types import BigKey, JsonType, UtcDateTime, text_enum


class RoomStatus(StrEnum):
    """Whether somebody still has to answer."""

    OPEN = "open"
    CLOSED = "closed"


class SenderKind(StrEnum):
    """Who wrote a message."""

    VISITOR = "visitor"
    USER = "user"
    AGENT = "agent"
    SYSTEM = "system"


class ChatRoom(Model):
    """A conversation, of an account or of an anonymous visitor (``visitor_hash``: SHA-256 of the cookie's secret).

    A visitor's room that an account took over keeps its hash: that tells it from the account's own open room, and
    once it belongs to somebody the cookie alone opens it no longer.
    """

    __table_args__ = (
        CheckConstraint("user_id IS NOT NULL OR visitor_hash IS NOT NULL", name="has_owner"),
        CheckConstraint("rating IS NULL OR rating BETWEEN 1 AND 5", name="rating_range"),
        Index(
            "uq_chat_room_open_user",
            "user_id",
            "channel",
            unique=True,
            sqlite_where=text("status = 'open' AND visitor_hash IS NULL"),
            postgresql_where=text("status = 'open' AND visitor_hash IS NULL"),
        ),
        Index(
            "uq_chat_room_open_visitor",
            "visitor_hash",
            "channel",
            unique=True,
            sqlite_where=text("status = 'open' AND user_id IS NULL"),
            postgresql_where=text("status = 'open' AND user_id IS NULL"),
        ),
        Index("ix_chat_room_inbox", "status", "last_message_at"),
        Index("ix_chat_room_user", "user_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(36), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    visitor_hash: Mapped[str | None] = mapped_column(String(64))
    visitor_name: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    visitor_email: Mapped[str] = mapped_column(String(320), default="", server_default=text("''"))
    channel: Mapped[Channel] = mapped_column(text_enum(Channel, "channel"), default=Channel.SITE)
    status: Mapped[RoomStatus] = mapped_column(text_enum(RoomStatus, "status"), default=RoomStatus.OPEN)
    assigned_to_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    last_seq: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    last_message_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_answer_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    labels: Mapped[list[Any]] = mapped_column(JsonType, default=list)
    rating: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))

    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
    assigned_to: Mapped[User | None] = relationship(foreign_keys=[assigned_to_id])


class ChatMessage(Model):
    """A message that both sides see. ``sender_key`` + ``client_id``: a message sent again is the same message.

    ``sender_key`` is ``owner`` for the person whose room it is, before and after the log-in, and ``agent:<id>``.
    """

    __table_args__ = (
        UniqueConstraint("room_id", "seq"),
        UniqueConstraint("room_id", "sender_key", "client_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("chat_room.id", ondelete="CASCADE"))
    seq: Mapped[int]
    client_id: Mapped[str] = mapped_column(String(36))
    sender_kind: Mapped[SenderKind] = mapped_column(text_enum(SenderKind, "sender_kind"))
    sender_key: Mapped[str] = mapped_column(String(80))
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    body: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    room: Mapped[ChatRoom] = relationship()
    sender: Mapped[User | None] = relationship()


class ChatNote(Model):
    """A note among agents. Apart from the messages: a visitor's client must never see a gap where a note is."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("chat_room.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    body: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)

    author: Mapped[User | None] = relationship()


class ChatRead(Model):
    """How far a side has read a room: ``owner`` (all tabs of the person) or ``staff``. It never goes back."""

    room_id: Mapped[int] = mapped_column(ForeignKey("chat_room.id", ondelete="CASCADE"), primary_key=True)
    reader: Mapped[str] = mapped_column(String(16), primary_key=True)
    read_seq: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ChatAttachment(Model):
    """A file sent in a room; waits without a message until the message that names it arrives."""

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("chat_room.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("chat_message.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    content_type: Mapped[str] = mapped_column(String(80))
    size_bytes: Mapped[int]
    file_key: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CannedAnswer(Model):
    """An answer that agents insert by its shortcut."""

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    shortcut: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)


class InboundEvent(Model):
    """A provider's call as it came: kept before it is worked, so that a repeated call changes nothing."""

    __table_args__ = (UniqueConstraint("channel", "account", "external_event_id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    channel: Mapped[Channel] = mapped_column(text_enum(Channel, "channel"))
    account: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    external_event_id: Mapped[str] = mapped_column(String(120))
    raw: Mapped[dict[str, Any]] = mapped_column(JsonType)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    processed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
