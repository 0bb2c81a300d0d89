"""A program sees and ends devices, changes the password, makes tokens, looks at the account's protection."""

import secrets

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import SessionKind, User
from calmness.models.api import ApiToken
from calmness.services.account import api_tokens, sessions
from tests import factories
from tests.account.people import OTHER_PASSWORD, PASSWORD, subjects_to, with_password
from tests.api.conftest import ApiFor
from tests.fixtures.servers import Mailbox


def device_of(user: User, network: str | None = None) -> str:
    """A browser of a person somewhere."""
    opened, _secret = sessions.open_session(
        user, kind=SessionKind.PAGE, persistent=True, ip_truncated=network, device_label="Firefox, Linux"
    )
    db.session.commit()
    return opened.id


def test_devices_are_listed_with_their_place_and_ended_one_by_one_or_all(api_for: ApiFor) -> None:
    user = factories.student()
    call = api_for(user)
    abroad, unknown = device_of(user, "198.18.1.0"), device_of(user)

    listed = {row["id"]: row for row in call("GET", "/me/devices").get_json()["items"]}
    ended = call("DELETE", f"/me/devices/{abroad}")
    left = [row["id"] for row in call("GET", "/me/devices").get_json()["items"]]
    rest = call("DELETE", "/me/devices")

    assert (listed[abroad]["place"], listed[abroad]["kind"]) == ("Versailles, France", "page")
    assert (listed[unknown]["place"], listed[unknown]["network"]) == ("", None)
    assert [row["this"] for row in listed.values()].count(True) == 1
    assert (ended.status_code, abroad in left, unknown in left) == (204, False, True)
    assert rest.status_code == 204
    assert [row["this"] for row in call("GET", "/me/devices").get_json()["items"]] == [True]


def test_a_personal_token_ends_no_other_devices_and_makes_no_token(site: Flask, visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    _token, text = api_tokens.create(user, "Tableur", ["account:write"], 7)
    db.session.commit()
    headers = {"Authorization": f"Bearer {text}"}

    refused = [
        visitor.delete("/api/v1/me/devices", headers=headers),
        visitor.post("/api/v1/me/tokens", json={"name": "Fils", "scopes": ["account:write"]}, headers=headers),
        visitor.put("/api/v1/me/password", json={"current": PASSWORD, "password": OTHER_PASSWORD}, headers=headers),
        visitor.post("/api/v1/me/deletion", json={"understood": True}, headers=headers),
        visitor.post("/api/v1/me/passkeys/challenge", headers=headers),
    ]

    assert [answer.status_code for answer in refused] == [403] * 5
    assert visitor.get("/api/v1/me/devices", headers=headers).status_code == 200


def test_a_new_password_ends_everything_but_the_session_that_asked(
    visitor: FlaskClient, api_for: ApiFor, mailbox: Mailbox
) -> None:
    user = with_password(email="zoe@example.test")
    call, other = api_for(user), api_for(user)
    wanted = {"current": PASSWORD, "password": OTHER_PASSWORD}

    wrong = call("PUT", "/me/password", json=wanted | {"current": "autre chose"})
    weak = call("PUT", "/me/password", json=wanted | {"password": "calmness"})
    changed = call("PUT", "/me/password", json=wanted)

    assert (wrong.status_code, wrong.get_json()["type"]) == (422, "/problems/wrong-password")
    assert wrong.get_json()["errors"][0]["pointer"] == "#/current"
    assert (weak.status_code, weak.get_json()["type"]) == (422, "/problems/weak-password")
    assert changed.status_code == 204
    assert (call("GET", "/me").status_code, other("GET", "/me").status_code) == (200, 401)
    logged_in = visitor.post("/api/v1/auth/login", json={"email": user.email, "password": OTHER_PASSWORD})
    assert logged_in.status_code == 200
    assert "Votre mot de passe a été changé" in subjects_to(mailbox, user.email)


def test_a_token_is_made_once_shown_once_and_revoked(site: Flask, visitor: FlaskClient, api_for: ApiFor) -> None:
    call = api_for(factories.student())
    wanted, key = {"name": "Tableur", "scopes": ["trading:read"], "days": 7}, secrets.token_hex(16)

    made = call("POST", "/me/tokens", json=wanted, headers={"Idempotency-Key": key})
    again = call("POST", "/me/tokens", json=wanted, headers={"Idempotency-Key": key})
    headers = {"Authorization": f"Bearer {made.get_json()['token']}"}
    used = visitor.get("/api/v1/me/trading/accounts", headers=headers).status_code
    listed = call("GET", "/me/tokens").get_json()["items"]
    call("DELETE", f"/me/tokens/{listed[0]['id']}")
    revoked = visitor.get("/api/v1/me/trading/accounts", headers=headers).status_code

    assert (made.status_code, again.get_json()) == (201, made.get_json())
    assert len(db.session.scalars(select(ApiToken)).all()) == 1
    assert (listed[0]["name"], "token" in listed[0]) == ("Tableur", False)
    assert (used, revoked) == (200, 401)


def test_the_link_that_confirms_the_address_is_sent_again(api_for: ApiFor, mailbox: Mailbox) -> None:
    new, old = factories.student(email_verified_at=None), factories.student()

    sent = api_for(new)("POST", "/me/email-verification")
    nothing = api_for(old)("POST", "/me/email-verification")

    assert (sent.status_code, sent.get_json()["status"]) == (202, "verification_sent")
    assert nothing.get_json()["status"] == "verified"
    assert subjects_to(mailbox, new.email) == ["Confirmez votre adresse e-mail"]
    assert subjects_to(mailbox, old.email) == []


def test_the_protection_of_the_account_is_told_with_its_next_step(api_for: ApiFor) -> None:
    call = api_for(factories.student())

    told = call("GET", "/me/security").get_json()

    assert (told["next"], told["email_verified"], told["may_buy"]) == ("second_factor", True, True)
    assert [step["key"] for step in told["steps"] if step["earned"]] == ["email", "devices"]
    assert told["percent"] == round(100 * 40 / 90)


def test_the_theme_of_the_account_is_chosen(api_for: ApiFor) -> None:
    user = factories.student()
    call = api_for(user)

    chosen = call("PATCH", "/me/settings", json={"theme": "light"}).get_json()["theme"]
    unknown = call("PATCH", "/me/settings", json={"theme": "pink"})

    db.session.expire_all()
    assert (chosen, user.theme, unknown.status_code) == ("light", "light", 422)
