"""Messages of a conversation: each once, in one order, without a hole; and how far each side has read.

An event is only a hint of a row: who missed one asks for everything after the last number it has.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import joinedload

from calmness import clock
from calmness.errors import DomainError
from calmness.extensions import db
from calmness.models.support import ChatMessage, ChatRoom, RoomStatus, SenderKind
from calmness.services.support import chat_news, chat_rooms, chat_unread
from calmness.services.support.chat_rooms import Person, Side

MAX_LENGTH = 4000
PAGE_ROWS = 200
PAGE_BYTES = 48_000
"""A page of history with its frame stays under 64 kB: larger frames stall slow phones."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class EmptyMessage(DomainError):
    """Nothing but spaces."""

    slug = "empty-message"
    message = _l("Écrivez votre message avant de l’envoyer.")
    field = "body"


class MessageTooLong(DomainError):
    """Longer than a message may be."""

    slug = "message-too-long"
    message = _l("Un message compte 4 000 caractères au plus. Envoyez-le en deux fois.")
    field = "body"


@dataclass(frozen=True)
class Page:
    """Part of a conversation: ascending messages, the last number there is, and whether more follow or precede."""

    messages: list[ChatMessage]
    last_seq: int
    more: bool


def cleaned(body: str) -> str:
    """A text as it is kept: no control characters, no lone surrogates, line ends as one. Raises when unfit."""
    text = body.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    text = _CONTROL.sub("", text).strip()
    if not text:
        raise EmptyMessage
    if len(text) > MAX_LENGTH:
        raise MessageTooLong
    return text


def send(person: Person, public_id: str, *, client_id: str, body: str, at: datetime | None = None) -> ChatMessage:
    """Add a message to a room; the same ``client_id`` from the same sender again is the same message.

    The room's row is locked until the commit, so numbers follow each other without hole or double whoever writes.
    Raises ``NotFound``, ``EmptyMessage``, ``MessageTooLong``, ``chat_rooms.RoomClosed``.
    """
    text, now = cleaned(body), at or clock.now()
    room, side = chat_rooms.enter(person, public_id, lock=True)
    sender_key = "owner" if side is Side.OWNER else f"agent:{person.user_id}"
    known = db.session.scalar(
        select(ChatMessage).where(
            ChatMessage.room_id == room.id, ChatMessage.sender_key == sender_key, ChatMessage.client_id == client_id
        )
    )
    if known is not None:
        return known
    if room.status is RoomStatus.CLOSED:
        chat_rooms.reopen(room, now)
    seq = db.session.scalars(
        update(ChatRoom)
        .where(ChatRoom.id == room.id)
        .values(last_seq=ChatRoom.last_seq + 1, last_message_at=now)
        .returning(ChatRoom.last_seq),
        execution_options={"synchronize_session": False},
    ).one()
    message = ChatMessage(
        room_id=room.id,
        seq=seq,
        client_id=client_id,
        sender_kind=_kind(person, side),
        sender_key=sender_key,
        sender_id=person.user_id,
        body=text,
        sent_at=now,
    )
    db.session.add(message)
    db.session.flush()
    db.session.refresh(room)
    if side is Side.STAFF:
        _note_answer(room, person, now)
    chat_news.message_sent(room, message, side)
    return message


def after(room: ChatRoom, after_seq: int, *, limit: int = PAGE_ROWS) -> Page:
    """Messages after a number, oldest first: what a client asks for when it came late."""
    rows = _rows(room.id, ChatMessage.seq > after_seq, ascending=True, limit=limit)
    kept = _fitting(rows[:limit])
    return Page(kept, room.last_seq, more=len(kept) < len(rows))


def before(room: ChatRoom, before_seq: int | None = None, *, limit: int = 50) -> Page:
    """The newest messages, or those before a number, in ascending order."""
    condition = ChatMessage.seq < before_seq if before_seq is not None else ChatMessage.seq > 0
    rows = _rows(room.id, condition, ascending=False, limit=limit)
    kept = _fitting(rows[:limit])
    return Page(kept[::-1], room.last_seq, more=len(kept) < len(rows))


def mark_read(person: Person, public_id: str, seq: int) -> ChatRoom:
    """Note that the person's side has read up to a number. Never goes back, never beyond the last message."""
    room, side = chat_rooms.enter(person, public_id, lock=True)
    if chat_unread.advance(room, side, seq):
        chat_news.read(room, side, min(seq, room.last_seq))
    return room


def _kind(person: Person, side: Side) -> SenderKind:
    if side is Side.STAFF:
        return SenderKind.AGENT
    return SenderKind.USER if person.user_id is not None else SenderKind.VISITOR


def _note_answer(room: ChatRoom, person: Person, now: datetime) -> None:
    room.first_answer_at = room.first_answer_at or now
    if room.assigned_to_id is None:
        room.assigned_to_id = person.user_id
        room.version += 1
    db.session.flush()


def _rows(
    room_id: int, condition: ColumnElement[bool], *, ascending: bool, limit: int = PAGE_ROWS
) -> list[ChatMessage]:
    order = ChatMessage.seq.asc() if ascending else ChatMessage.seq.desc()
    return list(
        db.session.scalars(
            select(ChatMessage)
            .where(ChatMessage.room_id == room_id, condition)
            .options(joinedload(ChatMessage.sender))
            .order_by(order)
            .limit(limit + 1)
        )
    )


def _fitting(rows: list[ChatMessage]) -> list[ChatMessage]:
    kept: list[ChatMessage] = []
    size = 0
    for row in rows:
        shown: dict[str, Any] = chat_news.as_dict(row)
        size += len(json.dumps(shown, ensure_ascii=False).encode())
        if kept and size > PAGE_BYTES:
            break
        kept.append(row)
    return kept
