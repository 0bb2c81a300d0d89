"""Nobody learns by time who has an account: the house does the same work for a known and for an unknown address.

What is compared are the statements sent to the database and the passwords hashed, not a clock, which other work on the
machine would disturb.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from calmness import clock
from calmness.extensions import db
from calmness.services.account import passwords
from tests.account.people import OTHER_PASSWORD, with_factor, with_password
from tests.api.conftest import access_token_of

Act = Callable[[FlaskClient, str], object]
PERSON = {"first_name": "Zoé", "last_name": "Ferrand", "password": OTHER_PASSWORD}


def log_in(browser: FlaskClient, email: str) -> object:
    return browser.post("/connexion", data={"email": email, "password": OTHER_PASSWORD})


def log_in_by_program(browser: FlaskClient, email: str) -> object:
    return browser.post("/api/v1/auth/login", json={"email": email, "password": OTHER_PASSWORD})


def register(browser: FlaskClient, email: str) -> object:
    return browser.post("/inscription", data=PERSON | {"email": email, "adult": "y", "terms": "y"})


def register_by_program(browser: FlaskClient, email: str) -> object:
    body = PERSON | {"email": email, "adult": True, "accept_terms": True}
    return browser.post("/api/v1/auth/register", json=body)


def forget(browser: FlaskClient, email: str) -> object:
    return browser.post("/mot-de-passe-oublie", data={"email": email})


def forget_by_program(browser: FlaskClient, email: str) -> object:
    return browser.post("/api/v1/auth/password/forgot", json={"email": email})


def change_address(browser: FlaskClient, email: str) -> object:
    headers = {
        "Authorization": f"Bearer {access_token_of(with_password(email=f'{secrets.token_hex(4)}@example.test'))}"
    }
    return browser.post("/api/v1/me/email-change", json={"email": email}, headers=headers)


@contextmanager
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Everything that costs time, in its order: statements by verb, and hashes."""
    done: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        done.append(statement.split()[0])

    slot = passwords._slot

    @contextmanager
    def noted_slot() -> Iterator[None]:
        done.append("HASH")
        with slot():
            yield

    monkeypatch.setattr(passwords, "_slot", noted_slot)
    event.listen(db.engine, "before_cursor_execute", note)
    yield done
    event.remove(db.engine, "before_cursor_execute", note)
    monkeypatch.setattr(passwords, "_slot", slot)


@pytest.mark.parametrize(
    "act", [log_in, log_in_by_program, register, register_by_program, forget, forget_by_program, change_address]
)
@pytest.mark.parametrize("state", ["plain", "with_factor", "closed"])
def test_a_known_address_costs_what_an_unknown_one_does(
    site: Flask, monkeypatch: pytest.MonkeyPatch, act: Act, state: str
) -> None:
    if state == "with_factor":
        with_factor(email="zoe@example.test")
    else:
        with_password(email="zoe@example.test", disabled_at=None if state == "plain" else clock.now())
    # Whatever is read once in a process, or once for a person, is read by these.
    act(site.test_client(), "warm@example.test")
    act(site.test_client(), "warm@example.test")

    spent = []
    for address in ("zoe@example.test", "nobody@example.test"):
        with work(monkeypatch) as done:
            act(site.test_client(), address)
        spent.append(done)

    assert (len(spent[0]), spent[0].count("HASH")) == (len(spent[1]), spent[1].count("HASH"))
