"""A program sets the second factor up and changes the address, under the same rules as the pages."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import AuthSession, EmailChange, Role
from calmness.services.account import api_tokens
from tests import factories
from tests.account.people import PASSWORD, code_now, with_password
from tests.api.conftest import ApiFor

FACTOR, EMAIL = "/me/second-factor", "/me/email-change"


def test_a_program_sets_it_up_renews_its_codes_and_switches_it_off(site: Flask, api_for: ApiFor) -> None:
    call = api_for(factories.student())

    before = call("GET", FACTOR).get_json()
    made = call("POST", FACTOR).get_json()
    wrong = call("POST", f"{FACTOR}/confirmation", json={"otp": "00000x"})
    codes = call("POST", f"{FACTOR}/confirmation", json={"otp": code_now(made["secret"])})
    after = call("GET", FACTOR).get_json()
    renewed = call("POST", f"{FACTOR}/recovery-codes").get_json()["recovery_codes"]
    again = call("POST", FACTOR)
    ended = call("DELETE", FACTOR)

    assert before == {"app": False, "passkeys": 0, "recovery_codes_left": 0, "required": False}
    assert made["uri"].startswith("otpauth://totp/")
    assert (wrong.status_code, wrong.get_json()["type"]) == (422, "/problems/wrong-code")
    assert (codes.status_code, len(codes.get_json()["recovery_codes"])) == (201, 10)
    assert after == {"app": True, "passkeys": 0, "recovery_codes_left": 10, "required": False}
    assert len(set(renewed) & set(codes.get_json()["recovery_codes"])) == 0
    assert (again.status_code, again.get_json()["type"]) == (409, "/problems/second-factor-on")
    assert ended.status_code == 204
    assert call("GET", FACTOR).get_json() == before


def test_a_program_asks_for_a_new_address_and_calls_it_off(site: Flask, api_for: ApiFor) -> None:
    call = api_for(factories.student())
    nothing = {"email": None, "old_confirmed": None, "new_confirmed": None, "expires_at": None}

    assert call("GET", EMAIL).get_json() == nothing
    asked = call("POST", EMAIL, json={"email": "new@example.test"})
    malformed = call("POST", EMAIL, json={"email": "new"})
    cancelled = call("DELETE", EMAIL)

    assert (asked.status_code, asked.get_json()["email"]) == (202, "new@example.test")
    assert (asked.get_json()["old_confirmed"], asked.get_json()["new_confirmed"]) == (False, False)
    assert malformed.get_json()["errors"][0]["pointer"] == "#/email"
    assert cancelled.status_code == 204
    assert call("GET", EMAIL).get_json() == nothing
    assert db.session.scalars(select(EmailChange)).all() == []


def test_a_stale_session_confirms_first(site: Flask, api_for: ApiFor) -> None:
    call = api_for(factories.student())
    db.session.scalars(select(AuthSession)).one().fresh_at = None
    acts = [
        call("POST", FACTOR),
        call("POST", f"{FACTOR}/confirmation", json={"otp": "1"}),
        call("POST", f"{FACTOR}/recovery-codes"),
        call("DELETE", FACTOR),
        call("POST", EMAIL, json={"email": "new@example.test"}),
    ]

    assert {(act.status_code, act.get_json()["type"]) for act in acts} == {(403, "/problems/step-up-required")}


def test_a_personal_token_changes_none_of_it(site: Flask, visitor: FlaskClient) -> None:
    user = factories.student()
    _token, text = api_tokens.create(user, "Tableur", ["account:write"], 30)
    bearer = {"Authorization": f"Bearer {text}"}

    seen = visitor.get(f"/api/v1{FACTOR}", headers=bearer)
    begun = visitor.post(f"/api/v1{FACTOR}", headers=bearer)
    asked = visitor.post(f"/api/v1{EMAIL}", json={"email": "new@example.test"}, headers=bearer)

    assert seen.status_code == 200
    assert (begun.status_code, asked.status_code) == (403, 403)


def test_an_agent_without_a_factor_sets_it_up_by_program_and_then_works(site: Flask, visitor: FlaskClient) -> None:
    user = with_password(email="ines@example.test", role=Role.AGENT)
    site.config["STAFF_SECOND_FACTOR"] = True
    try:
        login = visitor.post(
            "/api/v1/auth/login", json={"email": user.email, "password": PASSWORD, "refresh": "body"}
        ).get_json()
        bearer = {"Authorization": f"Bearer {login['access_token']}"}
        shut = visitor.get("/api/v1/me", headers=bearer)
        made = visitor.post(f"/api/v1{FACTOR}", headers=bearer).get_json()
        code = {"otp": code_now(made["secret"])}
        visitor.post(f"/api/v1{FACTOR}/confirmation", json=code, headers=bearer)
        open_now = visitor.get("/api/v1/me", headers=bearer)
        kept = visitor.delete(f"/api/v1{FACTOR}", headers=bearer)
    finally:
        site.config["STAFF_SECOND_FACTOR"] = False

    assert shut.get_json()["type"] == "/problems/second-factor-missing"
    assert open_now.status_code == 200
    assert kept.get_json()["type"] == "/problems/second-factor-required-by-role"
