"""Telegram Bot API: ``sendMessage`` to a chat that the person linked."""

from dataclasses import dataclass

import requests

from calmness.channels import Message, Outcome, OutcomeKind
from calmness.channels.http import failed, json_of, post, too_many

MAX_UNITS = 4096


@dataclass(frozen=True)
class TelegramSettings:
    """Bot and address of the API. The token stands in the URL: it must never reach a log."""

    token: str
    api_url: str = "https://api.telegram.org"


class TelegramClient:
    """Sends plain text. The API knows no idempotency key: a doubtful send is ``unknown``."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._settings = settings
        self._session = requests.Session()

    def send(self, message: Message, address: str, *, idempotency_key: str) -> Outcome:
        """Send to the chat ``address``."""
        del idempotency_key
        text = message.text if message.text.startswith(message.subject) else f"{message.subject}\n\n{message.text}"
        answer = post(
            self._session,
            f"{self._settings.api_url}/bot{self._settings.token}/sendMessage",
            {"chat_id": address, "text": _cut(text), "link_preview_options": {"is_disabled": True}},
        )
        if isinstance(answer, Outcome):
            return answer
        body = json_of(answer)
        if answer.ok and body.get("ok"):
            return Outcome(OutcomeKind.OK, provider_id=str(body["result"]["message_id"]), code="200")
        if answer.status_code == 429:
            return too_many(answer, body.get("parameters", {}).get("retry_after"))
        if answer.status_code == 403 or "chat not found" in str(body.get("description", "")):
            return Outcome(OutcomeKind.UNLINK, code=str(answer.status_code))
        return failed(answer, body.get("error_code"))


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= MAX_UNITS * 2:
        return text
    return units[: (MAX_UNITS - 1) * 2].decode("utf-16-le", "ignore") + "…"
