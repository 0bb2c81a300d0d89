"""Discord: a direct message by the bot. ``nonce`` makes a repeated send give the first message back."""

import hashlib
from dataclasses import dataclass

import requests

from calmness.channels import Message, Outcome, OutcomeKind
from calmness.channels.http import failed, json_of, post, too_many

CANNOT_SEND_TO_USER = 50007


@dataclass(frozen=True)
class DiscordSettings:
    """Bot and address of the API."""

    token: str
    api_url: str = "https://discord.com/api/v10"


class DiscordClient:
    """Opens the direct channel of a person, then writes."""

    def __init__(self, settings: DiscordSettings) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._headers = {"Authorization": f"Bot {settings.token}"}

    def send(self, message: Message, address: str, *, idempotency_key: str) -> Outcome:
        """Send to the person whose Discord id is ``address``."""
        opened = self._call("/users/@me/channels", {"recipient_id": address})
        if isinstance(opened, Outcome):
            return opened
        nonce = hashlib.sha256(idempotency_key.encode()).hexdigest()[:25]
        sent = self._call(
            f"/channels/{opened['id']}/messages",
            {
                "content": f"**{message.subject}**\n{message.text}"[:2000],
                "nonce": nonce,
                "enforce_nonce": True,
                "allowed_mentions": {"parse": []},
            },
        )
        if isinstance(sent, Outcome):
            return sent
        return Outcome(OutcomeKind.OK, provider_id=str(sent["id"]), code="200")

    def _call(self, path: str, body: dict[str, object]) -> dict[str, object] | Outcome:
        answer = post(self._session, self._settings.api_url + path, body, self._headers)
        if isinstance(answer, Outcome):
            return answer
        content = json_of(answer)
        if answer.ok and "id" in content:
            return content
        if answer.status_code == 429:
            return too_many(answer, content.get("retry_after"))
        if content.get("code") == CANNOT_SEND_TO_USER:
            return Outcome(OutcomeKind.UNLINK, code=str(CANNOT_SEND_TO_USER))
        return failed(answer, content.get("code"))
