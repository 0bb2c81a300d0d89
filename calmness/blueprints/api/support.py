"""Conversations with the school: the caller's own, and those of somebody without an account.

A visitor is known by a token of ``POST /support/visitors``, sent along as ``Visitor-Token``; it is what the site keeps
in a cookie, which opens nothing here.
"""

import uuid
from typing import Any

from apiflask import Schema
from apiflask.fields import UUID, Boolean, Integer, List, Nested, String
from apiflask.validators import Length, Range, Regexp
from flask import request
from flask.typing import ResponseReturnValue

from calmness.access import current_account, public, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import Place, PlaceIn
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.blueprints.support.visitors import hash_of, new_visitor
from calmness.blueprints.support.widget import hours_text, ways
from calmness.errors import NotFound
from calmness.extensions import db, limiter
from calmness.models.support import ChatMessage, ChatRoom
from calmness.permissions import Permission
from calmness.services.support import chat_messages, chat_news, chat_rooms, chat_unread, support_hours
from calmness.services.support.chat_rooms import Person, Side

VISITOR = "Visitor-Token"
MAX_SEQ = 2**31 - 1


class WayOut(Schema):
    """Another way to reach the school."""

    label = String(required=True)
    url = String(required=True)


class OwnRoomOut(Schema):
    """A conversation: its last message's number, and up to which number each side has read."""

    id = String(required=True)
    status = String(required=True)
    created_at = Instant(required=True)
    last_message_at = Instant(required=True, allow_none=True)
    last_seq = Integer(required=True)
    read_seq = Integer(required=True)
    read_seq_of_school = Integer(required=True)


class SupportOut(Schema):
    """Whether somebody answers now, in words too; the open conversation, and how many answers are unread in all."""

    open = Boolean(required=True)
    until = Instant(required=True, allow_none=True)
    next_open = Instant(required=True, allow_none=True)
    hours = String(required=True)
    ways = List(Nested(WayOut), required=True)
    unread = Integer(required=True)
    room = Nested(OwnRoomOut, required=True, allow_none=True)


class OwnRoomsOut(Schema):
    """Conversations that hold something, the last written to first."""

    items = List(Nested(OwnRoomOut), required=True)
    next = String(required=True, allow_none=True)


class MessagesIn(ClosedSchema):
    """Which messages: those after a number, oldest first of all; or the last ones, before a number if one is given."""

    after_seq = Integer(validate=Range(min=0, max=MAX_SEQ))
    before_seq = Integer(validate=Range(min=1, max=MAX_SEQ))
    limit = Integer(load_default=50, validate=Range(min=1, max=chat_messages.PAGE_ROWS))


class MessageIn(ClosedSchema):
    """A message for the open conversation, or a new one, or the one named. The same `client_id` is the same message."""

    body = String(required=True, validate=Length(min=1, max=chat_messages.MAX_LENGTH))
    client_id = String(validate=Regexp(r"^[A-Za-z0-9-]{8,36}$"))
    room = UUID()


class VisitorMessageIn(MessageIn):
    """The same, with how the visitor wants to be called and reached; nothing of it is verified."""

    name = String(load_default="", validate=Length(max=100))
    email = String(load_default="", validate=Length(max=320))


class MessageOut(Schema):
    """A message. `kind`: `user` or `visitor` wrote it, or an `agent`, of whom the first name is told."""

    id = Integer(required=True)
    room = String(required=True)
    seq = Integer(required=True)
    client_id = String(required=True)
    kind = String(required=True)
    name = String(required=True)
    body = String(required=True)
    sent_at = Instant(required=True)


class MessagesOut(Schema):
    """Messages in order. ``next``: the number to go on from in the same direction; null at the end."""

    items = List(Nested(MessageOut), required=True)
    last_seq = Integer(required=True)
    next = Integer(required=True, allow_none=True)


class ReadingIn(ClosedSchema):
    """Up to which number everything is read."""

    seq = Integer(required=True, validate=Range(min=0, max=MAX_SEQ))


class ReadingOut(Schema):
    """Where the mark stands now; it never goes back. ``unread``: answers unread in all conversations."""

    read_seq = Integer(required=True)
    unread = Integer(required=True)


class VisitorOut(Schema):
    """The token to send along as `Visitor-Token`. Who has it reads the conversation."""

    token = String(required=True)


@bp.get("/me/support")
@bp.output(SupportOut)
@requires(Permission.OWN_SPACE)
def api_my_support() -> ResponseReturnValue:
    """Opening hours, the open conversation, unread answers."""
    return _support(_member())


@bp.get("/me/support/rooms")
@bp.input(PlaceIn, location="query", arg_name="page")
@bp.output(OwnRoomsOut)
@requires(Permission.OWN_SPACE)
def api_my_rooms(page: dict[str, Any]) -> ResponseReturnValue:
    """Own conversations."""
    return _rooms(_member(), page)


@bp.get("/me/support/rooms/<uuid:room_id>/messages")
@bp.input(MessagesIn, location="query", arg_name="wanted")
@bp.output(MessagesOut)
@requires(Permission.OWN_SPACE)
def api_my_messages(room_id: uuid.UUID, wanted: dict[str, Any]) -> ResponseReturnValue:
    """Messages of an own conversation."""
    return _messages(_member(), str(room_id), wanted)


@bp.post("/me/support/messages")
@once
@bp.input(MessageIn, arg_name="given")
@bp.output(MessageOut, status_code=201)
@limiter.limit("60 per hour")
@requires(Permission.OWN_SPACE)
def api_write_to_school(given: dict[str, Any]) -> ResponseReturnValue:
    """Write to the school. A conversation that ended less than a week ago goes on."""
    return _send(_member(), given)


@bp.put("/me/support/rooms/<uuid:room_id>/reading")
@bp.input(ReadingIn, arg_name="given")
@bp.output(ReadingOut)
@requires(Permission.OWN_SPACE)
def api_read_my_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """Say how far an own conversation is read: the school sees it."""
    return _mark(_member(), str(room_id), given["seq"])


@bp.post("/support/visitors")
@bp.output(VisitorOut, status_code=201)
@limiter.limit("30 per hour")
@public
def api_new_visitor() -> ResponseReturnValue:
    """Become somebody who can write without an account."""
    return {"token": new_visitor()[1]}


@bp.get("/support")
@bp.output(SupportOut)
@public
def api_support() -> ResponseReturnValue:
    """Opening hours; with a `Visitor-Token` the open conversation and unread answers too."""
    return _support(_visitor())


@bp.get("/support/rooms")
@bp.input(PlaceIn, location="query", arg_name="page")
@bp.output(OwnRoomsOut)
@public
def api_visitor_rooms(page: dict[str, Any]) -> ResponseReturnValue:
    """Conversations of the visitor of the token."""
    return _rooms(_visitor(), page)


@bp.get("/support/rooms/<uuid:room_id>/messages")
@bp.input(MessagesIn, location="query", arg_name="wanted")
@bp.output(MessagesOut)
@public
def api_visitor_messages(room_id: uuid.UUID, wanted: dict[str, Any]) -> ResponseReturnValue:
    """Messages of a conversation of the visitor of the token."""
    return _messages(_visitor(), str(room_id), wanted)


@bp.post("/support/messages")
@bp.input(VisitorMessageIn, arg_name="given")
@bp.output(MessageOut, status_code=201)
@limiter.limit("60 per hour")
@public
def api_visitor_message(given: dict[str, Any]) -> ResponseReturnValue:
    """Write to the school without an account; 403 without a `Visitor-Token`."""
    made = _send(_visitor(), given)
    db.session.commit()
    return made


@bp.put("/support/rooms/<uuid:room_id>/reading")
@bp.input(ReadingIn, arg_name="given")
@bp.output(ReadingOut)
@public
def api_read_visitor_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """Say how far a conversation of the visitor of the token is read."""
    return _mark(_visitor(), str(room_id), given["seq"])


def _member() -> Person:
    """The caller; what was written with a visitor's token is taken over when it comes along."""
    return Person(current_account(), hash_of(request.headers.get(VISITOR, "")))


def _visitor() -> Person:
    return Person(None, hash_of(request.headers.get(VISITOR, "")))


def _own_room(person: Person, public_id: str) -> ChatRoom:
    """A room as its owner. Somebody of the team has no other here."""
    room, side = chat_rooms.enter(person, public_id)
    if side is not Side.OWNER:
        raise NotFound
    return room


def _support(person: Person) -> dict[str, Any]:
    opening, room = support_hours.now_open(), chat_rooms.current_of(person)
    return {
        "open": opening.is_open,
        "until": instant(opening.until),
        "next_open": instant(opening.next_open),
        "hours": opening.text or hours_text(opening),
        "ways": [{"label": str(way.label), "url": way.url} for way in ways()],
        "unread": chat_unread.unread_of(person),
        "room": _room_of(room) if room is not None else None,
    }


def _rooms(person: Person, page: dict[str, Any]) -> dict[str, Any]:
    place = Place.at(page, f"rooms:{person.user_id}:{person.visitor_hash}")
    rooms = chat_rooms.own_rooms(person, limit=place.limit + 1, offset=place.offset)
    total = place.offset + len(rooms)
    return {"items": [_room_of(room) for room in rooms[: place.limit]], "next": place.next(total)}


def _messages(person: Person, public_id: str, wanted: dict[str, Any]) -> dict[str, Any]:
    room = _own_room(person, public_id)
    forwards = "after_seq" in wanted
    if forwards:
        page = chat_messages.after(room, wanted["after_seq"], limit=wanted["limit"])
    else:
        page = chat_messages.before(room, wanted.get("before_seq"), limit=wanted["limit"])
    following = page.messages[-1 if forwards else 0].seq if page.more else None
    return {
        "items": [_message(room, row) for row in page.messages],
        "last_seq": page.last_seq,
        "next": following,
    }


def _send(person: Person, given: dict[str, Any]) -> dict[str, Any]:
    room = _own_room(person, str(given["room"])) if "room" in given else chat_rooms.open_own(person)
    if room.user_id is None and (given.get("name") or given.get("email")):
        chat_rooms.introduce(room, name=given["name"], email=given["email"])
    client_id = given.get("client_id") or str(uuid.uuid4())
    return _message(room, chat_messages.send(person, room.public_id, client_id=client_id, body=given["body"]))


def _mark(person: Person, public_id: str, seq: int) -> dict[str, Any]:
    room = chat_messages.mark_read(person, _own_room(person, public_id).public_id, seq)
    db.session.commit()
    marks = chat_unread.read_marks(room.id)
    return {"read_seq": marks[Side.OWNER.value], "unread": chat_unread.unread_of(person)}


def _room_of(room: ChatRoom) -> dict[str, Any]:
    marks = chat_unread.read_marks(room.id)
    return {
        "id": room.public_id,
        "status": room.status.value,
        "created_at": instant(room.created_at),
        "last_message_at": instant(room.last_message_at),
        "last_seq": room.last_seq,
        "read_seq": marks[Side.OWNER.value],
        "read_seq_of_school": marks[Side.STAFF.value],
    }


def _message(room: ChatRoom, message: ChatMessage) -> dict[str, Any]:
    told = chat_news.as_dict(message)
    same = ("id", "seq", "client_id", "kind", "name", "body")
    return {name: told[name] for name in same} | {
        "room": room.public_id,
        "sent_at": instant(message.sent_at),
    }
