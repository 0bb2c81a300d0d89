"""How far each side has read, and from that the exact unread counts. A mark never goes back."""

from sqlalchemy import ColumnElement, Select, func, select, update

from calmness import clock
from calmness.extensions import db
from calmness.models.dialect import insert_once
from calmness.models.support import ChatMessage, ChatRead, ChatRoom, SenderKind
from calmness.services.support import chat_rooms
from calmness.services.support.chat_rooms import Person, Side

FROM_OWNER = (SenderKind.VISITOR, SenderKind.USER)
FROM_STAFF = (SenderKind.AGENT,)
OTHER_SIDE = {Side.OWNER: FROM_STAFF, Side.STAFF: FROM_OWNER}


def read_marks(room_id: int) -> dict[str, int]:
    """How far each side has read a room."""
    rows = db.session.execute(select(ChatRead.reader, ChatRead.read_seq).where(ChatRead.room_id == room_id))
    return {Side.OWNER.value: 0, Side.STAFF.value: 0} | dict(rows.all())


def advance(room: ChatRoom, side: Side, seq: int) -> bool:
    """Move a side's mark forward, at most to the last message. False when it stood there already."""
    seq, now = max(0, min(seq, room.last_seq)), clock.now()
    row = {"room_id": room.id, "reader": side.value, "read_seq": 0, "read_at": now}
    insert_once(db.session(), ChatRead, [row])
    done = db.session.execute(
        update(ChatRead)
        .where(ChatRead.room_id == room.id, ChatRead.reader == side.value, ChatRead.read_seq < seq)
        .values(read_seq=seq, read_at=now),
        execution_options={"synchronize_session": False},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def unread_of(person: Person) -> int:
    """Exact number of answers that a person has not read, over all own rooms, in one query."""
    return _count(Side.OWNER, chat_rooms.owned_by(person))


def unread_of_owner(room: ChatRoom) -> int:
    """The same for the owner of a room."""
    if room.user_id is not None:
        return _count(Side.OWNER, ChatRoom.user_id == room.user_id)
    return _count(Side.OWNER, (ChatRoom.visitor_hash == room.visitor_hash) & ChatRoom.user_id.is_(None))


def unread_of_staff() -> int:
    """Exact number of messages that nobody of the team has read, in one query."""
    return _count(Side.STAFF, ChatRoom.last_seq > 0)


def unread_by_room(room_ids: list[int]) -> dict[int, int]:
    """Messages that the team has not read, room by room; rooms without any are absent."""
    rows = db.session.execute(
        _unread(Side.STAFF, ChatRoom.id.in_(room_ids))
        .with_only_columns(ChatRoom.id, func.count())
        .group_by(ChatRoom.id)
    )
    return dict(rows.all())


def _count(side: Side, rooms: ColumnElement[bool]) -> int:
    return db.session.scalar(_unread(side, rooms).with_only_columns(func.count())) or 0


def _unread(side: Side, rooms: ColumnElement[bool]) -> Select[int]:
    seen = func.coalesce(ChatRead.read_seq, 0)
    return (
        select(ChatRoom.id)
        .outerjoin(ChatRead, (ChatRead.room_id == ChatRoom.id) & (ChatRead.reader == side.value))
        .join(ChatMessage, (ChatMessage.room_id == ChatRoom.id) & (ChatMessage.seq > seen))
        .where(rooms, ChatRoom.last_seq > seen, ChatMessage.sender_kind.in_(OTHER_SIDE[side]))
    )
