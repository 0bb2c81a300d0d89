"""Logging in and out."""

import contextvars
import statistics
import threading
import time
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.errors import TooManyAttempts
from calmness.extensions import db
from calmness.models.account import AuthSession, LoginAttempt, Role
from calmness.models.audit import AuditEntry
from calmness.services.account import login_limits, passwords
from calmness.services.account.sessions import hash_secret
from tests.account.people import PASSWORD, log_in, subjects_to, with_password
from tests.fixtures.servers import Mailbox


def test_the_cookie_holds_a_secret_and_the_row_its_hash(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")

    answer = log_in(visitor, "zoe@example.test")

    assert answer.location == "/espace"
    with visitor.session_transaction() as session:
        secret = session["_user_id"]
    opened = db.session.scalars(select(AuthSession)).one()
    assert opened.secret_hash == hash_secret(secret)
    assert secret not in (opened.id, opened.secret_hash)


def test_what_the_session_held_before_is_gone_after_login(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    with visitor.session_transaction() as session:
        session["planted"] = "by somebody else"

    log_in(visitor, "zoe@example.test")

    with visitor.session_transaction() as session:
        assert "planted" not in session


def test_a_cookie_copied_before_logout_opens_nothing_afterwards(site: Flask, visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    with visitor.session_transaction() as session:
        copied = dict(session)

    answer = visitor.post("/deconnexion")

    assert answer.headers["Clear-Site-Data"] == '"storage"'
    thief = site.test_client()
    with thief.session_transaction() as session:
        session.update(copied)
    assert thief.get("/espace/profil").location.startswith("/connexion")


def test_logging_in_again_ends_the_session_that_this_browser_held(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")

    log_in(visitor, "zoe@example.test")

    states = db.session.scalars(select(AuthSession.revoke_reason).order_by(AuthSession.created_at)).all()
    assert states == ["replaced", None]


def test_an_ordinary_session_ends_after_twelve_idle_hours_and_a_kept_one_does_not(
    site: Flask, visitor: FlaskClient
) -> None:
    with_password(email="zoe@example.test")
    kept = site.test_client()
    log_in(visitor, "zoe@example.test")
    log_in(kept, "zoe@example.test", persistent="y")

    with time_machine.travel(clock.now() + timedelta(hours=13), tick=False):
        assert visitor.get("/espace/profil").status_code == 302
        assert kept.get("/espace/profil").status_code == 200
    with time_machine.travel(clock.now() + timedelta(days=45), tick=False):
        assert kept.get("/espace/profil").status_code == 302


def test_staff_never_stays_logged_in(visitor: FlaskClient) -> None:
    with_password(email="ines@example.test", role=Role.ADMIN)

    log_in(visitor, "ines@example.test", persistent="y")

    assert not db.session.scalars(select(AuthSession.persistent)).one()


@pytest.mark.parametrize("email", ["zoe@example.test", "nobody@example.test", "no address", "\x00@\x00.fr"])
def test_a_wrong_password_and_an_unknown_address_read_the_same(visitor: FlaskClient, email: str) -> None:
    with_password(email="zoe@example.test")

    answer = log_in(visitor, email, "not the right password")

    assert answer.status_code == 401
    assert "L’adresse ou le mot de passe ne correspond pas." in answer.text


def test_a_closed_account_reads_like_a_wrong_password(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test", disabled_at=clock.now())

    assert log_in(visitor, "zoe@example.test").status_code == 401


def test_half_a_surrogate_pair_is_refused_before_it_is_a_password(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")

    body = '{"email": "zoe@example.test", "password": "\\ud800"}'
    answer = visitor.post("/api/v1/auth/login", data=body, content_type="application/json")

    assert (answer.status_code, answer.get_json()["type"]) == (400, "/problems/forbidden-character")


def test_an_accent_typed_in_two_ways_is_one_password(visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    user.password_hash = passwords.hash_password("é" * 12)

    assert log_in(visitor, "zoe@example.test", "e\u0301" * 12).location == "/espace"


def test_the_sixth_wrong_try_is_told_how_long_to_wait(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    for _turn in range(5):
        assert log_in(visitor, "zoe@example.test", "wrong wrong wrong").status_code == 401

    answer = log_in(visitor, "zoe@example.test")

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 901
    assert "Recommencez dans 15\u00a0min" in answer.text
    assert 'value="zoe@example.test"' in answer.text
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=False):
        assert log_in(visitor, "zoe@example.test").location == "/espace"


def test_guessing_from_elsewhere_does_not_lock_the_owner_out(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    log_in(visitor, "zoe@example.test")
    for network in range(8):
        for _turn in range(5):
            visitor.post(
                "/connexion",
                data={"email": "zoe@example.test", "password": "wrong wrong wrong"},
                environ_base={"REMOTE_ADDR": f"198.51.100.{network}"},
            )
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}

    refused = visitor.post(
        "/connexion", data={"email": "zoe@example.test", "password": PASSWORD}, environ_base=elsewhere
    )

    assert refused.status_code == 429
    assert log_in(visitor, "zoe@example.test").location == "/espace"


def test_addresses_of_one_ipv6_network_count_together(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    answers = [
        visitor.post(
            "/connexion",
            data={"email": "zoe@example.test", "password": "wrong wrong wrong"},
            environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{host}"},
        ).status_code
        for host in range(1, 7)
    ]

    assert answers == [401] * 5 + [429]


def test_many_tries_at_once_do_not_slip_through(site: Flask) -> None:
    barrier, outcomes = threading.Barrier(12), []

    def guess() -> None:
        with site.app_context():
            barrier.wait(timeout=10)
            try:
                login_limits.begin("zoe@example.test", "198.51.100.7")
            except TooManyAttempts:
                outcomes.append("refused")
            else:
                outcomes.append("taken")
            db.session.commit()
            db.session.remove()

    threads = [threading.Thread(target=contextvars.Context().run, args=(guess,)) for _turn in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert outcomes.count("taken") == 5


def test_tries_are_kept_without_the_address(visitor: FlaskClient) -> None:
    log_in(visitor, "nobody@example.test")

    attempt = db.session.scalars(select(LoginAttempt)).one()
    assert "nobody" not in attempt.account_hash
    assert not attempt.succeeded


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "/\\evil.test",
        "///evil.test",
        "https:evil.test",
        "https://evil.test/",
        "\t//evil.test",
        "/\t/evil.test",
        "javascript:alert(1)",
        "",
    ],
)
def test_next_leads_to_pages_of_this_site_only(visitor: FlaskClient, target: str) -> None:
    with_password(email="zoe@example.test")

    assert log_in(visitor, "zoe@example.test", next=target).location == "/espace"


def test_after_login_the_person_is_where_it_wanted_to_go(visitor: FlaskClient) -> None:
    with_password(email="zoe@example.test")
    asked = visitor.get("/espace/notifications?page=2")
    assert asked.location == "/connexion?next=/espace/notifications?page%3D2"

    answer = log_in(visitor, "zoe@example.test", next="/espace/notifications?page=2")

    assert answer.location == "/espace/notifications?page=2"


def test_a_foreign_host_header_is_refused(visitor: FlaskClient) -> None:
    assert visitor.get("/connexion", base_url="http://evil.test").status_code == 400


def test_a_form_without_its_token_is_refused(visitor: FlaskClient) -> None:
    visitor.csrf = False  # type: ignore[attr-defined]
    with_password(email="zoe@example.test")

    assert log_in(visitor, "zoe@example.test").status_code == 400
    assert db.session.scalar(select(func.count()).select_from(AuthSession)) == 0


def test_an_old_hash_is_made_stronger_at_login(site: Flask, visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    before = user.password_hash
    db.session.commit()
    site.config["ARGON2_TIME"] = 2
    try:
        log_in(visitor, "zoe@example.test")
    finally:
        site.config["ARGON2_TIME"] = 1

    db.session.expire_all()
    assert user.password_hash != before
    assert "t=2" in user.password_hash


def test_an_unknown_address_takes_as_long_as_a_wrong_password(site: Flask) -> None:
    with_password(email="zoe@example.test")
    site.config["ARGON2_MEMORY_KIB"] = 19_456
    hashed = passwords.hash_password(PASSWORD)
    passwords.matches("warm the dummy", None)

    def seconds(known: str | None) -> float:
        started = time.perf_counter()
        passwords.matches("not the right one", known)
        return time.perf_counter() - started

    try:
        pairs = [(seconds(hashed), seconds(None)) for _turn in range(20)]
    finally:
        site.config["ARGON2_MEMORY_KIB"] = 8

    wrong, unknown = (statistics.median(times) for times in zip(*pairs, strict=True))
    assert 0.7 < unknown / wrong < 1.4


def test_the_owner_of_a_guessed_account_is_told_once_a_day_and_nobody_else(
    site: Flask, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    with_password(email="zoe@example.test")
    for number in range(22):
        visitor.environ_base["REMOTE_ADDR"] = f"198.51.100.{number + 1}"
        for address in ("zoe@example.test", "nobody@example.test"):
            log_in(visitor, address, "not the right one")

    told = subjects_to(mailbox, "zoe@example.test")

    assert told == ["Quelqu’un essaie d’ouvrir votre compte"]
    assert mailbox.to("nobody@example.test") == []
    assert db.session.scalars(select(AuditEntry.action)).all() == ["account.password_guessed"]


def test_nineteen_wrong_tries_tell_nobody(visitor: FlaskClient, mailbox: Mailbox) -> None:
    with_password(email="zoe@example.test")
    for number in range(19):
        visitor.environ_base["REMOTE_ADDR"] = f"198.51.100.{number + 1}"
        log_in(visitor, "zoe@example.test", "not the right one")

    assert subjects_to(mailbox, "zoe@example.test") == []
