"""Passkeys: Chromium's virtual authenticator makes them and signs with them, against the open house."""

import json
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from calmness import clock
from calmness.blueprints.auth.passkeys import site as site_of_request
from calmness.extensions import db
from calmness.models.account import AuthSession, Passkey, RecoveryCode, User
from calmness.services.account import second_factor
from tests.account.people import PASSWORD, log_in, with_password
from tests.account.soft_key import PRESENT, VERIFIED, SoftKey
from tests.fixtures.live import LiveSite, wait_until

Contexts = Callable[..., BrowserContext]
LogIn = Callable[[User], FlaskClient]
PAGE = "/espace/compte/double-authentification"
KEYS = "/espace/compte/cles-acces"
ADD, USE = "Ajouter une clé d’accès", "Utiliser une clé d’accès"


def named(live_site: LiveSite) -> str:
    """Address of the house with a host name: browsers know no keys at a bare IP address."""
    return live_site.url.replace("127.0.0.1", "localhost")


def authenticator(page: Page, *, verified: bool = True) -> Any:
    """A key in this browser that does as its person does."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verified,
        "automaticPresenceSimulation": True,
    }
    client.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return client


def someone(live_site: LiveSite) -> tuple[int, str]:
    address = f"zoe+{secrets.token_hex(4)}@example.test"
    with live_site.inside():
        return with_password(email=address).id, address


def enter(page: Page, address: str) -> None:
    page.goto("/connexion")
    page.get_by_label("Adresse e-mail").fill(address)
    page.get_by_label("Mot de passe", exact=True).fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Se connecter").click()


def leave(page: Page) -> None:
    page.get_by_role("button", name="Se déconnecter").first.click()
    page.wait_for_url("**/connexion")


@pytest.mark.live
@pytest.mark.browser
def test_a_key_is_added_then_opens_the_account_alone_and_after_the_password(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    number, address = someone(live_site)
    page = browser_context(base_url=named(live_site)).new_page()
    authenticator(page)
    enter(page, address)
    page.wait_for_url("**/espace")

    page.goto(PAGE)
    page.get_by_label("Nom de la clé").fill("Téléphone de Zoé")
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
    assert page.locator(".codes code").count() == 10
    page.goto(PAGE)
    expect(page.get_by_text("Téléphone de Zoé", exact=True)).to_be_visible()
    leave(page)

    page.goto("/connexion?next=/espace/profil")
    page.get_by_role("button", name=USE).click()
    page.wait_for_url(re.compile(r"\d/espace/profil$"))
    leave(page)

    enter(page, address)
    page.wait_for_url("**/connexion/code")
    page.get_by_role("button", name=USE).click()
    page.wait_for_url("**/espace")

    with live_site.inside():
        sessions = db.session.scalars(select(AuthSession).filter_by(user_id=number)).all()
        key = db.session.scalars(select(Passkey).filter_by(user_id=number)).one()
        assert [session.mfa_at is not None for session in sessions] == [True] * 3
        assert key.sign_count >= 2
        assert key.last_used_at is not None


@pytest.mark.live
@pytest.mark.browser
def test_a_key_confirms_who_it_is_before_a_sensitive_act(live_site: LiveSite, browser_context: Contexts) -> None:
    number, address = someone(live_site)
    page = browser_context(base_url=named(live_site)).new_page()
    authenticator(page)
    enter(page, address)
    page.wait_for_url("**/espace")
    page.goto(PAGE)
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
    with live_site.inside():
        for session in db.session.scalars(select(AuthSession).filter_by(user_id=number)):
            session.fresh_at = None

    page.goto("/espace/compte/jetons")
    page.get_by_role("button", name=USE).click()

    page.wait_for_url(re.compile(r"\d/espace/compte/jetons$"))
    expect(page.get_by_label("Nom", exact=True)).to_be_visible()


@pytest.mark.live
@pytest.mark.browser
def test_a_key_that_does_not_verify_its_person_opens_nothing_alone(
    live_site: LiveSite, browser_context: Contexts
) -> None:
    _number, address = someone(live_site)
    page = browser_context(base_url=named(live_site)).new_page()
    client = authenticator(page)
    enter(page, address)
    page.wait_for_url("**/espace")
    page.goto(PAGE)
    page.get_by_role("button", name=ADD).click()
    expect(page.get_by_role("heading", name="Vos codes de secours")).to_be_visible()
    leave(page)
    made = client.send("WebAuthn.disable")
    assert made == {}
    client.send("WebAuthn.enable")

    page.goto("/connexion")
    authenticator(page, verified=False)
    page.get_by_role("button", name=USE).click()

    expect(page.get_by_text("Aucune clé d’accès n’a été utilisée")).to_be_visible(timeout=90_000)
    wait_until(lambda: "/connexion" in page.url)


def challenge_for(browser: FlaskClient, **data: str) -> str:
    """What the page asks the house for before a key signs."""
    return str(browser.post("/connexion/cle/options", data=data).get_json()["challenge"])


def come_in(browser: FlaskClient, credential: str, **data: str) -> str | None:
    """Send what a key signed; where it leads."""
    return browser.post("/connexion/cle", data={"credential": credential} | data).location


@pytest.mark.parametrize(
    "credential", ["", "no json", "[]", "{}", '{"id": 7}', '{"id": "unknown"}', json.dumps({"id": "x" * 5000})]
)
def test_what_is_no_signature_opens_nothing(site: Flask, visitor: FlaskClient, credential: str) -> None:
    SoftKey(with_password(email="zoe@example.test"))
    challenge_for(visitor)

    assert come_in(visitor, credential) == "/connexion"
    assert visitor.get("/espace/profil").location.startswith("/connexion")


def test_a_key_opens_the_account_and_leads_where_the_person_wanted_to_go(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))

    landed = come_in(visitor, key.sign(challenge_for(visitor)), next="/espace/profil", persistent="y")

    assert landed == "/espace/profil"
    assert visitor.get("/espace/profil").status_code == 200
    opened = db.session.scalars(select(AuthSession)).one()
    assert (opened.persistent, opened.mfa_at is not None) == (True, True)


def test_a_signature_works_once_even_with_the_cookie_of_before(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    challenge = challenge_for(visitor)
    with visitor.session_transaction() as session:
        copied = dict(session)
    # Keys that synchronise between devices never count.
    signed = key.sign(challenge, count=0)
    assert come_in(visitor, signed) == "/espace"

    thief = site.test_client()
    with thief.session_transaction() as session:
        session.update(copied)

    assert come_in(thief, signed) == "/connexion"
    assert come_in(visitor, signed) == "/connexion"


def test_a_counter_that_falls_back_is_that_of_a_copy(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    assert come_in(visitor, key.sign(challenge_for(visitor), count=7)) == "/espace"

    other = site.test_client()

    assert come_in(other, key.sign(challenge_for(other), count=6)) == "/connexion"
    assert come_in(other, key.sign(challenge_for(other), count=8)) == "/espace"


@pytest.mark.parametrize(
    "forged",
    [
        {"origin": "http://calmness-trading.evil.test"},
        {"origin": "http://localhost.evil.test"},
        {"host": "evil.test"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
    ],
)
def test_a_signature_for_another_site_or_without_its_person_opens_nothing(
    site: Flask, visitor: FlaskClient, forged: dict[str, Any]
) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))

    assert come_in(visitor, key.sign(challenge_for(visitor), **forged)) == "/connexion"


def test_a_challenge_of_another_browser_or_an_old_one_is_refused(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    other = challenge_for(site.test_client())

    without = come_in(visitor, key.sign(other))
    challenge_for(visitor)
    foreign = come_in(visitor, key.sign(other))
    challenge = challenge_for(visitor)
    with time_machine.travel(clock.now() + timedelta(minutes=5, seconds=1), tick=False):
        old = come_in(visitor, key.sign(challenge))

    assert (without, foreign, old) == ("/connexion",) * 3


def test_after_the_password_the_presence_of_the_own_key_suffices(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    stranger = SoftKey(with_password(email="max@example.test"))
    asked = log_in(visitor, "zoe@example.test", next="/espace/profil")

    foreign = come_in(visitor, stranger.sign(challenge_for(visitor, step="code")), step="code")
    own = come_in(visitor, key.sign(challenge_for(visitor, step="code"), flags=PRESENT), step="code")

    assert asked.location == "/connexion/code?next=/espace/profil"
    assert foreign == "/connexion/code"
    assert own == "/espace"


def test_the_key_of_a_closed_account_opens_nothing(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test", disabled_at=clock.now()))

    assert come_in(visitor, key.sign(challenge_for(visitor))) == "/connexion"


def test_the_second_step_by_a_key_wants_the_password_before(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))

    assert come_in(visitor, key.sign(challenge_for(visitor), flags=PRESENT), step="code") == "/connexion"


def test_keys_of_a_person_are_named_after_the_password_only(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))

    before = visitor.post("/connexion/cle/options", data={"step": "code"}).get_json()
    log_in(visitor, "zoe@example.test")
    after = visitor.post("/connexion/cle/options", data={"step": "code"}).get_json()

    assert (before["userVerification"], before.get("allowCredentials", [])) == ("required", [])
    assert [allowed["id"] for allowed in after["allowCredentials"]] == [key.credential_id]


def test_keys_do_not_exist_at_a_bare_ip_address(site: Flask, visitor: FlaskClient) -> None:
    with site.test_request_context("/connexion", base_url="http://127.0.0.1"):
        assert site_of_request() is None
    assert "cle/options" not in visitor.get("/connexion", base_url="http://127.0.0.1").text
    assert "cle/options" in visitor.get("/connexion").text


def test_removing_the_last_factor_ends_the_recovery_codes(client_for: LogIn) -> None:
    user = with_password(email="zoe@example.test")
    key = SoftKey(user).row
    second_factor.first_recovery_codes(user)
    browser = client_for(user)
    other = SoftKey(with_password(email="max@example.test")).row

    foreign = browser.post(f"{KEYS}/{other.id}/fin")
    browser.post(f"{KEYS}/{key.id}/fin")

    assert foreign.status_code == 404
    assert not second_factor.is_on(user.id)
    assert db.session.scalars(select(RecoveryCode).filter_by(user_id=user.id)).all() == []
    assert second_factor.is_on(other.user_id)


def test_a_person_with_keys_alone_passes_the_second_step_by_a_recovery_code(visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    SoftKey(user)
    codes = second_factor.first_recovery_codes(user)
    asked = log_in(visitor, "zoe@example.test")

    page = visitor.get(asked.location)

    assert "Code de secours" in page.text
    assert "Utiliser l’application" not in page.text
    assert visitor.post(asked.location, data={"code": codes[3]}).location == "/espace"
