"""Telegram, Discord and WhatsApp against servers that check what they get."""

import logging
from collections.abc import Callable

import pytest

from calmness.channels import Message, Outcome, OutcomeKind
from calmness.channels import http as transport
from calmness.channels.discord import DiscordClient, DiscordSettings
from calmness.channels.telegram import TelegramClient, TelegramSettings
from calmness.channels.whatsapp import WhatsAppClient, WhatsAppSettings
from supervisor.processes import LOOPBACK, free_port
from tests.fakes import discord, telegram, whatsapp
from tests.fakes.providers import Providers
from tests.fakes.server import Answer, FakeProvider

pytestmark = pytest.mark.once
WORD = Message("Séance demain", "Bonjour, à demain 19 h 00.")
Client = TelegramClient | DiscordClient | WhatsAppClient
ADDRESS = "33612345678"
MAKERS: dict[str, Callable[[str], Client]] = {
    "telegram": lambda url: TelegramClient(TelegramSettings(telegram.TOKEN, url)),
    "discord": lambda url: DiscordClient(DiscordSettings(discord.TOKEN, f"{url}/api/v10")),
    "whatsapp": lambda url: WhatsAppClient(WhatsAppSettings(whatsapp.TOKEN, whatsapp.PHONE_ID, f"{url}/v24.0")),
}
TOKENS = (telegram.TOKEN, discord.TOKEN, whatsapp.TOKEN)
every = pytest.mark.parametrize("name", list(MAKERS))


def server_of(providers: Providers, name: str) -> FakeProvider:
    """The server of a channel."""
    found: FakeProvider = getattr(providers, name)
    return found


def send(name: str, url: str, message: Message = WORD, key: str = "reminder:7") -> Outcome:
    """One message."""
    return MAKERS[name](url).send(message, ADDRESS, idempotency_key=key)


@every
def test_a_message_arrives(providers: Providers, name: str) -> None:
    outcome = send(name, server_of(providers, name).url)

    assert outcome.kind is OutcomeKind.OK
    assert outcome.provider_id
    assert len(server_of(providers, name).calls) >= 1


@every
def test_who_is_too_fast_waits_as_long_as_asked(providers: Providers, name: str) -> None:
    answers = {"telegram": telegram.FakeTelegram.too_many(17), "discord": discord.FakeDiscord.too_many(17.0)}
    server_of(providers, name).fail_next(answers.get(name, Answer(429, {}, {"Retry-After": "17"})))

    outcome = send(name, server_of(providers, name).url)

    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.RETRY, 17.0)


@every
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_provider_in_trouble_is_tried_again(providers: Providers, name: str, status: int) -> None:
    server_of(providers, name).fail_next(Answer(status, "<html>"))

    assert send(name, server_of(providers, name).url).kind is OutcomeKind.RETRY


@every
def test_a_refused_message_is_final(providers: Providers, name: str) -> None:
    server_of(providers, name).fail_next(Answer(400, {"error": {"code": 100}}))

    assert send(name, server_of(providers, name).url).kind is OutcomeKind.PERMANENT


@every
def test_a_wrong_token_costs_no_message(providers: Providers, name: str) -> None:
    server_of(providers, name).fail_next(Answer(401, {}))

    outcome = send(name, server_of(providers, name).url)

    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.RETRY, 300.0)


@every
def test_a_silent_provider_leaves_the_send_in_doubt(
    providers: Providers, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT", (0.2, 0.2))
    server_of(providers, name).fail_next(Answer(200, {}, seconds=0.6))

    assert send(name, server_of(providers, name).url).kind is OutcomeKind.UNKNOWN


@every
def test_a_cut_connection_leaves_the_send_in_doubt(providers: Providers, name: str) -> None:
    server_of(providers, name).fail_next(Answer(drop=True))

    assert send(name, server_of(providers, name).url).kind is OutcomeKind.UNKNOWN


@every
def test_a_provider_that_is_away_took_nothing(name: str) -> None:
    assert send(name, f"http://{LOOPBACK}:{free_port()}").kind is OutcomeKind.RETRY
    assert send(name, "http://nowhere.invalid").kind is OutcomeKind.RETRY


@every
def test_a_server_without_a_certificate_gets_nothing(providers: Providers, name: str) -> None:
    outcome = send(name, server_of(providers, name).url.replace("http://", "https://"))

    assert (outcome.kind, outcome.code) == (OutcomeKind.RETRY, "tls")
    assert server_of(providers, name).calls == []


@every
def test_no_token_reaches_a_log_or_an_outcome(
    providers: Providers, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server_of(providers, name).url
    server_of(providers, name).fail_next(Answer(drop=True))

    outcomes = [send(name, url), send(name, url), send(name, f"http://{LOOPBACK}:{free_port()}")]

    said = caplog.text + repr(outcomes)
    assert not any(token in said for token in TOKENS)


def test_telegram_unlinks_who_blocked_the_bot(providers: Providers) -> None:
    providers.telegram.blocked_by.add(ADDRESS)
    assert send("telegram", providers.telegram.url).kind is OutcomeKind.UNLINK

    providers.telegram.clear()
    providers.telegram.unknown.add(ADDRESS)
    assert send("telegram", providers.telegram.url).kind is OutcomeKind.UNLINK


def test_telegram_cuts_long_texts_without_breaking_a_letter(providers: Providers) -> None:
    send("telegram", providers.telegram.url, Message("Long", "😀" * 5000))

    text = providers.telegram.to(ADDRESS)[0]["text"]
    assert len(text.encode("utf-16-le")) // 2 <= 4096
    assert text.endswith("😀…")


def test_discord_answers_a_second_try_with_the_first_message(providers: Providers) -> None:
    first = send("discord", providers.discord.url, key="invoice:1")
    again = send("discord", providers.discord.url, key="invoice:1")

    assert first.provider_id == again.provider_id
    assert len(providers.discord.to(ADDRESS)) == 1


def test_discord_unlinks_who_takes_no_private_message_and_calls_nobody(providers: Providers) -> None:
    send("discord", providers.discord.url, Message("@everyone", "@here"))
    assert providers.discord.sent[0]["allowed_mentions"] == {"parse": []}

    providers.discord.closed_to.add(ADDRESS)
    assert send("discord", providers.discord.url).kind is OutcomeKind.UNLINK


def test_whatsapp_flattens_its_parameters_and_unlinks_who_is_not_there(providers: Providers) -> None:
    send("whatsapp", providers.whatsapp.url, Message("Séance", "Une\nligne     puis\tune autre"))
    parameters = providers.whatsapp.to(ADDRESS)[0]["template"]["components"][0]["parameters"]
    assert [parameter["text"] for parameter in parameters] == ["Séance", "Une ligne puis une autre"]

    providers.whatsapp.absent.add(ADDRESS)
    assert send("whatsapp", providers.whatsapp.url).kind is OutcomeKind.UNLINK
