"""Confirm it's you: sensitive acts need a proof of identity of the last ten minutes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import AuthSession, Role, User
from calmness.models.api import ApiToken
from calmness.models.audit import AuditEntry
from calmness.services import accounts, step_up
from tests import factories
from tests.account.people import PASSWORD, with_password

LogIn = Callable[[User], FlaskClient]


@pytest.fixture
def chief(site: Flask) -> User:
    """An administrator who knows the password."""
    person = with_password(email="chief@example.test")
    person.role = Role.ADMIN
    db.session.commit()
    return person


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=False)


@pytest.mark.parametrize(("act", "data"), [("role", {"role": "agent"}), ("fermeture", {"disabled": "1"})])
def test_a_stale_session_confirms_first_and_comes_back(
    client_for: LogIn, chief: User, act: str, data: dict[str, str]
) -> None:
    person, browser = factories.student(), client_for(chief)
    page = f"/admin/utilisateurs/{person.id}"

    with later(10.1):
        asked = browser.post(f"{page}/{act}", data=data, headers={"Referer": f"http://localhost{page}"})
        db.session.expire_all()
        before = (person.role, person.disabled_at)
        confirmed = browser.post(asked.location, data={"password": PASSWORD})
        browser.post(f"{page}/{act}", data=data)

    assert asked.location == f"/confirmation?next={page}"
    assert before == (Role.STUDENT, None)
    assert confirmed.location == page
    db.session.expire_all()
    assert (person.role, person.disabled_at) != before
    assert "session.confirmed" in db.session.scalars(select(AuditEntry.action)).all()


def test_ten_minutes_after_the_login_are_still_fresh(client_for: LogIn, chief: User) -> None:
    person, browser = factories.student(), client_for(chief)

    with later(9.9):
        browser.post(f"/admin/utilisateurs/{person.id}/role", data={"role": "agent"})

    db.session.expire_all()
    assert person.role is Role.AGENT


def test_a_fragment_is_led_away_as_a_whole_page(client_for: LogIn, chief: User) -> None:
    browser = client_for(chief)

    with later(11):
        answer = browser.post("/admin/utilisateurs/1/role", data={"role": "agent"}, headers={"HX-Request": "true"})

    assert answer.status_code == 403
    assert answer.headers["HX-Redirect"].startswith("/confirmation?next=")


def test_a_wrong_password_confirms_nothing_and_guesses_are_slowed(client_for: LogIn, chief: User) -> None:
    browser = client_for(chief)
    db.session.scalars(select(AuthSession)).one().fresh_at = None
    db.session.commit()

    answers = [browser.post("/confirmation", data={"password": "x"}) for _try in range(6)]

    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert "Ce mot de passe ne correspond pas" in answers[0].text
    assert answers[-1].headers["Retry-After"]
    db.session.expire_all()
    assert db.session.scalars(select(AuthSession)).one().fresh_at is None


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test", "/\\evil.test"])
def test_the_way_back_stays_on_this_site(client_for: LogIn, chief: User, target: str) -> None:
    answer = client_for(chief).post("/confirmation", data={"password": PASSWORD, "next": target})

    assert answer.location == "/espace/compte"


def test_a_program_confirms_by_json(site: Flask, visitor: FlaskClient) -> None:
    user = with_password(email="zoe@example.test")
    login = visitor.post("/api/v1/auth/login", json={"email": user.email, "password": PASSWORD, "refresh": "body"})
    bearer = {"Authorization": f"Bearer {login.get_json()['access_token']}"}
    opened = db.session.scalars(select(AuthSession)).one()
    opened.fresh_at = None
    db.session.commit()

    wrong = visitor.post("/api/v1/auth/confirmation", json={"password": "x"}, headers=bearer)
    right = visitor.post("/api/v1/auth/confirmation", json={"password": PASSWORD}, headers=bearer)

    assert (wrong.status_code, wrong.get_json()["type"]) == (422, "/problems/wrong-password")
    assert right.get_json() == {"status": "confirmed"}
    db.session.expire_all()
    assert step_up.is_fresh(opened, clock.now())


def test_a_closed_account_confirms_nothing(site: Flask, client_for: LogIn, chief: User) -> None:
    person = with_password(email="zoe@example.test")
    browser = client_for(person)

    accounts.set_disabled(person.id, True, by=chief)
    db.session.commit()

    assert browser.post("/confirmation", data={"password": PASSWORD}).location.startswith("/connexion")


@pytest.mark.parametrize(
    "path",
    [
        "/espace/compte/jetons",
        "/espace/compte/adresse",
        "/espace/compte/cles-acces/options",
        "/espace/compte/double-authentification",
    ],
)
def test_a_stale_session_makes_no_token_no_factor_and_no_new_address(client_for: LogIn, chief: User, path: str) -> None:
    browser = client_for(chief)
    form = {"name": "Script", "scopes": "account:read", "days": "30", "email": "elsewhere@example.test"}

    with later(10.1):
        answer = browser.post(path, data=form)

    assert answer.location.startswith("/confirmation?next=")
    db.session.expire_all()
    assert db.session.scalar(select(func.count()).select_from(ApiToken)) == 0
