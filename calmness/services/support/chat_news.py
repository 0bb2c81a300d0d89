"""What open pages are told of a conversation, after the commit. Each payload names its room; counts are absolute."""

from datetime import timedelta
from typing import Any

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.support import ChatMessage, ChatNote, ChatRoom, SenderKind
from calmness.services import delivery, live
from calmness.services.live import SUPPORT
from calmness.services.support import chat_rooms, chat_unread
from calmness.services.support.chat_rooms import Person, Side

AGENTS = "agents"
AWAY_TASK = "support.tell_away"
AWAY_AFTER = timedelta(seconds=45)


def room_channel(room: ChatRoom) -> str:
    """Everybody who has the room open, of both sides."""
    return f"room:{room.public_id}"


def owner_channel(room: ChatRoom) -> str:
    """All tabs of the owner."""
    return f"person:user:{room.user_id}" if room.user_id is not None else f"person:visitor:{room.visitor_hash}"


def as_dict(message: ChatMessage) -> dict[str, Any]:
    """A message as both sides see it. Of an agent only the first name leaves the house."""
    by_agent = message.sender_kind is SenderKind.AGENT
    return {
        "id": message.id,
        "seq": message.seq,
        "client_id": message.client_id,
        "kind": message.sender_kind.value,
        "name": message.sender.first_name if by_agent and message.sender else "",
        "agent_id": message.sender_id if by_agent else None,
        "body": message.body,
        "sent_at": message.sent_at.isoformat(),
    }


def note_as_dict(note: ChatNote, author: User | None) -> dict[str, Any]:
    """A note, for the team only."""
    return {
        "id": note.id,
        "name": author.first_name if author else "",
        "body": note.body,
        "written_at": note.written_at.isoformat(),
    }


def public_view(room: ChatRoom) -> dict[str, Any]:
    """A room as its owner may know it: nothing of labels, notes or who was asked to answer."""
    return {
        "id": room.public_id,
        "status": room.status.value,
        "last_seq": room.last_seq,
        "introduced": room.user_id is not None or bool(room.visitor_email),
    }


def staff_view(room: ChatRoom) -> dict[str, Any]:
    """A room as the team sees it."""
    return {
        "id": room.public_id,
        "status": room.status.value,
        "name": chat_rooms.name_of(room),
        "last_seq": room.last_seq,
        "assigned_to": room.assigned_to_id,
        "assigned_name": room.assigned_to.first_name if room.assigned_to else "",
        "labels": room.labels,
        "version": room.version,
    }


def message_sent(room: ChatRoom, message: ChatMessage, side: Side) -> None:
    """A new message: to all who have the room open, and to both sides' badges."""
    live.emit_after_commit(
        "message:new", {"room": room.public_id, "message": as_dict(message)}, room=room_channel(room), namespace=SUPPORT
    )
    if side is Side.STAFF:
        _tell_owner(room)
        # A little later: who has the page open will have read it by then.
        delivery.enqueue(
            AWAY_TASK,
            f"{AWAY_TASK}:{room.id}:{message.seq}",
            {"room_id": room.id, "seq": message.seq},
            due_at=message.sent_at + AWAY_AFTER,
        )
    tell_staff(room, message)


def read(room: ChatRoom, side: Side, seq: int) -> None:
    """A side has read: the other sees it, the own tabs count anew."""
    live.emit_after_commit(
        "message:state",
        {"room": room.public_id, "state": "read", "side": side.value, "seq": seq},
        room=room_channel(room),
        namespace=SUPPORT,
    )
    if side is Side.OWNER:
        _tell_owner(room)
    else:
        tell_staff(room)


def room_changed(room: ChatRoom) -> None:
    """Assigned, labelled, closed, reopened."""
    _tell_owner(room)
    tell_staff(room)


def note_written(room: ChatRoom, note: ChatNote, author: Person) -> None:
    """A note: to the team's sockets only, never to the room's channel."""
    data = {"room": room.public_id, "note": note_as_dict(note, author.user)}
    live.emit_after_commit("note:new", data, room=AGENTS, namespace=SUPPORT)


def tell_staff(room: ChatRoom, message: ChatMessage | None = None) -> None:
    """The inbox of everybody in the team, and the badge in the menu."""
    db.session.flush()
    count = chat_unread.unread_of_staff()
    data: dict[str, Any] = {"side": Side.STAFF.value, "room": staff_view(room), "unread": count}
    if message is not None:
        data["message"] = as_dict(message)
    live.emit_after_commit("room:updated", data, room=AGENTS, namespace=SUPPORT)
    live.emit_after_commit("support:unread", {"count": count}, room=AGENTS)


def _tell_owner(room: ChatRoom) -> None:
    db.session.flush()
    count = chat_unread.unread_of_owner(room)
    data = {"side": Side.OWNER.value, "room": public_view(room), "unread": count}
    live.emit_after_commit("room:updated", data, room=owner_channel(room), namespace=SUPPORT)
