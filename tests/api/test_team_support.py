"""The team's inbox by program: messages each once, notes that stay in the house, who was faster."""

from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.account import User
from calmness.models.audit import AuditEntry
from calmness.models.support import CannedAnswer, ChatMessage, ChatRoom, RoomStatus
from calmness.services.support import chat_messages, chat_rooms
from calmness.services.support.chat_rooms import Person
from tests import factories
from tests.api.conftest import ApiFor

ROOMS = "/admin/support/rooms"


@pytest.fixture
def owner(site: Flask) -> User:
    """A student who wrote three messages."""
    student = factories.student(first_name="Zoé", last_name="Martin", email="zoe@example.test")
    for text in ("Bonjour", "Une question", "Mon virement ?"):
        write(student, text)
    db.session.commit()
    return student


def write(student: User, text: str) -> ChatRoom:
    """A message of a student."""
    room = chat_rooms.open_own(Person(student))
    chat_messages.send(Person(student), room.public_id, client_id=str(uuid4()), body=text)
    return room


def room_of(student: User) -> ChatRoom:
    """The conversation, as the database holds it."""
    db.session.expire_all()
    return db.session.scalars(select(ChatRoom).where(ChatRoom.user_id == student.id)).one()


def test_a_conversation_is_found_read_answered_and_closed(owner: User, api_for: ApiFor) -> None:
    person = factories.agent()
    agent, room = api_for(person), room_of(owner)
    path = f"{ROOMS}/{room.public_id}"

    listed = agent("GET", f"{ROOMS}?q=virement").get_json()
    answered = agent("POST", f"{path}/messages", json={"body": "Bonjour Zoé", "seen": 3})
    mine = agent("GET", f"{ROOMS}?tab=mine").get_json()
    version = mine["items"][0]["version"]
    closed = agent("POST", f"{path}/closure", json={"version": version}).get_json()

    line = listed["items"][0]
    assert (line["id"], line["name"], line["unread"]) == (room.public_id, "Zoé Martin", 3)
    assert line["last_message"]["from"] == "user"
    assert line["waiting_since"]
    assert listed["counts"] == {"open": 1, "mine": 0, "closed": 0}
    assert (answered.status_code, answered.get_json()["seq"], answered.get_json()["from"]) == (201, 4, "agent")
    assert (mine["items"][0]["assigned_to"], mine["items"][0]["unread"]) == (person.id, 0)
    assert closed["status"] == "closed"
    assert room_of(owner).status is RoomStatus.CLOSED
    assert agent("GET", f"{ROOMS}?q=absent").get_json()["items"] == []
    assert "support.room_closed" in db.session.scalars(select(AuditEntry.action)).all()


def test_history_goes_back_by_cursor_and_on_from_a_number(owner: User, api_for: ApiFor) -> None:
    agent = api_for(factories.agent())
    path = f"{ROOMS}/{room_of(owner).public_id}/messages"

    newest = agent("GET", f"{path}?limit=2").get_json()
    older = agent("GET", f"{path}?limit=2&cursor={newest['next']}").get_json()
    missed = agent("GET", f"{path}?after=2").get_json()

    assert [row["seq"] for row in newest["items"]] == [2, 3]
    assert ([row["seq"] for row in older["items"]], older["next"]) == ([1], None)
    assert ([row["seq"] for row in missed["items"]], missed["more"], missed["last_seq"]) == ([3], False, 3)


def test_an_answer_sent_twice_is_one_message_by_key_and_by_its_own_name(owner: User, api_for: ApiFor) -> None:
    agent = api_for(factories.agent())
    path = f"{ROOMS}/{room_of(owner).public_id}/messages"
    key, name = {"Idempotency-Key": str(uuid4())}, str(uuid4())

    by_key = [agent("POST", path, json={"body": "Un"}, headers=key).get_json()["id"] for _turn in range(2)]
    by_name = [agent("POST", path, json={"body": "Deux", "client_id": name}).get_json()["id"] for _turn in range(2)]
    blank = agent("POST", path, json={"body": "  "})

    assert by_key[0] == by_key[1] != by_name[0] == by_name[1]
    assert db.session.scalar(select(func.count()).select_from(ChatMessage)) == 5
    assert blank.get_json()["type"] == "/problems/empty-message"


def test_a_note_stays_in_the_house(owner: User, api_for: ApiFor) -> None:
    person = factories.agent()
    agent = api_for(person)
    path = f"{ROOMS}/{room_of(owner).public_id}"

    noted = agent("POST", f"{path}/notes", json={"body": "À rappeler"})
    shown = agent("GET", path).get_json()

    assert noted.status_code == 201
    assert [(row["author_id"], row["body"]) for row in shown["notes"]] == [(person.id, "À rappeler")]
    assert shown["client"] == {"payments": [], "formations": []}
    assert (shown["read_by_team"], shown["last_seq"]) == (0, 3)
    assert agent("PUT", f"{path}/reading", json={"seq": 2}).status_code == 200
    assert agent("GET", path).get_json()["read_by_team"] == 2


def test_who_saw_an_older_state_is_told_that_a_colleague_was_faster(owner: User, api_for: ApiFor) -> None:
    first, second = factories.agent(), factories.agent()
    one, two, room = api_for(first), api_for(second), room_of(owner)
    path = f"{ROOMS}/{room.public_id}"

    taken = one("PUT", f"{path}/assignment", json={"agent_id": first.id, "version": room.version})
    late = two("PUT", f"{path}/assignment", json={"agent_id": second.id, "version": 1})
    student = one("PUT", f"{path}/assignment", json={"agent_id": owner.id, "version": 2})
    long = one("PUT", f"{path}/labels", json={"labels": ["x" * 31], "version": 2})
    labelled = one("PUT", f"{path}/labels", json={"labels": ["vip", " vip "], "version": 2}).get_json()

    assert (taken.status_code, taken.get_json()["assigned_to"]) == (200, first.id)
    assert (late.status_code, late.get_json()["type"]) == (409, "/problems/room-changed")
    assert student.status_code == 404, "a student is nobody's colleague"
    assert long.get_json()["type"] == "/problems/invalid-label"
    assert labelled["labels"] == ["vip"]
    assert room_of(owner).assigned_to_id == first.id


def test_ready_answers_and_colleagues_are_the_teams(owner: User, api_for: ApiFor) -> None:
    person = factories.agent()
    db.session.add(CannedAnswer(shortcut="iban", title="Notre IBAN", body="FR14…"))
    agent, student = api_for(person), api_for(owner)

    answers = agent("GET", "/admin/support/canned-answers").get_json()["items"]
    colleagues = agent("GET", "/admin/support/colleagues").get_json()["items"]

    assert [row["shortcut"] for row in answers] == ["iban"]
    assert [row["id"] for row in colleagues] == [person.id]
    own = f"{ROOMS}/{room_of(owner).public_id}"
    assert {student("GET", path).status_code for path in (ROOMS, own, f"{own}/messages")} == {403}
    assert agent("GET", f"{ROOMS}/{uuid4()}").status_code == 404
