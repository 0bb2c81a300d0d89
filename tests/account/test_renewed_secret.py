"""A proof of identity renews the session's secrets (ASVS 5, 7.2.4): copies made before open nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import Cookie

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, User
from calmness.services.account import jwt_tokens, second_factor
from tests.account.people import OTHER_PASSWORD, PASSWORD, code_now, log_in, with_factor, with_password
from tests.fixtures.site import Socket

LogIn = Callable[[User], FlaskClient]
Act = Callable[[FlaskClient], object]


def cookies_of(browser: FlaskClient) -> list[Cookie]:
    return list((browser._cookies or {}).values())


def copy_of(browser: FlaskClient, site: Flask) -> FlaskClient:
    """Another browser with the cookies that this one has now."""
    thief = site.test_client()
    for cookie in cookies_of(browser):
        thief.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
    return thief


def refresh(browser: FlaskClient) -> int:
    proof = next(cookie.value for cookie in cookies_of(browser) if cookie.key.startswith("ct_refresh_csrf"))
    answer = browser.post("/api/v1/auth/refresh", json={}, headers={"X-CSRF-TOKEN": proof})
    return answer.status_code


def device() -> AuthSession:
    db.session.expire_all()
    return db.session.scalars(select(AuthSession)).one()


def by_password(browser: FlaskClient) -> object:
    return browser.post("/confirmation", data={"password": PASSWORD})


def by_new_password(browser: FlaskClient) -> object:
    return browser.post("/espace/compte/mot-de-passe", data={"current": PASSWORD, "password": OTHER_PASSWORD})


@pytest.mark.parametrize("act", [by_password, by_new_password])
def test_a_cookie_stolen_before_is_dead_afterwards_and_the_owner_goes_on(
    site: Flask, visitor: FlaskClient, act: Act
) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    thief = copy_of(visitor, site)
    assert thief.get("/espace/profil").status_code == 200

    act(visitor)

    assert thief.get("/espace/profil").location.startswith("/connexion")
    assert visitor.get("/espace/profil").status_code == 200
    assert len(db.session.scalars(select(AuthSession)).all()) == 1


def test_the_second_factor_renews_too_when_it_is_set_up_and_when_it_confirms(site: Flask, visitor: FlaskClient) -> None:
    _user, key = with_factor(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    visitor.post("/connexion/code", data={"code": code_now(key)})
    thief = copy_of(visitor, site)

    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        visitor.post("/confirmation", data={"code": code_now(key)})

        assert thief.get("/espace/profil").location.startswith("/connexion")
        assert visitor.get("/espace/profil").status_code == 200


def test_a_cookie_from_before_the_second_factor_was_on_opens_nothing(site: Flask, visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    thief = copy_of(visitor, site)
    visitor.post("/espace/compte/double-authentification")
    key = second_factor.pending_secret(user) or ""

    answer = visitor.post("/espace/compte/double-authentification/confirmation", data={"code": code_now(key)})

    assert answer.status_code == 201
    assert thief.get("/espace/profil").location.startswith("/connexion")
    assert visitor.get("/espace/profil").status_code == 200


def test_tokens_stolen_before_are_dead_too_and_using_them_does_not_log_the_owner_out(
    site: Flask, visitor: FlaskClient
) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    thief = copy_of(visitor, site)
    access = jwt_tokens.issue_access(device())

    def me(token: str) -> int:
        return site.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code

    assert me(access) == 200
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=False):
        by_password(visitor)
        stolen = refresh(thief)

        assert (stolen, me(access)) == (401, 401)
        assert me(jwt_tokens.issue_access(device())) == 200
        assert refresh(visitor) == 200
        assert visitor.get("/espace/profil").status_code == 200


def test_a_stolen_refresh_token_used_later_ends_the_session_and_tells_its_owner(
    site: Flask, visitor: FlaskClient
) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    thief = copy_of(visitor, site)
    by_password(visitor)

    with time_machine.travel(clock.now() + timedelta(seconds=30), tick=False):
        assert refresh(thief) == 401

    assert device().revoke_reason == "refresh_reuse"


def test_the_socket_of_a_stolen_cookie_is_cut_and_cannot_come_back(
    site: Flask, visitor: FlaskClient, socket_for: Callable[..., Socket]
) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    thief = copy_of(visitor, site)
    sockets = [socket_for(thief), socket_for(visitor)]
    assert [socket.connected for socket in sockets] == [True, True]

    by_password(visitor)

    assert [socket.connected for socket in sockets] == [False, False]
    assert not socket_for(thief).connected
    assert socket_for(visitor).connected


def test_the_form_of_another_tab_is_taken_after_a_confirmation(visitor: FlaskClient) -> None:
    """Both tabs share the cookies; the token in the form that was open all along stays good."""
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    form = visitor._form_token()  # type: ignore[attr-defined]

    by_password(visitor)
    answer = visitor.post("/espace/parametres", data={"theme": "light"}, headers={"X-CSRFToken": form})

    assert answer.location == "/espace/parametres"


def test_a_late_answer_of_another_tab_does_not_bring_the_old_cookie_back(
    site: Flask, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other tab's request began before the confirmation, and its answer comes after it."""
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test", persistent="y")
    other_tab = copy_of(visitor, site)

    def meanwhile(response: object) -> object:
        monkeypatch.setitem(site.after_request_funcs, None, [*before])
        by_password(visitor)
        from flask import session

        session.modified = True
        return response

    before = list(site.after_request_funcs[None])
    monkeypatch.setitem(site.after_request_funcs, None, [*before, meanwhile])
    late = other_tab.get("/espace/profil")

    assert late.status_code == 200
    assert not [value for value in late.headers.getlist("Set-Cookie") if value.startswith("ct_session")]
    assert visitor.get("/espace/profil").status_code == 200


def test_a_kept_session_s_cookie_slides_with_its_row(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test", persistent="y")

    visitor.get("/espace/profil")  # the token of its forms is new to the cookie
    at_once = visitor.get("/espace/profil").headers.getlist("Set-Cookie")
    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        later = visitor.get("/espace/profil").headers.getlist("Set-Cookie")

    assert not [value for value in at_once if value.startswith("ct_session")]
    assert [value for value in later if value.startswith("ct_session") and "Expires=" in value]


def test_a_new_password_cuts_the_open_sockets_of_the_other_devices(
    site: Flask, visitor: FlaskClient, socket_for: Callable[..., Socket]
) -> None:
    with_password(email="zoe@example.test")
    other = site.test_client()
    log_in(other, "zoe@example.test")
    log_in(visitor, "zoe@example.test")
    elsewhere = socket_for(other)
    before = elsewhere.connected

    by_new_password(visitor)

    assert (before, elsewhere.connected) == (True, False)
    assert not socket_for(other).connected
    assert socket_for(visitor).connected


@pytest.mark.parametrize("off", [-90, 90])
def test_a_server_whose_clock_is_off_gives_tokens_that_hold_after_a_confirmation(
    site: Flask, visitor: FlaskClient, off: int
) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    before = jwt_tokens.issue_access(device())
    visitor.post("/confirmation", data={"password": PASSWORD})

    with time_machine.travel(clock.now() + timedelta(seconds=off), tick=False):
        given = jwt_tokens.issue_access(device())

    def me(token: str) -> int:
        return site.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code

    assert (me(before), me(given)) == (401, 200)
