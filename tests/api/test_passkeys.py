"""Passkeys by program: log in, confirm, add, remove, under the same rules as on the pages."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, Passkey
from tests.account.people import with_password
from tests.account.soft_key import PRESENT, SoftKey, made
from tests.api.conftest import ApiFor


def challenge_for(visitor: FlaskClient) -> tuple[str, str]:
    """Ticket and challenge."""
    given = visitor.post("/api/v1/auth/passkey/challenge").get_json()
    return given["ticket"], given["public_key"]["challenge"]


def come_in(visitor: FlaskClient, ticket: str, signed: str, **values: str) -> Any:
    """Send what a key signed."""
    body = {"ticket": ticket, "credential": json.loads(signed)} | values
    return visitor.post("/api/v1/auth/passkey", json=body)


def test_a_key_opens_the_same_tokens_as_a_password(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    ticket, challenge = challenge_for(visitor)

    answer = come_in(visitor, ticket, key.sign(challenge), refresh="body").get_json()

    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    renewed = visitor.post("/api/v1/auth/refresh", json={"refresh_token": answer["refresh_token"]})
    assert visitor.get("/api/v1/me", headers=headers).get_json()["email"] == "zoe@example.test"
    assert renewed.status_code == 200
    assert db.session.scalars(select(AuthSession)).one().mfa_at is not None


def test_a_signature_opens_one_session_only(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    ticket, challenge = challenge_for(visitor)
    signed = key.sign(challenge, count=0)

    first, second = come_in(visitor, ticket, signed), come_in(site.test_client(), ticket, signed)

    assert (first.status_code, second.status_code) == (200, 422)
    assert second.get_json()["type"] == "/problems/passkey-refused"


@pytest.mark.parametrize(
    "forged", [{"origin": "http://localhost.evil.test"}, {"host": "evil.test"}, {"flags": PRESENT}]
)
def test_another_site_or_presence_alone_opens_nothing(
    site: Flask, visitor: FlaskClient, forged: dict[str, Any]
) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    ticket, challenge = challenge_for(visitor)

    assert come_in(visitor, ticket, key.sign(challenge, **forged)).status_code == 422


def test_a_ticket_is_ours_for_this_challenge_and_five_minutes(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test"))
    ticket, challenge = challenge_for(visitor)
    other, _challenge = challenge_for(visitor)

    wrong = [come_in(visitor, text, key.sign(challenge)).status_code for text in ("made up", ticket + "x", other)]
    with time_machine.travel(clock.now() + timedelta(minutes=5, seconds=1), tick=False):
        late = come_in(visitor, ticket, key.sign(challenge)).status_code

    assert (wrong, late) == ([422] * 3, 422)
    assert come_in(visitor, ticket, key.sign(challenge)).status_code == 200


def test_a_closed_account_stays_closed(site: Flask, visitor: FlaskClient) -> None:
    key = SoftKey(with_password(email="zoe@example.test", disabled_at=clock.now()))
    ticket, challenge = challenge_for(visitor)

    assert come_in(visitor, ticket, key.sign(challenge)).status_code == 422


def test_a_stale_session_confirms_by_the_own_key_and_by_no_other(
    site: Flask, visitor: FlaskClient, api_for: ApiFor
) -> None:
    user = with_password(email="zoe@example.test")
    key, foreign = SoftKey(user), SoftKey(with_password(email="max@example.test"))
    call = api_for(user)
    device = db.session.scalars(select(AuthSession).filter_by(user_id=user.id)).one()
    device.fresh_at = None
    db.session.commit()
    assert call("POST", "/me/passkeys/challenge").get_json()["type"] == "/problems/step-up-required"

    answers = []
    for signer in (foreign, key):
        ticket, challenge = challenge_for(visitor)
        signed = {"ticket": ticket, "credential": json.loads(signer.sign(challenge))}
        answers.append(call("POST", "/auth/confirmation/passkey", json={"passkey": signed}).status_code)

    assert answers == [422, 200]
    assert call("POST", "/me/passkeys/challenge").status_code == 200


def test_a_program_adds_a_key_sees_it_and_removes_it(site: Flask, api_for: ApiFor) -> None:
    call = api_for(with_password(email="zoe@example.test"))
    given = call("POST", "/me/passkeys/challenge").get_json()
    body = {"ticket": given["ticket"], "name": "Clé USB"}

    wrong = call("POST", "/me/passkeys", json=body | {"credential": made("b3RoZXI")})
    added = call("POST", "/me/passkeys", json=body | {"credential": made(given["public_key"]["challenge"])})
    listed = call("GET", "/me/passkeys").get_json()["items"]
    ended = call("DELETE", f"/me/passkeys/{listed[0]['id']}")

    assert wrong.status_code == 422
    assert (added.status_code, len(added.get_json()["recovery_codes"])) == (201, 10)
    assert [(row["name"], row["last_used_at"]) for row in listed] == [("Clé USB", None)]
    assert (ended.status_code, db.session.scalars(select(Passkey)).all()) == (204, [])
