"""Personal tokens: made on a page, shown once, limited by scopes and by the rights of their owner."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from calmness import clock
from calmness.extensions import db
from calmness.models.account import Role, User
from calmness.models.api import ApiToken
from calmness.models.audit import AuditEntry
from calmness.services.account import accounts, api_tokens
from tests import factories
from tests.account.people import OTHER_PASSWORD, PASSWORD, with_password

ClientFor = Callable[[User], FlaskClient]


def token_of(user: User, *scopes: str) -> str:
    """The text of a new token."""
    _token, text = api_tokens.create(user, "Tableur", scopes or ("account:read",), 30)
    db.session.commit()
    return text


def call(site: Flask, token: str, path: str, method: str = "GET", **options: Any) -> Any:
    return site.test_client().open(
        f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {token}"}, **options
    )


def test_a_person_makes_a_token_on_the_page_and_a_program_uses_it(site: Flask, client_for: ClientFor) -> None:
    user = factories.student()
    browser = client_for(user)

    page = browser.post("/espace/compte/jetons", data={"name": "Tableur", "days": "30", "scopes": ["trading:read"]})

    text = re.search(r"ct_pat_\w{8}_\w{32}", page.text)
    assert page.status_code == 201
    assert text is not None
    assert "no-store" in page.headers["Cache-Control"]
    assert call(site, text[0], "/me/trading/accounts").status_code == 200
    again = browser.get("/espace/compte/jetons").text
    assert text[0] not in again
    assert text[0][:15] in again
    row = db.session.scalars(select(ApiToken)).one()
    assert text[0][-32:] not in row.secret_hash
    assert row.last_used_at is not None
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert "api_token.created" in actions


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"name": "", "days": "30", "scopes": ["trading:read"]}, "Donnez un nom"),
        ({"name": "x", "days": "30"}, "au moins un droit"),
        ({"name": "Mon outil", "days": "9999", "scopes": ["trading:read"]}, "Mon outil"),
        ({"name": "Mon outil", "days": "30", "scopes": ["admin:write"]}, "Mon outil"),
    ],
)
def test_a_refused_form_keeps_what_was_typed(client_for: ClientFor, data: dict[str, Any], told: str) -> None:
    page = client_for(factories.student()).post("/espace/compte/jetons", data=data)

    assert page.status_code == 422
    assert told in page.text
    assert db.session.scalars(select(ApiToken)).all() == []


@pytest.mark.parametrize(
    ("granted", "method", "path", "status"),
    [
        ("trading:read", "GET", "/me/trading/accounts", 200),
        ("trading:write", "GET", "/me/trading/accounts", 200),
        ("trading:read", "POST", "/me/trading/accounts", 403),
        ("trading:write", "GET", "/me", 403),
        ("account:write", "POST", "/auth/logout", 403),
        ("account:write", "POST", "/auth/logout-all", 403),
        ("admin:write", "GET", "/admin/users", 403),
        ("billing:read", "GET", "/me/invoices", 200),
    ],
)
def test_a_token_does_what_its_scopes_say(site: Flask, granted: str, method: str, path: str, status: int) -> None:
    answer = call(site, token_of(factories.student(), granted), path, method, json={} if method == "POST" else None)

    assert answer.status_code == status


def test_the_role_is_that_of_the_database_at_each_call(site: Flask) -> None:
    user, other = factories.admin(), factories.admin()
    token = token_of(user, "admin:read")
    assert call(site, token, "/admin/users").status_code == 200

    accounts.change_role(user.id, Role.STUDENT, by=other)
    db.session.commit()

    assert call(site, token, "/admin/users").status_code == 403


def test_a_token_ends_by_revocation_by_time_and_with_its_owner(site: Flask, client_for: ClientFor) -> None:
    user = factories.student()
    first, second, third = (token_of(user) for _turn in range(3))
    number = db.session.scalars(select(ApiToken.id).order_by(ApiToken.id)).first()

    stranger = client_for(factories.student()).post(f"/espace/compte/jetons/{number}/fin")
    assert stranger.status_code == 404
    client_for(user).post(f"/espace/compte/jetons/{number}/fin")
    assert call(site, first, "/me").status_code == 401
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False):
        assert call(site, second, "/me").status_code == 401
    assert call(site, third, "/me").status_code == 200
    accounts.set_disabled(user.id, True, by=factories.admin())
    db.session.commit()
    assert call(site, third, "/me").status_code == 401


def test_a_new_password_ends_all_tokens(site: Flask) -> None:
    user = with_password(email="zoe@example.test")
    token = token_of(user)

    accounts.change_password(user, PASSWORD, OTHER_PASSWORD, keep_session="")
    db.session.commit()

    assert call(site, token, "/me").status_code == 401


@pytest.mark.parametrize("text", ["ct_pat_", "ct_pat_00000000_" + "0" * 32, "ct_pat_é", "ct_pat_a b"])
def test_a_made_up_token_is_a_plain_401(site: Flask, text: str) -> None:
    answer = call(site, text, "/me")

    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")


def test_nobody_hoards_tokens(site: Flask) -> None:
    user = factories.student()
    for _turn in range(api_tokens.MOST):
        token_of(user)

    with pytest.raises(api_tokens.TooManyTokens):
        token_of(user)
