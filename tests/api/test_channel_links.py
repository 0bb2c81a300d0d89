"""A program links channels: Telegram by an address, WhatsApp by digits, Discord on the page where a person says yes."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import Channel, ChannelIdentity, FactorRemoval
from calmness.services.account import second_factor
from tests import factories
from tests.account.people import OTHER_PASSWORD, PASSWORD, path_in_mail, with_factor, with_password
from tests.account.test_telegram_link import SECRET, send
from tests.api.conftest import ApiFor
from tests.fixtures.servers import Mailbox

ADDRESS = "zoe@example.test"


def test_the_address_of_telegram_ties_the_chat_that_opens_it(
    api_for: ApiFor, site: Flask, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(site.config, "TELEGRAM_BOT_NAME", "CalmnessBot")
    monkeypatch.setitem(site.config, "TELEGRAM_WEBHOOK_SECRET", SECRET)
    user = factories.student()
    call = api_for(user)

    link = call("POST", "/me/channels/telegram").get_json()
    token = link["url"].removeprefix("https://t.me/CalmnessBot?start=")
    send(visitor, f"/start {token}")
    linked = call("GET", "/me/channels").get_json()

    assert link["expires_at"]
    assert "telegram" in linked["offered"]
    assert [row["channel"] for row in linked["items"]] == ["telegram"]
    row = db.session.scalars(select(ChannelIdentity)).one()
    assert (row.user_id, row.channel, row.external_id) == (user.id, Channel.TELEGRAM, "4242")
    assert call("DELETE", f"/me/channels/{row.id}").status_code == 204
    assert call("GET", "/me/channels").get_json()["items"] == []


def test_discord_begins_on_the_page_of_a_person_who_is_logged_in(api_for: ApiFor, site: Flask) -> None:
    link = api_for(factories.student())("POST", "/me/channels/discord").get_json()

    assert link == {"url": f"{site.config['BASE_URL'].rstrip('/')}/espace/profil", "expires_at": None}


@pytest.mark.parametrize("channel", ["telegram", "discord", "whatsapp"])
def test_what_the_school_has_not_set_up_is_not_there(
    api_for: ApiFor, site: Flask, monkeypatch: pytest.MonkeyPatch, channel: str
) -> None:
    for name in ("TELEGRAM_BOT_NAME", "DISCORD_BOT_TOKEN", "WHATSAPP_TOKEN"):
        monkeypatch.setitem(site.config, name, "")
    call = api_for(factories.student())

    assert call("POST", f"/me/channels/{channel}", json={"number": "+33612345678"}).status_code == 404
    assert call("GET", "/me/channels").get_json()["offered"] == []


def test_a_number_that_waits_for_its_digits_is_told_and_forgotten(api_for: ApiFor) -> None:
    call = api_for(factories.student())
    asked = call("POST", "/me/channels/whatsapp", json={"number": "+33 6 12 34 56 78"}).get_json()

    waiting = call("GET", "/me/channels").get_json()["waiting"]
    cancelled = call("DELETE", "/me/channels/whatsapp").get_json()

    assert waiting == asked
    assert (waiting["number"], cancelled["waiting"]) == ("+33612345678", None)


def test_a_lost_factor_goes_by_the_mailbox_and_is_kept_by_it(visitor: FlaskClient, mailbox: Mailbox) -> None:
    person, _key = with_factor(email=ADDRESS)

    wrong = visitor.post("/api/v1/auth/lost-factor", json={"email": ADDRESS, "password": OTHER_PASSWORD})
    asked = visitor.post("/api/v1/auth/lost-factor", json={"email": ADDRESS, "password": PASSWORD})
    token = path_in_mail(mailbox, ADDRESS, "/facteur-perdu/").rsplit("/", 1)[1]
    confirmed = visitor.post("/api/v1/auth/lost-factor/confirmation", json={"token": token})
    used = visitor.post("/api/v1/auth/lost-factor/confirmation", json={"token": token})
    keep = path_in_mail(mailbox, ADDRESS, "/facteur-garde/").rsplit("/", 1)[1]
    stopped = visitor.post("/api/v1/auth/lost-factor/stop", json={"token": keep})

    assert (wrong.status_code, asked.status_code, confirmed.status_code) == (401, 202, 202)
    assert confirmed.get_json()["due_at"]
    assert (used.status_code, used.get_json()["type"]) == (410, "/problems/token-refused")
    assert stopped.status_code == 204
    db.session.expire_all()
    assert second_factor.is_on(person.id)
    assert db.session.scalars(select(FactorRemoval.outcome)).one() == "stopped"


def test_who_has_no_factor_has_none_to_lose(visitor: FlaskClient) -> None:
    with_password(email=ADDRESS)

    refused = visitor.post("/api/v1/auth/lost-factor", json={"email": ADDRESS, "password": PASSWORD})

    assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/second-factor-off")
