"""Real Socket.IO clients against the real web process: order, one message however often sent, and ``kill -9``."""

import gc
import os
import signal
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.support import ChatMessage, ChatRoom
from calmness.services.account import sessions
from tests import factories
from tests.fixtures.live import LiveSite, session_cookies, wait_until
from tests.support.chat_client import NAMESPACE, Client, visitor_cookies

pytestmark = [
    pytest.mark.live,
    # The client leaves the socket of a killed server to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
def connect(live_site: LiveSite) -> Iterator[Callable[[dict[str, str]], Client]]:
    """Makes clients of the open house."""
    made: list[Client] = []

    def make(cookies: dict[str, str]) -> Client:
        made.append(Client(live_site.url, cookies))
        return made[-1]

    yield make
    for client in made:
        client.io.disconnect()
    made.clear()
    gc.collect()


def team(live_site: LiveSite, *names: str) -> list[dict[str, str]]:
    """Cookies of new agents."""
    with live_site.inside():
        people = [factories.agent(first_name=name, email=f"{uuid.uuid4().hex}@example.test") for name in names]
        return [session_cookies(live_site, person) for person in people]


def test_visitor_and_two_agents_read_the_same_order(live_site: LiveSite, connect: Callable[..., Client]) -> None:
    visitor = connect(visitor_cookies(live_site))
    room = visitor.open()["room"]["id"]
    agents = [connect(cookies) for cookies in team(live_site, "Nadia", "Paul")]
    for agent in agents:
        agent.open(room)

    writers = [
        threading.Thread(target=lambda who=who, name=name: [who.send(f"{name} {n}") for n in range(25)])
        for name, who in (("visitor", visitor), ("nadia", agents[0]), ("paul", agents[1]))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    told = visitor.history()
    assert [message["seq"] for message in told] == list(range(1, 76))
    assert [client.history() for client in agents] == [told, told]
    for name in ("visitor", "nadia", "paul"):
        own = [message["body"] for message in told if message["body"].startswith(name)]
        assert own == [f"{name} {n}" for n in range(25)]
    wait_until(lambda: {news["message"]["seq"] for news in visitor.news} == set(range(1, 76)), seconds=30)


def test_pipelined_messages_of_one_client_keep_their_order(live_site: LiveSite, connect: Callable[..., Client]) -> None:
    visitor = connect(visitor_cookies(live_site))
    visitor.open()

    for number in range(200):
        data = {"room": visitor.room, "client_id": str(uuid.uuid4()), "body": str(number)}
        visitor.io.emit("message:send", data, namespace=NAMESPACE)

    # What is told costs nothing to wait for; to ask for the history again and again kept the server busy.
    wait_until(lambda: len(visitor.news) >= 200, seconds=60)
    assert [message["body"] for message in visitor.history()] == [str(number) for number in range(200)]


def test_nothing_is_lost_or_doubled_when_the_web_process_is_killed(
    live_site: LiveSite, connect: Callable[..., Client]
) -> None:
    visitor = connect(visitor_cookies(live_site))
    room = visitor.open()["room"]["id"]
    sent: list[str] = []
    finished = threading.Event()

    def write() -> None:
        for number in range(80):
            sent.append(str(number))
            visitor.send(str(number))
        finished.set()

    writer = threading.Thread(target=write)
    writer.start()
    # Once: a second death would meet the same client in the same state, and costs the start of a web process.
    wait_until(lambda: len(sent) > 30, seconds=90)
    os.kill(live_site.house.pid_of("web"), signal.SIGKILL)
    writer.join(timeout=400)

    assert finished.is_set()
    wait_until(lambda: visitor.io.connected and NAMESPACE in visitor.io.namespaces, seconds=60)
    assert [message["body"] for message in visitor.history()] == sent
    with live_site.inside():
        rows = db.session.scalars(
            select(ChatMessage.seq).join(ChatRoom).where(ChatRoom.public_id == room).order_by(ChatMessage.seq)
        )
        assert list(rows) == list(range(1, 81))


def test_a_message_resent_after_the_reconnect_is_the_same(live_site: LiveSite, connect: Callable[..., Client]) -> None:
    cookies = visitor_cookies(live_site)
    first, second = connect(cookies), connect(cookies)
    first.open()
    second.open()
    same = str(uuid.uuid4())

    answers = [client.send("Bonjour", same) for client in (first, second, first)]

    assert answers[0] == answers[1] == answers[2]
    assert len(first.history()) == 1


def test_the_log_out_ends_a_live_socket(live_site: LiveSite, connect: Callable[..., Client]) -> None:
    with live_site.inside():
        nadia = factories.agent(email=f"{uuid.uuid4().hex}@example.test")
        nadia_id, cookies = nadia.id, session_cookies(live_site, nadia)
    agent = connect(cookies)
    visitor = connect(visitor_cookies(live_site))
    agent.open(visitor.open()["room"]["id"])

    with live_site.inside():
        sessions.revoke_all(nadia_id, "log_out")
    wait_until(lambda: NAMESPACE not in agent.io.namespaces)
    visitor.send("Il y a quelqu’un ?")

    wait_until(lambda: len(visitor.news) == 1)
    assert agent.news == []
