"""Forgotten and changed passwords."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.jobs.drain import drain_everything
from calmness.models.account import AuthSession, User
from calmness.models.audit import AuditEntry
from tests.account.people import OTHER_PASSWORD, PASSWORD, log_in, path_in_mail, with_password
from tests.fixtures.servers import Mailbox

START = "/nouveau-mot-de-passe/"


def ask(browser: FlaskClient, email: str) -> str:
    """What the page says; its head holds an id of the view."""
    page = browser.post("/mot-de-passe-oublie", data={"email": email}).text
    return page[page.index("<main") : page.index("</main>")]


def choose(browser: FlaskClient, path: str, password: str = OTHER_PASSWORD) -> int:
    return int(browser.post(path, data={"password": password, "again": password}).status_code)


def test_a_forgotten_password_is_replaced_once_and_ends_every_session(
    site: Flask, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    with_password(email="Zoe@Example.test", email_key="zoe@example.test")
    elsewhere = site.test_client()
    log_in(elsewhere, "zoe@example.test")
    ask(visitor, "ZOE@example.test")
    path = path_in_mail(mailbox, "Zoe@Example.test", START)

    assert visitor.get(path).headers["Referrer-Policy"] == "no-referrer"
    assert [choose(visitor, path), choose(visitor, path)] == [302, 410]

    assert elsewhere.get("/espace/profil").status_code == 302
    assert log_in(visitor, "zoe@example.test", PASSWORD).status_code == 401
    assert log_in(visitor, "zoe@example.test", OTHER_PASSWORD).location == "/espace"
    drain_everything()
    assert mailbox.to("Zoe@Example.test")[-1]["Subject"] == "Votre mot de passe a été changé"
    assert "account.password_reset" in db.session.scalars(select(AuditEntry.action)).all()


def test_known_and_unknown_addresses_read_the_same(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email="zoe@example.test")

    pages = [ask(visitor, "zoe@example.test"), ask(visitor, "nobody@example.test")]
    drain_everything()

    assert pages[0] == pages[1]
    assert [message["To"] for message in mailbox.messages] == ["zoe@example.test"]


def test_a_link_lives_for_half_an_hour(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email="zoe@example.test")
    ask(visitor, "zoe@example.test")
    path = path_in_mail(mailbox, "zoe@example.test", START)

    with time_machine.travel(clock.now() + timedelta(minutes=31), tick=False):
        assert visitor.get(path).status_code == 410
        assert choose(visitor, path) == 410


def test_a_newer_link_ends_the_one_before(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email="zoe@example.test")
    ask(visitor, "zoe@example.test")
    first = path_in_mail(mailbox, "zoe@example.test", START)
    ask(visitor, "zoe@example.test")
    path_in_mail(mailbox, "zoe@example.test", START)

    assert choose(visitor, first) == 410


def test_a_weak_password_leaves_the_link_usable(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email="zoe@example.test")
    ask(visitor, "zoe@example.test")
    path = path_in_mail(mailbox, "zoe@example.test", START)

    assert [choose(visitor, path, "azertyuiopqsd"), choose(visitor, path)] == [422, 302]


def test_nobody_is_flooded_with_links(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email="zoe@example.test")

    for _turn in range(8):
        ask(visitor, "zoe@example.test")
    drain_everything()

    assert len(mailbox.to("zoe@example.test")) == 5


def test_links_start_with_the_address_of_the_site_whatever_host_was_asked(
    visitor: FlaskClient, mailbox: Mailbox
) -> None:
    with_password(email="zoe@example.test")

    visitor.post("/mot-de-passe-oublie", data={"email": "zoe@example.test"}, headers={"X-Forwarded-Host": "evil.test"})
    drain_everything()

    assert "http://localhost/nouveau-mot-de-passe/" in mailbox.to("zoe@example.test")[0].as_string().replace("=\n", "")


def test_changing_the_password_keeps_this_device_only(
    visitor: FlaskClient, client_for: Callable[[User], FlaskClient]
) -> None:
    user = with_password(email="zoe@example.test")
    here, there = client_for(user), client_for(user)
    form = {"current": PASSWORD, "password": OTHER_PASSWORD}

    answer = here.post("/espace/compte/mot-de-passe", data=form)

    assert answer.location == "/espace/compte"
    assert here.get("/espace/compte").status_code == 200
    assert there.get("/espace/compte").status_code == 302
    assert log_in(visitor, "zoe@example.test", OTHER_PASSWORD).location == "/espace"


@pytest.mark.parametrize(
    ("current", "new", "told"),
    [("wrong", OTHER_PASSWORD, "Le mot de passe actuel ne correspond pas"), (PASSWORD, "court", "12 caractères")],
)
def test_a_refused_change_says_why(
    client_for: Callable[[User], FlaskClient], current: str, new: str, told: str
) -> None:
    browser = client_for(with_password())

    answer = browser.post("/espace/compte/mot-de-passe", data={"current": current, "password": new})

    assert answer.status_code == 422
    assert told in answer.text
    assert db.session.scalars(select(AuthSession.revoked_at)).all() == [None]
