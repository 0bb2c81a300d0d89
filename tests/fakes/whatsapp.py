"""WhatsApp's Cloud API, as far as the product speaks it: free text inside 24 hours, templates outside."""

import itertools
from typing import Any

from tests.fakes.server import Answer, Call, FakeProvider

TEXT_LIMIT = 4096
TOKEN = "whatsapp-test-token"
PHONE_ID = "106540352242922"
CODE_TEMPLATE = "code"


class FakeWhatsapp(FakeProvider):
    """Takes text for numbers in ``open_window`` (None: for all), templates for all but those in ``absent``."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []
        self.open_window: set[str] | None = None
        self.absent: set[str] = set()
        self._numbers = itertools.count(1)

    def answer(self, call: Call) -> Answer:
        """Check token, path, number and body."""
        if call.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._error(401, 190, "Invalid OAuth access token", own_fault=True)
        if call.method != "POST" or not call.path.rstrip("/").endswith(f"/{PHONE_ID}/messages"):
            return self._error(404, 100, f"Unknown path {call.path}", own_fault=True)
        body = call.body
        if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
            return self._error(400, 100, "messaging_product must be whatsapp", own_fault=True)
        if body.get("status") == "read":
            return Answer(200, {"success": True})
        return self._message(body)

    def to(self, number: str) -> list[dict[str, Any]]:
        """Messages to one number, oldest first."""
        return [message for message in self.sent if message["to"] == number]

    def codes_to(self, number: str) -> list[str]:
        """Codes that a number was sent, oldest first."""
        templates = [message["template"] for message in self.to(number) if message.get("type") == "template"]
        return [
            template["components"][0]["parameters"][0]["text"]
            for template in templates
            if template["name"] == CODE_TEMPLATE
        ]

    def clear(self) -> None:
        """Forget everything, reach everybody again."""
        super().clear()
        self.sent.clear()
        self.open_window = None
        self.absent.clear()

    def _message(self, body: dict[str, Any]) -> Answer:
        number, kind = str(body.get("to", "")), body.get("type", "text")
        if not number.lstrip("+").isdigit():
            return self._error(400, 100, "Parameter to is not a phone number", own_fault=True)
        if number in self.absent:
            return self._error(400, 131026, "Message undeliverable")
        if kind == "text":
            text = body.get("text", {}).get("body", "")
            if not text or len(text) > TEXT_LIMIT:
                return self._error(400, 100, "Text body must have 1 to 4096 characters", own_fault=True)
            if self.open_window is not None and number not in self.open_window:
                return self._error(400, 131047, "More than 24 hours have passed since the customer's last reply")
        elif kind == "template":
            template = body.get("template", {})
            if not template.get("name") or not template.get("language", {}).get("code"):
                return self._error(400, 132000, "Template needs a name and a language", own_fault=True)
            if template["name"] == CODE_TEMPLATE and not _is_code(template.get("components", [])):
                return self._error(400, 132000, "The code goes into the text and into the button", own_fault=True)
        else:
            return self._error(400, 131051, f"Unsupported message type {kind!r}", own_fault=True)
        self.sent.append(body)
        return Answer(200, {"messaging_product": "whatsapp", "messages": [{"id": f"wamid.{next(self._numbers)}"}]})

    def _error(self, status: int, code: int, text: str, *, own_fault: bool = False) -> Answer:
        if own_fault:
            self.faults.append(text)
        return Answer(status, {"error": {"code": code, "message": text, "type": "OAuthException"}})


def _is_code(components: list[dict[str, Any]]) -> bool:
    """A template of category "authentication" takes the same digits twice, 15 characters at most."""
    if [part.get("type") for part in components] != ["body", "button"]:
        return False
    texts = [[one.get("text", "") for one in part.get("parameters", [])] for part in components]
    button = components[1].get("sub_type") == "url" and components[1].get("index") == "0"
    return button and texts[0] == texts[1] and len(texts[0]) == 1 and 0 < len(texts[0][0]) <= 15
