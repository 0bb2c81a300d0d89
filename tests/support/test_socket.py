"""The namespace ``/support``: what each event answers, and that nobody reaches a foreign room by any of them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from calmness.models.account import User
from calmness.services.account import sessions
from tests import factories
from tests.fixtures.site import Socket

ClientFor = Callable[[User], FlaskClient]
SocketFor = Callable[..., Socket]
SEND = {"client_id": "11111111-1111-4111-8111-111111111111", "body": "Bonjour"}


@pytest.fixture
def new_visitor(site: Flask, socket_for: SocketFor) -> Callable[[], tuple[FlaskClient, Socket]]:
    """Makes browsers that have just opened the widget."""

    def make() -> tuple[FlaskClient, Socket]:
        browser = site.test_client()
        assert browser.post("/support/visitor").status_code == 204
        return browser, socket_for(browser, "/support")

    return make


def test_nobody_comes_in_without_cookie_session_or_token(
    site: Flask, visitor: FlaskClient, socket_for: SocketFor
) -> None:
    assert not socket_for(visitor, "/support").connected
    assert not socket_for(visitor, "/support", auth={"token": "nonsense"}).connected


def test_the_visitors_cookie_is_kept_from_scripts_and_signed(visitor: FlaskClient, socket_for: SocketFor) -> None:
    answer = visitor.post("/support/visitor")

    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    visitor.set_cookie("ct_visitor", "forged")
    assert not socket_for(visitor, "/support").connected


def test_a_bad_token_never_falls_back_to_the_cookie(site: Flask, client_for: ClientFor, socket_for: SocketFor) -> None:
    browser = client_for(factories.student())

    assert not socket_for(browser, "/support", auth={"token": "nonsense"}).connected


def test_visitor_and_agent_talk_live(new_visitor: Any, client_for: ClientFor, socket_for: SocketFor) -> None:
    _browser, visitor = new_visitor()
    agent = socket_for(client_for(factories.agent(first_name="Nadia")), "/support")

    room = visitor.emit("room:open", {})["room"]["id"]
    sent = visitor.emit("message:send", {"room": room, **SEND})
    listed = agent.emit("room:list", {})
    agent.emit("room:open", {"room": room})
    agent.received()
    visitor.received()
    answered = agent.emit("message:send", {"room": room, **SEND, "body": "Bonjour, je vous écoute."})

    assert set(sent) == {"id", "seq", "sent_at"}
    assert (sent["seq"], answered["seq"]) == (1, 2)
    assert [(line["id"], line["unread"]) for line in listed["rooms"]] == [(room, 1)]
    packets = visitor.received()
    news = [packet["args"][0] for packet in packets if packet["name"] == "message:new"]
    assert [(new["message"]["seq"], new["message"]["name"]) for new in news] == [(2, "Nadia")]
    counts = [packet["args"][0]["unread"] for packet in packets if packet["name"] == "room:updated"]
    assert counts == [1]
    assert visitor.emit("message:read", {"room": room, "seq": 2}) == {"unread": 0}
    assert agent.received("message:state")[-1] | {"cause_id": ""} == {
        "room": room,
        "state": "read",
        "side": "owner",
        "seq": 2,
        "cause_id": "",
    }


def test_no_event_opens_a_foreign_room(new_visitor: Any, client_for: ClientFor, socket_for: SocketFor) -> None:
    _browser, owner = new_visitor()
    room = owner.emit("room:open", {})["room"]["id"]
    owner.emit("message:send", {"room": room, **SEND})
    strangers = [new_visitor()[1], socket_for(client_for(factories.student()), "/support")]
    events: list[tuple[str, dict[str, Any]]] = [
        ("room:open", {"room": room}),
        ("room:history", {"room": room, "after_seq": 0}),
        ("message:send", {"room": room, **SEND}),
        ("message:read", {"room": room, "seq": 1}),
        ("typing", {"room": room, "on": True}),
        ("room:list", {}),
        ("room:assign", {"room": room, "version": 1}),
        ("room:label", {"room": room, "labels": [], "version": 1}),
        ("room:close", {"room": room, "version": 1}),
        ("note:send", {"room": room, "body": "?"}),
    ]

    for stranger in strangers:
        answers = [stranger.emit(name, data)["error"]["type"] for name, data in events]

        assert set(answers) == {"not-found", "forbidden"}
    owner.received()
    owner.emit("message:send", {"room": room, **SEND, "client_id": "22222222-2222"})
    assert [stranger.received("message:new") for stranger in strangers] == [[], []]


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("message:send", None),
        ("message:send", "text"),
        ("message:send", {"room": "x" * 36, "client_id": "short", "body": "a"}),
        ("message:send", {"room": "x" * 36, "client_id": "12345678", "body": None}),
        ("message:send", {"room": "x" * 36, "client_id": "12345678", "body": "a", "more": 1}),
        ("message:read", {"room": "x" * 36, "seq": -1}),
        ("message:read", {"room": "x" * 36, "seq": "1"}),
        ("room:history", {"room": ["x"], "after_seq": 0}),
        ("typing", {}),
    ],
)
def test_malformed_events_are_answered_too(new_visitor: Any, event: str, data: Any) -> None:
    _browser, visitor = new_visitor()

    assert visitor.emit(event, data)["error"]["type"] == "invalid"


def test_a_read_mark_beyond_the_end_is_capped(new_visitor: Any) -> None:
    _browser, visitor = new_visitor()
    room = visitor.emit("room:open", {})["room"]["id"]

    assert visitor.emit("message:read", {"room": room, "seq": 10**12}) == {"unread": 0}
    assert visitor.emit("room:history", {"room": room})["read"]["owner"] == 0


def test_the_log_out_ends_the_socket(client_for: ClientFor, socket_for: SocketFor, new_visitor: Any) -> None:
    agent = factories.agent()
    socket = socket_for(client_for(agent), "/support")
    _browser, visitor = new_visitor()
    room = visitor.emit("room:open", {})["room"]["id"]
    socket.emit("room:open", {"room": room})

    sessions.revoke_all(agent.id, "log_out")
    visitor.emit("message:send", {"room": room, **SEND})

    assert not socket.connected


def test_a_note_never_reaches_the_visitor(new_visitor: Any, client_for: ClientFor, socket_for: SocketFor) -> None:
    _browser, visitor = new_visitor()
    nadia = socket_for(client_for(factories.agent()), "/support")
    paul = socket_for(client_for(factories.admin()), "/support")
    room = visitor.emit("room:open", {})["room"]["id"]
    visitor.emit("message:send", {"room": room, **SEND})
    nadia.emit("room:open", {"room": room})
    for socket in (visitor, paul):
        socket.received()

    nadia.emit("note:send", {"room": room, "body": "Déjà remboursé en mai."})

    assert "remboursé" not in str(visitor.received())
    assert "remboursé" not in str(visitor.emit("room:history", {"room": room}))
    assert "remboursé" not in str(visitor.emit("room:open", {}))
    assert paul.received("note:new")[0]["note"]["body"] == "Déjà remboursé en mai."


def test_typing_is_told_to_the_other_side_only(new_visitor: Any, client_for: ClientFor, socket_for: SocketFor) -> None:
    _browser, visitor = new_visitor()
    agent = socket_for(client_for(factories.agent()), "/support")
    room = visitor.emit("room:open", {})["room"]["id"]
    agent.emit("room:open", {"room": room})

    visitor.emit("typing", {"room": room, "on": True})

    assert agent.received("typing")[0]["side"] == "owner"
    assert visitor.received("typing") == []


def test_presence_is_told_and_ends_with_the_socket(
    new_visitor: Any, client_for: ClientFor, socket_for: SocketFor
) -> None:
    _browser, visitor = new_visitor()
    room = visitor.emit("room:open", {})["room"]["id"]
    agent = socket_for(client_for(factories.agent()), "/support")
    agent.emit("room:open", {"room": room})
    assert visitor.received("presence")[-1]["staff"]

    agent.disconnect()

    assert not visitor.received("presence")[-1]["staff"]


def test_without_redis_the_chat_goes_on(site: Flask, new_visitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from calmness.extensions import work_queue

    _browser, visitor = new_visitor()
    monkeypatch.setattr(work_queue, "_redis", None)

    opened = visitor.emit("room:open", {})

    assert visitor.emit("message:send", {"room": opened["room"]["id"], **SEND})["seq"] == 1
