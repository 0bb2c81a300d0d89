"""The ground that the other tests stand on."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from calmness.extensions import db
from calmness.models.account import User
from tests import factories


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_starts_with_an_empty_database(site: Flask, turn: int) -> None:
    assert db.session.scalar(select(func.count()).select_from(User)) == 0

    factories.student(first_name=f"Turn {turn}")
    db.session.commit()

    assert db.session.scalar(select(func.count()).select_from(User)) == 1


def test_the_site_is_ready(visitor: FlaskClient) -> None:
    answer = visitor.get("/readyz")

    assert answer.get_json() == {
        "status": "ready",
        "checks": {"database": True, "redis": True, "migrations": True},
    }


def test_two_people_have_two_browsers(site: Flask, client_for: Callable[[User], FlaskClient]) -> None:
    first, second = factories.student(), factories.admin()

    browsers = [client_for(first), client_for(second)]

    with browsers[0].session_transaction() as one, browsers[1].session_transaction() as other:
        assert one["_user_id"] != other["_user_id"]
