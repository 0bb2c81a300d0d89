"""All fake providers of a test process."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.fakes import discord as discord_api
from tests.fakes import platform as platform_api
from tests.fakes import telegram as telegram_api
from tests.fakes import whatsapp as whatsapp_api
from tests.fakes.server import FakeProvider


@dataclass
class Providers:
    """The servers; a test says ``providers.telegram.sent``."""

    telegram: telegram_api.FakeTelegram = field(default_factory=telegram_api.FakeTelegram)
    discord: discord_api.FakeDiscord = field(default_factory=discord_api.FakeDiscord)
    whatsapp: whatsapp_api.FakeWhatsapp = field(default_factory=whatsapp_api.FakeWhatsapp)

    platform: platform_api.FakePlatform = field(default_factory=platform_api.FakePlatform)

    @property
    def every(self) -> tuple[FakeProvider, ...]:
        """All of them."""
        return (self.telegram, self.discord, self.whatsapp, self.platform)

    def environment(self) -> dict[str, str]:
        """Settings that make the product speak to these servers."""
        return {
            "TELEGRAM_API_URL": self.telegram.url,
            "TELEGRAM_BOT_TOKEN": telegram_api.TOKEN,
            "TELEGRAM_BOT_NAME": "calmness_test_bot",
            "TELEGRAM_SIGNALS_CHAT": telegram_api.SIGNALS_CHAT,
            "TELEGRAM_WEBHOOK_SECRET": "telegram-test-secret",
            "DISCORD_API_URL": f"{self.discord.url}/api/v10",
            "DISCORD_BOT_TOKEN": discord_api.TOKEN,
            "DISCORD_CLIENT_ID": discord_api.CLIENT_ID,
            "DISCORD_CLIENT_SECRET": discord_api.CLIENT_SECRET,
            "DISCORD_AUTHORIZE_URL": f"{self.discord.url}/oauth2/authorize",
            "WHATSAPP_API_URL": f"{self.whatsapp.url}/v24.0",
            "WHATSAPP_TOKEN": whatsapp_api.TOKEN,
            "WHATSAPP_PHONE_ID": whatsapp_api.PHONE_ID,
            "WHATSAPP_NUMBER": "33612345678",
        }


@pytest.fixture(scope="session")
def _provider_servers() -> Iterator[Providers]:
    servers = Providers()
    yield servers
    for server in servers.every:
        server.close()


@pytest.fixture
def providers(_provider_servers: Providers) -> Iterator[Providers]:
    """Telegram, Discord and WhatsApp on loopback. A call that the true ones would refuse fails the test.

    A test that sends such a call on purpose empties ``faults`` afterwards.
    """
    for server in _provider_servers.every:
        server.clear()
    yield _provider_servers
    faults = [f"{type(server).__name__}: {fault}" for server in _provider_servers.every for fault in server.faults]
    assert faults == []
