"""Socket namespace ``/support``: what a person does in a conversation. The team's own events are in ``desk_events``.

Room names come from the client: each event looks the room up and checks the right before anything else.
"""

from typing import Any

import jwt as pyjwt
from flask import request
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import current_user
from flask_socketio import ConnectionRefusedError as Refused
from flask_socketio import emit, join_room
from marshmallow import Schema, fields, validate

from calmness import clock
from calmness.blueprints.support import presence
from calmness.blueprints.support.visitors import visitor_hash
from calmness.blueprints.support.wire import (
    CALLERS,
    Answer,
    AuthExpired,
    Caller,
    check_pace,
    on,
    own_channels,
    person_behind,
    token_end,
)
from calmness.database import set_read_only
from calmness.errors import DomainError
from calmness.extensions import db, socketio
from calmness.models.support import ChatRoom
from calmness.network import network_of
from calmness.services.live import SUPPORT
from calmness.services.support import chat_desk, chat_messages, chat_news, chat_rooms, chat_unread, support_hours
from calmness.services.support.chat_rooms import Person, Side

MAX_SEQ = 2**31 - 1
ROOM = validate.Length(min=8, max=36)


class OpenRoom(Schema):
    room = fields.String(allow_none=True, validate=ROOM)
    name = fields.String(validate=validate.Length(max=100))
    email = fields.String(validate=validate.Length(max=320))


class History(Schema):
    room = fields.String(required=True, validate=ROOM)
    after_seq = fields.Integer(strict=True, validate=validate.Range(0, MAX_SEQ))
    before_seq = fields.Integer(strict=True, validate=validate.Range(0, MAX_SEQ))


class SendMessage(Schema):
    room = fields.String(required=True, validate=ROOM)
    client_id = fields.String(required=True, validate=validate.Regexp(r"^[A-Za-z0-9-]{8,36}$"))
    body = fields.String(required=True)
    attachments = fields.List(fields.String(), validate=validate.Length(max=0))


class ReadMessage(Schema):
    room = fields.String(required=True, validate=ROOM)
    seq = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))


class Typing(Schema):
    room = fields.String(required=True, validate=ROOM)
    on = fields.Boolean(required=True)


@socketio.on("connect", namespace=SUPPORT)
def connect(auth: Any) -> None:
    """Let in who has a token, a session or a visitor's cookie, in this order; a bad token never falls back.

    ``auth`` has no default: the handler would be called again without it after any TypeError, as somebody else.
    """
    set_read_only(True)
    try:
        check_pace(network_of(request.remote_addr), "connect")
        caller = _identify(auth)
        person = person_behind(caller)
    except DomainError as error:
        raise Refused(error.slug) from None
    finally:
        set_read_only(False)
    caller.user_id = person.user_id
    CALLERS[caller.sid] = caller
    for channel in own_channels(caller):
        join_room(channel)
    if person.is_staff:
        join_room(chat_news.AGENTS)
    db.session.remove()
    presence.start_beat()


@socketio.on("disconnect", namespace=SUPPORT)
def disconnect(_reason: Any = None) -> None:
    """Tell the rooms. Not called after ``kill -9``: presence ends by itself."""
    caller = CALLERS.pop(request.sid, None)  # type: ignore[attr-defined]
    if caller is not None:
        presence.gone(caller)


@on("room:open", OpenRoom(), limit="open")
def open_room(caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Enter a room, the own open one when none is named: its newest messages, read marks and unread count."""
    room = _room(person, data)
    side = chat_rooms.side_of(person, room)
    page = chat_messages.before(room)
    join_room(chat_news.room_channel(room))
    caller.rooms[room.public_id] = side
    presence.renew(caller)
    presence.tell(room.public_id)
    answer = {
        "room": chat_news.public_view(room) if side is Side.OWNER else chat_news.staff_view(room),
        "side": side.value,
        **_page(page),
        "read": chat_unread.read_marks(room.id),
        "presence": presence.state(room.public_id),
    }
    if side is Side.STAFF:
        notes = [chat_news.note_as_dict(note, note.author) for note in chat_desk.notes_of(room)]
        return answer | {"notes": notes, "unread": chat_unread.unread_of_staff()}
    return answer | {"opening": _opening(), "unread": chat_unread.unread_of(person)}


@on("room:history", History(), limit="history", only_reads=True)
def room_history(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Messages after a number, for who missed some; or before one, for who scrolls up."""
    room, _side = chat_rooms.enter(person, data["room"])
    if "before_seq" in data:
        page = chat_messages.before(room, data["before_seq"])
    else:
        page = chat_messages.after(room, data.get("after_seq", 0))
    return _page(page) | {"read": chat_unread.read_marks(room.id)}


@on("message:send", SendMessage(), limit="message")
def send_message(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Add a message; the same ``client_id`` again answers the same message."""
    message = chat_messages.send(person, data["room"], client_id=data["client_id"], body=data["body"])
    return {"id": message.id, "seq": message.seq, "sent_at": message.sent_at.isoformat()}


@on("message:read", ReadMessage(), limit="read")
def read_message(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Note how far the person's side has read; answers the exact unread count."""
    room = chat_messages.mark_read(person, data["room"], data["seq"])
    own = chat_rooms.side_of(person, room) is Side.OWNER
    return {"unread": chat_unread.unread_of(person) if own else chat_unread.unread_of_staff()}


@on("typing", Typing(), limit="typing", only_reads=True)
def typing(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Tell the others in the room that the person writes, or stopped. Nothing is stored."""
    room, side = chat_rooms.enter(person, data["room"])
    told = {"room": room.public_id, "on": data["on"], "side": side.value, "name": "", "agent_id": None}
    if side is Side.STAFF and person.user is not None:
        told |= {"name": person.user.first_name, "agent_id": person.user.id}
    emit("typing", told, to=chat_news.room_channel(room), include_self=False)
    return {"ok": True}


def _identify(auth: Any) -> Caller:
    sid: str = request.sid  # type: ignore[attr-defined]
    token = auth.get("token") if isinstance(auth, dict) else None
    if token is not None:
        try:
            claims = decode_token(str(token))
        except (JWTExtendedException, pyjwt.PyJWTError) as error:
            raise AuthExpired from error
        return Caller(sid, str(claims.get("sid", "")), None, expires_at=token_end(claims))
    if current_user.is_authenticated:
        return Caller(sid, current_user.auth_session.id, visitor_hash())
    known_as = visitor_hash()
    if known_as is None:
        raise AuthExpired
    return Caller(sid, None, known_as)


def _room(person: Person, data: dict[str, Any]) -> ChatRoom:
    if data.get("room"):
        return chat_rooms.enter(person, data["room"])[0]
    room = chat_rooms.open_own(person)
    if room.user_id is None and ("name" in data or "email" in data):
        chat_rooms.introduce(room, name=data.get("name", ""), email=data.get("email", ""))
    return room


def _page(page: chat_messages.Page) -> dict[str, Any]:
    messages = [chat_news.as_dict(message) for message in page.messages]
    return {"messages": messages, "last_seq": page.last_seq, "more": page.more}


def _opening() -> dict[str, Any]:
    state = support_hours.now_open(clock.now())
    return {
        "open": state.is_open,
        "until": state.until.isoformat() if state.until else None,
        "next_open": state.next_open.isoformat() if state.next_open else None,
    }
