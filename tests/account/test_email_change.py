"""A new address counts once the old mailbox and the new one have both said yes."""

import contextvars
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, EmailChange, OneTimeToken, User
from calmness.models.audit import AuditEntry
from calmness.models.delivery import Delivery
from calmness.services.account import accounts, email_changes
from tests import factories
from tests.account.people import (
    OTHER_PASSWORD,
    PASSWORD,
    log_in,
    path_in_mail,
    register,
    subjects_to,
    texts_to,
    with_password,
)
from tests.fixtures.servers import Mailbox

LogIn = Callable[[User], FlaskClient]
OLD, NEW = "zoe@example.test", "zoe.ferrand@example.test"
PAGE, LINK = "/espace/compte/adresse", "/changement-adresse/"


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False)


def links(mailbox: Mailbox) -> tuple[str, str]:
    """The link of the old mailbox, and that of the new."""
    return path_in_mail(mailbox, OLD, LINK), path_in_mail(mailbox, NEW, LINK)


def email_of(user: User) -> str:
    db.session.expire_all()
    return user.email


@pytest.mark.parametrize("first", [0, 1])
def test_both_mailboxes_say_yes_in_any_order_and_other_sessions_end(
    site: Flask, client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox, first: int
) -> None:
    user = with_password(email=OLD)
    elsewhere, browser = client_for(user), client_for(user)

    asked = browser.post(PAGE, data={"email": NEW})
    paths = links(mailbox)
    one = visitor.post(paths[first])
    between = email_of(user)
    other = visitor.post(paths[1 - first])

    assert asked.location == PAGE
    assert "Il reste à confirmer depuis l’autre adresse" in one.text
    assert between == OLD
    assert "Votre adresse est changée" in other.text
    assert email_of(user) == NEW
    assert user.email_verified_at is not None
    assert browser.get("/espace/profil").status_code == 200
    assert elsewhere.get("/espace/profil").location.startswith("/connexion")
    assert subjects_to(mailbox, OLD)[-1] == "Votre adresse e-mail a été changée"
    assert subjects_to(mailbox, NEW)[-1] == "Votre adresse e-mail a été changée"
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert {"email_change.requested", "account.email_changed"} <= set(actions)
    assert log_in(site.test_client(), OLD).status_code == 401
    assert log_in(site.test_client(), NEW).location == "/espace"


def test_looking_at_a_link_says_yes_to_nothing(client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox) -> None:
    user = with_password(email=OLD)
    client_for(user).post(PAGE, data={"email": NEW})

    pages = [visitor.get(path) for path in links(mailbox) * 2]

    assert [page.status_code for page in pages] == [200] * 4
    assert {page.headers["Referrer-Policy"] for page in pages} == {"no-referrer"}
    assert email_of(user) == OLD


def test_the_page_shows_what_is_missing_and_calls_it_off(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD)
    browser = client_for(user)
    browser.post(PAGE, data={"email": NEW})
    old, new = links(mailbox)
    visitor.post(old)

    waiting = browser.get(PAGE).text
    overview = browser.get("/espace/compte").text
    browser.post(f"{PAGE}/annulation")
    refused = visitor.post(new)

    assert (waiting.count("D’accord"), waiting.count("À confirmer")) == (1, 1)
    assert NEW in overview
    assert refused.status_code == 410
    assert email_of(user) == OLD
    assert NEW not in browser.get("/espace/compte").text
    assert "email_change.cancelled" in db.session.scalars(select(AuditEntry.action)).all()


def test_an_address_with_an_account_is_told_to_that_mailbox_alone(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user, owner = with_password(email=OLD), with_password(email=NEW)
    browser = client_for(user)

    taken = browser.post(PAGE, data={"email": NEW})
    shown = browser.get(PAGE).text
    free = browser.post(PAGE, data={"email": "free@example.test"})
    shown_free = browser.get(PAGE).text

    assert (taken.status_code, taken.location) == (free.status_code, free.location)
    assert shown.replace(NEW, "free@example.test").count("À confirmer") == shown_free.count("À confirmer") == 2
    browser.post(PAGE, data={"email": NEW})
    text = texts_to(mailbox, NEW)
    assert "Elle sert déjà à un compte" in text
    assert LINK not in text
    assert user.first_name not in text
    assert db.session.get_one(User, owner.id).email == NEW


def test_an_address_that_somebody_registers_meanwhile_stays_theirs(
    site: Flask, client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD)
    client_for(user).post(PAGE, data={"email": NEW})
    old, new = links(mailbox)
    visitor.post(new)
    register(site.test_client(), email=NEW.upper())

    answer = visitor.post(old)

    assert answer.status_code == 409
    assert "n’est plus libre" in answer.text
    assert email_of(user) == OLD
    assert db.session.scalars(select(EmailChange)).all() == []
    assert "email_change.refused" in db.session.scalars(select(AuditEntry.action)).all()
    holder = accounts.find_by_email(NEW)
    assert holder is not None
    assert holder.id != user.id


def test_the_links_are_over_after_two_hours_and_work_once(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD)
    client_for(user).post(PAGE, data={"email": NEW})
    old, new = links(mailbox)

    visitor.post(old)
    again = visitor.post(old)
    with later(121):
        late = visitor.post(new)
        look = visitor.get(new)

    assert (again.status_code, late.status_code, look.status_code) == (410, 410, 410)
    assert email_of(user) == OLD


def test_a_second_request_ends_the_links_of_the_first(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD)
    browser = client_for(user)
    browser.post(PAGE, data={"email": NEW})
    old, new = links(mailbox)
    visitor.post(old)
    browser.post(PAGE, data={"email": "third@example.test"})

    assert visitor.post(new).status_code == 410
    assert db.session.scalars(select(EmailChange.released_at)).one() is None


@pytest.mark.parametrize("act", ["password", "reset", "closed"])
def test_a_new_password_or_a_closed_account_ends_the_change(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox, act: str
) -> None:
    user = with_password(email=OLD)
    browser = client_for(user)
    browser.post(PAGE, data={"email": NEW})
    old, new = links(mailbox)
    visitor.post(old)

    if act == "password":
        browser.post("/espace/compte/mot-de-passe", data={"current": PASSWORD, "password": OTHER_PASSWORD})
    elif act == "reset":
        visitor.post("/mot-de-passe-oublie", data={"email": OLD})
        path = path_in_mail(mailbox, OLD, "/nouveau-mot-de-passe/")
        visitor.post(path, data={"password": OTHER_PASSWORD, "again": OTHER_PASSWORD})
    else:
        accounts.set_disabled(user.id, True, by=None)

    assert visitor.post(new).status_code == 410
    assert email_of(user) == OLD
    assert db.session.scalars(select(EmailChange)).all() == []


def test_an_address_that_was_never_confirmed_is_not_asked(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD, email_verified_at=None)
    client_for(user).post(PAGE, data={"email": NEW})

    done = visitor.post(path_in_mail(mailbox, NEW, LINK))

    assert "Votre adresse est changée" in done.text
    assert email_of(user) == NEW
    assert subjects_to(mailbox, OLD) == []


@pytest.mark.parametrize(
    ("email", "text"), [("ZOE@example.test", "déjà votre adresse"), ("no address", "adresse e-mail complète")]
)
def test_what_cannot_be_a_new_address_is_said_beside_the_field(client_for: LogIn, email: str, text: str) -> None:
    answer = client_for(with_password(email=OLD)).post(PAGE, data={"email": email})

    assert answer.status_code == 422
    assert text in answer.text
    assert f'value="{email}"' in answer.text


def test_asking_wants_a_fresh_proof_of_identity(client_for: LogIn) -> None:
    browser = client_for(with_password(email=OLD))

    with later(11):
        assert browser.get(PAGE).location == f"/confirmation?next={PAGE}"
        assert browser.post(PAGE, data={"email": NEW}).location.startswith("/confirmation")


def test_a_form_cannot_fill_the_mailbox_of_a_stranger(client_for: LogIn) -> None:
    browser = client_for(with_password(email=OLD))

    answers = [browser.post(PAGE, data={"email": f"n{number}@example.test"}).status_code for number in range(6)]

    assert answers == [302] * 5 + [429]


def test_no_row_holds_a_link_and_the_stranger_is_not_named(client_for: LogIn, mailbox: Mailbox) -> None:
    user = with_password(email=OLD)
    client_for(user).post(PAGE, data={"email": NEW})
    tokens = [path.removeprefix(LINK) for path in links(mailbox)]

    models = (Delivery, OneTimeToken, EmailChange)
    rows = [str(vars(row)) for model in models for row in db.session.scalars(select(model))]

    assert all(token not in row for token in tokens for row in rows)
    assert user.first_name not in texts_to(mailbox, NEW)


def test_two_clicks_at_the_same_moment_change_the_address_once(
    site: Flask, client_for: LogIn, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD)
    client_for(user).post(PAGE, data={"email": NEW})
    paths, barrier, outcomes = links(mailbox), threading.Barrier(2), []

    def click(path: str) -> None:
        with site.app_context():
            barrier.wait(timeout=60)
            outcomes.append(email_changes.confirm(path.removeprefix(LINK)))
            db.session.commit()
            db.session.remove()

    db.session.commit()
    threads = [threading.Thread(target=contextvars.Context().run, args=(click, path)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(outcomes) == [False, True]
    assert email_of(user) == NEW
    assert db.session.scalar(select(AuthSession.revoked_at)) is None


def test_a_program_takes_the_yes_of_both_mailboxes_by_their_tokens(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD)
    client_for(user).post(PAGE, data={"email": NEW})

    def say_yes(path: str) -> TestResponse:
        return visitor.post("/api/v1/auth/email-change", json={"token": path.removeprefix(LINK)})

    old, new = links(mailbox)
    answers = [say_yes(old), say_yes(old), say_yes(new)]

    assert [answer.status_code for answer in answers] == [200, 410, 200]
    assert (answers[0].get_json()["status"], answers[2].get_json()["status"]) == ("confirmed", "changed")
    assert email_of(user) == NEW


def test_by_program_too_an_address_that_somebody_registers_meanwhile_stays_theirs(
    client_for: LogIn, visitor: FlaskClient, mailbox: Mailbox
) -> None:
    user = with_password(email=OLD)
    client_for(user).post(PAGE, data={"email": NEW})
    tokens = [path.removeprefix(LINK) for path in links(mailbox)]
    factories.student(email=NEW)
    db.session.commit()

    answers = [visitor.post("/api/v1/auth/email-change", json={"token": token}) for token in tokens]

    assert (answers[0].status_code, answers[1].get_json()["type"]) == (200, "/problems/address-taken")
    assert email_of(user) == OLD
    assert db.session.scalars(select(EmailChange)).all() == []
