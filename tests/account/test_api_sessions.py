"""Tokens of the API: log in, refresh, replay, log out."""

import json
from datetime import timedelta
from typing import Any

import jwt as pyjwt
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, RefreshToken, Role, User, UserNotification
from calmness.models.audit import AuditEntry
from tests.account.people import OTHER_PASSWORD, PASSWORD, log_in, path_in_mail, with_password
from tests.fixtures.servers import Mailbox

KEY = "a-token-key-for-tests-that-is-long-enough"


def api_log_in(browser: FlaskClient, **values: Any) -> TestResponse:
    body = {"email": "zoe@example.test", "password": PASSWORD} | values
    return browser.post("/api/v1/auth/login", json=body)


def refresh(browser: FlaskClient, token: str | None = None, **headers: str) -> TestResponse:
    """By the body with a token, else by the cookie as the pages' scripts do."""
    if token is not None:
        return browser.post("/api/v1/auth/refresh", json={"refresh_token": token})
    csrf = browser.get_cookie("ct_refresh_csrf")
    return browser.post("/api/v1/auth/refresh", headers={"X-CSRF-TOKEN": csrf.value if csrf else ""} | headers)


def me(browser: FlaskClient, token: str, scheme: str = "Bearer") -> TestResponse:
    return browser.get("/api/v1/me", headers={"Authorization": f"{scheme} {token}"})


def is_problem(answer: TestResponse, status: int, slug: str) -> bool:
    body = answer.get_json(force=True)
    return (answer.status_code, answer.mimetype, body["type"], body["status"]) == (
        status,
        "application/problem+json",
        f"/problems/{slug}",
        status,
    )


def test_the_login_page_gives_its_scripts_a_way_to_a_token(visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")

    answer = log_in(visitor, "zoe@example.test")

    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith("ct_refresh="))
    assert "HttpOnly" in cookie
    assert "Path=/api/v1/auth" in cookie
    assert "SameSite=Strict" in cookie
    token = refresh(visitor).get_json()["access_token"]
    assert me(visitor, token).get_json()["id"] == user.id
    assert token not in visitor.get("/espace/profil").text


def test_the_page_cookie_alone_does_not_open_the_api(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")

    answer = visitor.get("/api/v1/me")

    assert is_problem(answer, 401, "not-authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_client_without_cookies_keeps_the_refresh_token_itself(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")

    first = api_log_in(visitor, refresh="body").get_json()
    second = refresh(visitor, first["refresh_token"]).get_json()

    assert first["expires_in"] == 600
    assert visitor.get_cookie("ct_refresh", path="/api/v1/auth") is None
    assert second["refresh_token"] != first["refresh_token"]
    assert me(visitor, second["access_token"], scheme="bearer").status_code == 200


def test_the_token_says_who_and_which_session_but_no_role(visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test", role=Role.ADMIN)

    token = api_log_in(visitor, refresh="body").get_json()["access_token"]

    claims = pyjwt.decode(token, KEY, algorithms=["HS256"], issuer="calmness")
    assert claims["sub"] == str(user.id)
    assert claims["sid"] == db.session.scalars(select(AuthSession.id)).one()
    assert "role" not in claims
    assert pyjwt.get_unverified_header(token)["kid"] == "test"


@pytest.mark.parametrize(
    ("headers", "changes", "key"),
    [
        ({"kid": "unknown"}, {}, KEY),
        ({}, {}, KEY),
        ({"kid": "test"}, {}, "another-key-that-is-also-long-enough-to-sign"),
        ({"kid": "test"}, {"exp": None}, KEY),
        ({"kid": "test"}, {"sid": None}, KEY),
        ({"kid": "test"}, {"ren": None}, KEY),
        ({"kid": "test"}, {"ren": 1}, KEY),
        ({"kid": "test"}, {"iss": "somebody"}, KEY),
        ({"kid": "test"}, {"aud": "somebody"}, KEY),
        ({"kid": "test"}, {"aud": None}, KEY),
        ({"kid": "test"}, {"sub": 7}, KEY),
        ({"kid": "test"}, {"sub": "999999"}, KEY),
        ({"kid": "test"}, {"type": "refresh"}, KEY),
    ],
)
def test_a_forged_token_is_a_plain_401(
    visitor: FlaskClient, headers: dict[str, str], changes: dict[str, Any], key: str
) -> None:
    with_password(email="zoe@example.test")
    good = api_log_in(visitor, refresh="body").get_json()["access_token"]
    claims = pyjwt.decode(good, options={"verify_signature": False}) | changes
    claims = {name: value for name, value in claims.items() if value is not None}

    if claims.get("sub") == 7:
        forged = pyjwt.PyJWS().encode(json.dumps(claims).encode(), key, "HS256", headers=headers)
    else:
        forged = pyjwt.encode(claims, key, algorithm="HS256", headers=headers)

    assert is_problem(me(visitor, forged), 401, "not-authenticated")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer  ", "Bearer a.b.c", "Basic enbk", "Bearer \u00e9"])
def test_nonsense_in_the_header_is_a_plain_401(visitor: FlaskClient, value: str) -> None:
    answer = visitor.get("/api/v1/me", headers={"Authorization": value})

    assert is_problem(answer, 401, "not-authenticated")


def test_a_token_ends_after_ten_minutes_and_a_little_drift(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    token = api_log_in(visitor, refresh="body").get_json()["access_token"]

    with time_machine.travel(clock.now() + timedelta(seconds=600), tick=False):
        assert me(visitor, token).status_code == 200
    with time_machine.travel(clock.now() + timedelta(seconds=725), tick=False):
        assert me(visitor, token).status_code == 401


def test_a_refresh_token_used_twice_within_ten_seconds_gives_no_second_branch(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    first = api_log_in(visitor, refresh="body").get_json()["refresh_token"]
    refresh(visitor, first)

    again = refresh(visitor, first)

    assert again.status_code == 200
    assert "refresh_token" not in again.get_json()
    assert me(visitor, again.get_json()["access_token"]).status_code == 200


def test_a_stolen_refresh_token_used_later_ends_the_family_and_tells_the_owner(visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    stolen = api_log_in(visitor, refresh="body").get_json()["refresh_token"]
    kept = refresh(visitor, stolen).get_json()

    with time_machine.travel(clock.now() + timedelta(seconds=11), tick=False):
        answers = [refresh(visitor, stolen), refresh(visitor, kept["refresh_token"]), me(visitor, kept["access_token"])]

    assert is_problem(answers[0], 401, "session-revoked")
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert db.session.scalars(select(AuthSession.revoke_reason)).one() == "refresh_reuse"
    assert db.session.scalars(select(UserNotification.user_id)).all() == [user.id]
    assert db.session.scalars(select(AuditEntry.action)).all() == ["session.refresh_reuse"]


def test_a_thief_who_refreshes_before_the_owner_is_found_out_by_the_owner(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    token = api_log_in(visitor, refresh="body").get_json()["refresh_token"]
    thief = refresh(visitor, token).get_json()

    with time_machine.travel(clock.now() + timedelta(seconds=11), tick=False):
        owner = refresh(visitor, token)
        afterwards = [refresh(visitor, thief["refresh_token"]), me(visitor, thief["access_token"])]

    assert is_problem(owner, 401, "session-revoked")
    assert [answer.status_code for answer in afterwards] == [401, 401]


@pytest.mark.parametrize("off", [-90, 90])
def test_a_node_whose_clock_is_90_seconds_off_takes_the_tokens_of_another(visitor: FlaskClient, off: int) -> None:
    with_password(email="zoe@example.test")
    given = api_log_in(visitor, refresh="body").get_json()

    with time_machine.travel(clock.now() + timedelta(seconds=off), tick=False):
        taken = me(visitor, given["access_token"])
        again = refresh(visitor, given["refresh_token"])
    here = me(visitor, again.get_json()["access_token"])

    assert [answer.status_code for answer in (taken, again, here)] == [200, 200, 200]


def test_a_refused_refresh_clears_the_cookie(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    opened = db.session.scalars(select(AuthSession)).one()
    opened.revoked_at = clock.now()

    answer = refresh(visitor)

    assert answer.status_code == 401
    assert visitor.get_cookie("ct_refresh", path="/api/v1/auth") is None


@pytest.mark.parametrize(
    "headers", [{"X-CSRF-TOKEN": "guessed"}, {"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_the_cookie_is_only_taken_from_our_own_pages(visitor: FlaskClient, headers: dict[str, str]) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")

    refused = refresh(visitor, **headers)

    assert refused.status_code in {401, 403}
    assert refresh(visitor, Origin="http://localhost").status_code == 200


def test_a_tab_that_only_refreshes_keeps_its_session(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    start = clock.now()

    for hours in range(8, 40, 8):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            assert refresh(visitor).status_code == 200
    with time_machine.travel(start + timedelta(hours=46), tick=False):
        assert refresh(visitor).status_code == 401
    assert db.session.scalars(select(UserNotification)).all() == []


def test_logging_out_on_the_page_ends_the_tokens_too(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    token = refresh(visitor).get_json()["access_token"]

    visitor.post("/deconnexion")

    assert me(visitor, token).status_code == 401


def test_logging_out_everywhere_ends_pages_and_tokens(site: Flask, visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    page = site.test_client()
    log_in(page, "zoe@example.test")
    token = api_log_in(visitor, refresh="body").get_json()["access_token"]

    answer = visitor.post("/api/v1/auth/logout-all", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 204
    assert page.get("/espace/profil").status_code == 302
    assert me(visitor, token).status_code == 401


def test_logging_out_by_the_api_ends_that_session(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    tokens = api_log_in(visitor, refresh="body").get_json()

    answer = visitor.post("/api/v1/auth/logout", headers={"Authorization": f"Bearer {tokens['access_token']}"})

    assert answer.status_code == 204
    assert refresh(visitor, tokens["refresh_token"]).status_code == 401


def test_an_account_is_made_confirmed_and_recovered_by_the_api_alone(visitor: FlaskClient, mailbox: Mailbox) -> None:
    wanted = {
        "email": "zoe@example.test",
        "password": PASSWORD,
        "first_name": "Zoé",
        "last_name": "Ferrand",
        "accept_terms": True,
        "adult": True,
    }
    assert visitor.post("/api/v1/auth/register", json=wanted).status_code == 202
    token = path_in_mail(mailbox, "zoe@example.test", "/verification/").rsplit("/", 1)[-1]
    assert visitor.post("/api/v1/auth/verify-email", json={"token": token}).status_code == 200
    assert visitor.post("/api/v1/auth/password/forgot", json={"email": "zoe@example.test"}).status_code == 202
    token = path_in_mail(mailbox, "zoe@example.test", "/nouveau-mot-de-passe/").rsplit("/", 1)[-1]

    new = {"token": token, "password": OTHER_PASSWORD}
    answers = [visitor.post("/api/v1/auth/password/reset", json=new) for _turn in range(2)]

    assert answers[0].status_code == 200
    assert is_problem(answers[1], 410, "token-refused")
    assert api_log_in(visitor, password=OTHER_PASSWORD).status_code == 200


def test_a_closed_schema_names_each_field_that_it_refuses(visitor: FlaskClient) -> None:
    answer = visitor.post("/api/v1/auth/register", json={"email": "zoe@example.test", "role": "admin"})

    assert is_problem(answer, 422, "invalid")
    pointers = {error["pointer"] for error in answer.get_json(force=True)["errors"]}
    assert {"#/role", "#/password", "#/adult"} <= pointers
    assert db.session.scalars(select(User)).all() == []


@pytest.mark.parametrize(
    ("body", "kind", "statuses"),
    [
        ("{", "application/json", {400}),
        ("[]", "application/json", {422}),
        ("[" * 20_000, "application/json", {400, 422}),
        ('{"email": "a", "password": "b"}', "text/plain", {415, 422}),
        (b"\xff\xfe{}", "application/json", {400}),
        ("", "application/json", {400, 422}),
    ],
)
def test_hostile_bodies_are_refused_as_problems(
    visitor: FlaskClient, body: str | bytes, kind: str, statuses: set[int]
) -> None:
    answer = visitor.post("/api/v1/auth/login", data=body, content_type=kind)

    assert answer.status_code in statuses
    assert answer.mimetype == "application/problem+json"


def test_used_tokens_stay_as_the_memory_of_the_family(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    token = api_log_in(visitor, refresh="body").get_json()["refresh_token"]
    refresh(visitor, token)

    rows = db.session.scalars(select(RefreshToken).order_by(RefreshToken.used_at.is_(None))).all()
    assert [row.used_at is None for row in rows] == [False, True]
    assert rows[1].parent_jti == rows[0].jti == pyjwt.decode(token, options={"verify_signature": False})["jti"]
    assert rows[0].replaced_by == rows[1].jti
