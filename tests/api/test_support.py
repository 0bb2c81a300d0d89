"""A program talks with the school: for its owner, and for somebody without an account."""

import uuid
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.support import ChatMessage, ChatRoom, RoomStatus
from calmness.services.account import api_tokens
from calmness.services.support import chat_messages
from calmness.services.support.chat_rooms import Person
from tests import factories
from tests.api.conftest import ApiFor

MESSAGES = "/me/support/messages"


def answer(room: str, body: str = "Bonjour, oui.") -> ChatMessage:
    """An answer of the team."""
    message = chat_messages.send(Person(factories.agent()), room, client_id=str(uuid.uuid4()), body=body)
    db.session.commit()
    return message


def test_a_message_is_written_answered_and_read(api_for: ApiFor) -> None:
    call = api_for(factories.student())
    nothing = call("GET", "/me/support").get_json()

    sent = call("POST", MESSAGES, json={"body": "  Bonjour\x07 !\r\n"}).get_json()
    room = sent["room"]
    answer(room)
    state = call("GET", "/me/support").get_json()
    messages = call("GET", f"/me/support/rooms/{room}/messages").get_json()
    marked = call("PUT", f"/me/support/rooms/{room}/reading", json={"seq": 2}).get_json()
    back = call("PUT", f"/me/support/rooms/{room}/reading", json={"seq": 1}).get_json()

    assert (nothing["room"], nothing["unread"]) == (None, 0)
    assert nothing["hours"]
    assert (sent["seq"], sent["body"], sent["kind"]) == (1, "Bonjour !", "user")
    assert (state["unread"], state["room"]["last_seq"], state["room"]["read_seq"]) == (1, 2, 0)
    assert [(row["kind"], row["body"]) for row in messages["items"]] == [
        ("user", "Bonjour !"),
        ("agent", "Bonjour, oui."),
    ]
    assert (messages["last_seq"], messages["next"]) == (2, None)
    assert marked == back == {"read_seq": 2, "unread": 0}
    assert db.session.scalars(select(ChatMessage.body).order_by(ChatMessage.seq)).all() == [
        "Bonjour !",
        "Bonjour, oui.",
    ]


def test_the_same_client_id_and_the_same_key_are_the_same_message(api_for: ApiFor) -> None:
    call, body = api_for(factories.student()), {"body": "Bonjour", "client_id": "0123456789ab"}
    key = {"Idempotency-Key": "0123456789abcdef"}

    by_id = [call("POST", MESSAGES, json=body).get_json()["id"] for _time in range(2)]
    by_key = [call("POST", MESSAGES, json={"body": "Encore"}, headers=key).get_json()["id"] for _time in range(2)]

    assert (len(set(by_id)), len(set(by_key))) == (1, 1)
    assert len(db.session.scalars(select(ChatMessage.id)).all()) == 2


def test_a_long_conversation_is_walked_both_ways_without_a_hole(api_for: ApiFor) -> None:
    call = api_for(factories.student())
    written = [call("POST", MESSAGES, json={"body": f"numéro {number}"}).get_json() for number in range(1, 8)]
    room = written[0]["room"]
    address = f"/me/support/rooms/{room}/messages"

    page = call("GET", f"{address}?after_seq=0&limit=3").get_json()
    forwards = [row["seq"] for row in page["items"]]
    while page["next"]:
        page = call("GET", f"{address}?after_seq={page['next']}&limit=3").get_json()
        forwards += [row["seq"] for row in page["items"]]
    page = call("GET", f"{address}?limit=3").get_json()
    backwards = [row["seq"] for row in page["items"]]
    while page["next"]:
        page = call("GET", f"{address}?limit=3&before_seq={page['next']}").get_json()
        backwards = [row["seq"] for row in page["items"]] + backwards

    assert forwards == backwards == list(range(1, 8))


def test_past_conversations_come_by_cursor(api_for: ApiFor) -> None:
    call, rooms = api_for(factories.student()), []
    for _number in range(3):
        rooms.append(call("POST", MESSAGES, json={"body": "Bonjour"}).get_json()["room"])
        room = db.session.scalars(select(ChatRoom).filter_by(public_id=rooms[-1])).one()
        room.status, room.closed_at = RoomStatus.CLOSED, clock.now() - timedelta(days=8)
        db.session.commit()

    first = call("GET", "/me/support/rooms?limit=2").get_json()
    second = call("GET", f"/me/support/rooms?limit=2&cursor={first['next']}").get_json()
    over = call("POST", MESSAGES, json={"body": "Encore", "room": rooms[0]})

    assert [row["id"] for row in first["items"] + second["items"]] == rooms[::-1]
    assert (second["next"], first["items"][0]["status"]) == (None, "closed")
    assert (over.status_code, over.get_json()["type"]) == (409, "/problems/room-closed")


@pytest.mark.parametrize("body", ["   ", "", "x" * 4001, 5, None])
def test_what_is_no_message_is_refused(api_for: ApiFor, body: object) -> None:
    refused = api_for(factories.student())("POST", MESSAGES, json={"body": body})

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.get_json()["errors"]] == ["#/body"]
    assert db.session.scalars(select(ChatMessage.id)).all() == []


@pytest.mark.parametrize("role", ["student", "agent", "admin"])
def test_another_ones_conversation_is_absent_for_the_team_too(api_for: ApiFor, role: str) -> None:
    room = api_for(factories.student())("POST", MESSAGES, json={"body": "Bonjour"}).get_json()["room"]
    call = api_for(getattr(factories, role)())

    answers = [
        call("GET", f"/me/support/rooms/{room}/messages"),
        call("PUT", f"/me/support/rooms/{room}/reading", json={"seq": 1}),
        call("POST", MESSAGES, json={"body": "Je suis vous", "room": room}),
    ]

    assert {found.status_code for found in answers} == {404}
    assert call("GET", "/me/support/rooms").get_json()["items"] == []
    assert len(db.session.scalars(select(ChatMessage.id)).all()) == 1


def test_a_token_that_may_read_does_not_write(visitor: FlaskClient) -> None:
    _token, text = api_tokens.create(factories.student(), "Lecteur", ["support:read"], 7)
    db.session.commit()
    headers = {"Authorization": f"Bearer {text}"}

    read = visitor.get("/api/v1/me/support", headers=headers)
    written = visitor.post("/api/v1/me/support/messages", json={"body": "Bonjour"}, headers=headers)
    elsewhere = visitor.get("/api/v1/me/trading/trades", headers=headers)

    assert (read.status_code, written.status_code, elsewhere.status_code) == (200, 403, 403)
    assert written.get_json()["type"] == "/problems/insufficient-scope"


def test_a_visitor_writes_by_a_token_and_nobody_without_it(site: Flask, visitor: FlaskClient) -> None:
    token = visitor.post("/api/v1/support/visitors").get_json()["token"]
    mine = {"Visitor-Token": token}

    without = visitor.post("/api/v1/support/messages", json={"body": "Bonjour"})
    forged = visitor.post("/api/v1/support/messages", json={"body": "x"}, headers={"Visitor-Token": token[:-2]})
    wrong = visitor.post("/api/v1/support/messages", json={"body": "Bonjour", "email": "là-bas"}, headers=mine)
    sent = visitor.post(
        "/api/v1/support/messages", json={"body": "Bonjour", "name": "Zoé", "email": "zoe@example.test"}, headers=mine
    )
    room = sent.get_json()["room"]
    answer(room)
    address = f"/api/v1/support/rooms/{room}"

    assert (without.status_code, forged.status_code, sent.status_code) == (403, 403, 201)
    assert (wrong.status_code, wrong.get_json()["errors"][0]["pointer"]) == (422, "#/email")
    found = db.session.scalars(select(ChatRoom)).one()
    assert (found.user_id, found.visitor_name, found.visitor_email) == (None, "Zoé", "zoe@example.test")
    assert visitor.get("/api/v1/support", headers=mine).get_json()["unread"] == 1
    assert visitor.get("/api/v1/support").get_json()["room"] is None
    assert len(visitor.get(f"{address}/messages", headers=mine).get_json()["items"]) == 2
    assert visitor.get(f"{address}/messages").status_code == 404
    marked = visitor.put(f"{address}/reading", json={"seq": 9}, headers=mine)
    assert marked.get_json() == {"read_seq": 2, "unread": 0}


def test_what_a_visitor_wrote_is_taken_along_into_the_account(visitor: FlaskClient, api_for: ApiFor) -> None:
    mine = {"Visitor-Token": visitor.post("/api/v1/support/visitors").get_json()["token"]}
    before = visitor.post("/api/v1/support/messages", json={"body": "Bonjour"}, headers=mine).get_json()
    user = factories.student()

    after = api_for(user)("POST", MESSAGES, json={"body": "C’est moi"}, headers=mine).get_json()

    assert (after["room"], after["seq"]) == (before["room"], 2)
    assert db.session.scalars(select(ChatRoom.user_id)).one() == user.id
    assert visitor.get("/api/v1/support/rooms", headers=mine).get_json()["items"] == []
