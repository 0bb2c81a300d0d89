"""Outward clients, a file a channel, one shape: ``send(message, address, *, idempotency_key) -> Outcome``.

They know no model and no Flask: settings come as small dataclasses.
"""

from dataclasses import dataclass
from enum import StrEnum


class OutcomeKind(StrEnum):
    """What a provider's answer means for the row that asked."""

    OK = "ok"
    RETRY = "retry"
    PERMANENT = "permanent"
    UNLINK = "unlink"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """Result of one try. ``retry_after`` in seconds; ``code`` and ``text`` for the delivery log, without secrets."""

    kind: OutcomeKind
    provider_id: str | None = None
    retry_after: float | None = None
    code: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """What is said to a person; each channel takes what it can carry."""

    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    url: str | None = None
    category: str = "transactional"
    unsubscribe_url: str | None = None
    code: str | None = None
    """Digits to type on the site; WhatsApp carries them by a template of its own."""


__all__ = ["Attachment", "Message", "Outcome", "OutcomeKind"]
