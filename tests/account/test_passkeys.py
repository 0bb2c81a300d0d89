"""Passkeys: Chromium's virtual authenticator makes them and signs with them, against the open house."""

import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from calmness import clock
from calmness.blueprints.auth.passkeys import site as site_of_request
from calmness.extensions import db
from calmness.models.account import AuthSession, Passkey, RecoveryCode, User
from calmness.services import passkeys, second_factor
from tests.account.people import PASSWORD, log_in, with_password
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
    page.wait_for_url("**/espace/profil")
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

    page.wait_for_url("**/espace/compte/jetons")
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


def keep_key(user: User, **values: Any) -> Passkey:
    """A key row as the browser would have left it."""
    key = Passkey(
        user_id=user.id,
        credential_id=secrets.token_urlsafe(16),
        public_key="",
        sign_count=0,
        name="Clé",
        backed_up=False,
        created_at=clock.now(),
        **values,
    )
    db.session.add(key)
    db.session.commit()
    return key


def signature(key: Passkey, challenge: str) -> str:
    """What a browser sends; the signature is wrong."""
    said = json.dumps({"type": "webauthn.get", "challenge": challenge, "origin": "http://localhost"}).encode()
    parts = {"clientDataJSON": said, "authenticatorData": b"\0" * 37, "signature": b"no"}
    response = {name: base64.urlsafe_b64encode(part).decode().rstrip("=") for name, part in parts.items()}
    return json.dumps({"id": key.credential_id, "rawId": key.credential_id, "type": "public-key", "response": response})


@pytest.mark.parametrize(
    "credential", ["", "no json", "[]", "{}", '{"id": 7}', '{"id": "unknown"}', '{"id": "%s"}' % ("x" * 5000), "signed"]
)
def test_what_no_key_signed_opens_nothing(site: Flask, visitor: FlaskClient, credential: str) -> None:
    key = keep_key(with_password(email="zoe@example.test"))
    challenge = visitor.post("/connexion/cle/options").get_json()["challenge"]

    sent = signature(key, challenge) if credential == "signed" else credential
    answer = visitor.post("/connexion/cle", data={"credential": sent})

    assert answer.location == "/connexion"
    assert visitor.get("/espace/profil").location.startswith("/connexion")


def test_without_a_challenge_or_with_an_old_one_nothing_is_taken(site: Flask, visitor: FlaskClient) -> None:
    key = keep_key(with_password(email="zoe@example.test"))

    with pytest.raises(passkeys.PasskeyRefused):
        passkeys.check(
            signature(key, "x"), passkeys.Challenge(b"y", clock.now()), passkeys.Site("localhost", "http://localhost")
        )
    assert visitor.post("/connexion/cle", data={"credential": signature(key, "x")}).location == "/connexion"


def test_keys_of_a_person_are_named_after_the_password_only(site: Flask, visitor: FlaskClient) -> None:
    key = keep_key(with_password(email="zoe@example.test"))

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
    key = keep_key(user)
    second_factor.first_recovery_codes(user)
    browser = client_for(user)
    other = keep_key(with_password(email="max@example.test"))

    foreign = browser.post(f"{KEYS}/{other.id}/fin")
    browser.post(f"{KEYS}/{key.id}/fin")

    assert foreign.status_code == 404
    assert not second_factor.is_on(user.id)
    assert db.session.scalars(select(RecoveryCode).filter_by(user_id=user.id)).all() == []
    assert second_factor.is_on(other.user_id)


def test_a_person_with_keys_alone_passes_the_second_step_by_a_recovery_code(visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    keep_key(user)
    codes = second_factor.first_recovery_codes(user)
    asked = log_in(visitor, "zoe@example.test")

    page = visitor.get(asked.location)

    assert "Code de secours" in page.text
    assert "Utiliser l’application" not in page.text
    assert visitor.post(asked.location, data={"code": codes[3]}).location == "/espace"
