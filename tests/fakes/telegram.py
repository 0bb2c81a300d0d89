"""Telegram's Bot API, as far as the product speaks it."""

import itertools
from typing import Any

from tests.fakes.server import Answer, Call, FakeProvider

TEXT_LIMIT = 4096
TOKEN = "123456:test-token"
SIGNALS_CHAT = "-1001234567890"


class FakeTelegram(FakeProvider):
    """Takes messages for any chat but those in ``blocked_by`` (bot blocked) and ``unknown`` (no such chat).

    Keeps a private channel: ``invitations`` by link, ``members``, ``banned``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.blocked_by: set[str] = set()
        self.unknown: set[str] = set()
        self.invitations: dict[str, bool] = {}
        self.members: set[int] = set()
        self.banned: set[int] = set()
        self._numbers = itertools.count(1)

    def answer(self, call: Call) -> Answer:
        """Check token, method, chat and text."""
        prefix, _, method = call.path.rpartition("/")
        if prefix != f"/bot{TOKEN}":
            return self._refuse(401, "Unauthorized")
        if method in {"getMe", "setWebhook", "deleteWebhook", "setMyCommands", "answerCallbackQuery"}:
            me = {"id": 123456, "is_bot": True, "first_name": "Calmness", "username": "calmness_test_bot"}
            return Answer(200, {"ok": True, "result": me if method == "getMe" else True})
        if method in {"createChatInviteLink", "revokeChatInviteLink", "banChatMember", "unbanChatMember"}:
            return self._channel(method, call.body if isinstance(call.body, dict) else {})
        if method not in {"sendMessage", "sendDocument", "sendPhoto"}:
            return self._refuse(404, f"Not Found: method {method!r}")
        if method != "sendMessage":
            return self._accept({"method": method})
        if not isinstance(call.body, dict):
            return self._refuse(400, "Bad Request: message text is empty")
        return self._message(call.body)

    def to(self, chat_id: str | int) -> list[dict[str, Any]]:
        """Messages to one chat, oldest first."""
        return [message for message in self.sent if str(message.get("chat_id")) == str(chat_id)]

    def clear(self) -> None:
        """Forget everything, take every chat again."""
        super().clear()
        self.sent.clear()
        self.blocked_by.clear()
        self.unknown.clear()
        self.invitations.clear()
        self.members.clear()
        self.banned.clear()

    def join(self, link: str, user_id: int) -> bool:
        """A person follows a link: it works once, while it is open, for who is not banned."""
        if not self.invitations.get(link) or user_id in self.banned:
            return False
        self.invitations[link] = False
        self.members.add(user_id)
        return True

    def _channel(self, method: str, body: dict[str, Any]) -> Answer:
        if body.get("chat_id") != SIGNALS_CHAT:
            return self._refuse(400, "Bad Request: chat not found")
        if method == "createChatInviteLink":
            if body.get("member_limit") != 1 or len(str(body.get("name", ""))) > 32:
                return self._refuse(400, "Bad Request: an invitation of the school is for one person")
            link = f"https://t.me/+{next(self._numbers):08d}"
            self.invitations[link] = True
            return Answer(200, {"ok": True, "result": {"invite_link": link, "member_limit": 1}})
        if method == "revokeChatInviteLink":
            if body.get("invite_link") not in self.invitations:
                return self._refuse(400, "Bad Request: INVITE_HASH_EXPIRED")
            self.invitations[body["invite_link"]] = False
            return Answer(200, {"ok": True, "result": {}})
        user_id = body.get("user_id")
        if not isinstance(user_id, int):
            return self._refuse(400, "Bad Request: invalid user_id specified")
        if method == "banChatMember":
            self.members.discard(user_id)
            self.banned.add(user_id)
        else:
            if not body.get("only_if_banned") and user_id in self.members:
                return self._refuse(400, "unbanChatMember without only_if_banned throws a member out")
            self.banned.discard(user_id)
        return Answer(200, {"ok": True, "result": True})

    def _message(self, body: dict[str, Any]) -> Answer:
        chat = str(body.get("chat_id", ""))
        text = body.get("text")
        if chat in self.blocked_by:
            return self._provider_error(403, "Forbidden: bot was blocked by the user")
        if chat in self.unknown or not chat:
            return self._provider_error(400, "Bad Request: chat not found")
        if not text or not str(text).strip():
            return self._refuse(400, "Bad Request: message text is empty")
        if len(text) > TEXT_LIMIT:
            return self._refuse(400, "Bad Request: message is too long")
        if body.get("parse_mode") not in {None, "HTML", "MarkdownV2"}:
            return self._refuse(400, "Bad Request: unsupported parse_mode")
        return self._accept(body)

    def _accept(self, body: dict[str, Any]) -> Answer:
        self.sent.append(body)
        return Answer(200, {"ok": True, "result": {"message_id": next(self._numbers)}})

    def _refuse(self, status: int, description: str) -> Answer:
        self.faults.append(description)
        return self._provider_error(status, description)

    @staticmethod
    def _provider_error(status: int, description: str) -> Answer:
        return Answer(status, {"ok": False, "error_code": status, "description": description})

    @staticmethod
    def too_many(retry_after: int) -> Answer:
        """What Telegram answers to who is too fast."""
        body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {}}
        body["parameters"] = {"retry_after": retry_after}
        return Answer(429, body)
