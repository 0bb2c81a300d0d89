"""Mail kept in a folder instead of sent: the demo has no mail server, and its links must be readable all the same."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from calmness.channels import Message, Outcome, OutcomeKind

KEEP = 200


@dataclass(frozen=True)
class KeptMail:
    """A mail of the folder."""

    key: str
    at: datetime
    to: str
    subject: str
    text: str
    attachments: tuple[str, ...]


class MailboxClient:
    """Writes each mail as a small JSON file; the same key again replaces it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message, address: str, *, idempotency_key: str) -> Outcome:
        """Keep the mail."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9]", "-", idempotency_key)[-120:]
        body = {
            "key": name,
            "at": datetime.now(UTC).isoformat(),
            "to": address,
            "subject": message.subject,
            "text": message.text,
            "attachments": [attachment.name for attachment in message.attachments],
        }
        temporary = self._folder / f".{name}"
        temporary.write_text(json.dumps(body, ensure_ascii=False))
        temporary.replace(self._folder / f"{name}.json")
        return Outcome(OutcomeKind.OK, provider_id=name, code="kept")


def kept(folder: Path) -> list[KeptMail]:
    """Mails of the folder, newest first."""
    mails = []
    for path in folder.glob("*.json"):
        body = json.loads(path.read_text())
        at = datetime.fromisoformat(body["at"])
        mails.append(KeptMail(body["key"], at, body["to"], body["subject"], body["text"], tuple(body["attachments"])))
    return sorted(mails, key=lambda mail: mail.at, reverse=True)[:KEEP]
