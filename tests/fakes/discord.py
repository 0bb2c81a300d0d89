"""Discord, as far as the product speaks it: its own page that asks a person, OAuth2 tokens, private messages."""

import base64
import hashlib
import itertools
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.fakes.server import Answer, Call, FakeProvider

CONTENT_LIMIT = 2000
TOKEN = "discord-test-token"
CLIENT_ID = "118700000000000001"
CLIENT_SECRET = "discord-client-secret"
REDIRECT_URI = "http://localhost/espace/profil/discord/retour"
_BASIC = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()


class FakeDiscord(FakeProvider):
    """Takes messages for anybody but those in ``closed_to`` (who takes no private messages)."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.closed_to: set[str] = set()
        self.person: dict[str, Any] = {"id": "80351110224678912", "username": "zoe", "global_name": "Zoé F."}
        self.live_tokens: set[str] = set()
        self._codes: dict[str, str] = {}
        self._channels: dict[str, str] = {}
        self._by_nonce: dict[str, str] = {}
        self._numbers = itertools.count(900_000_000_000_000_001)

    def answer(self, call: Call) -> Answer:
        """Check token, path, person and content."""
        route = (call.method, urlsplit(call.path).path)
        if route == ("GET", "/oauth2/authorize"):
            return self._ask_person(parse_qs(urlsplit(call.path).query))
        if route[0] == "POST" and route[1].startswith("/api/v10/oauth2/token"):
            return self._token(route[1].removeprefix("/api/v10/oauth2/"), call)
        if route == ("GET", "/api/v10/users/@me"):
            known = call.headers.get("authorization", "").removeprefix("Bearer ") in self.live_tokens
            return Answer(200, self.person) if known else self.fault("401: Unauthorized", 401)
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
        self.live_tokens.clear()
        self._codes.clear()
        self.person = {"id": "80351110224678912", "username": "zoe", "global_name": "Zoé F."}
        self.closed_to.clear()
        self._channels.clear()
        self._by_nonce.clear()

    def _ask_person(self, query: dict[str, list[str]]) -> Answer:
        """The page on which the person says yes; it sends the browser back with a code."""
        asked = {name: values[0] for name, values in query.items()}
        if asked.get("client_id") != CLIENT_ID or asked.get("redirect_uri") != REDIRECT_URI:
            return self.fault("Invalid OAuth2 redirect_uri")
        if asked.get("response_type") != "code" or asked.get("scope") != "identify":
            return self.fault("The requested scope is invalid")
        if asked.get("code_challenge_method") != "S256" or not re.fullmatch(
            r"[\w-]{43}", asked.get("code_challenge", "")
        ):
            return self.fault("PKCE is missing")
        if len(asked.get("state", "")) < 32:
            return self.fault("state can be guessed")
        code = f"code-{next(self._numbers)}"
        self._codes[code] = asked["code_challenge"]
        query_back = urlencode({"code": code, "state": asked["state"]})
        return Answer(302, None, {"Location": f"{REDIRECT_URI}?{query_back}"})

    def _token(self, act: str, call: Call) -> Answer:
        form = dict(parse_qsl(call.raw.decode()))
        if call.headers.get("authorization") != _BASIC:
            return self.fault("invalid_client", 401)
        if "x-www-form-urlencoded" not in call.headers.get("content-type", ""):
            return self.fault("OAuth2 takes forms only")
        if act == "token/revoke":
            self.live_tokens.discard(form.get("token", ""))
            return Answer(200, {})
        if form.get("grant_type") != "authorization_code" or form.get("redirect_uri") != REDIRECT_URI:
            return self.fault("unsupported_grant_type")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = self._codes.pop(form.get("code", ""), None)
        if challenge != base64.urlsafe_b64encode(digest).rstrip(b"=").decode():
            return Answer(400, {"error": "invalid_grant", "error_description": 'Invalid "code" in request.'})
        token = f"token-{next(self._numbers)}"
        self.live_tokens.add(token)
        return Answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 604800, "scope": "identify"})

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
