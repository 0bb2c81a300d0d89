"""A Socket.IO client of the chat, and the cookies of a visitor who uses it."""

import threading
import time
import uuid
from typing import Any

import requests
import socketio

from tests.fixtures.live import LiveSite

NAMESPACE = "/support"


class Client:
    """A Socket.IO client as our scripts are one: resends what was not answered, asks for what it missed."""

    def __init__(self, url: str, cookies: dict[str, str]) -> None:
        self.url, self.cookies = url, cookies
        self.news: list[dict[str, Any]] = []
        self.io = socketio.Client(reconnection=True, reconnection_delay=0.1, reconnection_delay_max=0.5)
        self.io.on("message:new", self.news.append, namespace=NAMESPACE)
        self.room = ""

    def open(self, room: str | None = None) -> dict[str, Any]:
        """Connect and enter a room."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.io.connect(
            self.url, headers={"Cookie": cookie}, namespaces=[NAMESPACE], transports=["websocket"], wait_timeout=30
        )
        answer = self.ask("room:open", {"room": room} if room else {})
        self.room = answer["room"]["id"]
        return answer

    def ask(self, event: str, data: dict[str, Any], timeout: float = 30) -> dict[str, Any]:
        """Send an event and wait for its answer."""
        answer: dict[str, Any] = self.io.call(event, data, namespace=NAMESPACE, timeout=timeout)
        return answer

    def send(self, body: str, client_id: str | None = None) -> dict[str, Any]:
        """Send a message until it is answered, whatever happens on the way."""
        data = {"room": self.room, "client_id": client_id or str(uuid.uuid4()), "body": body, "attachments": []}
        give_up_at = time.monotonic() + 240
        while time.monotonic() < give_up_at:
            try:
                answer = self.ask("message:send", data, timeout=2)
            except (socketio.exceptions.TimeoutError, socketio.exceptions.BadNamespaceError):
                threading.Event().wait(0.1)
                continue
            if "error" not in answer:
                return answer
            threading.Event().wait(0.1)
        raise AssertionError("never acknowledged")

    def history(self) -> list[dict[str, Any]]:
        """All messages of the room."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["seq"] if found else 0
            page = self.ask("room:history", {"room": self.room, "after_seq": after})
            found += page["messages"]
            if not page["more"]:
                return found


def visitor_cookies(live_site: LiveSite) -> dict[str, str]:
    """Cookies of a browser that has opened the widget."""
    with requests.Session() as browser:
        token = browser.get(f"{live_site.url}/support/jeton", timeout=60).json()["csrf_token"]
        answer = browser.post(f"{live_site.url}/support/visitor", headers={"X-CSRFToken": token}, timeout=60)
        assert answer.status_code == 204
        return {"ct_visitor": str(browser.cookies["ct_visitor"])}
