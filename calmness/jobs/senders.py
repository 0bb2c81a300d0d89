"""Senders of a lane's turn: which client serves which channel, with the settings of this application."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from flask import current_app

from calmness.channels import Message, Outcome, OutcomeKind
from calmness.channels.discord import DiscordClient, DiscordSettings
from calmness.channels.email import EmailClient, EmailSettings
from calmness.channels.mailbox import MailboxClient
from calmness.channels.telegram import TelegramClient, TelegramSettings
from calmness.channels.whatsapp import WhatsAppClient, WhatsAppSettings
from calmness.models.account import Channel

NOT_CONFIGURED = Outcome(OutcomeKind.PERMANENT, code="not-configured")


class Client(Protocol):
    """What every channel's client does."""

    def send(self, message: Message, address: str, *, idempotency_key: str) -> Outcome: ...


class LaneSenders:
    """Clients made at their first message of a turn and closed with it: one SMTP connection for a batch."""

    def __init__(self, stack: ExitStack, config: dict[str, Any]) -> None:
        self._stack = stack
        self._config = config
        self._clients: dict[Channel, Client | None] = {}

    def send(self, channel: Channel, message: Message, address: str, *, key: str) -> Outcome:
        """Send by the channel's client. A channel without settings says so in the ledger."""
        if channel not in self._clients:
            self._clients[channel] = self._make(channel)
        client = self._clients[channel]
        return client.send(message, address, idempotency_key=key) if client else NOT_CONFIGURED

    def _make(self, channel: Channel) -> Client | None:
        config = self._config
        match channel:
            case Channel.EMAIL if config["MAIL_SERVER"]:
                return self._stack.enter_context(EmailClient(email_settings(config)))
            case Channel.EMAIL if config["ENVIRONMENT"] in {"demo", "development"}:
                return MailboxClient(config["INSTANCE_DIR"] / "mail")
            case Channel.TELEGRAM if config["TELEGRAM_BOT_TOKEN"]:
                return TelegramClient(TelegramSettings(config["TELEGRAM_BOT_TOKEN"], config["TELEGRAM_API_URL"]))
            case Channel.DISCORD if config["DISCORD_BOT_TOKEN"]:
                return DiscordClient(DiscordSettings(config["DISCORD_BOT_TOKEN"], config["DISCORD_API_URL"]))
            case Channel.WHATSAPP if config["WHATSAPP_TOKEN"] and config["WHATSAPP_PHONE_ID"]:
                settings = WhatsAppSettings(
                    config["WHATSAPP_TOKEN"],
                    config["WHATSAPP_PHONE_ID"],
                    config["WHATSAPP_API_URL"],
                    config["WHATSAPP_CODE_TEMPLATE"],
                )
                return WhatsAppClient(settings)
            case _:
                return None


def email_settings(config: dict[str, Any]) -> EmailSettings:
    """Where mail leaves, from the application's settings."""
    return EmailSettings(
        host=config["MAIL_SERVER"],
        port=config["MAIL_PORT"],
        sender=config["MAIL_DEFAULT_SENDER"],
        username=config["MAIL_USERNAME"],
        password=config["MAIL_PASSWORD"],
        tls=config["MAIL_TLS"],
    )


@contextmanager
def open_lane() -> Iterator[LaneSenders]:
    """Senders for one turn."""
    with ExitStack() as stack:
        yield LaneSenders(stack, dict(current_app.config))
