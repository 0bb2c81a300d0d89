"""Whoever owns an account learns of what touches its security, by mail and on the site; the journal has it too."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import User, UserNotification
from calmness.models.audit import AuditEntry
from calmness.models.delivery import Delivery
from tests.account.people import OTHER_PASSWORD, PASSWORD, log_in, subjects_to, texts_to, with_password
from tests.fixtures.servers import Mailbox

LogIn = Callable[[User], FlaskClient]
ZOE = "zoe@example.test"
NEW_DEVICE = "Connexion depuis un nouvel appareil"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


def come(browser: FlaskClient, **options: object) -> int:
    """Log in from Firefox on a network elsewhere."""
    data = {"email": ZOE, "password": PASSWORD}
    headers = {"User-Agent": FIREFOX}
    return browser.post("/connexion", data=data, headers=headers, environ_base=ELSEWHERE, **options).status_code


def test_the_first_login_tells_nobody(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email=ZOE)

    log_in(visitor, ZOE)

    assert subjects_to(mailbox, ZOE) == []


def test_an_unknown_device_is_told_with_time_device_and_network(
    site: Flask, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    with_password(email=ZOE)
    log_in(visitor, ZOE)

    come(site.test_client())

    assert subjects_to(mailbox, ZOE) == [NEW_DEVICE]
    text = texts_to(mailbox, ZOE)
    assert "Firefox, Linux" in text
    assert "réseau 203.0.113.0" in text
    assert "(heure de Paris)" in text
    assert "http://localhost/espace/compte" in text
    assert db.session.scalars(select(UserNotification.title)).all() == [NEW_DEVICE]
    assert "session.new_device" in db.session.scalars(select(AuditEntry.action)).all()
    assert db.session.scalars(select(Delivery.kind)).all() == ["account.security"]


def test_a_browser_is_known_by_its_mark_from_any_network_and_after_a_log_out(
    site: Flask, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    with_password(email=ZOE)
    log_in(visitor, ZOE)
    laptop = site.test_client()
    come(laptop)
    laptop.post("/deconnexion")
    mailbox.clear()

    laptop.post("/connexion", data={"email": ZOE, "password": PASSWORD}, environ_base={"REMOTE_ADDR": "198.51.100.77"})

    assert subjects_to(mailbox, ZOE).count(NEW_DEVICE) == 1
    cookie = laptop.get_cookie("ct_device", path="/connexion")
    assert cookie is not None
    assert (cookie.path, cookie.http_only, cookie.same_site) == ("/connexion", True, "Lax")


def test_a_mark_of_somebody_else_or_a_forged_one_counts_for_nothing(
    site: Flask, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    with_password(email=ZOE)
    with_password(email="max@example.test")
    log_in(visitor, ZOE)
    thief = site.test_client()
    log_in(thief, "max@example.test")
    forger = site.test_client()
    forger.set_cookie("ct_device", "WyJhIl0.forged", path="/connexion")

    assert (come(thief), come(forger)) == (302, 302)

    # The second came from a place that the first made known.
    assert subjects_to(mailbox, ZOE) == [NEW_DEVICE]


def test_a_new_password_makes_every_device_new(site: Flask, visitor: FlaskClient, mailbox: Mailbox) -> None:
    user = with_password(email=ZOE)
    log_in(visitor, ZOE)
    laptop = site.test_client()
    come(laptop)
    user.password_hash = with_password(email="max@example.test").password_hash
    subjects_to(mailbox, ZOE)
    mailbox.clear()

    laptop.post("/connexion", data={"email": ZOE, "password": PASSWORD}, environ_base={"REMOTE_ADDR": "198.51.100.77"})

    assert subjects_to(mailbox, ZOE) == [NEW_DEVICE]


def test_a_program_on_an_unknown_device_is_told_too(site: Flask, visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email=ZOE)
    log_in(visitor, ZOE)

    visitor.post("/api/v1/auth/login", json={"email": ZOE, "password": PASSWORD}, environ_base=ELSEWHERE)

    assert subjects_to(mailbox, ZOE) == [NEW_DEVICE]


def test_a_new_password_and_a_new_token_are_told(client_for: LogIn, mailbox: Mailbox) -> None:
    browser = client_for(with_password(email=ZOE))

    browser.post("/espace/compte/jetons", data={"name": "Tableur", "days": "30", "scopes": ["trading:read"]})
    browser.post("/espace/compte/mot-de-passe", data={"current": PASSWORD, "password": OTHER_PASSWORD})

    assert sorted(subjects_to(mailbox, ZOE)) == ["Un jeton d’API a été créé", "Votre mot de passe a été changé"]
    assert "«\u00a0Tableur\u00a0»" in texts_to(mailbox, ZOE)
    assert {"api_token.created", "account.password_changed"} <= set(db.session.scalars(select(AuditEntry.action)))


@pytest.mark.parametrize("name", ["100%", "%(left)s", "%s"])
def test_a_name_with_a_percent_sign_is_told_as_it_is(client_for: LogIn, mailbox: Mailbox, name: str) -> None:
    browser = client_for(with_password(email=ZOE))

    done = browser.post("/espace/compte/jetons", data={"name": name, "days": "30", "scopes": ["trading:read"]})

    assert done.status_code == 201
    assert f"«\u00a0{name}\u00a0»" in texts_to(mailbox, ZOE)
