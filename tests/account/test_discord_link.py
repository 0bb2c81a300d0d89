"""Linking one's Discord account by OAuth2."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import Channel, ChannelIdentity, User, UserNotification
from tests import factories
from tests.fakes.providers import Providers
from tests.fakes.server import Answer
from tests.fixtures.site import Browser

LogIn = Callable[[User], FlaskClient]
SNOWFLAKE = "80351110224678912"


def start(browser: FlaskClient) -> str:
    """Press "Relier Discord"; gives Discord's own address."""
    page = browser.post("/espace/profil/discord")
    assert page.status_code == 200
    return page.text.split('href="http://127.0.0.1:')[1].split('"')[0].replace("&amp;", "&")


def agree(browser: FlaskClient) -> str:
    """Say yes on Discord's page; gives the path that Discord sends the browser to."""
    answer = requests.get("http://127.0.0.1:" + start(browser), allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def linked() -> list[tuple[int | None, str, str]]:
    db.session.expire_all()
    rows = db.session.execute(
        select(ChannelIdentity.user_id, ChannelIdentity.external_id, ChannelIdentity.display_name).where(
            ChannelIdentity.channel == Channel.DISCORD, ChannelIdentity.disabled_at.is_(None)
        )
    )
    return [(user_id, number, name) for user_id, number, name in rows]


def test_the_authorised_account_is_linked_greeted_and_can_be_undone(client_for: LogIn, providers: Providers) -> None:
    user = factories.student()
    browser = client_for(user)

    answer = browser.get(agree(browser))
    drain_everything()

    assert answer.location == "/espace/profil"
    assert linked() == [(user.id, SNOWFLAKE, "Zoé F.")]
    assert "relié à votre compte" in providers.discord.to(SNOWFLAKE)[0]["content"]
    page = browser.get("/espace/profil").text
    assert "Discord est relié." in page
    number = db.session.scalars(select(ChannelIdentity.id)).one()
    browser.post(f"/espace/profil/canaux/{number}/fin")
    assert linked() == []


def test_no_token_of_discord_stays_alive(client_for: LogIn, providers: Providers) -> None:
    browser = client_for(factories.student())

    browser.get(agree(browser))

    assert providers.discord.live_tokens == set()


def test_an_answer_meant_for_another_browser_links_nothing(client_for: LogIn) -> None:
    thief, victim = client_for(factories.student()), client_for(factories.student())
    start(victim)

    answer = victim.get(agree(thief))

    assert answer.location == "/espace/profil"
    assert "vient d’un autre navigateur" in victim.get("/espace/profil").text
    assert linked() == []


def test_an_answer_counts_once_and_for_ten_minutes(client_for: LogIn, providers: Providers) -> None:
    browser = client_for(factories.student())
    path = agree(browser)
    browser.get(path)
    calls = len(providers.discord.calls)

    browser.get(path)

    assert len(providers.discord.calls) == calls
    late = agree(browser)
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=5), tick=False):
        browser.get(late)
        assert "a expiré" in browser.get("/espace/profil").text


def test_a_code_that_was_exchanged_with_another_verifier_is_refused(client_for: LogIn) -> None:
    """PKCE: the code of one start and the state of the next, which is what a code caught on its way is worth."""
    browser = client_for(factories.student())
    caught = parse_qs(urlsplit(agree(browser)).query)["code"][0]
    state = parse_qs(urlsplit(start(browser)).query)["state"][0]

    browser.get("/espace/profil/discord/retour", query_string={"code": caught, "state": state})

    assert "n’a pas accepté" in browser.get("/espace/profil").text
    assert linked() == []


@pytest.mark.parametrize("query", ["", "?state=x", "?state=%ff&code=%00", "?error=access_denied", "?code=a&code=b"])
def test_odd_answers_are_told_in_french(client_for: LogIn, query: str) -> None:
    browser = client_for(factories.student())
    start(browser)

    answer = browser.get(f"/espace/profil/discord/retour{query}")

    assert answer.location == "/espace/profil"
    assert linked() == []


def test_a_no_on_discord_s_page_is_no_error(client_for: LogIn) -> None:
    browser = client_for(factories.student())
    state = parse_qs(urlsplit(start(browser)).query)["state"][0]

    browser.get("/espace/profil/discord/retour", query_string={"error": "access_denied", "state": state})

    assert "l’autorisation n’a pas été donnée" in browser.get("/espace/profil").text


@pytest.mark.parametrize(
    "said", [Answer(500, {}), Answer(200, b"not json"), Answer(drop=True), Answer(429, {"retry_after": 3})]
)
def test_discord_away_is_said_and_nothing_is_linked(client_for: LogIn, providers: Providers, said: Answer) -> None:
    browser = client_for(factories.student())
    path = agree(browser)
    providers.discord.fail_next(said)

    browser.get(path)

    assert "ne répond pas" in browser.get("/espace/profil").text
    assert linked() == []


def test_an_account_of_discord_serves_one_account_here_and_the_former_owner_is_told(client_for: LogIn) -> None:
    former, user = factories.student(), factories.student()
    first, second = client_for(former), client_for(user)
    first.get(agree(first))

    second.get(agree(second))

    assert [row[0] for row in linked()] == [user.id]
    titles = db.session.scalars(select(UserNotification.title).where(UserNotification.user_id == former.id)).all()
    assert "Discord n’est plus relié à votre compte" in titles


def test_closed_messages_unlink_the_account_and_its_owner_reads_why(client_for: LogIn, providers: Providers) -> None:
    user = factories.student()
    browser = client_for(user)
    providers.discord.closed_to.add(SNOWFLAKE)

    browser.get(agree(browser))
    drain_everything()

    assert linked() == []
    assert "Discord ne vous atteint plus" in browser.get("/espace/notifications").text


def test_a_name_cannot_draw_over_the_page(client_for: LogIn, providers: Providers) -> None:
    providers.discord.person = {"id": SNOWFLAKE, "username": "zoe", "global_name": "\u202eeoZ<script>"}
    browser = client_for(factories.student())

    browser.get(agree(browser))

    assert "\u202e" not in linked()[0][2]
    assert "<script>" not in browser.get("/espace/profil").text.split("Vos canaux")[1]


def test_without_the_application_there_is_neither_button_nor_page(
    client_for: LogIn, site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(site.config, "DISCORD_CLIENT_SECRET", "")
    browser = client_for(factories.student())

    assert "Relier Discord" not in browser.get("/espace/profil").text
    assert browser.post("/espace/profil/discord").status_code == 404
    assert browser.get("/espace/profil/discord/retour").status_code == 404


def test_a_visitor_is_led_to_the_login(visitor: Browser) -> None:
    assert visitor.get("/espace/profil/discord/retour?code=a&state=b").location.startswith("/connexion")
