"""A device that its owner ends is out of pages, API and sockets of the open house, also on another node."""

import threading
import uuid
from collections.abc import Iterator

import pytest
import requests
import socketio

from calmness.extensions import db
from calmness.models.account import AuthSession, User
from calmness.services.account import jwt_tokens, sessions
from tests import factories
from tests.fixtures.live import LiveSite, session_cookies, wait_until

pytestmark = [
    pytest.mark.live,
    # The client leaves its socket to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
LIVE = "/live"


@pytest.fixture
def socket() -> Iterator[socketio.Client]:
    """A client that does not come back by itself."""
    client = socketio.Client(reconnection=False)
    yield client
    client.disconnect()


def newest(user_id: int) -> AuthSession:
    rows = db.session.query(AuthSession).filter_by(user_id=user_id).order_by(AuthSession.created_at.desc())
    return rows.first() or pytest.fail("no session")


def test_an_end_is_an_end_everywhere_at_once(live_site: LiveSite, socket: socketio.Client) -> None:
    with live_site.inside():
        user = factories.student(email=f"{uuid.uuid4().hex}@example.test")
        user_id, cookies = user.id, session_cookies(live_site, user)
        device = newest(user_id)
        session_id, token = device.id, jwt_tokens.issue_access(device)
    out = threading.Event()
    socket.on("disconnect", lambda *_reason: out.set(), namespace=LIVE)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    socket.connect(
        live_site.url, headers={"Cookie": cookie}, namespaces=[LIVE], transports=["websocket"], wait_timeout=60
    )

    def page() -> int:
        answer = requests.get(f"{live_site.url}/espace/profil", cookies=cookies, allow_redirects=False, timeout=60)
        return answer.status_code

    def api() -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{live_site.url}/api/v1/me", headers=headers, timeout=60).status_code

    assert (page(), api(), out.is_set()) == (200, 200, False)
    with live_site.inside():
        sessions.revoke_own(db.session.get_one(User, user_id), session_id)

    # The very next request, not some time later; the socket is cut by an event that travels between the nodes.
    assert (page(), api()) == (302, 401)
    wait_until(out.is_set)


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://127.0.0.1.evil.test"])
def test_a_socket_is_opened_from_our_own_pages_only(live_site: LiveSite, origin: str) -> None:
    path = f"{live_site.url}/socket.io/?EIO=4&transport=polling"

    foreign = requests.get(path, headers={"Origin": origin}, timeout=60)
    own = requests.get(path, headers={"Origin": live_site.url}, timeout=60)

    assert (foreign.status_code, own.status_code) == (400, 200)
