"""Those who work on while the house breaks: they try again as a browser, an EA or a person does."""

import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import requests

from calmness.models.account import User
from tests.fixtures.live import LiveSite, session_cookies

PATIENCE = 120.0
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


def patiently(send: Callable[[], requests.Response]) -> requests.Response:
    """Try until somebody answers. A house that answers must not answer with a fault of its own."""
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            answer = send()
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            # Nobody there, or killed in the middle of the answer.
            assert time.monotonic() < give_up_at, "nobody answers"
            threading.Event().wait(0.05)
            continue
        assert answer.status_code < 500, f"{answer.status_code}: {answer.text[:300]}"
        return answer


class Person:
    """A browser of somebody who is logged in, or of a visitor."""

    def __init__(self, site: LiveSite, user: User | None = None) -> None:
        self.url = site.url
        self.session = requests.Session()
        self.session.headers["User-Agent"] = FIREFOX
        if user is not None:
            for name, value in session_cookies(site, user).items():
                # With its host, so that the site's own answer replaces it.
                self.session.cookies.set(name, value, domain="127.0.0.1", path="/")
        self._token = ""

    def get(self, path: str) -> requests.Response:
        """Look at a page."""
        return patiently(lambda: self.session.get(self.url + path, timeout=60, allow_redirects=False))

    def post(self, path: str, data: dict[str, Any], *, page: str) -> requests.Response:
        """Send a form of a page."""
        if not self._token:
            found = TOKEN.search(self.get(page).text)
            assert found is not None
            self._token = found[1]
        body = {**data, "csrf_token": self._token}
        return patiently(
            lambda: self.session.post(self.url + path, data=body, timeout=60, allow_redirects=False),
        )


class Terminal:
    """A MetaTrader with our EA: sends a batch until it is taken, then the next."""

    def __init__(self, site: LiveSite, key: str) -> None:
        self.url = site.url
        self.session = requests.Session()
        self.session.headers["X-API-Key"] = key
        self.ticket = 0

    def sync(self, count: int) -> dict[str, Any]:
        """Send the next trades."""
        now = int(time.time())
        trades = [self._trade(now) for _ in range(count)]
        body = {
            "v": 2,
            "batch_id": uuid.uuid4().hex,
            "ea": "2.0.0",
            "account": {"login": "5012345", "server": "Broker-Demo"},
            "clock": {"gmt": now, "server": now + 7200, "server_age_s": 1},
            "trades": trades,
        }
        answer = patiently(lambda: self.session.post(f"{self.url}/ea/v1/sync", json=body, timeout=60))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def _trade(self, now: int) -> dict[str, Any]:
        self.ticket += 1
        closed = now + 7200 - 86_400 + self.ticket
        return {
            "ticket": str(self.ticket),
            "type": self.ticket % 2,
            "lots": "0.10",
            "symbol": "EURUSD",
            "open_time": closed - 600,
            "close_time": closed,
            "open_price": "1.10000",
            "close_price": "1.10100",
            "profit": "10.00",
        }
