"""Socket namespace ``/support``: what only the team does. Everybody else is refused by the rules."""

from typing import Any

from marshmallow import Schema, fields, validate

from calmness.blueprints.support import presence
from calmness.blueprints.support.events import ROOM
from calmness.blueprints.support.wire import Answer, Caller, on
from calmness.services.support import chat_desk, chat_news, chat_unread
from calmness.services.support.chat_desk import Line, Tab
from calmness.services.support.chat_rooms import Person

VERSION = validate.Range(min=1)


class ListRooms(Schema):
    tab = fields.Enum(Tab, by_value=True, load_default=Tab.OPEN)
    search = fields.String(load_default="", validate=validate.Length(max=100))


class AssignRoom(Schema):
    room = fields.String(required=True, validate=ROOM)
    agent = fields.Integer(strict=True, allow_none=True)
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class LabelRoom(Schema):
    room = fields.String(required=True, validate=ROOM)
    labels = fields.List(fields.String(), required=True)
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class CloseRoom(Schema):
    room = fields.String(required=True, validate=ROOM)
    version = fields.Integer(required=True, strict=True, validate=VERSION)


class SendNote(Schema):
    room = fields.String(required=True, validate=ROOM)
    body = fields.String(required=True)


@on("room:list", ListRooms(), limit="desk", only_reads=True)
def list_rooms(caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Conversations of a tab. Who lists them is at the desk: visitors are told that somebody is there."""
    shown = chat_desk.lines(person, data["tab"], data["search"])
    caller.at_desk = True
    presence.renew(caller)
    return {
        "rooms": [line_view(line) for line in shown],
        "counts": {tab.value: count for tab, count in chat_desk.counts(person).items()},
        "unread": chat_unread.unread_of_staff(),
    }


@on("room:assign", AssignRoom(), limit="desk")
def assign_room(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Put somebody in charge; oneself when ``agent`` is left out, nobody when it is null."""
    wanted = data.get("agent", person.user_id)
    room = chat_desk.assign(person, data["room"], to_user_id=wanted, seen_version=data["version"])
    return {"room": chat_news.staff_view(room)}


@on("room:label", LabelRoom(), limit="desk")
def label_room(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Set the labels."""
    room = chat_desk.label(person, data["room"], labels=data["labels"], seen_version=data["version"])
    return {"room": chat_news.staff_view(room)}


@on("room:close", CloseRoom(), limit="desk")
def close_room(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """End the conversation."""
    room = chat_desk.close(person, data["room"], seen_version=data["version"])
    return {"room": chat_news.staff_view(room)}


@on("note:send", SendNote(), limit="message")
def send_note(_caller: Caller, person: Person, data: dict[str, Any]) -> Answer:
    """Write a note that only the team sees."""
    note = chat_desk.add_note(person, data["room"], data["body"])
    return {"note": chat_news.note_as_dict(note, person.user)}


def line_view(line: Line) -> dict[str, Any]:
    """A line of the list."""
    return chat_news.staff_view(line.room) | {
        "unread": line.unread,
        "waiting_since": line.waiting_since.isoformat() if line.waiting_since else None,
        "message": chat_news.as_dict(line.last) if line.last else None,
    }
