"""The team's inbox by program: conversations, messages, answers, notes, who is in charge."""

import uuid
from typing import Any

from apiflask import Schema
from apiflask.fields import UUID, Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf
from flask.typing import ResponseReturnValue

from calmness.access import current_account, requires
from calmness.blueprints.api import bp
from calmness.blueprints.api.fields import Instant
from calmness.blueprints.api.inputs import Whole
from calmness.blueprints.api.once import once
from calmness.blueprints.api.pages import MAX_ID
from calmness.blueprints.api.schemas import ClosedSchema
from calmness.blueprints.api.serialisers import instant
from calmness.extensions import db
from calmness.models.support import ChatMessage, ChatNote, ChatRoom
from calmness.permissions import Permission
from calmness.services.support import chat_desk, chat_messages, chat_news, chat_rooms, chat_unread
from calmness.services.support.chat_desk import Tab
from calmness.services.support.chat_rooms import Person, Side

TABS = {"open": Tab.OPEN, "mine": Tab.MINE, "closed": Tab.CLOSED}
MAX_SEQ = 2**31 - 1


class InboxIn(ClosedSchema):
    """Which conversations: open ones, those in the caller's charge, closed ones; with a word of them."""

    tab = String(load_default="open", validate=OneOf(list(TABS)))
    q = String(load_default="", validate=Length(max=100))


class RoomHistoryIn(ClosedSchema):
    """Which part of a conversation: before a number, or after the last one that the caller has."""

    cursor = Whole(1, MAX_SEQ, strict=False, load_default=None, allow_none=True)
    after = Whole(0, MAX_SEQ, strict=False, load_default=None, allow_none=True)
    limit = Whole(1, 100, strict=False, load_default=50)


class RoomAnswerIn(ClosedSchema):
    """An answer. The same ``client_id`` again is the same message; ``seen``: the last number that was read."""

    body = String(required=True, validate=Length(max=10_000))
    client_id = UUID(load_default=None, allow_none=True)
    seen = Whole(0, MAX_SEQ, load_default=0)


class RoomNoteIn(ClosedSchema):
    """A note among the team."""

    body = String(required=True, validate=Length(max=10_000))


class RoomReadingIn(ClosedSchema):
    """How far the team has read."""

    seq = Whole(0, MAX_SEQ, required=True)


class AssignmentIn(ClosedSchema):
    """Who is in charge, or nobody; ``version`` is the state that the caller saw."""

    agent_id = Whole(1, MAX_ID, required=True, allow_none=True)
    version = Whole(0, MAX_SEQ, required=True)


class LabelsIn(ClosedSchema):
    """All labels; ``version`` is the state that the caller saw."""

    labels = List(String(validate=Length(max=100)), required=True, validate=Length(max=50))
    version = Whole(0, MAX_SEQ, required=True)


class RoomClosureIn(ClosedSchema):
    """``version`` is the state that the caller saw."""

    version = Whole(0, MAX_SEQ, required=True)


class RoomMessageOut(Schema):
    """A message; ``seq`` counts those of its conversation without a hole."""

    id = Integer(required=True)
    seq = Integer(required=True)
    from_ = String(required=True, data_key="from")
    agent_id = Integer(required=True, allow_none=True)
    name = String(required=True)
    body = String(required=True)
    sent_at = Instant(required=True)


class RoomMessagesOut(Schema):
    """A stretch of a conversation in its order; ``next`` leads to what is before it, ``more`` says that it goes on."""

    items = List(Nested(RoomMessageOut), required=True)
    next = Integer(required=True, allow_none=True)
    more = Boolean(required=True)
    last_seq = Integer(required=True)


class RoomOut(Schema):
    """A conversation as the team sees it."""

    id = String(required=True)
    status = String(required=True)
    name = String(required=True)
    email = String(required=True)
    user_id = Integer(required=True, allow_none=True)
    assigned_to = Integer(required=True, allow_none=True)
    labels = List(String(), required=True)
    last_seq = Integer(required=True)
    version = Integer(required=True)
    created_at = Instant(required=True)
    closed_at = Instant(required=True, allow_none=True)
    last_message_at = Instant(required=True, allow_none=True)


class InboxLineOut(RoomOut):
    """A conversation of the list; ``waiting_since``: the first message that nobody answered."""

    unread = Integer(required=True)
    waiting_since = Instant(required=True, allow_none=True)
    last_message = Nested(RoomMessageOut, required=True, allow_none=True)


class InboxCountsOut(Schema):
    """How many conversations each part holds."""

    open = Integer(required=True)
    mine = Integer(required=True)
    closed = Integer(required=True)


class InboxOut(Schema):
    """Up to 60 conversations, who waits longest first; closed ones newest first."""

    items = List(Nested(InboxLineOut), required=True)
    next = String(required=True, allow_none=True)
    counts = Nested(InboxCountsOut, required=True)


class RoomNoteOut(Schema):
    """A note among the team."""

    id = Integer(required=True)
    author_id = Integer(required=True, allow_none=True)
    body = String(required=True)
    written_at = Instant(required=True)


class RoomCardOut(Schema):
    """What the team knows of the client: the last payments and formations."""

    payments = List(Integer(), required=True)
    formations = List(Integer(), required=True)


class RoomFileOut(RoomOut):
    """A conversation with its notes, the client's card (null for a visitor), and how far each side has read."""

    notes = List(Nested(RoomNoteOut), required=True)
    client = Nested(RoomCardOut, required=True, allow_none=True)
    read_by_owner = Integer(required=True)
    read_by_team = Integer(required=True)


class CannedAnswerOut(Schema):
    """A ready answer."""

    id = Integer(required=True)
    shortcut = String(required=True)
    title = String(required=True)
    body = String(required=True)


class CannedAnswersOut(Schema):
    """Ready answers by shortcut."""

    items = List(Nested(CannedAnswerOut), required=True)
    next = String(required=True, allow_none=True)


class ColleagueOut(Schema):
    """Somebody who may be put in charge."""

    id = Integer(required=True)
    name = String(required=True)


class ColleaguesOut(Schema):
    """Who may be put in charge, by first name."""

    items = List(Nested(ColleagueOut), required=True)
    next = String(required=True, allow_none=True)


@bp.get("/admin/support/rooms")
@bp.input(InboxIn, location="query", arg_name="wanted")
@bp.output(InboxOut)
@requires(Permission.ANSWER_SUPPORT)
def api_inbox(wanted: dict[str, Any]) -> ResponseReturnValue:
    """Conversations of a part of the inbox."""
    lines = chat_desk.lines(_me(), TABS[wanted["tab"]], wanted["q"].strip())
    counts = chat_desk.counts(_me())
    items = [
        _room(line.room)
        | {
            "unread": line.unread,
            "waiting_since": instant(line.waiting_since),
            "last_message": _message(line.last) if line.last else None,
        }
        for line in lines
    ]
    return {"items": items, "next": None, "counts": {name: counts[tab] for name, tab in TABS.items()}}


@bp.get("/admin/support/rooms/<uuid:room_id>")
@bp.output(RoomFileOut)
@requires(Permission.ANSWER_SUPPORT)
def api_room(room_id: uuid.UUID) -> ResponseReturnValue:
    """One conversation with its notes."""
    room, _side = chat_rooms.enter(_me(), str(room_id))
    card, marks = chat_desk.card_of(room), chat_unread.read_marks(room.id)
    client = card and {
        "payments": [row.id for row in card.payments],
        "formations": [row.formation_id for row in card.enrollments],
    }
    return _room(room) | {
        "notes": [_note(row) for row in chat_desk.notes_of(room)],
        "client": client,
        "read_by_owner": marks[Side.OWNER.value],
        "read_by_team": marks[Side.STAFF.value],
    }


@bp.get("/admin/support/rooms/<uuid:room_id>/messages")
@bp.input(RoomHistoryIn, location="query", arg_name="page")
@bp.output(RoomMessagesOut)
@requires(Permission.ANSWER_SUPPORT)
def api_room_messages(room_id: uuid.UUID, page: dict[str, Any]) -> ResponseReturnValue:
    """Messages of a conversation: the newest, those before a number, or those after one."""
    room, _side = chat_rooms.enter(_me(), str(room_id))
    if page["after"] is not None:
        found, back = chat_messages.after(room, page["after"]), None
    else:
        found = chat_messages.before(room, page["cursor"], limit=page["limit"])
        back = found.messages[0].seq if found.more else None
    items = [_message(row) for row in found.messages]
    return {"items": items, "next": back, "more": found.more, "last_seq": found.last_seq}


@bp.post("/admin/support/rooms/<uuid:room_id>/messages")
@once
@bp.input(RoomAnswerIn, arg_name="given")
@bp.output(RoomMessageOut, status_code=201)
@requires(Permission.ANSWER_SUPPORT)
def api_answer_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """Answer; up to ``seen`` it counts as read. A closed conversation opens again, within a week."""
    client_id = str(given["client_id"] or uuid.uuid4())
    message = chat_messages.send(_me(), str(room_id), client_id=client_id, body=given["body"])
    chat_messages.mark_read(_me(), str(room_id), given["seen"])
    return _message(message)


@bp.post("/admin/support/rooms/<uuid:room_id>/notes")
@once
@bp.input(RoomNoteIn, arg_name="given")
@bp.output(RoomNoteOut, status_code=201)
@requires(Permission.ANSWER_SUPPORT)
def api_note_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """Write a note that only the team sees."""
    return _note(chat_desk.add_note(_me(), str(room_id), given["body"]))


@bp.put("/admin/support/rooms/<uuid:room_id>/reading")
@bp.input(RoomReadingIn, arg_name="given")
@bp.output(RoomOut)
@requires(Permission.ANSWER_SUPPORT)
def api_read_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """Say how far the team has read; it never goes back."""
    room = chat_messages.mark_read(_me(), str(room_id), given["seq"])
    db.session.commit()
    return _room(room)


@bp.put("/admin/support/rooms/<uuid:room_id>/assignment")
@bp.input(AssignmentIn, arg_name="given")
@bp.output(RoomOut)
@requires(Permission.ANSWER_SUPPORT)
def api_assign_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """Put somebody in charge, or nobody; 409 when a colleague was faster."""
    room = chat_desk.assign(_me(), str(room_id), to_user_id=given["agent_id"], seen_version=given["version"])
    db.session.commit()
    return _room(room)


@bp.put("/admin/support/rooms/<uuid:room_id>/labels")
@bp.input(LabelsIn, arg_name="given")
@bp.output(RoomOut)
@requires(Permission.ANSWER_SUPPORT)
def api_label_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """Set the labels; 409 when a colleague was faster."""
    room = chat_desk.label(_me(), str(room_id), labels=given["labels"], seen_version=given["version"])
    db.session.commit()
    return _room(room)


@bp.post("/admin/support/rooms/<uuid:room_id>/closure")
@once
@bp.input(RoomClosureIn, arg_name="given")
@bp.output(RoomOut)
@requires(Permission.ANSWER_SUPPORT)
def api_close_room(room_id: uuid.UUID, given: dict[str, Any]) -> ResponseReturnValue:
    """End a conversation; 409 when a colleague was faster."""
    return _room(chat_desk.close(_me(), str(room_id), seen_version=given["version"]))


@bp.get("/admin/support/canned-answers")
@bp.output(CannedAnswersOut)
@requires(Permission.ANSWER_SUPPORT)
def api_canned_answers() -> ResponseReturnValue:
    """Ready answers."""
    names = ("id", "shortcut", "title", "body")
    rows = chat_desk.canned_answers()
    return {"items": [{name: getattr(row, name) for name in names} for row in rows], "next": None}


@bp.get("/admin/support/colleagues")
@bp.output(ColleaguesOut)
@requires(Permission.ANSWER_SUPPORT)
def api_colleagues() -> ResponseReturnValue:
    """Who may be put in charge of a conversation."""
    return {"items": [{"id": row.id, "name": row.full_name} for row in chat_desk.colleagues()], "next": None}


def _me() -> Person:
    return Person(current_account())


def _room(room: ChatRoom) -> dict[str, Any]:
    return {
        "id": room.public_id,
        "status": room.status.value,
        "name": chat_rooms.name_of(room),
        "email": chat_rooms.email_of(room),
        "user_id": room.user_id,
        "assigned_to": room.assigned_to_id,
        "labels": room.labels,
        "last_seq": room.last_seq,
        "version": room.version,
        "created_at": instant(room.created_at),
        "closed_at": instant(room.closed_at),
        "last_message_at": instant(room.last_message_at),
    }


def _message(message: ChatMessage) -> dict[str, Any]:
    shown = chat_news.as_dict(message)
    same = ("id", "seq", "agent_id", "name", "body")
    return {name: shown[name] for name in same} | {"from_": shown["kind"], "sent_at": instant(message.sent_at)}


def _note(note: ChatNote) -> dict[str, Any]:
    return {"id": note.id, "author_id": note.author_id, "body": note.body, "written_at": instant(note.written_at)}
