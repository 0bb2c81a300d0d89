"""The list of devices, and how fast an end is an end."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness.extensions import db
from calmness.models.account import AuthSession, User
from calmness.models.audit import AuditEntry
from calmness.services.account import sessions
from tests import factories
from tests.account.people import log_in, texts_to, with_password
from tests.fixtures.servers import Mailbox
from tests.fixtures.site import Socket


def newest_session() -> str:
    return str(db.session.scalars(select(AuthSession.id).order_by(AuthSession.created_at.desc())).first())


def test_a_person_ends_another_device_and_its_socket_is_cut(
    client_for: Callable[[User], FlaskClient], socket_for: Callable[..., Socket]
) -> None:
    user = factories.student()
    here, there = client_for(user), client_for(user)
    other = newest_session()
    sockets = [socket_for(here), socket_for(there)]

    answer = here.post(f"/espace/compte/appareils/{other}/fin")

    assert answer.location == "/espace/compte"
    assert there.get("/espace/compte").status_code == 302
    assert here.get("/espace/compte").status_code == 200
    assert [socket.connected for socket in sockets] == [True, False]
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.actor_id) == ("session.ended", user.id)
    assert entry.session_id not in (None, other)
    assert entry.ip_truncated == "127.0.0.0"


def test_a_person_ends_all_other_devices(client_for: Callable[[User], FlaskClient]) -> None:
    user = factories.student()
    browsers = [client_for(user) for _turn in range(3)]

    browsers[0].post("/espace/compte/appareils/autres/fin")

    assert [browser.get("/espace/compte").status_code for browser in browsers] == [200, 302, 302]


def test_somebody_elses_device_does_not_exist(client_for: Callable[[User], FlaskClient]) -> None:
    owner = client_for(factories.student())
    theirs = newest_session()
    stranger = client_for(factories.student())

    assert stranger.post(f"/espace/compte/appareils/{theirs}/fin").status_code == 404
    assert owner.get("/espace/compte").status_code == 200


def test_a_revocation_that_is_rolled_back_cuts_nothing(
    site: Flask, client_for: Callable[[User], FlaskClient], socket_for: Callable[..., Socket]
) -> None:
    browser = client_for(factories.student())
    socket = socket_for(browser)

    sessions.revoke(newest_session(), "by mistake")
    db.session.rollback()

    assert socket.connected
    assert browser.get("/espace/compte").status_code == 200


def test_the_page_names_each_device_and_marks_the_one_in_hand(site: Flask, visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    visitor.environ_base["HTTP_USER_AGENT"] = agent
    log_in(visitor, "zoe@example.test")

    page = visitor.get("/espace/compte").text

    assert "Firefox, Linux" in page
    assert "Cet appareil" in page


def test_the_page_and_the_mail_of_a_new_device_name_its_place(
    site: Flask, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    abroad = site.test_client()
    abroad.environ_base["REMOTE_ADDR"] = "198.18.1.7"
    abroad.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    log_in(abroad, "zoe@example.test")

    page = abroad.get("/espace/compte").text

    assert "Versailles, France (réseau 198.18.1.0)" in page
    assert "lieu inconnu (réseau 127.0.0.0)" in page
    assert "Versailles, France (réseau 198.18.1.0)" in texts_to(mailbox, "zoe@example.test")
