"""Where the team must have a second factor, a member without one can set it up and do nothing else."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.access import access_of
from calmness.extensions import db
from calmness.models.account import AuthSession, Role, User
from calmness.permissions import may
from calmness.services.account import api_tokens, one_time_codes, second_factor
from config import from_environment
from tests import factories
from tests.access.test_every_route import methods_of, path_of
from tests.account.people import PASSWORD, code_now, log_in, with_factor, with_password
from tests.foundation.test_configuration import PRODUCTION

LogIn = Callable[[User], FlaskClient]
PAGE = "/espace/compte/double-authentification"
OPEN = {
    "account.second_factor_page",
    "account.begin_second_factor",
    "account.confirm_second_factor",
    "auth.new_confirmation",
    "auth.create_confirmation",
    "account.passkey_options",
    "account.create_passkey",
    "auth.passkey_confirmation_options",
    "auth.create_passkey_confirmation",
}


@pytest.fixture(autouse=True)
def _required(site: Flask) -> Iterator[None]:
    site.config["STAFF_SECOND_FACTOR"] = True
    yield
    site.config["STAFF_SECOND_FACTOR"] = False


@pytest.fixture
def agent_browser(visitor: FlaskClient) -> FlaskClient:
    """An agent without a second factor, logged in by password."""
    with_password(email="ines@example.test", role=Role.AGENT)
    log_in(visitor, "ines@example.test")
    return visitor


def test_production_asks_for_it_and_demo_and_tests_do_not() -> None:
    values = {name: from_environment({"CALMNESS_ENV": name}) for name in ("demo", "development", "testing")}

    assert from_environment(PRODUCTION)["STAFF_SECOND_FACTOR"] is True
    assert from_environment(PRODUCTION | {"STAFF_SECOND_FACTOR": "0"})["STAFF_SECOND_FACTOR"] is False
    assert {value["STAFF_SECOND_FACTOR"] for value in values.values()} == {False}


@pytest.mark.parametrize("role", [Role.AGENT, Role.ADMIN])
def test_no_page_but_those_of_setting_it_up_opens(site: Flask, visitor: FlaskClient, role: Role) -> None:
    user = with_password(email="ines@example.test", role=role)
    log_in(visitor, "ines@example.test")
    led, elsewhere = set(), []
    for rule in site.url_map.iter_rules():
        access = access_of(site.view_functions[rule.endpoint])
        if access is None or access.permission is None or rule.endpoint.startswith("api.") or rule.endpoint in OPEN:
            continue
        if not may(user, access.permission):
            continue
        for method in methods_of(rule):
            with visitor.open(path_of(rule), method=method) as answer:
                led.add(answer.location.partition("?")[0] if answer.location else answer.status_code)
                if not (answer.location or "").startswith(PAGE):
                    elsewhere.append((method, rule.rule, answer.status_code))

    assert elsewhere == []
    assert led == {PAGE}


def test_the_agent_is_led_to_setting_it_up_and_then_works(agent_browser: FlaskClient) -> None:
    home = agent_browser.get("/admin")
    page = agent_browser.get(home.location)
    agent_browser.post(PAGE)
    user = db.session.scalars(select(User).filter_by(email="ines@example.test")).one()
    key = second_factor.pending_secret(user) or ""
    done = agent_browser.post(f"{PAGE}/confirmation", data={"code": code_now(key)})

    assert home.location.startswith(PAGE)
    assert "Votre rôle demande la double authentification" in page.text
    assert done.status_code == 201
    assert 'href="/admin"' in done.text
    assert agent_browser.get("/admin").status_code == 200
    assert "Désactiver" not in agent_browser.get(PAGE).text
    agent_browser.post(f"{PAGE}/fin")
    assert second_factor.is_on(user.id)


def test_an_older_session_enters_its_code_and_no_password_in_its_place(site: Flask, agent_browser: FlaskClient) -> None:
    user = db.session.scalars(select(User).filter_by(email="ines@example.test")).one()
    second_factor.begin(user)
    key = second_factor.pending_secret(user) or ""
    second_factor.confirm(user, code_now(key), "198.51.100.1")

    asked = agent_browser.get("/admin")
    by_password = agent_browser.post("/confirmation", data={"password": PASSWORD})
    next_code = one_time_codes.code_of(key, one_time_codes.step_at(clock.now()) + 1)
    by_code = agent_browser.post(asked.location, data={"code": next_code, "next": "/admin"})

    assert asked.location == "/confirmation?next=/admin"
    assert by_password.status_code == 422
    assert by_code.location == "/admin"
    assert agent_browser.get("/admin").status_code == 200


def test_students_are_asked_for_nothing(client_for: LogIn) -> None:
    browser = client_for(factories.student())
    db.session.scalars(select(AuthSession)).one().mfa_at = None

    assert browser.get("/espace/profil").status_code == 200


def test_the_api_refuses_a_login_by_password_alone_and_tokens_of_people_without(visitor: FlaskClient) -> None:
    user = with_password(email="ines@example.test", role=Role.AGENT)
    given = {"email": user.email, "password": PASSWORD, "refresh": "body"}
    login = visitor.post("/api/v1/auth/login", json=given)
    _token, text = api_tokens.create(user, "Tableur", ["account:read"], 30)

    answers = [
        visitor.get("/api/v1/me", headers={"Authorization": f"Bearer {bearer}"})
        for bearer in (login.get_json()["access_token"], text)
    ]

    assert {(answer.status_code, answer.get_json()["type"]) for answer in answers} == {
        (403, "/problems/second-factor-missing")
    }


def test_a_program_of_an_agent_with_the_factor_works(visitor: FlaskClient) -> None:
    user, key = with_factor(email="ines@example.test", role=Role.AGENT)
    given = {"email": user.email, "password": PASSWORD, "refresh": "body", "otp": code_now(key)}

    token = visitor.post("/api/v1/auth/login", json=given).get_json()["access_token"]

    assert visitor.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_sockets_stay_shut(agent_browser: FlaskClient, socket_for: Callable[..., Any]) -> None:
    assert not socket_for(agent_browser, "/live").connected
    socket = socket_for(agent_browser, "/support")
    answer = socket.emit("inbox:join", {}) if socket.connected else None

    assert answer is None or "error" in answer
