"""WhatsApp Cloud API: utility template ``rappel`` with the subject and the text as parameters.

A code to type on the site goes by a template of category "authentication": Meta takes codes in no other, and wants the
digits twice, in the text and for the button that copies them.
"""

from dataclasses import dataclass

import requests

from calmness.channels import Message, Outcome, OutcomeKind
from calmness.channels.http import failed, json_of, post, too_many

TEMPLATE = "rappel"
RATE_CODES = frozenset({130429, 131056})
UNDELIVERABLE = 131026


@dataclass(frozen=True)
class WhatsAppSettings:
    """Business number and address of the API."""

    token: str
    phone_id: str
    api_url: str = "https://graph.facebook.com/v24.0"
    code_template: str = "code"


class WhatsAppClient:
    """A 200 means accepted; what became of it comes by the webhook."""

    def __init__(self, settings: WhatsAppSettings) -> None:
        self._settings = settings
        self._session = requests.Session()
        self._headers = {"Authorization": f"Bearer {settings.token}"}

    def send(self, message: Message, address: str, *, idempotency_key: str) -> Outcome:
        """Send to the number ``address`` (digits with country code)."""
        body: dict[str, object] = {
            "messaging_product": "whatsapp",
            "to": address,
            "type": "template",
            "template": self._template(message),
            "biz_opaque_callback_data": idempotency_key[:512],
        }
        answer = post(
            self._session, f"{self._settings.api_url}/{self._settings.phone_id}/messages", body, self._headers
        )
        if isinstance(answer, Outcome):
            return answer
        content = json_of(answer)
        if answer.ok and content.get("messages"):
            return Outcome(OutcomeKind.OK, provider_id=str(content["messages"][0]["id"]), code="200")
        code = content.get("error", {}).get("code")
        if answer.status_code == 429 or code in RATE_CODES:
            return too_many(answer, None)
        if code == UNDELIVERABLE:
            return Outcome(OutcomeKind.UNLINK, code=str(code))
        return failed(answer, code)

    def _template(self, message: Message) -> dict[str, object]:
        if message.code is None:
            components = [{"type": "body", "parameters": _texts(message.subject, message.text)}]
            return {"name": TEMPLATE, "language": {"code": "fr"}, "components": components}
        button = {"type": "button", "sub_type": "url", "index": "0", "parameters": _texts(message.code)}
        components = [{"type": "body", "parameters": _texts(message.code)}, button]
        return {"name": self._settings.code_template, "language": {"code": "fr"}, "components": components}


def _texts(*texts: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": _flat(text)} for text in texts]


def _flat(text: str) -> str:
    # Template parameters may hold neither line breaks nor runs of spaces.
    return " ".join(text.split())[:1000]
