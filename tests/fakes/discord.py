"""Discord's API, as far as the product speaks it: a private channel for a person, then a message into it."""

import itertools
from typing import Any

from tests.fakes.server import Answer, Call, FakeProvider

CONTENT_LIMIT = 2000
TOKEN = "discord-test-token"


class FakeDiscord(FakeProvider):
    """Takes messages for anybody but those in ``closed_to`` (who takes no private messages)."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.closed_to: set[str] = set()
        self._channels: dict[str, str] = {}
        self._by_nonce: dict[str, str] = {}
        self._numbers = itertools.count(900_000_000_000_000_001)

    def answer(self, call: Call) -> Answer:
        """Check token, path, person and content."""
        if call.headers.get("authorization") != f"Bot {TOKEN}":
            return self.fault("401: Unauthorized", 401)
        path = call.path.split("?")[0].rstrip("/")
        if call.method == "POST" and path.endswith("/users/@me/channels"):
            return self._open_channel(call.body or {})
        if call.method == "POST" and path.endswith("/messages"):
            return self._message(path.split("/")[-2], call)
        return self.fault(f"404: no such route {call.method} {path}", 404)

    def to(self, person: str) -> list[dict[str, Any]]:
        """Messages to one person, oldest first."""
        return [message for message in self.sent if message["recipient_id"] == person]

    def clear(self) -> None:
        """Forget everything, reach everybody again."""
        super().clear()
        self.sent.clear()
        self.closed_to.clear()
        self._channels.clear()
        self._by_nonce.clear()

    def _open_channel(self, body: dict[str, Any]) -> Answer:
        person = str(body.get("recipient_id", ""))
        if not person:
            return self.fault("50035: Invalid Form Body: recipient_id")
        channel = f"7{person}"
        self._channels[channel] = person
        return Answer(200, {"id": channel, "type": 1})

    def _message(self, channel: str, call: Call) -> Answer:
        person = self._channels.get(channel)
        if person is None:
            return Answer(404, {"code": 10003, "message": "Unknown Channel"})
        if person in self.closed_to:
            return Answer(403, {"code": 50007, "message": "Cannot send messages to this user"})
        body = call.body if isinstance(call.body, dict) else {}
        content = body.get("content", "")
        if not content and not body.get("embeds"):
            return self.fault("50006: Cannot send an empty message")
        if len(content) > CONTENT_LIMIT:
            return self.fault("50035: Invalid Form Body: content is longer than 2000 characters")
        nonce = str(body.get("nonce") or "")
        if len(nonce) > 25:
            return self.fault("50035: Invalid Form Body: nonce is longer than 25 characters")
        if nonce and body.get("enforce_nonce") and nonce in self._by_nonce:
            return Answer(200, {"id": self._by_nonce[nonce], "channel_id": channel})
        number = str(next(self._numbers))
        if nonce:
            self._by_nonce[nonce] = number
        self.sent.append({**body, "recipient_id": person})
        return Answer(200, {"id": number, "channel_id": channel})

    @staticmethod
    def too_many(retry_after: float) -> Answer:
        """What Discord answers to who is too fast."""
        body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False}
        return Answer(429, body, {"Retry-After": str(retry_after)})
